"""Whether `fastest` pays: three vendors whose speed and failures drift, tried in the order that the real ranking gives.

    python -m tests.harness.drift [--seeds N]

A request goes to the first vendor of its order; an attempt that fails costs its time and the next one is asked. The same
requests meet the same luck in every order, so that the figures differ by nothing but the order:

- `listed`      the order of the list
- `fixed`       the best of the six orders that never change, chosen with hindsight for each seed
- `clairvoyant` the best order at each moment, by one who knows the vendors' present speed and failures
- `ours`        `gateway/routing/rank.py` and `rankings.py`, told of each attempt when it ends and refreshed each second

Exits 1 when a scenario misses a goal: where the list begins with the wrong vendor, a quarter of the mean time to completion has
to be gained over it; nowhere more than 5 % may be lost to the best fixed order.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import exp
from statistics import fmean

from gateway.routing.rank import Outcome
from gateway.routing.rankings import Rankings

VENDORS = ("one", "two", "three")
_MODEL = "lab/model"
_EPOCH = 1_700_000_000_000
_SPREAD = 0.4  # of the log of the seconds: nine in ten lie within a factor of two of the median
_USUAL_FAILURES = 0.03
_UNSERVED = 60.0  # seconds that a request is held to have cost when all three failed
_LEAST_GAIN = 0.25
_MOST_LOSS = 0.05
_STEPS = 200  # of a random walk

Order = tuple[int, ...]
# Of one vendor, its mean seconds and its share of failures; by the part of the run that is over, 0 to 1.
Course = Callable[[float], Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests come, and how many seconds apart."""

    name: str
    requests: int
    apart: float


PACES = (Pace("20/s", 12_000, 0.05), Pace("every 5 s", 2_000, 5.0), Pace("every 2 min", 1_000, 120.0))


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the vendors drift; `misled` says that the list begins with the wrong one."""

    name: str
    course: Callable[[random.Random], Course]
    misled: bool = False


def _steady(*seconds: float) -> Callable[[random.Random], Course]:
    fixed = [(each, _USUAL_FAILURES) for each in seconds]
    return lambda _dice: lambda _part: fixed


def _slows(_dice: random.Random) -> Course:
    return lambda part: [(8.0 if part < 0.5 else 24.0, _USUAL_FAILURES), (14.0, _USUAL_FAILURES), (20.0, _USUAL_FAILURES)]  # fmt: skip


def _spell(_dice: random.Random) -> Course:
    usual = [(8.0, _USUAL_FAILURES), (12.0, _USUAL_FAILURES), (16.0, _USUAL_FAILURES)]
    return lambda part: [(8.0, 0.7), *usual[1:]] if 1 / 3 <= part < 2 / 3 else usual


def _walk(dice: random.Random) -> Course:
    """Each vendor's speed wanders on its own: by the end a factor of two to either side is usual."""
    paths = []
    for _ in VENDORS:
        at, path = 0.0, []
        for _ in range(_STEPS + 1):
            path.append((10 * exp(at), _USUAL_FAILURES))
            at += dice.gauss(0, 0.7 / _STEPS**0.5)
        paths.append(path)
    moments = list(zip(*paths, strict=True))
    return lambda part: moments[int(part * _STEPS)]


SCENARIOS = (
    Scenario("the best slows", _slows, misled=True),
    Scenario("the slowest listed first", _steady(20, 8, 14), misled=True),
    Scenario("a failing spell", _spell),
    Scenario("slow walk", _walk),
    Scenario("all equal", _steady(10, 10, 10)),
    Scenario("steady, best listed first", _steady(8, 14, 20)),
)


class World:
    """One run's vendors and luck; an order changes neither."""

    def __init__(self, scenario: Scenario, pace: Pace, seed: int) -> None:
        """Draw the course of the vendors and the luck of every request with each of them."""
        dice = random.Random(f"{scenario.name} {pace.name} {seed}")
        self.pace = pace
        self._course = scenario.course(dice)
        self._luck = [
            [(exp(dice.gauss(-_SPREAD * _SPREAD / 2, _SPREAD)), dice.random(), dice.random()) for _ in VENDORS]
            for _ in range(pace.requests)
        ]

    def at(self, moment: float) -> Sequence[tuple[float, float]]:
        """The vendors as they are at a moment."""
        return self._course(min(moment / (self.pace.requests * self.pace.apart), 1.0))

    def attempts(self, request: int, order: Order) -> Iterator[tuple[int, bool, float, float]]:
        """What a request meets: vendor, whether it served, when it was asked and how long it took."""
        moment = request * self.pace.apart
        for vendor in order:
            seconds, failing = self.at(moment)[vendor]
            factor, luck, part = self._luck[request][vendor]
            served = luck >= failing
            took = seconds * factor * (1.0 if served else part)
            yield vendor, served, moment, took
            if served:
                return
            moment += took

    def completion(self, request: int, order: Order) -> float:
        """The seconds until the request is done."""
        total = 0.0
        for _, served, _, took in self.attempts(request, order):
            total += took
            if served:
                return total
        return total + _UNSERVED

    def clairvoyant(self, request: int) -> Order:
        """The order by present seconds per success; nothing is faster while a vendor does not change under way."""

        def seconds(vendor: int) -> float:
            mean, failing = now[vendor]
            return mean * (1 - failing / 2) / (1 - failing)  # a failure comes half-way, on the average

        now = self.at(request * self.pace.apart)
        return tuple(sorted(range(len(VENDORS)), key=seconds))


@dataclass(frozen=True, slots=True)
class Means:
    """Mean seconds to completion by each way of ordering, and the share of requests that were trials of ours."""

    listed: float
    fixed: float
    clairvoyant: float
    ours: float
    trials: float


def ours(world: World, seed: int) -> tuple[float, float]:
    """Mean seconds to completion in the order that the real ranking gives, and the share of trials."""
    dice = random.Random(seed)
    rankings = Rankings(lambda _model: dict.fromkeys(VENDORS, 0))
    ends: list[tuple[float, int, int, bool, float]] = []
    total, trials, refreshed = 0.0, 0, 0
    for request in range(world.pace.requests):
        moment = request * world.pace.apart
        while refreshed + 1 <= moment:
            refreshed += 1
            while ends and ends[0][0] <= refreshed:
                ended, _, vendor, served, took = heapq.heappop(ends)
                outcome = Outcome.USED if served else Outcome.FAILED
                rankings.note(VENDORS[vendor], _MODEL, outcome, int(took * 1000), _EPOCH + int(ended * 1000))
            rankings.refresh(_EPOCH + refreshed * 1000, dice)
        ranking = rankings.of(_MODEL)
        chosen = ranking.pick(dice.random()) if ranking else VENDORS
        trials += ranking is not None and chosen != ranking.order
        order = tuple(VENDORS.index(name) for name in chosen)
        total += world.completion(request, order)
        for vendor, served, begun, took in world.attempts(request, order):
            heapq.heappush(ends, (begun + took, request, vendor, served, took))
    return total / world.pace.requests, trials / world.pace.requests


def run(scenario: Scenario, pace: Pace, seed: int) -> Means:
    """One seed of one scenario, in every order."""
    world = World(scenario, pace, seed)
    every = range(pace.requests)
    fixed = {order: fmean(world.completion(each, order) for each in every) for order in permutations(range(3))}
    mean, trials = ours(world, seed)
    return Means(
        listed=fixed[0, 1, 2],
        fixed=min(fixed.values()),
        clairvoyant=fmean(world.completion(each, world.clairvoyant(each)) for each in every),
        ours=mean,
        trials=trials,
    )


def means(scenario: Scenario, pace: Pace, seeds: int) -> Means:
    """The means over seeds."""
    found = [run(scenario, pace, seed) for seed in range(seeds)]
    names = Means.__slots__
    return Means(**{name: fmean(getattr(each, name) for each in found) for name in names})


def misses(scenario: Scenario, found: Means) -> list[str]:
    """The goals that a scenario misses."""
    missed = []
    if scenario.misled and 1 - found.ours / found.listed < _LEAST_GAIN:
        missed.append("gains too little")
    if found.ours / found.fixed - 1 > _MOST_LOSS:
        missed.append("loses too much")
    return missed


def line(scenario: Scenario, pace: Pace, found: Means) -> str:
    """One line, as it goes into the results."""
    return (
        f"{scenario.name + ', ' + pace.name:<40} listed={found.listed:6.2f} fixed={found.fixed:6.2f} "
        f"clairvoyant={found.clairvoyant:6.2f} ours={found.ours:6.2f} trials={found.trials:5.1%} "
        f"over_listed={1 - found.ours / found.listed:+6.1%} over_fixed={1 - found.ours / found.fixed:+6.1%} "
        + " ".join(misses(scenario, found))
    ).rstrip()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    asked = parser.parse_args()
    missed = 0
    for scenario in SCENARIOS:
        for pace in PACES:
            found = means(scenario, pace, asked.seeds)
            print("drift", line(scenario, pace, found), flush=True)
            missed += len(misses(scenario, found))
    print(f"drift seeds={asked.seeds} missed={missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
