"""How long a connection may take over what, and how many of them one address may have.

A server that waits for whoever is slow is stopped by a thousand of them. So every connection is in one of a few queues, each
with its limit, and one task looks at the front of each. The limits:

- a head has to be there whole soon after the connection, or after its first byte on one that was used before;
- without a request a connection stays open for a while, and no longer;
- whoever does not take the answer that waits for it, or takes it byte by byte, is cut off;
- what was closed has to be gone soon, whether or not the other side agrees.

A request under way has no limit here: it may rightly wait for minutes. What it does is limited where it does it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from gateway import metrics
from gateway.clock import Clock
from gateway.ingress import address
from gateway.ingress.address import Address, Network
from gateway.ingress.waiting import Waiting

HEAD = 10.0  # seconds for a whole head: a client that is well needs one packet, and one that was lost comes again within three
ANSWER = 60.0  # seconds over which the rate of whoever takes an answer is measured: a phone in a tunnel comes out again
SLOWEST = 1024  # bytes a second; the slowest line anybody pays for has five times as much
LEAVING = 2.0  # seconds from our end of a connection to that of the other side, or to none
_LOOK = 0.25  # seconds between looks; so much later than its limit a connection may be closed
# Room is made by closing whoever has been longest without a request: at most so many at a time, none that came just now.
_MOST_RELIEVED = 64
_YOUNGEST_HEAD = 5.0  # seconds; whoever is that late is rather one who does not mean to send any than one who is slow
_YOUNGEST_IDLE = 5.0


class Watched(Hashable, Protocol):
    """A connection, as far as it is watched."""

    def late(self) -> None:
        """Its head did not come in time: say so, and close it."""

    def dismiss(self) -> None:
        """Close it: nothing is under way."""

    def cut(self) -> None:
        """End it at once, whatever is under way."""

    def moved(self) -> int:
        """A number that has grown by as many bytes as the other side took in between."""


@dataclass(frozen=True, slots=True)
class Present:
    """How many connections have yet to say what they want, have a request or an answer under way, and have nothing."""

    awaited: int
    busy: int
    idle: int

    @property
    def all(self) -> int:
        """How many there are."""
        return self.awaited + self.busy + self.idle


class Watch:
    """All connections of one listening address."""

    def __init__(self, clock: Clock, *, idle: float, most: int | None = None, exempt: Sequence[Network] = ()) -> None:
        """Let a connection be without a request for `idle` s, and an address that is not `exempt` have `most` of them."""
        self._clock = clock
        self._heads: Waiting[Watched] = Waiting(HEAD)
        self._idle: Waiting[Watched] = Waiting(idle)
        self._answers: Waiting[Watched] = Waiting(ANSWER)
        self._leaving: Waiting[Watched] = Waiting(LEAVING)
        self._taken: dict[Watched, int] = {}
        self._busy: set[Watched] = set()
        self._most = most
        self._exempt = exempt
        self._of: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look(), name="watch")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def enter(self, where: Address | None) -> str | None:
        """Count a connection to its address; the name it is counted under, None when the address has enough."""
        if where is None or where.is_loopback or address.is_within(where, self._exempt):
            return ""
        name = address.neighbourhood(where)
        if self._most is not None and self._of[name] >= self._most:
            metrics.CONNECTIONS_CLOSED.labels("too_many").inc()
            return None
        self._of[name] += 1
        return name

    def leave(self, name: str) -> None:
        """Count a connection no more."""
        self._of[name] -= 1
        if self._of[name] <= 0:
            del self._of[name]

    def begins(self, one: Watched) -> None:
        """A head is waited for from now on."""
        self._idle.leave(one)
        self._heads.enter(one, self._clock.monotonic())

    @property
    def present(self) -> Present:
        """How many connections there are, those aside that only have to end."""
        return Present(len(self._heads), len(self._busy), len(self._idle))

    def works(self, one: Watched) -> None:
        """A request is under way."""
        self._waits_no_more(one)
        self._busy.add(one)

    def rests(self, one: Watched) -> None:
        """Its answer is out, and the next request may come."""
        self._busy.discard(one)
        self._heads.leave(one)
        self._idle.enter(one, self._clock.monotonic())

    def writes(self, one: Watched) -> None:
        """There is more to be sent than the other side has taken."""
        self._taken[one] = one.moved()
        self._answers.enter(one, self._clock.monotonic())

    def wrote(self, one: Watched) -> None:
        """It took enough to be sent more."""
        self._answers.leave(one)
        self._taken.pop(one, None)

    def leaves(self, one: Watched) -> None:
        """It was closed."""
        self._waits_no_more(one)
        self._leaving.enter(one, self._clock.monotonic())

    def gone(self, one: Watched) -> None:
        """It has ended."""
        self._busy.discard(one)
        self._waits_no_more(one)
        self.wrote(one)
        self._leaving.leave(one)

    def relieve(self) -> int:
        """Make room: close who has been longest without a request; how many were closed."""
        now = self._clock.monotonic()
        late = self._heads.over(now, after=_YOUNGEST_HEAD, most=_MOST_RELIEVED)
        idle = self._idle.over(now, after=_YOUNGEST_IDLE, most=_MOST_RELIEVED - len(late)) if not late else []
        for one in (*late, *idle):
            metrics.CONNECTIONS_CLOSED.labels("crowded").inc()
            one.cut()
        return len(late) + len(idle)

    def look(self, now: float) -> None:
        """Close whoever is over its limit, in seconds of the clock that never steps back."""
        for one in self._heads.over(now):
            metrics.CONNECTIONS_CLOSED.labels("no_head").inc()
            one.late()
        for one in self._idle.over(now):
            metrics.CONNECTIONS_CLOSED.labels("idle").inc()
            one.dismiss()
        for one in self._answers.over(now):
            before, self._taken[one] = self._taken[one], one.moved()
            if self._taken[one] - before >= SLOWEST * ANSWER:
                self._answers.enter(one, now)
                continue
            metrics.CONNECTIONS_CLOSED.labels("slow_reader").inc()
            one.cut()
        for one in self._leaving.over(now):
            one.cut()

    def _waits_no_more(self, one: Watched) -> None:
        self._heads.leave(one)
        self._idle.leave(one)

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(_LOOK)
            self.look(self._clock.monotonic())
