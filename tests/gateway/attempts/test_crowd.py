"""When all running jobs together are looked at."""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush
from random import Random

import pytest

from gateway.attempts.crowd import Crowd


def looks(jobs: int, usual: int, seconds: int, *, together: bool = False) -> tuple[float, int, int]:
    """The looks a second at so many jobs once they have settled, the most within a tenth of one, and the longest wait in ms."""
    crowd, dice = Crowd(), Random(1)
    row = [0.0 if together else dice.uniform(0, usual / 1000) for _ in range(jobs)]
    heapify(row)
    counted: Counter[int] = Counter()
    longest = 0
    while row[0] < 2 * seconds:
        now = heappop(row)
        counted[int(now * 10)] += now >= seconds
        wait = crowd.wait(usual, now)
        longest = max(longest, wait)
        heappush(row, now + wait / 1000)
    return counted.total() / seconds, max(counted.values()), longest


def test_a_few_are_looked_at_as_usual() -> None:
    """Where there is room for all, hardly anybody waits any longer."""
    rate, most, longest = looks(200, 1_000, 30)
    assert rate == pytest.approx(200, rel=0.05)
    assert most <= 45
    assert longest <= 1_100


@pytest.mark.parametrize(("jobs", "usual"), [(2_000, 1_000), (20_000, 10_000), (20_000, 500)])
@pytest.mark.parametrize("together", [True, False])
def test_many_share_what_there_is(jobs: int, usual: int, *, together: bool) -> None:
    """However many there are, and were they begun all at once, they are looked at evenly, as often as the process can bear."""
    rate, most, longest = looks(jobs, usual, 60, together=together)
    assert rate == pytest.approx(400, rel=0.05)
    assert most <= 60
    assert longest <= usual + jobs / 400 * 1000 + 1_000


def test_nobody_waits_for_ever() -> None:
    """With more jobs than a process is meant for, a look comes a minute late at most."""
    crowd = Crowd()
    assert 61_000 <= max(crowd.wait(1_000, 5.0) for _ in range(50_000)) < 61_200


def test_whoever_is_looked_at_seldom_does_not_wait_for_the_others() -> None:
    """A look that is due behind all that waits has its own moment."""
    crowd = Crowd()
    for _ in range(10_000):
        crowd.wait(1_000, 1.0)
    assert crowd.wait(120_000, 1.0) == 120_000
