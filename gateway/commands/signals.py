"""Being asked to stop: the first signal ends in good order, the second at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from gateway.commands.exits import Exit

T = TypeVar("T")

_ASKING = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Hears SIGINT and SIGTERM while it is open."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self._heard: asyncio.Future[signal.Signals] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._heard = loop.create_future()
        for number in _ASKING:
            loop.add_signal_handler(number, self._hear, number)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave signals to whoever had them."""
        for number in _ASKING:
            asyncio.get_running_loop().remove_signal_handler(number)

    async def wait(self) -> Exit:
        """Wait until asked to stop, and give the exit code that goes with how."""
        assert self._heard is not None, "wait inside `async with`"
        number = await asyncio.shield(self._heard)
        return Exit.INTERRUPTED if number is signal.SIGINT else Exit.OK

    async def unless(self, work: Coroutine[Any, Any, T]) -> T | Exit:
        """Do some work, and give it up when asked to stop; gives the work's result, or the exit code."""
        task, heard = asyncio.ensure_future(work), asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait([task, heard], return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() else await heard
        finally:
            for each in (task, heard):
                each.cancel()
            await asyncio.gather(task, heard, return_exceptions=True)

    def _hear(self, number: signal.Signals) -> None:
        assert self._heard is not None, "signals are heard inside `async with`"
        if self._heard.done():
            # Whoever asks twice does not want to wait; the store is made to be left at any moment.
            os._exit(128 + number)
        self._heard.set_result(number)
