"""`fastest` against vendors that drift, in short: the whole comparison is run by hand, see `tests/harness/drift.py`."""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import fmean

import pytest

from tests.harness import drift
from tests.harness.drift import PACES, SCENARIOS, Means, World, misses

_SHORT = PACES[1]


def test_the_learned_order_pays(capsys: pytest.CaptureFixture[str]) -> None:
    """When the best vendor slows, or the slowest is listed first, the learned order gains what it has to."""
    for scenario in SCENARIOS[:2]:
        found = drift.means(scenario, _SHORT, 2)
        with capsys.disabled():
            sys.stdout.write(f"\ndrift {drift.line(scenario, _SHORT, found)}\n")
        assert misses(scenario, found) == []
        assert 0 < found.trials <= 0.08  # one in twenty, and some luck


def test_an_order_that_learns_nothing_is_found_out() -> None:
    """An order that learns nothing misses both goals, one that is a little worse than the list misses one."""
    slowest_first, equal = SCENARIOS[1], SCENARIOS[4]
    blind = Means(listed=20, fixed=8, clairvoyant=8, ours=20, trials=0)
    assert misses(slowest_first, blind) == ["gains too little", "loses too much"]
    assert misses(equal, replace(blind, listed=10, fixed=10, ours=10.4)) == []
    assert misses(equal, replace(blind, listed=10, fixed=10, ours=10.6)) == ["loses too much"]


def test_one_who_knows_everything_is_not_beaten_by_much() -> None:
    """The clairvoyant's order is at least as fast as every fixed one, but for luck."""
    for scenario in SCENARIOS:
        world = World(scenario, _SHORT, 1)
        every = range(_SHORT.requests)
        knowing = fmean(world.completion(each, world.clairvoyant(each)) for each in every)
        listed = fmean(world.completion(each, (0, 1, 2)) for each in every)
        assert knowing < listed * 1.01


def test_a_failed_attempt_costs_its_time() -> None:
    """A request takes as long as its attempts together, and more where nobody served it."""
    world = World(SCENARIOS[2], _SHORT, 1)
    walks = [list(world.attempts(each, (0, 1, 2))) for each in range(_SHORT.requests)]
    assert {len(walk) for walk in walks} >= {1, 2}
    for each, walk in enumerate(walks):
        total = sum(took for *_, took in walk)
        assert world.completion(each, (0, 1, 2)) == pytest.approx(total if walk[-1][1] else total + 60)
