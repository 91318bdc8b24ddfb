"""New work that waits to begin: accounts take turns, and no more of it begins than the loop keeps up with.

What is accepted in a minute may be more than can be worked on in one. Begun all at once it would stand in the way of every answer,
and of the work of whoever came a moment later.
"""

from __future__ import annotations

import asyncio
import math

from gateway.clock import Clock
from gateway.routing.fair import Row

_BRIEF = 0.002  # seconds a turn of the loop may take that is not busy: some ten steps of what is under way
_REST = 3  # times that turn until the next begins: what is under way comes to its end before there is more of it
_COMPANY = 10.0  # seconds after which an account is alone again; alone it has nobody to make way for
_LONGEST = 0.1  # seconds between two beginnings: even a loop that is always late begins ten a second


class Starts:
    """Lets work begin, one after the other by account."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody waiting."""
        self._clock = clock
        self._row: Row[asyncio.Future[None]] = Row()
        self._latest = ""
        self._met = -math.inf  # when work of another account than the latest came
        self._task: asyncio.Task[None] | None = None

    @property
    def are_waited_for(self) -> bool:
        """Whether any work waits to begin."""
        return bool(self._row)

    async def take(self, account: str) -> None:
        """Wait until work of an account may begin."""
        if account != self._latest:
            self._met = self._clock.monotonic() if self._latest else self._met
            self._latest = account
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._row.add(account, turn)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve(), name="starts")
        try:
            await turn
        finally:
            self._row.drop(account, turn)

    async def _serve(self) -> None:
        """Let one begin with every turn of the loop; among several accounts, rest some of its turns when they are long."""
        try:
            while self._row:
                turn = self._row.next()
                if turn.done():
                    continue
                turn.set_result(None)
                before = self._clock.monotonic()
                await self._clock.sleep(0)
                late = self._clock.monotonic() - before
                if late > _BRIEF and self._clock.monotonic() - self._met < _COMPANY:
                    await self._clock.sleep(min(_REST * late, _LONGEST))
        finally:
            self._task = None
