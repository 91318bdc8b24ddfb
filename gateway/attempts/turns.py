"""Those a restart took up, each waiting for its turn, so that no provider hears from all of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from gateway.clock import Clock
from gateway.routing.fair import interleaved


class Turns:
    """Names in a row. Whoever is called for before its turn has it then."""

    def __init__(self, go: Callable[[str], None], clock: Clock, random: Random) -> None:
        """Call `go` for each name when its turn has come."""
        self._go = go
        self._clock = clock
        self._random = random
        self._row: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, found: Sequence[tuple[str, str]], spread: float) -> None:
        """Give each name its turn, evenly over so many seconds, the first at once.

        Each comes with its account: accounts take turns, so that one with few waits for none with many; within one it is chance.
        """
        names = list(interleaved(self._random.sample(found, len(found))))
        self._row |= dict.fromkeys(names)
        if names:
            task = asyncio.get_running_loop().create_task(self._walk(names, spread / len(names)), name="turns")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._row)

    def has(self, name: str) -> bool:
        """Whether it still waits for its turn."""
        return name in self._row

    def now(self, name: str) -> bool:
        """Have its turn come at once; False when it does not wait for one."""
        waits = self.drop(name)
        if waits:
            self._go(name)
        return waits

    def drop(self, name: str) -> bool:
        """Let it have no turn; False when it does not wait for one."""
        return self._row.pop(name, self) is None

    def stop(self) -> None:
        """No further turn comes."""
        self._row.clear()
        for task in self._tasks:
            task.cancel()

    async def _walk(self, names: list[str], rest: float) -> None:
        for name in names:
            if name in self._row:
                self.now(name)
                await self._clock.sleep(rest)
