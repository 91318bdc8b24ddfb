"""How many jobs a provider takes at once, learned from what it refuses: less at once, more little by little.

Nothing is assumed beforehand: there is no limit until a provider says that it has too much. Time comes in as `now`, in ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_SHRINK = 0.7  # of what was under way when the provider refused more
_CLEAN = 10  # jobs taken without a word before one more is tried
_LEAST = 1
_QUIET = 600_000  # ms without a refusal after which the limit is forgotten
_SPILLED = (
    2  # at most one in so many may be work that another provider failed at: it must not push out the provider's own
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What was learned: how many at once, how many were taken since that changed, when it shrank and when more was refused."""

    most: int
    clean: int
    shrunk: int
    refused: int


def refused(limit: Limit | None, under_way: int, began: int, now: int) -> Limit:
    """Learn from a refusal of a call that left at `began`, with so many under way.

    Those that left before the limit shrank are the same piece of news once more.
    """
    if limit is not None and began <= limit.shrunk:
        return replace(limit, clean=0, refused=now)
    return Limit(max(_LEAST, int(under_way * _SHRINK)), 0, now, now)


def accepted(limit: Limit | None, now: int) -> Limit | None:
    """Learn from a job that was taken."""
    if limit is None or is_over(limit, now):
        return None
    if limit.clean + 1 < _CLEAN:
        return replace(limit, clean=limit.clean + 1)
    return replace(limit, most=limit.most + 1, clean=0)


def is_over(limit: Limit, now: int) -> bool:
    """Whether a limit is too old to hold."""
    return now - limit.refused >= _QUIET


def most(limit: Limit | None, cap: int | None, now: int) -> int | None:
    """How many jobs may be under way: what was learned, at most what the operator says; None where neither says anything."""
    learned = limit.most if limit is not None and not is_over(limit, now) else None
    return min((each for each in (learned, cap) if each is not None), default=None)


def has_room(most_at_once: int | None, under_way: int, spilled: int, *, is_spilled: bool) -> bool:
    """Whether one more job fits, when `spilled` of those under way are work that another provider failed at."""
    if most_at_once is None:
        return True
    if under_way >= most_at_once:
        return False
    return not is_spilled or spilled < max(_LEAST, most_at_once // _SPILLED)
