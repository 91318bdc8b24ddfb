"""A loop on which time passes only when nothing else can happen, and the order of what can is thrown by seeded dice."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = 1_764_000_000_000  # ms; where the true time of every run begins


class Deadlock(Exception):  # noqa: N818 - named for what happened
    """Nothing is ready, nothing is due, and somebody still waits."""


class _Nobody(selectors.SelectSelector):
    """A selector on which nothing ever arrives: to wait is to move the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.wait: Callable[[float], None] = lambda _: None

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Deadlock("nothing is ready and nothing is due")
        if timeout > 0:
            self.wait(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Virtual seconds from 0. What is ready at the same moment runs in an order that `dice` choose."""

    def __init__(self, dice: random.Random) -> None:
        self._at = 0.0
        self._dice = dice
        nobody = _Nobody()
        super().__init__(nobody)
        nobody.wait = self._pass

    def time(self) -> float:
        """The seconds that have passed."""
        return self._at

    def _pass(self, seconds: float) -> None:
        self._at += seconds

    def _run_once(self) -> None:
        ready: deque[Any] = self._ready  # type: ignore[has-type]  # the base class has it without a type
        if len(ready) > 1:
            shuffled = list(ready)
            self._dice.shuffle(shuffled)
            self._ready = deque(shuffled)
        super()._run_once()  # type: ignore[misc]  # private, and the one place where the order is decided


class WallClock:
    """A gateway's clock over virtual time: the time of day can be set, waiting cannot be hurried."""

    def __init__(self, loop: asyncio.AbstractEventLoop, booted: float = 0.0) -> None:
        """Begin with the true time; `booted` is what the clock that never steps says at the loop's beginning, in seconds."""
        self._loop = loop
        self._booted = booted
        self.off = 0  # ms the time of day is wrong by

    def now_ms(self) -> int:
        """Give the time of day, as it was set."""
        return EPOCH + int(self._loop.time() * 1000) + self.off

    def monotonic(self) -> float:
        """Give the seconds that no setting changes."""
        return self._booted + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(max(0.0, seconds))


def play(dice: random.Random, main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own; Deadlock when it waits for what can never come."""
    loop = VirtualLoop(dice)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()
