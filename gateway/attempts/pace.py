"""When to look at a running job next."""

from __future__ import annotations

from gateway.providers.pack import Pace

_SHARE = 0.1  # of the time a job has run: seeing its end a tenth late is early enough
_SLOWEST = 10_000  # ms; however long it runs, nobody waits longer than this for news
_SPREAD = 0.2  # so that jobs begun together are not looked at together


def next_look(pace: Pace, elapsed: int, chance: float) -> int:
    """How many ms to wait before the next look at a job that has run for `elapsed` ms; `chance` between 0 and 1.

    The first look is spread to later moments only: one that came early would be followed by another right behind it.
    """
    if elapsed < pace.first:
        return pace.first - elapsed + int(pace.first * _SPREAD * chance)
    wait = max(pace.every, min(int(elapsed * _SHARE), _SLOWEST))
    return int(wait * (1 + _SPREAD * (2 * chance - 1)))
