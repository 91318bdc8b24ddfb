"""The first of three providers fails for a while, in virtual time: what its breakers save, and what they cost.

Run alone: `python -m tests.harness.outage`. The real intake, runs, walkers, health and store; the vendors are played without sockets.
One line for each kind of outage, and one for days of ordinary errors, on which the real breakers stand alone before a thin model
of a provider. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Line
from gateway.attempts.run import Runs
from gateway.clock import SteadyClock
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind
from gateway.ingress.intake import Answer, Intake
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked
from gateway.ledger import accounts, credits, generations
from gateway.ledger.database import Database
from gateway.ledger.records import Record
from gateway.providers.classify import Reply
from gateway.providers.pack import CallName
from gateway.providers.render import Call
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Broken
from gateway.routing import signal
from gateway.routing.breaker import Breaker, Standing
from gateway.routing.health import WHOLE, Health
from gateway.routing.override import EVERY, Forced, Override
from gateway.routing.plan import Plan, Why
from gateway.routing.plan import Standing as Barred
from tests.harness import memory as stores
from tests.harness.life import _target, _world
from tests.harness.simulation import listening
from tests.harness.theatre import BASES, SECRETS, Crash, Far, Keeper, Source, Wire
from tests.harness.virtual import EPOCH, VirtualLoop, WallClock, play

MODEL = "bytedance/seedream-4.5"
FIRST, *_OTHERS = ORDER = ("replicate", "fal", "byteplus")
_FIELDS = {"prompt": "a seal"}
_RICH = 10**12
_SUBMIT = 30.0  # seconds, as a gateway has it unless told otherwise
_POLL_GRACE = 120_000  # ms, the same
_TAKES = 3.0  # seconds that a picture takes
_WARM = 60.0  # seconds of good traffic before
_LONGEST_AFTER = 420.0  # seconds after: a longest rest, its jitter and two probes
_SLOW = 2_000  # ms from acceptance to the attempt that served, above which a generation counts as delayed
_FINISH = 60.0  # seconds for the last ones
_MILLION = 1_000_000 / (86_400 * 20)  # days that a million calls take at twenty a second
_FOR_EVER = 10**12  # ms
_PROBING = 15_000  # ms for two probes to go out and come back once a rest is over

# What befalls the first provider. A script for its vendor, or no connection at all.
OUTAGES: Mapping[str, tuple[Mapping[str, Any], ...]] = MappingProxyType(
    {
        "refused": (),
        "503": ({"provider": FIRST, "call": "submit", "do": "status", "status": 503},),
        "500": ({"provider": FIRST, "call": "submit", "do": "status", "status": 500},),
        "hangs": ({"provider": FIRST, "call": "submit", "do": "trickle"},),
        "fails": ({"provider": FIRST, "call": "submit", "do": "fail"},),
    }
)


@dataclass
class Figures:
    """What came of one outage. `delayed` and `share` are of the generations taken in between the opening and its end.

    Recovery is measured from the end of the outage, and from that of the last rest, which a probe that hung may have begun later.
    """

    kind: str
    generations: int = 0
    succeeded: int = 0
    turned_away: int = 0
    calls: int = 0
    opened_after: float = -1.0
    during: int = 0
    delayed: int = 0
    recovered_after: float = -1.0
    rest: float = 0.0
    noticed_after: float = -1.0
    notes: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the generations, how many were delayed although the breaker had opened."""
        return self.delayed / max(self.during, 1)

    @property
    def calls_each(self) -> float:
        """Submits for each generation."""
        return self.calls / max(self.generations, 1)

    def bad(self) -> list[str]:
        """The goals that are missed."""
        missed = []
        if self.opened_after < 0:
            missed.append("the breaker never opened")
        if self.share > 0.01:
            missed.append(f"{self.share:.2%} are delayed, at most 1 %")
        if self.calls_each > 1.2:
            missed.append(f"{self.calls_each:.3f} calls a generation, at most 1.2")
        if self.recovered_after < 0 or self.noticed_after * 1000 > _PROBING:
            missed.append(f"recovery noticed {self.noticed_after:.0f} s after the last rest was over")
        if self.succeeded < self.generations or self.turned_away:
            missed.append(f"{self.generations - self.succeeded} failed, {self.turned_away} turned away")
        return missed

    def line(self) -> str:
        """All of it on one line."""
        return (
            f"outage kind={self.kind} generations={self.generations} succeeded={self.succeeded} "
            f"turned_away={self.turned_away} calls_each={self.calls_each:.3f} opened_after={self.opened_after:.1f}s "
            f"during={self.during} delayed={self.delayed} share={self.share:.4f} "
            f"recovered_after={self.recovered_after:.1f}s last_rest={self.rest:.1f}s noticed_after={self.noticed_after:.1f}s"
        )


class Lines(Wire):
    """The lines to all vendors; the one to the first can be cut, and submits are counted."""

    def __init__(self, far: Far, crash: Crash, secrets: Secrets, figures: Figures) -> None:
        """Begin whole."""
        super().__init__(far, crash, secrets)
        self._figures = figures
        self.submits: Counter[str] = Counter()  # by provider
        self.is_cut = False

    async def send(self, call: Call, timeout: float) -> Reply:  # noqa: ASYNC109 - the signature of the line it stands for
        """Send a call, unless nobody is there."""
        if call.name is CallName.SUBMIT:
            self._figures.calls += 1
            self.submits[next(name for name, base in BASES.items() if call.url.startswith(base))] += 1
        if self.is_cut and call.url.startswith(BASES[FIRST]):
            await asyncio.sleep(0.002)
            raise Broken(Fault(FaultKind.PROVIDER_ERROR, Reach.UNSENT, "no connection"))
        return await super().send(call, timeout)


class Stage:
    """A gateway, its vendors, and somebody who asks at a steady rate."""

    def __init__(self, loop: VirtualLoop, dice: random.Random, figures: Figures) -> None:
        """Set everything up; nothing is asked for yet."""
        self.loop = loop
        self.dice = dice
        self.figures = figures
        self.far = Far(loop, dice, {"image": _TAKES, "video": 60.0}, lambda *_: None)
        crash = Crash(self.far.note, None)
        self.memory = stores.fresh()
        stores.run(self.memory, accounts.ensure("rich", "rich", EPOCH))
        stores.run(self.memory, credits.add("rich", _RICH, "opening", "", EPOCH))
        self.store: Database = stores.opened(self.memory, crash, dice)
        clock, secrets, self.health = SteadyClock(WallClock(loop), lambda _: None), Secrets(SECRETS, SECRETS), Health()
        self.lines = Lines(self.far, crash, secrets, figures)
        line = Line(self.lines, Inputs(Source()), clock, _SUBMIT, health=self.health)
        collector = Collector(self.store, Keeper(self.far, crash), clock)
        walker = Walker(self.store, line, collector, clock, random.Random(dice.getrandbits(64)), _POLL_GRACE)
        self.runs = Runs(self.store, walker, _target, self.health, clock, random.Random(dice.getrandbits(64)))
        self.intake = Intake(_world("300s", "600s"), self.store, self.runs, self.health, clock)
        self.leave(ORDER)
        self.taken: dict[str, float] = {}  # when each generation was taken in, in seconds
        self.asking: set[asyncio.Task[Any]] = set()

    def leave(self, providers: Collection[str]) -> None:
        """Leave nobody but these."""
        barred = Barred(Why.SWITCHED_OFF, "it is switched off")
        others = {each: barred for each in BASES if each not in providers}
        self.intake.world = replace(self.intake.world, standing=others)

    def breakers(self) -> list[Breaker]:
        """Every breaker that can bar the first provider's offer."""
        keys = ((signal.Kind.PROVIDER, WHOLE), (signal.Kind.SUBMIT, MODEL), (signal.Kind.JOB, MODEL))
        return [self.health.breaker(kind, FIRST, model) for kind, model in keys]

    async def play(self, rate: float, outage: float, rules: Sequence[Mapping[str, Any]]) -> None:
        """Ask throughout: a good minute, the outage, and until the first provider serves again."""
        figures = self.figures
        await self._ask(rate, _WARM, until_opened=False)
        self.far.script(rules)
        self.lines.is_cut = not rules
        began = self.loop.time()
        await self._ask(rate, outage, until_opened=True)
        opened = self.loop.time() if all(each.openings == 0 for each in self.breakers()) else self._opened
        figures.opened_after = opened - began if any(each.openings for each in self.breakers()) else -1.0
        await self._ask(rate, outage - (self.loop.time() - began), until_opened=False)
        ended = self.loop.time()
        self.far.script(())
        self.lines.is_cut = False
        until = 0
        while self.loop.time() - ended < _LONGEST_AFTER:
            for each in self.breakers():
                if each.standing is Standing.OPEN and each.until > until:
                    until, figures.rest = each.until, (each.until - each.opened) / 1000
            await self._ask(rate, 1.0, until_opened=False)
            if all(each.standing is Standing.CLOSED for each in self.breakers()):
                figures.recovered_after = self.loop.time() - ended
                figures.noticed_after = max(self.loop.time() - until / 1000, 0)
                break
        await asyncio.wait(self.asking) if self.asking else None
        for _ in range(int(_FINISH)):
            if not self.runs.live:
                break
            await asyncio.sleep(1)
        await self._count(opened, ended)
        self.memory.close()

    async def _ask(self, rate: float, seconds: float, *, until_opened: bool) -> None:
        end = self.loop.time() + seconds
        while self.loop.time() < end:
            if until_opened and any(each.openings for each in self.breakers()):
                self._opened = self.loop.time()
                return
            task = asyncio.ensure_future(self.one())
            self.asking.add(task)
            task.add_done_callback(self.asking.discard)
            await asyncio.sleep(1 / rate)

    async def one(self) -> str | Refusal:
        """Ask for one picture: the generation, or why there is none."""
        asked = Asked(Kind.IMAGE, MODEL, _FIELDS, ", ".join(ORDER), str)
        self.figures.generations += 1
        try:
            answer = await self.intake.accept("rich", asked, None, _respond)
        except Refusal as refusal:
            self.figures.turned_away += 1
            return refusal
        assert isinstance(answer, Answer)
        self.taken[answer.generation] = self.loop.time()
        return answer.generation

    async def rest(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    async def over(self, seconds: float = 600.0) -> None:
        """Wait until nothing is under way."""
        for _ in range(int(seconds * 10)):
            if not self.runs.live:
                return
            await self.rest(0.1)

    async def record(self, generation: str) -> Record:
        """A generation as it is stored, with its attempts."""
        record = await self.store.read(generations.find_any(generation, attempts=True))
        assert record is not None
        return record

    async def _count(self, opened: float, ended: float) -> None:
        for generation, at in self.taken.items():
            record = await self.record(generation)
            self.figures.succeeded += record.state.value == "succeeded"
            if opened < at <= ended:
                self.figures.during += 1
                late = max((each.started for each in record.attempts), default=record.created) - record.created
                self.figures.delayed += late > _SLOW or record.state.value != "succeeded"
                self.figures.notes += [] if late <= _SLOW else [f"{generation} waited {late / 1000:.1f} s"]


def run(kind: str, *, rate: float = 20.0, seconds: float = 600.0, seed: int = 1, held: bool = False) -> Figures:
    """Play one kind of outage, at so many generations a second; with `held` as if there were no breakers."""
    figures, dice = Figures(kind), random.Random(seed)
    loop_dice = random.Random(dice.getrandbits(64))
    with listening() as defects:
        play(loop_dice, lambda loop: _staged(loop, dice, figures, held=held).play(rate, seconds, OUTAGES[kind]))
    figures.notes += defects
    return figures


def _staged(loop: VirtualLoop, dice: random.Random, figures: Figures, *, held: bool) -> Stage:
    stage = Stage(loop, dice, figures)
    if held:
        stage.health.overrides.hold(Override(FIRST, EVERY, Forced.CLOSED, _FOR_EVER))
    return stage


@dataclass(frozen=True, slots=True)
class Days:
    """How often a provider that only makes its ordinary mistakes was barred, a day of calls each."""

    rate: float
    errors: float
    submit: float
    job: float

    def line(self) -> str:
        """All of it on one line."""
        return f"ordinary rate={self.rate:g}/s errors={self.errors:.0%} false_openings_a_day submit={self.submit:g} job={self.job:g}"


def days(rate: float, errors: float, *, length: float = 1.0, seed: int = 1) -> Days:
    """Let a provider fail by chance, once at its submits and once at its jobs, for so many days."""
    found = [_day(rate, errors, length, reach, random.Random(seed)) for reach in (Reach.REFUSED, Reach.ACCEPTED)]
    return Days(rate, errors, *(openings / length for openings in found))


def _day(rate: float, errors: float, length: float, reach: Reach, dice: random.Random) -> int:
    health, openings = Health(), 0
    for number in range(int(86_400 * rate * length)):
        now = int(number * 1000 / rate) + 1
        trial = signal.Trial(FIRST, MODEL, now)
        if health.take(trial, now):
            fails = dice.random() < errors
            if fails and reach is Reach.REFUSED:
                health.failed(trial, Fault(FaultKind.PROVIDER_ERROR, reach, "by chance"), now, dice.uniform(-1, 1))
            else:
                health.submitted(trial, now)
            if fails and reach is Reach.ACCEPTED:
                health.failed(trial, Fault(FaultKind.PROVIDER_ERROR, reach, "by chance"), now, dice.uniform(-1, 1))
            elif not fails:
                health.finished(trial, now)
            health.leave(trial)
        openings += sum(each.standing is Standing.OPEN for each in health.changes())
    return openings


def _respond(generation: str, _plan: Plan) -> dict[str, Any]:
    return {"generation_id": generation}


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=list(OUTAGES), action="append", help="only these (default: all)")
    parser.add_argument("--rate", type=float, default=20.0, help="generations a second (default 20)")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the outage lasts (default 600)")
    parser.add_argument("--days", type=float, default=1.0, help="days of ordinary errors (default 1)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    missed = 0
    for kind in asked.kind or OUTAGES:
        began = time.process_time()
        figures = run(kind, rate=asked.rate, seconds=asked.seconds, seed=asked.seed)
        print(figures.line(), f"processor_seconds={time.process_time() - began:.0f}")
        for said in figures.bad():
            missed += 1
            print(f"  missed: {said}", *figures.notes[:3], sep="\n    ")
    for rate, goal in ((2.0, True), (20.0, True), (0.2, False)):
        found = days(rate, 0.2, length=asked.days * (_MILLION if rate > 2 else 1), seed=asked.seed)
        print(found.line())
        if goal and (found.submit or found.job):
            missed += 1
            print("  missed: false openings, none wanted")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
