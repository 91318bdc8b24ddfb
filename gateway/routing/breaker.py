"""Closed, open, half-open: one offer's recent past, and whether it may be asked.

Two rules for this file. Nothing here changes in place: `admit`, `succeeded`, `failed`, `opened` and `released` give a new
breaker back. Time comes in as `now`, in milliseconds of a clock that never jumps, and chance as `jitter`, between -1 and 1.

    closed ──(too many failures)──▶ open ──(its time is over)──▶ half-open ──(two successes)──▶ closed
                                     ▲                               │
                                     └───────────(one failure)───────┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

_WINDOW = 60_000  # ms over which a share of failures is taken
_BUCKET = 10_000  # ms; six buckets make the window
_ENOUGH = 20  # calls in the window before a share says anything
_SHARE = 0.5
_ROW = 5  # failures in a row that open where there is less traffic than that
_ROW_SPAN = 600_000  # ms within which the row must lie
# Failures in a row that open whatever the traffic: after a good minute the share alone takes half a minute to tell an outage.
# At 20 % ordinary errors so many in a row are chance once in 10^14 calls.
_LONG_ROW = 20
_REST = 30_000  # ms of the first rest; each further opening doubles it
_LONGEST_REST = 300_000
_QUIET = 600_000  # ms without an opening after which the first rest is due again
_JITTER = 0.2  # so that the offers of one bad minute do not all come back together
_PROBE = 30_000  # ms after which a probe that never came back gives its place up
_PROBES = 2  # successes that close a half-open breaker


class Standing(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Outcomes of ten seconds."""

    start: int
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is remembered of one offer."""

    standing: Standing = Standing.CLOSED
    buckets: tuple[Bucket, ...] = ()
    row: tuple[int, ...] = ()  # moments of the failures since the last success
    openings: int = 0
    opened: int = 0
    until: int = 0
    probing_until: int = 0
    probes: int = 0


CLOSED = Breaker()


def admits(breaker: Breaker, now: int) -> bool:
    """Whether a call may go out now. Changes nothing: `admit` takes the probe's place."""
    match breaker.standing:
        case Standing.CLOSED:
            return True
        case Standing.OPEN:
            return now >= breaker.until
        case Standing.HALF_OPEN:
            return now >= breaker.probing_until


def admit(breaker: Breaker, now: int) -> tuple[Breaker, bool]:
    """Ask to send a call. After its rest the breaker lets one probe at a time through."""
    if not admits(breaker, now):
        return breaker, False
    if breaker.standing is Standing.CLOSED:
        return breaker, True
    probes = 0 if breaker.standing is Standing.OPEN else breaker.probes
    return replace(breaker, standing=Standing.HALF_OPEN, probing_until=now + _PROBE, probes=probes), True


def succeeded(breaker: Breaker, now: int) -> Breaker:
    """Take note of a success."""
    counted = _count(breaker, now, succeeded=1)
    match counted.standing:
        case Standing.CLOSED:
            return counted
        case Standing.HALF_OPEN:
            probes = counted.probes + 1
            if probes < _PROBES:
                return replace(counted, probes=probes, probing_until=0)
            return replace(counted, standing=Standing.CLOSED, buckets=(), row=(), probes=0, probing_until=0)
        case Standing.OPEN:
            return counted  # a call that left before it opened


def failed(breaker: Breaker, now: int, jitter: float) -> Breaker:
    """Take note of a failure; it may open the breaker."""
    counted = _count(breaker, now, failed=1)
    match counted.standing:
        case Standing.CLOSED:
            return opened(counted, now, jitter) if _is_too_much(counted) else counted
        case Standing.HALF_OPEN:
            return opened(counted, now, jitter)
        case Standing.OPEN:
            return counted


def opened(breaker: Breaker, now: int, jitter: float) -> Breaker:
    """Open it now, for a rest that doubles with each opening not ten quiet minutes apart.

    One that rests already is left as it is: the calls that were under way together are one piece of bad news, not many.
    """
    if breaker.standing is Standing.OPEN and now < breaker.until:
        return breaker
    openings = 1 if now - breaker.until >= _QUIET or breaker.openings == 0 else breaker.openings + 1
    rest = min(_REST * 2 ** min(openings - 1, 10), _LONGEST_REST)
    until = now + int(rest * (1 + _JITTER * jitter))
    return replace(
        breaker, standing=Standing.OPEN, openings=openings, opened=now, until=until, probes=0, probing_until=0
    )


def released(breaker: Breaker) -> Breaker:
    """Give a probe's place back: it ended without saying anything about the provider."""
    return replace(breaker, probing_until=0) if breaker.standing is Standing.HALF_OPEN else breaker


def _is_too_much(breaker: Breaker) -> bool:
    done = sum(bucket.succeeded + bucket.failed for bucket in breaker.buckets)
    if done < _ENOUGH:
        return len(breaker.row) >= _ROW
    share = sum(bucket.failed for bucket in breaker.buckets) / done
    return share >= _SHARE or len(breaker.row) >= _LONG_ROW


def _count(breaker: Breaker, now: int, *, succeeded: int = 0, failed: int = 0) -> Breaker:
    start = now - now % _BUCKET
    recent = tuple(bucket for bucket in breaker.buckets if bucket.start > now - _WINDOW)
    if recent and recent[-1].start == start:
        last = recent[-1]
        recent = (*recent[:-1], Bucket(start, last.succeeded + succeeded, last.failed + failed))
    else:
        recent = (*recent, Bucket(start, succeeded, failed))
    row = (*(at for at in breaker.row if at > now - _ROW_SPAN), now)[-_LONG_ROW:] if failed else ()
    return replace(breaker, buckets=recent, row=row)
