"""Closed, open, half-open: the recent past of one thing that may fail, and whether it may be asked.

Two rules for this file. Nothing here changes in place: `admit`, `succeeded`, `failed`, `opened` and `released` give a new
breaker back. Time comes in as `now`, in milliseconds of a clock that never jumps, and chance as `jitter`, between -1 and 1.

    closed ──(too many failures)──▶ open ──(its time is over)──▶ half-open ──(two successes)──▶ closed
                                     ▲                               │
                                     └───────────(one failure)───────┘

Where the caller says when a call `began`, news of one that left before the last opening is late and changes nothing: jobs run
for minutes, and those that were lost together must not open the breaker again one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.routing.window import Bucket, count, totals

_ENOUGH = 20  # calls in the window before a share says anything
_SHARE = 0.5
_ROW = 5  # failures in a row that open where there is less traffic than that
_ROW_SPAN = 600_000  # ms within which the row must lie
# Failures in a row that open whatever the traffic: after a good minute the share alone takes half a minute to tell an outage.
# At 20 % ordinary errors so many in a row are chance once in 10^14 calls.
_LONG_ROW = 20
# Finished jobs that are remembered: most end too seldom, and too late, for a minute to say anything. Where a minute holds more
# than these it counts instead: at two jobs a second, a fifth of them failing, half of the last twenty do so by chance 150 times a
# day.
_JOBS = 20
_JOBS_SPAN = 1_800_000  # ms after which the end of a job is forgotten
_FEW_JOBS = 5  # finished jobs before a share of them says anything
_REST = 30_000  # ms of the first rest; each further opening doubles it
_LONGEST_REST = 300_000
_QUIET = 600_000  # ms without an opening after which the first rest is due again
_JITTER = 0.2  # so that the offers of one bad minute do not all come back together
PROBE = 30_000  # ms after which a probe that never came back gives its place up, where nothing else is said
_PROBES = 2  # successes that close a half-open breaker


class Standing(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Rule(StrEnum):
    """What is too much."""

    CALLS = "calls"  # by the minute where there is traffic, in a row where there is little
    JOBS = "jobs"  # by the last finished ones, and by the minute where that holds more


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended, and when."""

    at: int
    good: bool


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is remembered. `counted` says that failures opened it, not one word of the provider."""

    standing: Standing = Standing.CLOSED
    buckets: tuple[Bucket, ...] = ()
    row: tuple[int, ...] = ()  # moments of the failures since the last success
    openings: int = 0
    opened: int = 0
    until: int = 0
    probing_until: int = 0
    probes: int = 0
    rule: Rule = Rule.CALLS
    ends: tuple[End, ...] = ()
    counted: bool = False


CLOSED = Breaker()
CLOSED_TO_JOBS = Breaker(rule=Rule.JOBS)


def admits(breaker: Breaker, now: int) -> bool:
    """Whether a call may go out now. Changes nothing: `admit` takes the probe's place."""
    match breaker.standing:
        case Standing.CLOSED:
            return True
        case Standing.OPEN:
            return now >= breaker.until
        case Standing.HALF_OPEN:
            return now >= breaker.probing_until


def admit(breaker: Breaker, now: int, lease: int = PROBE) -> tuple[Breaker, bool]:
    """Ask to send a call. After its rest the breaker lets one probe at a time through, each for `lease` ms."""
    if not admits(breaker, now):
        return breaker, False
    if breaker.standing is Standing.CLOSED:
        return breaker, True
    probes = 0 if breaker.standing is Standing.OPEN else breaker.probes
    return replace(breaker, standing=Standing.HALF_OPEN, probing_until=now + lease, probes=probes), True


def succeeded(breaker: Breaker, now: int, began: int | None = None) -> Breaker:
    """Take note of a success."""
    if _is_late(breaker, began):
        return breaker
    counted = _count(breaker, now, good=True)
    match counted.standing:
        case Standing.CLOSED:
            return counted
        case Standing.HALF_OPEN:
            return _probed(counted)
        case Standing.OPEN if began is not None:
            return _probed(replace(counted, standing=Standing.HALF_OPEN))  # somebody asked all the same, and rightly
        case Standing.OPEN:
            return counted


def failed(breaker: Breaker, now: int, jitter: float, began: int | None = None) -> Breaker:
    """Take note of a failure; it may open the breaker."""
    if _is_late(breaker, began):
        return breaker
    counted = _count(breaker, now, good=False)
    match counted.standing:
        case Standing.CLOSED:
            return opened(counted, now, jitter, counted=True) if _is_too_much(counted) else counted
        case Standing.HALF_OPEN:
            return opened(counted, now, jitter, counted=breaker.counted)
        case Standing.OPEN:
            return counted


def opened(breaker: Breaker, now: int, jitter: float, *, counted: bool = False) -> Breaker:
    """Open it now, for a rest that doubles with each opening not ten quiet minutes apart.

    One that rests already is left as it is: the calls that were under way together are one piece of bad news, not many.
    """
    if breaker.standing is Standing.OPEN and now < breaker.until:
        return breaker
    openings = 1 if now - breaker.until >= _QUIET or breaker.openings == 0 else breaker.openings + 1
    rest = min(_REST * 2 ** min(openings - 1, 10), _LONGEST_REST)
    until = now + int(rest * (1 + _JITTER * jitter))
    return replace(
        breaker,
        standing=Standing.OPEN,
        openings=openings,
        opened=now,
        until=until,
        probes=0,
        probing_until=0,
        counted=counted,
    )


def released(breaker: Breaker, began: int | None = None) -> Breaker:
    """Give a probe's place back: it ended without saying anything about the provider."""
    if breaker.standing is not Standing.HALF_OPEN or _is_late(breaker, began):
        return breaker
    return replace(breaker, probing_until=0)


def _probed(breaker: Breaker) -> Breaker:
    probes = breaker.probes + 1
    if probes < _PROBES:
        return replace(breaker, probes=probes, probing_until=0)
    return replace(breaker, standing=Standing.CLOSED, buckets=(), row=(), ends=(), probes=0, probing_until=0)


def _is_late(breaker: Breaker, began: int | None) -> bool:
    return began is not None and breaker.openings > 0 and began <= breaker.opened


def _is_too_much(breaker: Breaker) -> bool:
    done, bad = totals(breaker.buckets)
    match breaker.rule:
        case Rule.CALLS if done < _ENOUGH:
            return len(breaker.row) >= _ROW
        case Rule.JOBS if done <= _JOBS:
            lost = sum(not end.good for end in breaker.ends)
            return len(breaker.ends) >= _FEW_JOBS and lost / len(breaker.ends) >= _SHARE
        case Rule.CALLS | Rule.JOBS:
            return bad / done >= _SHARE or len(breaker.row) >= _LONG_ROW


def _count(breaker: Breaker, now: int, *, good: bool) -> Breaker:
    buckets = count(breaker.buckets, now, succeeded=int(good), failed=int(not good))
    row = () if good else (*(at for at in breaker.row if at > now - _ROW_SPAN), now)[-_LONG_ROW:]
    if breaker.rule is Rule.CALLS:
        return replace(breaker, buckets=buckets, row=row)
    known = (end for end in breaker.ends if end.at >= now - _JOBS_SPAN)
    return replace(breaker, buckets=buckets, row=row, ends=(*known, End(now, good))[-_JOBS:])
