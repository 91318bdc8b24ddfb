"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools

# Enough turns of the loop for a woken task to reach its next wait through a chain of awaits.
_TURNS = 20


class VirtualClock:
    """A `gateway.clock.Clock` whose time passes only by `advance`; sleepers wake in the order they are due."""

    def __init__(self, start_ms: int = 1_764_000_000_000) -> None:
        """Stand at `start_ms` milliseconds since the epoch."""
        self._start_ms = start_ms
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        """Give the time of day in milliseconds since the epoch."""
        return self._start_ms + round(self._elapsed * 1000)

    def monotonic(self) -> float:
        """Give the seconds that have passed."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its own moment and letting it run before the next wakes."""
        until = self._elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, woken = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not woken.done():
                woken.set_result(None)
                await self.settle()
        self._elapsed = until

    @property
    def sleeping(self) -> int:
        """How many are waiting."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def settle(self) -> None:
        """Let everything that can run do so."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
