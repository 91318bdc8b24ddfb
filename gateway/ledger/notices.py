"""What processes over one store tell one another, over a connection that listens.

A notice only makes somebody look sooner at what the store says: one that is lost costs a wait, never the truth. So nothing is kept
and nothing is repeated, and whoever listens looks by himself as well, every now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gateway import log
from gateway.clock import Clock
from gateway.ledger.postgres import driver

_CHANNEL = "tidegate"
_AGAIN = 1.0  # seconds between tries to reach the server
_PROBE = 5.0  # seconds between looks whether the connection is still there: the server says nothing when a line is cut
_CONNECT = 5.0


class Notices:
    """Listens on a connection of its own, and connects again when that is lost."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        hear: Callable[[str, bool], None],
        is_own: Callable[[int], bool],
        missed: Callable[[], None],
    ) -> None:
        """Hand each notice to `hear`, with whether it `is_own` by the number of the process of the server; `missed` is called after a time in which some may have been lost."""
        self._address = address
        self._clock = clock
        self._hear = hear
        self._is_own = is_own
        self._missed = missed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="notices")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            connection: Any = None
            try:
                settings = {"application_name": "tidegate listener"}
                connection = await driver().connect(self._address, timeout=_CONNECT, server_settings=settings)
                await connection.add_listener(_CHANNEL, self._take)
                self._missed()
                while True:
                    await self._clock.sleep(_PROBE)
                    await connection.fetchval("SELECT 1", timeout=_CONNECT)
            except Exception as error:  # noqa: BLE001 - whatever it is, the remedy is to listen anew
                log.event("notices_interrupted", level="warning", reason=str(error) or type(error).__name__)
            finally:
                if connection is not None:
                    with suppress(Exception):
                        connection.terminate()
            await self._clock.sleep(_AGAIN)

    def _take(self, _connection: Any, process: int, _channel: str, said: str) -> None:
        try:
            self._hear(said, self._is_own(process))
        except Exception as error:  # noqa: BLE001 - a notice is a hint; what is wrong with it stops nobody
            log.event("notice_unread", level="error", said=said[:100], error=error)
