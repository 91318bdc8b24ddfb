"""When a request is taken for an earlier one sent again. Time is an argument.

The clients of other APIs send a paid request again by themselves and give it no key: after an error of 500 and above, after 408, 409
and 429, or when nothing came for too long. Whoever answers each of those with work pays two or three times for one picture. So a
request without a key of its client's own is known by what it asks for and by the API key it comes with, and is taken for the
latest such one when there is a reason to:

- it says that it was sent again (`x-stainless-retry-count` above 0);
- the connection of an earlier one broke while that one was under way, or shortly before;
- an earlier one was under way when this process began, so that its connection broke with the process before.

Decided because
- Two equal requests at once, each with somebody waiting for it, are two requests: whoever asks four times for a picture wants four.
- The store has the latest generation of each; so a restart and another replica know as much, all but which connection broke.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from gateway.ledger.generations import Lately

AGAIN = (
    660_000  # ms after the end: the clients wait for 600 s until they give up, and a minute until they send it again
)
DROPPED = 30_000  # ms after a broken connection, in which whoever lost it comes again
_LOOKED_AT = (
    16  # equal requests under way that are asked whether they are gone: of more than that nobody counts on each
)
_MOST = 10_000  # requests remembered of either kind; the oldest are forgotten first
_NEVER = 0


@dataclass(eq=False, slots=True)
class Visit:
    """One request on its way: whom it is known by, and whether its client is still there."""

    name: str
    is_gone: Callable[[], bool]
    is_repeated: bool = field(default=False)  # somebody came again for it


class Repeats:
    """What is known in this process of requests without keys. Times in milliseconds since the epoch."""

    def __init__(self, began: int) -> None:
        """The process began then."""
        self._began = began
        self._here: dict[str, list[Visit]] = {}
        self._dropped: dict[str, list[int]] = {}
        self._refused: dict[str, int] = {}

    def span(self, name: str, now: int, *, says_again: bool) -> Lately:
        """Which generations this request may be meant to repeat; an empty span where none."""
        after = self._refused.get(name, _NEVER)
        if says_again:
            return Lately(after, now + 1, now - AGAIN)
        if self._has_lost(name, now):
            return Lately(after, now + 1, now - DROPPED)
        if now - self._began < DROPPED:
            return Lately(after, self._began, self._began)
        return Lately(_NEVER, _NEVER, _NEVER)

    def enter(self, name: str, is_gone: Callable[[], bool]) -> Visit:
        """A request is worked on from now on."""
        visit = Visit(name, is_gone)
        self._here.setdefault(name, []).append(visit)
        return visit

    def leave(self, visit: Visit, now: int) -> None:
        """It is answered, if anybody is there to hear it."""
        here = self._here[visit.name]
        here.remove(visit)
        if not here:
            del self._here[visit.name]
        if visit.is_gone() and not visit.is_repeated:
            self._dropped.setdefault(visit.name, []).append(now)
            _forget(self._dropped)

    def refuse(self, name: str, now: int) -> None:
        """It was refused, and what comes again begins where this one did not."""
        self._refused.pop(name, None)
        self._refused[name] = now
        _forget(self._refused)

    def _has_lost(self, name: str, now: int) -> bool:
        """Whether an earlier one lost its connection and nobody has come again for it; then somebody has now."""
        for visit in islice(self._here.get(name, ()), _LOOKED_AT):
            if not visit.is_repeated and visit.is_gone():
                visit.is_repeated = True
                return True
        lost = [at for at in self._dropped.pop(name, ()) if now - at < DROPPED]
        if lost[1:]:
            self._dropped[name] = lost[1:]
        return bool(lost)


def _forget(known: dict[str, list[int]] | dict[str, int]) -> None:
    if len(known) > _MOST:
        del known[next(iter(known))]
