"""The time, handed to whoever needs it, so that tests can bring their own.

Records and the store hold whole milliseconds since the epoch (UTC); waiting is measured in seconds on a clock that
never steps back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last moment that `iso` can write, in milliseconds since the epoch.
LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

STEP = 30_000  # ms; a clock that is disciplined slews or steps by less
LEASE = 60.0  # seconds; whoever set a clock by mistake, or a machine that just woke, has it right by then


class Clock(Protocol):
    """What tells the time and waits."""

    def now_ms(self) -> int:
        """Give the time of day in milliseconds since the epoch; it may step when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Give seconds since some fixed moment; differences alone mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; at once, but letting others run, when `seconds` is zero or less."""
        ...


async def until(wait: Awaitable[None], event: asyncio.Event) -> None:
    """Wait, but no longer than until something happens."""
    ends = [asyncio.ensure_future(wait), asyncio.ensure_future(event.wait())]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


class SystemClock:
    """The machine's own time and the running loop's sleep."""

    def now_ms(self) -> int:
        """Give the time of day in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)  # seconds on the clock that never steps back; asked for all the time

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Wait on the running loop."""
        # Handed on and not awaited here: a coroutine more would be kept for each of all the jobs that rest.
        return asyncio.sleep(max(0.0, seconds))


class SteadyClock:
    """Another clock, whose time of day is not followed at once when somebody sets it.

    A step of more than `STEP` ms away from the clock that never steps is told once, with its size in ms, and then not believed
    for `LEASE` seconds: so that a clock set wrongly and set back expires no key, link or file. Small corrections are followed.
    """

    def __init__(self, clock: Clock, told: Callable[[int], None]) -> None:
        """Follow `clock`, and tell of its steps."""
        self._clock = clock
        self._now = clock.now_ms
        self.monotonic = clock.monotonic  # seconds on the clock that never steps back
        self._told = told
        self._wall = clock.now_ms()  # what was last believed, and when
        self._at = clock.monotonic()
        self._stepped: float | None = None

    def now_ms(self) -> int:
        """Give the time of day in milliseconds since the epoch, as if no step had been made within the lease."""
        wall, at = self._now(), self.monotonic()
        due = self._wall + int((at - self._at) * 1000)
        if abs(wall - due) > STEP:
            if self._stepped is None:
                self._stepped = at
                self._told(wall - due)
            if at - self._stepped < LEASE:
                return due
        self._wall, self._at, self._stepped = wall, at, None
        return wall

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Wait as the clock that is followed does."""
        return self._clock.sleep(seconds)


def iso(moment_ms: int) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds: `2026-11-25T15:00:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=moment_ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_iso(written: str) -> int:
    """Read an RFC 3339 moment, in any offset, as milliseconds since the epoch; ValueError when it is none.

    What is finer than a millisecond is cut off. A moment without an offset is refused: it could be any of many.
    """
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise ValueError(f"expected a time such as 2026-11-25T15:00:00Z, found '{written[:40]}'") from error
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its offset, such as 2026-11-25T15:00:00Z, found '{written[:40]}'")
    try:
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError as error:
        raise ValueError(f"expected a time within the years 1 to 9999 in UTC, found '{written[:40]}'") from error
