"""How often running jobs are looked at, and how soon their ends are seen, in virtual time.

Run alone: `python -m tests.harness.looks`. Each line holds what was learned against a look every two seconds. `good` is the share of
jobs with at most 5 calls whose end was also seen within 250 ms or a twentieth of the run: two medians may hold for two
different halves of the jobs, this may not. Durations are never known beforehand; each model has only its own history.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.attempts import job as jobs
from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Line, Target
from gateway.attempts.pace import Durations, Paces, learned, next_look, ran
from gateway.attempts.resume import _PER_SECOND, resume
from gateway.attempts.run import Runs
from gateway.attempts.turns import Turns
from gateway.generation import Kind, Value
from gateway.ledger import accounts, credits, generations
from gateway.offer import Fit, fit
from gateway.providers.pack import Pace
from gateway.providers.render import Site
from gateway.providers.secrets import Secrets
from gateway.routing.health import Health
from tests.harness import memory as stores
from tests.harness.life import packs
from tests.harness.theatre import BASES, SECRETS, Crash, Far, Keeper, Source, Wire
from tests.harness.virtual import EPOCH, VirtualLoop, WallClock, play

IMAGES = (2_000, 4_000, 8_000, 20_000)  # ms; the medians of models that have one of their own
VIDEOS = (30_000, 60_000, 120_000, 300_000)
COLD = 10  # jobs of each model that are still learned from
_JOBS = 110  # of each model
_FIXED = 2_000  # ms between the looks that are held against
_PROVIDER, _MODEL = "replicate", "bytedance/seedance-1-pro"
_FIELDS: Mapping[str, Value] = {"prompt": "waves", "duration": 5}
_DAY = 86_400_000

# How long one job of a model runs, by how many there were before it.
Draw = Callable[[int, random.Random], float]


@dataclass(frozen=True, slots=True)
class Seen:
    """One job: how long it ran, how many calls that took, how late its end was seen, and what was learned; in ms."""

    ran: float
    calls: int
    late: float
    learned: int = 0

    @property
    def share(self) -> float:
        """How late, of the time it ran."""
        return self.late / self.ran

    @property
    def of_goal(self) -> float:
        """How late, of what is aimed at."""
        return self.late / max(250, self.ran / 20)

    @property
    def is_good(self) -> bool:
        """Few calls, and seen in time."""
        return self.calls <= 5 and self.of_goal <= 1


def lognormal(median: float, sigma: float, *, factor: float = 1.0, since: int = 0) -> Draw:
    """Durations around a median, which changes by a factor after so many jobs."""
    return lambda n, dice: median * (factor if n >= since else 1.0) * math.exp(dice.gauss(0, sigma))


def uniform(shortest: float, longest: float) -> Draw:
    """Durations of which nothing can be learned but the range."""
    return lambda _, dice: dice.uniform(shortest, longest)


def follow(draw: Draw, count: int, dice: random.Random, pace: Pace) -> list[Seen]:
    """Look at jobs of one model, one after the other, and learn from each."""
    known, seen = None, []
    for n in range(count):
        one = watch(draw(n, dice), known, dice, pace)
        known = learned(known, one.learned)
        seen.append(one)
    return seen


def watch(run: float, known: Durations | None, dice: random.Random, pace: Pace) -> Seen:
    """Look at one job until its end is seen."""
    elapsed = before = calls = 0
    while elapsed < run:
        before, calls = elapsed, calls + 1
        elapsed += next_look(pace, known, elapsed, dice.random())
    return Seen(run, calls, elapsed - run, ran(before, elapsed))


def fixed(seen: Iterable[Seen]) -> list[Seen]:
    """The same jobs, looked at every two seconds."""
    return [Seen(one.ran, calls := math.ceil(one.ran / _FIXED), calls * _FIXED - one.ran) for one in seen]


def figures(seen: Sequence[Seen]) -> str:
    """Calls, and lateness in ms, as a share of the run and of what is aimed at, each as median/p90; and the share of good ones."""
    calls, late = both([one.calls for one in seen]), both([one.late for one in seen])
    share, of_goal = both([100 * one.share for one in seen], 1), both([one.of_goal for one in seen], 2)
    good = sum(one.is_good for one in seen) / len(seen)
    return f"calls={calls} late_ms={late} late={share}% of_goal={of_goal} good={good:.2f}"


def both(values: Iterable[float], digits: int = 0) -> str:
    """Median and p90."""
    ordered = sorted(values)
    return "/".join(f"{ordered[min(int(share * len(ordered)), len(ordered) - 1)]:.{digits}f}" for share in (0.5, 0.9))


def many(draws: Iterable[Draw], every: int, seeds: int, count: int = _JOBS) -> list[list[Seen]]:
    """Each model under each seed."""
    pace = Pace(max(1_000, every), every, _DAY)
    return [
        follow(draw, count, random.Random(f"{seed} {n}"), pace) for n, draw in enumerate(draws) for seed in range(seeds)
    ]


def told(name: str, seen: Sequence[Seen]) -> str:
    """One line."""
    return f"{name:32} {figures(seen)} | fixed {figures(fixed(seen))}"


def typical(every: int, seeds: int) -> Iterator[str]:
    """Models with a duration of their own."""
    for kind, medians in (("images", IMAGES), ("videos", VIDEOS)):
        for sigma in (0.15, 0.25, 0.35):
            rows = many([lognormal(median, sigma) for median in medians], every, seeds)
            yield told(f"{kind} sigma={sigma}", [one for row in rows for one in row[COLD:]])
            yield told(f"{kind} sigma={sigma} with cold", [one for row in rows for one in row])


def hard(every: int, seeds: int) -> Iterator[str]:
    """Nothing to learn but a range, and models that become slower or faster half-way."""
    for shortest, longest in ((2_000, 20_000), (30_000, 300_000)):
        rows = many([uniform(shortest, longest)] * 4, every, seeds)
        yield told(f"uniform {shortest // 1000}-{longest // 1000} s", [one for row in rows for one in row[COLD:]])
    for factor in (2.0, 0.5):
        draws = [lognormal(median, 0.2, factor=factor, since=60) for median in (6_000, 20_000, 100_000)]
        rows = many(draws, every, seeds, count=140)
        for begin, end in ((60, 70), (70, 80), (80, 100), (100, 140)):
            yield told(f"x{factor} jobs {begin - 60}-{end - 60} after", [one for row in rows for one in row[begin:end]])


async def restarted(loop: VirtualLoop, live: int, vendors: int) -> str:
    """Count the calls each vendor hears in each second after so many jobs were taken up, part of the way through."""
    dice, paces, clock = random.Random(7), Paces(), WallClock(loop)
    calls: Counter[tuple[int, int]] = Counter()
    firsts: Counter[tuple[int, int]] = Counter()
    draws = {n: lognormal(median, 0.25) for n, median in enumerate(VIDEOS)}
    for n, draw in draws.items():
        for vendor in range(vendors):
            for _ in range(24):
                paces.note(f"v{vendor}", f"m{n}", 0, int(draw(0, dice)))
    pace, tasks = Pace(1_000, 1_000, _DAY), []

    async def walk(number: int) -> None:
        vendor, n = number % vendors, number // vendors % len(draws)
        run = draws[n](0, dice)
        began = clock.monotonic() * 1000 - dice.random() * run
        firsts[vendor, int(clock.monotonic())] += 1
        while True:
            elapsed = int(clock.monotonic() * 1000 - began)
            calls[vendor, int(clock.monotonic())] += 1
            if elapsed >= run:
                return
            await clock.sleep(next_look(pace, paces.of(f"v{vendor}", f"m{n}", 0), elapsed, dice.random()) / 1000)

    turns = Turns(lambda name: tasks.append(loop.create_task(walk(int(name)))), clock, dice)
    turns.begin([("a", str(number)) for number in range(live)], live / _PER_SECOND)
    await asyncio.sleep(live / _PER_SECOND + 1)
    await asyncio.gather(*tasks)
    all_at = Counter[int]()
    for (_, second), count in calls.items():
        all_at[second] += count
    return (
        f"restart live={live} vendors={vendors} configured={_PER_SECOND}/s over all  first looks: most={max(firsts.values())}/s at one vendor"
        f"  all looks: most={max(calls.values())}/s at one vendor, {max(all_at.values())}/s over all, {calls.total() / live:.1f} a job"
    )


class Stage:
    """The real runs over a store in memory, with the vendors played behind them."""

    def __init__(self, loop: VirtualLoop, draw: Draw, provider: str = _PROVIDER, model: str = _MODEL) -> None:
        """Set it up; jobs of this kind run as long as `draw` says, a quarter of it in their queue."""
        self.paces = Paces()
        self._dice = random.Random(3)
        self._draw = draw
        self._lengths = {"image": 1.0, "video": 1.0}
        self._statuses: list[int] = []  # ms of each status call of the last job
        self._far = Far(loop, self._dice, self._lengths, self._note)
        self._memory = stores.fresh()
        stores.run(self._memory, accounts.ensure("a", "a", EPOCH))
        stores.run(self._memory, credits.add("a", 10**12, "opening", "", EPOCH))
        self._clock = WallClock(loop)
        found = fit(packs().models[provider, model].offer, _FIELDS)
        assert isinstance(found, Fit)
        self._fit = found
        self.kind = (provider, model, found.form)
        self._rise()

    def script(self, *rules: Mapping[str, Any]) -> None:
        """Let calls go wrong."""
        self._far.script(rules)

    def _rise(self) -> None:
        """Begin a process; what is learned stays, as if it were read back."""
        self._crash = Crash(lambda *_: None, None)
        self._store = stores.opened(self._memory, self._crash, self._dice)
        line = Line(Wire(self._far, self._crash, Secrets(SECRETS, SECRETS)), Inputs(Source()), self._clock, 8.0)
        collector = Collector(self._store, Keeper(self._far, self._crash), self._clock)
        walker = Walker(self._store, line, collector, self._clock, random.Random(1), 120_000, paces=self.paces)
        self._runs = Runs(self._store, walker, _target, Health(), self._clock, random.Random(1))

    def _note(self, what: str, *more: object) -> None:
        if what == "call" and more[1] == "status":
            self._statuses.append(self._far.now())

    async def one(self, n: int, away: float = 0.0) -> Seen:
        """A generation from its acceptance to its end; the process stops just after the submit and is `away` for so many seconds."""
        self._statuses.clear()
        job = self._accepted(n)
        self._runs.start(job)
        if away:
            await asyncio.sleep(1)
            assert job.task is not None
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)
            await asyncio.sleep(away)
            self._rise()
            await resume(self._store, self._runs)
            await asyncio.sleep(5)  # until all turns have come
        await self._runs.wait(job.id, 10_000)
        far = list(self._far.jobs.every())[-1]
        return Seen(far.ends - far.created, len(self._statuses), self._statuses[-1] - far.ends)

    def _accepted(self, n: int) -> jobs.Job:
        """A generation as intake accepts it."""
        self._lengths["video"] = self._draw(n, self._dice) / 1000
        now, price = self._clock.now_ms(), self._fit.price
        provider, model, form = self.kind
        native = packs().models[provider, model].offer.forms[form].native
        step = {"provider": provider, "form": form, "native": native, "price": price, "dropped": []}
        plan = {"steps": [step], "excluded": [], "attempts": 1, "follow_refusal": False, "in_doubt_max_cost": 0}
        new = generations.NewGeneration(
            f"g{n}", "a", Kind.VIDEO, model, _FIELDS, plan, (provider,), price, now, now + 3_600_000
        )
        stores.run(self._memory, generations.accept(new))
        return jobs.accepted(new.id, "a", new.kind, model, _FIELDS, plan, created=now, deadline=new.deadline)


def _target(provider: str, model: str) -> Target:
    pack = packs().models[provider, model]
    return Target(pack, Site(BASES[provider], pack.provider.base, ()))


async def walked(loop: VirtualLoop, count: int, *kind: str) -> list[Seen]:
    """Jobs of one model under the real walker, one after the other."""
    stage = Stage(loop, lognormal(60_000, 0.25), *kind)
    return [await stage.one(n) for n in range(count)]


def main() -> None:
    """Print every scenario."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--every", type=int, nargs="*", default=[250, 500, 1_000, 5_000], help="ms a provider wants between looks"
    )
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--vendors", type=int, default=4)
    asked = parser.parse_args()
    for every in asked.every:
        print(f"every={every} ms")
        for line in (*typical(every, asked.seeds), *hard(every, asked.seeds)):
            print("  " + line)
    print(told("walker: video 60 s sigma=0.25", play(random.Random(1), lambda loop: walked(loop, _JOBS))[COLD:]))
    shares = play(random.Random(1), lambda loop: walked(loop, _JOBS, "runway", "runway/gen-4.5"))
    print(told("walker: the same, with shares", shares[COLD:]))
    print(play(random.Random(1), lambda loop: restarted(loop, asked.live, asked.vendors)))


if __name__ == "__main__":
    main()
