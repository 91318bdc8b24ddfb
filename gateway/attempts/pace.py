"""When to look at a running job next, from how long jobs of its kind took before and from what looks at it have told.

A job that waits has not begun: its run is measured from there, half-way between the look that saw it waiting and the one that
saw it at work. A share of work done is taken for what such shares meant before, and only where that says more than the
durations do; so a provider whose shares mean nothing is looked at as one that tells none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from gateway.attempts.curve import FINEST, LONGEST, SHARE, SHORTEST, Curve, curve, swing
from gateway.attempts.heard import AWAY, Heard
from gateway.providers.pack import Pace

_SLOWEST = 10_000  # ms; where nothing is known nobody waits longer than this for news
_LATER = 0.2  # of the first wait; the first look is spread over so much after it, never before
_KEPT = 24  # durations of each kind: a few tens of jobs until what was is forgotten
_NEAR = 0.65  # of the time when an end was seen: it is not taken to have been earlier
_MOST = 1_000  # kinds of job; about 2 KiB each, as much again where shares are told
_ENOUGH = 5  # durations, below which nothing is said of nearly all: so many jobs its breaker asks for as well
_NEARLY_ALL = 0.95
_THIRDS = (1 / 6, 1 / 2, 5 / 6)  # a start between two looks, by the middles of three parts
_STILL_WAITING = (
    1.2  # times the first wait for a job that begins: one seen waiting seldom begins at once (`tests.harness.told`)
)
_ALIKE = 15  # in hundredths; shares that lie so close are held against each other
_TOLD = 4  # shares alike, below which nothing is made of another
_CLEARER = 0.8  # of the looks due by durations alone: shares that save less may do so by chance
_LEAST = 2  # in hundredths of a run; less than this nobody can have done


@dataclass(frozen=True, slots=True)
class Known:
    """How many ms some jobs took, oldest first, and the curve of one more of them."""

    recent: tuple[int, ...]
    curve: Curve


@dataclass(frozen=True, slots=True)
class Durations:
    """What is known of one kind of job.

    `all` are measured from the submit, and so are `prompt`, those that nobody saw waiting; `runs`, those that somebody did, from
    when they began. A kind that never says that a job is at work has only the first. `shares` pairs a share that was told with
    the one that was true, in hundredths.
    """

    all: Known
    prompt: Known | None = None
    runs: Known | None = None
    shares: tuple[tuple[int, int], ...] = ()


class Paces:
    """What is known of every kind of job: provider, model and form. Those not heard of for longest are forgotten."""

    def __init__(self, most: int = _MOST) -> None:
        """Know nothing yet, and never more than `most` kinds."""
        self._most = most
        self._known: dict[tuple[str, str, int], Durations] = {}

    def of(self, provider: str, model: str, form: int) -> Durations | None:
        """What is known of one kind."""
        return self._known.get((provider, model, form))

    def note(self, provider: str, model: str, form: int, ms: int, heard: Heard = AWAY) -> None:
        """Take note that a job ended so many ms after its submit (see `ran`), and of what looks at it had told."""
        key = (provider, model, form)
        self._known[key] = learned(self._known.pop(key, None), ms, heard)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def learned(known: Durations | None, ms: int, heard: Heard = AWAY) -> Durations:
    """Add the duration of one more job, and forget one where there are many."""
    known = Durations(_more(None, ms)) if known is None else replace(known, all=_more(known.all, ms))
    began = heard.start
    if heard.waited is None or (began is None and known.prompt is None and known.runs is None):
        return known
    if began is None:  # it was never seen at work, though others of its kind were
        began = heard.waited
    took = max(ms - began, 1)
    if heard.waited:
        known = replace(known, runs=_more(known.runs, took))
    else:
        known = replace(known, prompt=_more(known.prompt, took, known.all))
    true = ((share, min((at - began) / took, 1)) for at, share in heard.shares)
    shares = (*known.shares, *((round(share * 100), round(part * 100)) for share, part in true))
    return replace(known, shares=shares[-_KEPT:])


def nearly_all(known: Durations | None) -> int | None:
    """The ms within which nearly all jobs of one kind end; None where too few are known."""
    if known is None or len(known.all.recent) < _ENOUGH:
        return None
    ordered = sorted(known.all.recent)
    return ordered[ceil(len(ordered) * _NEARLY_ALL) - 1]


def half(known: Durations | None) -> int:
    """The ms within which half the jobs of one kind end; 0 where nothing is known."""
    return sorted(known.all.recent)[len(known.all.recent) // 2] if known is not None else 0


def ran(seen: int, found: int) -> int:
    """How long a job ran that was seen running after `seen` ms and ended after `found` ms: half-way, for it ended in between.

    Where that was long before, as at the first look, only the last part counts: the end was not expected much earlier.
    """
    return (max(seen, int(found * _NEAR)) + found) // 2


def next_look(pace: Pace, known: Durations | None, elapsed: int, chance: float, heard: Heard = AWAY) -> int:
    """How many ms to wait before the next look at a job submitted `elapsed` ms ago; `chance` between 0 and 1."""
    if known is None:
        return _unknown(pace, elapsed, chance)
    least = max(pace.every, SHORTEST, int(elapsed * FINEST))
    return max(least, min(int(_expected(known, heard, elapsed, chance)), max(LONGEST, elapsed)))


def _unknown(pace: Pace, elapsed: int, chance: float) -> int:
    """The first look is spread to later moments only: one that came early would be followed by another right behind it."""
    if elapsed < pace.first:
        return pace.first - elapsed + int(pace.first * _LATER * chance)
    wait = max(pace.every, min(int(elapsed * SHARE), _SLOWEST))
    return max(pace.every, int(wait * swing(chance)))


def _expected(known: Durations, heard: Heard, elapsed: int, chance: float) -> float:
    """Until one more look is due, by whatever tells most of this job."""
    if heard.began is None:
        usual = known.all.curve.wait(elapsed, chance)
        runs = known.runs or known.prompt
        if not heard.waited or runs is None:
            return usual
        return max(usual, runs.curve.later(heard.waited).wait(elapsed, chance) * _STILL_WAITING)
    at_work = _at_work(known, heard)
    told = _by_share(known, heard) if heard.is_news else None
    if told is not None and told.left(elapsed) < at_work.left(elapsed) * _CLEARER:
        return told.wait(elapsed, chance)
    return at_work.wait(elapsed, chance)


def _at_work(known: Durations, heard: Heard) -> Curve:
    """The curve of a job at work; one that was seen waiting may have begun any time between that look and the next."""
    if not heard.waited or heard.began is None:
        return (known.prompt or known.all).curve if heard.waited is not None else known.all.curve
    runs = known.runs or known.prompt
    if runs is None:
        return known.all.curve
    between = heard.began - heard.waited
    starts = [int(between * part) for part in _THIRDS]
    return curve([ms + start for ms in runs.recent for start in starts], len(runs.recent), heard.waited)


def _by_share(known: Durations, heard: Heard) -> Curve | None:
    """The curve of a job by the share it has done, were that as true as such shares were before; None where too few are known."""
    start = heard.start
    if start is None:
        return None
    at, share = heard.shares[-1]
    told = share * 100
    true = [part + told - said for said, part in known.shares if abs(told - said) <= _ALIKE]
    if len(true) < _TOLD:
        return None
    return curve([int((at - start) * 100 / min(max(part, _LEAST), 100)) for part in true], len(true), start)


def _more(known: Known | None, ms: int, whole: Known | None = None) -> Known:
    """One duration more; `whole` is given where it may come to the same as those known already."""
    recent = (*(known.recent if known is not None else ()), max(ms, 1))[-_KEPT:]
    return whole if whole is not None and whole.recent == recent else Known(recent, curve(recent, len(recent)))
