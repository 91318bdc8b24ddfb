"""When to look at a running job next."""

from __future__ import annotations

from gateway.providers.pack import Pace

_SHARE = 0.1  # of the time a job has run: seeing its end a tenth late is early enough
_SLOWEST = 10_000  # ms; however long it runs, nobody waits longer than this for news
_SPREAD = 0.2  # so that jobs begun together are not looked at together


def next_look(pace: Pace, elapsed: int, chance: float) -> int:
    """How many ms to wait before the next look at a job that has run for `elapsed` ms; `chance` between 0 and 1."""
    if elapsed < pace.first:
        wait = pace.first - elapsed
    else:
        wait = max(pace.every, min(int(elapsed * _SHARE), max(_SLOWEST, pace.every)))
    return int(wait * (1 + _SPREAD * (2 * chance - 1)))
