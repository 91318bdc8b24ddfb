"""Status calls for each job that ends, and how late its end is seen, in virtual time: `tests.harness.looks` plays them.

Nobody says beforehand how long a job runs; each model has its own history alone, and the first jobs of it count as well. Beside it a
look every two seconds. The last rows are jobs under the real runs and attempts, over a store in memory, with the vendor played.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence

from tests.bench.figure import Bench, Figure, Of, at_most, compared
from tests.harness import looks
from tests.harness.looks import IMAGES, VIDEOS, Seen
from tests.harness.virtual import play

_NAME = "looks"
_EVERY = 500  # ms that a provider wants between looks at least, as the packs that serve most models have it
_SPREAD = 0.25  # of a model's durations around their median, as a share
_SEEDS = 10  # rounds at least: their time is virtual, and the lateness of pictures differs by a tenth among them
_COUNT, _FEW = 40, 12  # jobs under the real runs
_FEW_CALLS, _SOON = at_most(5, Of.OURS), at_most(1, Of.OURS)


def measure(bench: Bench) -> Iterator[Figure]:
    """Calls a job, and lateness as a share of what is aimed at: 250 ms, or a twentieth of the run where that is more."""
    for kind, medians in (("pictures", IMAGES), ("films", VIDEOS)):
        draws = [looks.lognormal(median, _SPREAD) for median in medians]
        seeds = max(bench.rounds, _SEEDS)
        rows = looks.many(draws, _EVERY, seeds)  # a seed a round, model by model
        rounds = [_flat(rows[number::seeds]) for number in range(seeds)]
        yield from _figures(f"{kind} of {len(medians)} models", rounds)
    count = _FEW if bench.quick else _COUNT
    real = play(random.Random(1), lambda loop: looks.walked(loop, count))
    yield from _figures(f"{count} films under the real runs", [real])


def _flat(rows: Sequence[Sequence[Seen]]) -> list[Seen]:
    return [one for row in rows for one in row]


def _figures(what: str, rounds: Sequence[Sequence[Seen]]) -> Iterator[Figure]:
    plain = [looks.fixed(seen) for seen in rounds]
    calls, others = [_calls(seen) for seen in rounds], [_calls(seen) for seen in plain]
    every = [each for seen in rounds for each in seen]
    good = sum(each.is_good for each in every) / len(every)
    yield compared(_NAME, f"status calls a job: {what}", calls, others, "calls", _FEW_CALLS, "beside a look every 2 s")
    late, later = [_late(seen) for seen in rounds], [_late(seen) for seen in plain]
    note = f"of what is aimed at, at the median; {good:.0%} of the jobs have both, few calls and seen in time"
    yield compared(_NAME, f"end seen: {what}", late, later, "of the goal", _SOON, note)


def _calls(seen: Sequence[Seen]) -> float:
    return statistics.median(each.calls for each in seen)


def _late(seen: Sequence[Seen]) -> float:
    return statistics.median(each.of_goal for each in seen)
