"""How many looks at a job are due until when, from when it may end.

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
from math import log, sqrt

SHARE = 0.1  # of the time a job has run, where nothing is known: seeing its end a tenth late is early enough
LONGEST = (
    120_000  # ms; nobody waits longer past all that is known, nor before it, unless the job has run longer already
)
SHORTEST = 250  # ms; what is seen that late is seen at once
FINEST = 0.05  # of the time a job has run: looks closer than this tell nobody anything new
_SPREAD = 0.2  # so that jobs begun together are not looked at together
_WORTH = 0.011  # of a run's time: how much later its end may be seen for one call less; `tests.harness.looks` has what follows
_WHOLE = SHORTEST / FINEST  # ms; a shorter run counts as this long, for what is late is late in ms there
_PARTS = 6  # of equally many ends each, between the marks of the curve; fewer than four ends in one would be chance
_MARGIN = 0.4  # beyond the shortest and the longest of one duration known; of n, this by the root of n
_NARROWEST = 0.01  # of a time: between two marks there is at least so much


@dataclass(frozen=True, slots=True)
class Curve:
    """Moments between which equally many jobs end, and how many looks are due until each; in ms."""

    moments: tuple[int, ...]
    due: tuple[float, ...]

    def wait(self, elapsed: int, chance: float) -> float:
        """How many ms until one more look is due at a job that has run for `elapsed` ms; `chance` between 0 and 1.

        The first is due anywhere within half a look of that, so that no two jobs keep in step.
        """
        end = self.moments[-1]
        if elapsed >= end:
            return min(elapsed * SHARE, LONGEST) * swing(chance)
        had = self.until(elapsed)
        then = had + (swing(chance) if had > 0 else 0.5 + chance)
        past = then - self.due[-1]
        moment = end * (1 + past * SHARE) if past > 0 else _along(self.due, self.moments, then)
        return min(moment - elapsed, max(LONGEST, elapsed))

    def until(self, elapsed: int) -> float:
        """How many looks are due until then."""
        return _along(self.moments, self.due, elapsed)

    def left(self, elapsed: int) -> float:
        """How many looks are due from then on: the fewer, the better it is known when the job ends."""
        return self.due[-1] - self.until(elapsed)

    def later(self, ms: int) -> Curve:
        """The same for a job that begins so many ms later."""
        return _through(tuple(moment + ms for moment in self.moments))


def curve(durations: Sequence[int], jobs: int, after: int = 0) -> Curve:
    """The curve of a job that begins `after` so many ms and may run as long as any of these; as many `jobs` are known."""
    margin = 1 + _MARGIN / sqrt(jobs)
    ends = sorted(durations)
    ends = [int(ends[0] / margin), *ends, int(ends[-1] * margin) + 1]
    parts = min(_PARTS, jobs + 1)
    places = range(len(ends))
    marks = (int(_along(places, ends, (len(ends) - 1) * part / parts)) for part in range(parts + 1))
    return _through(tuple(max(1, mark) + after for mark in marks))


def swing(chance: float) -> float:
    """A factor around one, by which waits differ."""
    return 1 + _SPREAD * (2 * chance - 1)


def _through(moments: tuple[int, ...]) -> Curve:
    due = [0.0]
    left = parts = len(moments) - 1
    for begin, end in pairwise(moments):
        # The rate of ends is the part over its width and over the share still running: this is its root, summed over the part.
        width = max(log(end / begin), _NARROWEST) * parts / max(1.0, _WHOLE / end)
        due.append(due[-1] + sqrt(2 * width / _WORTH) * (sqrt(left / parts) - sqrt((left - 1) / parts)))
        left -= 1
    return Curve(moments, tuple(due))


def _along(places: Sequence[float], values: Sequence[float], place: float) -> float:
    """The value at a place, on straight lines between those given; beyond them, that of the nearest."""
    after = bisect_right(places, place)
    if after in {0, len(places)}:
        return values[0 if after == 0 else -1]
    before = after - 1
    share = (place - places[before]) / (places[after] - places[before])
    return values[before] + share * (values[after] - values[before])
