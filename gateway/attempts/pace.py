"""When to look at a running job next, from how long jobs of its kind took before.

The aim is that news is fresh in proportion to the wait: a look is worth the same share of a run whether that takes seconds or
minutes. If ends come at the rate h, looks at the distance g find an end g/2 late and cost one call each; what both cost
together is least where g² = 2 · (what a call is worth) / h. So looks gather where ends are likely, and are rare where they
are not. Spread over the time of a run that is a curve, how many looks are due until when, and a job is looked at each time it
has passed another whole one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log, sqrt

from gateway.providers.pack import Pace

_SHARE = 0.1  # of the time a job has run, where nothing is known: seeing its end a tenth late is early enough
_SLOWEST = 10_000  # ms; where nothing is known nobody waits longer than this for news
_LONGEST = 120_000  # ms; nor than this past all that is known, nor before it, unless the job has run longer already
_SPREAD = 0.2  # so that jobs begun together are not looked at together
_SHORTEST = 250  # ms; what is seen that late is seen at once
_FINEST = 0.05  # of the time a job has run: looks closer than this tell nobody anything new
_WORTH = 0.011  # of a run's time: how much later its end may be seen for one call less; `tests.harness.looks` has what follows
_WHOLE = _SHORTEST / _FINEST  # ms; a shorter run counts as this long, for what is late is late in ms there
_KEPT = 24  # durations of each kind: a few tens of jobs until what was is forgotten
_PARTS = 6  # of equally many jobs each, between the marks of the curve; fewer than four jobs in one would be chance
_MARGIN = 0.4  # beyond the shortest and the longest of one duration known; of n, this by the root of n
_NARROWEST = 0.01  # of a time: between two marks there is at least so much
_NEAR = 0.65  # of the time when an end was seen: it is not taken to have been earlier
_MOST = 1_000  # kinds of job; about 1 KiB each
_ENOUGH = 5  # durations, below which nothing is said of nearly all: so many jobs its breaker asks for as well
_NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the latest jobs of one kind ran, oldest first; and at some moments, how many looks are due until then. All in ms."""

    recent: tuple[int, ...]
    moments: tuple[int, ...]
    due: tuple[float, ...]


class Paces:
    """What is known of every kind of job: provider, model and form. Those not heard of for longest are forgotten."""

    def __init__(self, most: int = _MOST) -> None:
        """Know nothing yet, and never more than `most` kinds."""
        self._most = most
        self._known: dict[tuple[str, str, int], Durations] = {}

    def of(self, provider: str, model: str, form: int) -> Durations | None:
        """What is known of one kind."""
        return self._known.get((provider, model, form))

    def note(self, provider: str, model: str, form: int, ms: int) -> None:
        """Take note that a job ended after it had run for so many ms; see `ran`."""
        key = (provider, model, form)
        self._known[key] = learned(self._known.pop(key, None), ms)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def learned(known: Durations | None, ms: int) -> Durations:
    """Add the duration of one more job, and forget one where there are many."""
    recent = (*(known.recent if known is not None else ()), max(ms, 1))[-_KEPT:]
    moments = _marks(recent)
    due = [0.0]
    left = parts = len(moments) - 1
    for begin, end in pairwise(moments):
        # The rate of ends is the part over its width and over the share still running: this is its root, summed over the part.
        width = max(log(end / begin), _NARROWEST) * parts / max(1.0, _WHOLE / end)
        due.append(due[-1] + sqrt(2 * width / _WORTH) * (sqrt(left / parts) - sqrt((left - 1) / parts)))
        left -= 1
    return Durations(recent, moments, tuple(due))


def nearly_all(known: Durations | None) -> int | None:
    """The ms within which nearly all jobs of one kind end; None where too few are known."""
    if known is None or len(known.recent) < _ENOUGH:
        return None
    return sorted(known.recent)[ceil(len(known.recent) * _NEARLY_ALL) - 1]


def half(known: Durations | None) -> int:
    """The ms within which half the jobs of one kind end; 0 where nothing is known."""
    return sorted(known.recent)[len(known.recent) // 2] if known is not None else 0


def ran(seen: int, found: int) -> int:
    """How long a job ran that was seen running after `seen` ms and ended after `found` ms: half-way, for it ended in between.

    Where that was long before, as at the first look, only the last part counts: the end was not expected much earlier.
    """
    return (max(seen, int(found * _NEAR)) + found) // 2


def next_look(pace: Pace, known: Durations | None, elapsed: int, chance: float) -> int:
    """How many ms to wait before the next look at a job that has run for `elapsed` ms; `chance` between 0 and 1."""
    if known is None:
        return _unknown(pace, elapsed, chance)
    least = max(pace.every, _SHORTEST, int(elapsed * _FINEST))
    return max(least, int(_expected(known, elapsed, chance)))


def _unknown(pace: Pace, elapsed: int, chance: float) -> int:
    """The first look is spread to later moments only: one that came early would be followed by another right behind it."""
    if elapsed < pace.first:
        return pace.first - elapsed + int(pace.first * _SPREAD * chance)
    wait = max(pace.every, min(int(elapsed * _SHARE), _SLOWEST))
    return max(pace.every, int(wait * _swing(chance)))


def _expected(known: Durations, elapsed: int, chance: float) -> float:
    """Until one more look is due. The first is due anywhere within half a look of that, so that no two jobs keep in step."""
    end = known.moments[-1]
    if elapsed >= end:
        return min(elapsed * _SHARE, _LONGEST) * _swing(chance)
    had = _along(known.moments, known.due, elapsed)
    then = had + (_swing(chance) if had > 0 else 0.5 + chance)
    past = then - known.due[-1]
    moment = end * (1 + past * _SHARE) if past > 0 else _along(known.due, known.moments, then)
    return min(moment - elapsed, max(_LONGEST, elapsed))


def _swing(chance: float) -> float:
    return 1 + _SPREAD * (2 * chance - 1)


def _marks(recent: Sequence[int]) -> tuple[int, ...]:
    """The moments between which equally many jobs end, with a margin at both ends for what has not been seen yet."""
    margin = 1 + _MARGIN / sqrt(len(recent))
    ends = sorted(recent)
    ends = [int(ends[0] / margin), *ends, int(ends[-1] * margin) + 1]
    parts = min(_PARTS, len(recent) + 1)
    places = range(len(ends))
    marks = [max(1, int(_along(places, ends, (len(ends) - 1) * part / parts))) for part in range(parts + 1)]
    return tuple(marks)


def _along(places: Sequence[float], values: Sequence[float], place: float) -> float:
    """The value at a place, on straight lines between those given; beyond them, that of the nearest."""
    after = bisect_right(places, place)
    if after in {0, len(places)}:
        return values[0 if after == 0 else -1]
    before = after - 1
    share = (place - places[before]) / (places[after] - places[before])
    return values[before] + share * (values[after] - values[before])
