"""What is won by what providers tell of their jobs: whether one waits or runs, and the share it has done. In virtual time.

Run alone: `python -m tests.harness.told`. Each line holds looks that go by all that is told against looks that go by durations
alone, over the same jobs. A provider may tell the truth, a curve, or nonsense: by nonsense nothing may be lost.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.attempts.heard import AWAY, NOTHING, hear
from gateway.attempts.pace import Durations, learned, next_look, ran
from gateway.providers.pack import JobState, Pace
from tests.harness.looks import COLD, Draw, Seen, figures, lognormal

_DAY = 86_400_000
_TURNS = 60  # jobs after which a provider's shares change their meaning

# The share a job tells, by the share it has done, a chance of the job's own, and how many jobs there were before it.
Tell = Callable[[float, float, int], float | None]
# How long a job waits before it runs, in ms.
Queue = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class Provider:
    """How the jobs of one model wait and run, and what is told of them."""

    run: Draw
    queue: Queue
    tell: Tell
    has_words: bool = True  # for waiting and running; without, every job is said to wait until it ends


def nobody(_: random.Random) -> float:
    """No queue."""
    return 0.0


def busy(share: float, mean: float) -> Queue:
    """A share of the jobs waits, around so many ms."""
    return lambda dice: dice.expovariate(1 / mean) if dice.random() < share else 0.0


def crowded(longest: float) -> Queue:
    """Every job waits, anything up to so many ms."""
    return lambda dice: dice.uniform(0, longest)


SHARES: dict[str, Tell] = {
    "none": lambda _done, _own, _n: None,
    "honest": lambda done, _own, _n: round(done, 2),
    "noisy": lambda done, own, _n: min(max(done + 0.1 * math.sin(40 * (done + own)), 0), 1),
    "curved": lambda done, _own, _n: math.sqrt(done),
    "in quarters": lambda done, _own, _n: math.floor(done * 4) / 4,
    "another curve each": lambda done, own, _n: done ** (0.6 + 0.8 * own),
    "0, then 0.9 some time": lambda done, own, _n: 0.0 if done < own else 0.9,
    "0.9 at once": lambda _done, _own, _n: 0.9,
    "0.99 from half-way on": lambda done, _own, _n: min(done * 2, 0.99),
    "any": lambda done, own, _n: math.modf(1000 * math.sin(1000 * (done + own)))[0] % 1,
    "honest, then 0.9": lambda done, _own, n: done if n < _TURNS else 0.9,
    "impossible": lambda done, own, _n: math.nan if own < 0.5 else 25 * done,
}
QUEUES: dict[str, Queue] = {
    "no queue": nobody,
    "a third wait 60 s": busy(0.3, 60_000),
    "all wait 60 s": busy(1.0, 60_000),
    "all wait 0-300 s": crowded(300_000),
}


def follow(provider: Provider, count: int, dice: random.Random, pace: Pace, *, listen: bool) -> list[Seen]:
    """Look at jobs of one model, one after the other, and learn from each; who does not `listen` goes by durations alone."""
    known: Durations | None = None
    seen = []
    for n in range(count):
        wait, run, own = provider.queue(dice), provider.run(n, dice), dice.random()
        elapsed = before = calls = 0
        heard = NOTHING if listen else AWAY
        while elapsed < wait + run:
            before, calls = elapsed, calls + 1
            elapsed += next_look(pace, known, elapsed, dice.random(), heard)
            if listen and elapsed < wait + run:
                done = (elapsed - wait) / run
                works = done >= 0 and provider.has_words
                share = provider.tell(done, own, n) if done >= 0 else None
                share = share if share is not None and 0 <= share <= 1 else None  # as answers are read
                heard = hear(heard, JobState.RUNNING if works or share else JobState.QUEUED, share, elapsed)
        found = ran(before, elapsed)
        known = learned(known, found, heard)
        seen.append(Seen(wait + run, calls, elapsed - wait - run, found))
    return seen


def both_ways(provider: Provider, every: int, seeds: int, count: int = 110) -> tuple[list[Seen], list[Seen]]:
    """The jobs of one provider under each seed, by durations alone and by all that is told."""
    pace = Pace(max(1_000, every), every, _DAY)
    alone, told = (
        [
            one
            for seed in range(seeds)
            for one in follow(provider, count, random.Random(f"told {seed}"), pace, listen=listen)[COLD:]
        ]
        for listen in (False, True)
    )
    return alone, told


def lines(every: int, seeds: int, median: float) -> Iterator[str]:
    """Every way to tell without a queue, and every queue with shares that say nothing, the truth, and nonsense."""
    ways = [("no queue", name) for name in SHARES]
    ways += [(queue, name) for queue in list(QUEUES)[1:] for name in ("none", "honest", "0, then 0.9 some time")]
    for queue, name in ways:
        provider = Provider(lognormal(median, 0.25), QUEUES[queue], SHARES[name])
        yield line(f"{queue}, {name}", *both_ways(provider, every, seeds))
    mute = Provider(lognormal(median, 0.25), QUEUES["all wait 60 s"], SHARES["none"], has_words=False)
    yield line("all wait 60 s, no words", *both_ways(mute, every, seeds))


def line(name: str, alone: list[Seen], told: list[Seen]) -> str:
    """One line; `calls` has the mean beside it, for medians are whole numbers."""
    ways = (f"{mean(seen):.2f} {figures(seen)}" for seen in (told, alone))
    return f"{name:42} {' | durations alone '.join(ways)}"


def mean(seen: list[Seen]) -> float:
    """Calls a job."""
    return sum(one.calls for one in seen) / len(seen)


def main() -> None:
    """Print every scenario."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--every", type=int, nargs="*", default=[500, 5_000], help="ms a provider wants between looks")
    parser.add_argument("--median", type=float, nargs="*", default=[10_000, 60_000, 180_000], help="ms of the runs")
    asked = parser.parse_args()
    for every in asked.every:
        for median in asked.median:
            print(f"every={every} ms, runs of {median / 1000:g} s")
            for text in lines(every, asked.seeds, median):
                print("  " + text)


if __name__ == "__main__":
    main()
