"""How often all running jobs together are looked at."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from random import Random

import pytest

from gateway.attempts.crowd import Crowd


def looks(jobs: int, usual: int, seconds: int) -> tuple[float, int]:
    """The looks a second at so many jobs, once they are used to each other, and the longest wait in ms."""
    crowd, dice = Crowd(), Random(1)
    row = [dice.uniform(0, usual / 1000) for _ in range(jobs)]
    heapify(row)
    counted, longest = 0, 0
    while row[0] < 2 * seconds:
        now = heappop(row)
        wait = crowd.wait(usual, now)
        counted, longest = counted + (now >= seconds), max(longest, wait)
        heappush(row, now + wait / 1000)
    return counted / seconds, longest


def test_a_few_are_looked_at_as_usual() -> None:
    """Where there is room for all nobody waits any longer."""
    assert looks(300, 1_000, 30) == (pytest.approx(300, rel=0.05), 1_000)


@pytest.mark.parametrize(("jobs", "usual"), [(2_000, 1_000), (20_000, 10_000)])
def test_many_share_what_there_is(jobs: int, usual: int) -> None:
    """However many there are, together they are looked at as often as the process can bear."""
    rate, longest = looks(jobs, usual, 60)
    assert 300 < rate < 600
    assert longest <= 50_000


def test_nobody_waits_longer_than_that_for_the_others() -> None:
    """A job that is looked at seldom is not looked at less often because of those that are looked at often."""
    crowd = Crowd()
    for _ in range(100_000):
        crowd.wait(1_000, 1.0)
    assert crowd.wait(1_000, 1.0) <= 50_000
    assert crowd.wait(30_000, 1.0) <= 50_000
    assert crowd.wait(120_000, 1.0) == 120_000
