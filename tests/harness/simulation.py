"""Nothing lost, in virtual time: thousands of short lives of a gateway, each thrown by one seed and the same at every run.

Run alone: `python -m tests.harness.simulation --seeds 10000`. Thirty generations a seed over every model that is shipped, with
faults on every line, cancellations, crashes and a wall clock that is set. It prints its figures and exits 1 when one that has
to be zero is not; each failing seed is printed, to be kept in `seeds.txt`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import logging
import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from gateway.ledger import accounts, credits, endpoints
from gateway.ledger.events import USUAL
from tests.harness import memory as stores
from tests.harness.clients import Client
from tests.harness.life import Life, born, enter, take_up
from tests.harness.oracle import Facts, Verdict, judge
from tests.harness.theatre import Crash, Far, Weather
from tests.harness.virtual import EPOCH, VirtualLoop, WallClock, play

GENERATIONS = 30
SEEDS = Path(__file__).with_name("seeds.txt")
_TOLD = 500  # seeds between two words on how far it is
_SPAN = 25.0  # seconds within which everything is asked for
_QUIET = 600.0  # seconds after the last fault by which everything has to have ended; the longest deadline is 120
_RICH, _POOR = 10_000_000_000, 3_000_000  # millionths: one account that can pay for all, and one that cannot

# What may befall a call, with how often at the worst.
_FAULTS = (
    ("submit", "status", 0.05, {"status": 503}),
    ("submit", "status", 0.04, {"status": 429, "retry_after": 2}),
    ("submit", "status", 0.04, {"status": 500}),
    ("submit", "status", 0.01, {"status": 401}),
    ("submit", "status", 0.02, {"status": 400}),
    ("submit", "drop_before", 0.04, {}),
    ("submit", "drop_after", 0.05, {}),
    ("submit", "html", 0.03, {}),
    ("submit", "empty", 0.02, {}),
    ("submit", "truncated", 0.02, {}),
    ("submit", "wrong_shape", 0.02, {}),
    ("submit", "trickle", 0.02, {}),
    ("submit", "delay", 0.03, {"seconds": 12}),
    ("submit", "fail", 0.05, {}),
    ("submit", "refuse_content", 0.03, {}),
    ("submit", "no_output", 0.03, {}),
    ("submit", "never_end", 0.04, {}),
    ("submit", "late", 0.05, {"seconds": 30}),
    ("submit", "cancel_ignored", 0.05, {}),
    ("submit", "output_404", 0.02, {}),
    ("submit", "output_html", 0.02, {}),
    ("status", "status", 0.1, {"status": 502}),
    ("status", "status", 0.03, {"status": 404}),
    ("status", "html", 0.05, {}),
    ("status", "drop_after", 0.05, {}),
    ("status", "unknown_status", 0.03, {}),
    ("result", "status", 0.05, {"status": 500}),
    ("cancel", "status", 0.2, {"status": 500}),
    ("cancel", "drop_before", 0.2, {}),
    ("output", "output_404", 0.05, {}),
    ("output", "output_truncated", 0.05, {}),
    ("output", "status", 0.05, {"status": 503}),
)


@dataclass
class Run:
    """What is known of one seed."""

    seed: int
    trace: list[str] | None = None
    hedged: bool = False
    crashes: int = 0
    digest: str = ""
    verdict: Verdict = field(default_factory=Verdict)


class World:
    """One seed, played: its dice decide everything."""

    def __init__(self, run: Run, loop: VirtualLoop, dice: random.Random) -> None:
        """Set the stage; nothing happens yet."""
        self.run = run
        self.dice = dice
        self.loop = loop
        self._hash = hashlib.sha256()
        self.far = Far(loop, dice, {"image": dice.uniform(0.2, 6), "video": dice.uniform(1, 25)}, self.note)
        self.memory = stores.fresh()
        self.clock = WallClock(loop, dice.uniform(0, 1e6))
        self.life: Life | None = None
        self.up = asyncio.Event()
        self.is_fair = self.is_timely = True

    def note(self, *what: object) -> None:
        """Write down that something happened. What is random by itself, such as ids of generations, stays out of it."""
        line = f"{self.loop.time():.6f} {' '.join(map(str, what))}"
        self._hash.update(line.encode())
        if self.run.trace is not None:
            self.run.trace.append(line)

    async def play(self) -> None:
        """Play the seed to its quiet end and judge it."""
        self.loop.set_task_factory(enter)
        for name, amount in (("rich", _RICH), ("poor", _POOR)):
            stores.run(self.memory, accounts.ensure(name, name, EPOCH))
            stores.run(self.memory, credits.add(name, amount, "opening", "", EPOCH))
        # Somebody listens, so that every end owes an event; nobody tells it, and so none is forgotten.
        stores.run(
            self.memory, endpoints.sync([endpoints.of_policy(None, "https://hooks.test/", USUAL, EPOCH)], EPOCH, EPOCH)
        )
        self._storm()
        clients = [Client(self, number) for number in range(GENERATIONS)]
        asking = [asyncio.ensure_future(client.live(self.dice.uniform(0, _SPAN))) for client in clients]
        setting = asyncio.ensure_future(self._set_clock())
        await self._crash_and_rise()
        await asyncio.gather(*asking, setting)
        assert self.life is not None
        self.far.weather, self.memory.trouble = Weather(), lambda _: None
        self.far.script(())
        self.note("fair")
        for _ in range(int(_QUIET)):
            if self.life.runs.live == 0:
                break
            await asyncio.sleep(1)
        await self._see_to_the_rest(self.life)
        await self.life.end()
        self.note("quiet")
        # A process that starts by a clock that was set meanwhile cannot know that its deadlines are not over.
        is_fair = self.is_fair and (self.is_timely or not self.run.crashes)
        facts = Facts({"rich": _RICH, "poor": _POOR}, self.clock.now_ms(), is_fair, self.is_timely)
        self.run.verdict = judge(self.memory, self.far, clients, facts)
        self.run.digest = self._hash.hexdigest()
        self.memory.close()

    async def _see_to_the_rest(self, life: Life) -> None:
        """Let what nobody waits for be seen to, each at the time it is due for."""
        await life.aftercare.stop()
        for _ in range(10_000):
            [due] = self.memory.execute("SELECT MIN(due) FROM attempt").fetchone()
            if due is None:
                return
            await asyncio.sleep(max(due - self.clock.now_ms(), 1) / 1000)
            await life.spawn(life.aftercare.turn())

    def _storm(self) -> None:
        """Choose how bad it is: some runs are nearly fair, so that every fault is also met alone."""
        force = self.dice.choice((0.0, 0.2, 0.5, 1.0, 1.0))
        rules = [
            {"call": call, "do": do, "chance": chance * force, **more}
            for call, do, chance, more in self.dice.sample(_FAULTS, k=self.dice.randint(3, len(_FAULTS)))
            if force
        ]
        self.far.script(rules)
        self.far.weather = Weather(unsent=0.05 * force, reset=0.02 * force, storage=0.02 * force)
        trouble = self.dice.choice((0.0, 0.0, 0.005))
        self.memory.trouble = stores.troubled(self.dice, trouble)
        self.is_fair = not force and not trouble

    async def _crash_and_rise(self) -> None:
        """Live several lives, each ended at a door that was drawn beforehand, or some seconds later."""
        for _ in range(self.dice.choice((0, 1, 2, 3, 5))):
            life = await self._rise(self.dice.randint(1, 400))
            try:
                async with asyncio.timeout(self.dice.uniform(0.5, 15)):
                    await life.crash.died.wait()
            except TimeoutError:
                pass
            self.up.clear()
            await life.end()
            self.run.crashes += 1
            await asyncio.sleep(self.dice.uniform(0.1, 3))
        await self._rise(None)

    async def _rise(self, last: int | None) -> Life:
        life = self.life = born(
            self.far, self.memory, self.clock, Crash(self.note, last), self.dice, hedged=self.run.hedged
        )
        self.note("risen")
        rising = life.spawn(take_up(life))
        while not rising.done():
            await asyncio.wait([rising])
        if not rising.cancelled() and rising.exception() is None:
            self.up.set()
        elif last is None:
            return await self._rise(None)  # the store was in trouble: whoever watches over processes starts it again
        else:
            life.crash.die()
        return life

    async def _set_clock(self) -> None:
        """Set the time of day, sometimes: by little, by an hour, by half a day, there and back.

        Not by a whole day: after a crash that would tell the gateway that idempotency keys have had their 24 hours.
        """
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            await asyncio.sleep(self.dice.uniform(0, _SPAN))
            self.clock.off = int(self.dice.choice((0, 2, -2, 45, -45, 3600, -3600, 41_400, -41_400)) * 1000)
            self.is_timely = False
            self.note("clock", self.clock.off)


def run(seed: int, *, trace: bool = False, hedged: bool = False) -> Run:
    """Play one seed; `hedged` with second jobs beside slow ones, and most jobs being slow."""
    result, dice = Run(seed, [] if trace else None, hedged), random.Random(seed)
    loop_dice = random.Random(dice.getrandbits(64))
    with listening() as defects:
        try:
            play(loop_dice, lambda loop: World(result, loop, dice).play())
        except Exception as error:  # noqa: BLE001 - a defect is a finding like any other, and other seeds go on
            result.verdict.notes.append(f"broke: {type(error).__name__}: {error}")
            result.verdict.broken += 1
    result.verdict.broken += len(defects)
    result.verdict.notes += defects
    return result


class _Ear(logging.Handler):
    """Hears of defects; everything else that is said of crashes is expected, thousands of times."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the defect."""
        if record.msg == "run_broke" and record.exc_info:
            self.heard.append(f"run_broke: {record.exc_info[1]!r}"[:300])


@contextmanager
def listening() -> Iterator[list[str]]:
    """Have the log quiet for a while, and give the list in which the defects it tells of will be found."""
    ear, said, loops = _Ear(), logging.getLogger("gateway"), logging.getLogger("asyncio")
    before = said.handlers, said.propagate, said.level, loops.level
    said.handlers, said.propagate = [ear], False
    said.setLevel(logging.ERROR)
    loops.setLevel(logging.CRITICAL)
    try:
        yield ear.heard
    finally:
        said.handlers, said.propagate = before[:2]
        said.setLevel(before[2])
        loops.setLevel(before[3])


def known_seeds() -> list[int]:
    """The seeds that once found something."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def many(seeds: Iterable[int], most: int = sys.maxsize, *, hedged: bool = False) -> tuple[str, list[Run]]:
    """Play many seeds, until so many have failed; the line of figures, and those that failed."""
    run(0)  # reads the packs
    gc.collect()
    gc.freeze()  # they stay, and going over them again and again is a quarter of the time
    total, failed, played, crashes = Verdict(), list[Run](), 0, 0
    began = time.process_time()  # of the processor: what else the machine does is not counted
    for seed in seeds:
        each = run(seed, hedged=hedged)
        played += 1
        crashes += each.crashes
        for one in fields(Verdict):
            if one.name != "notes":
                setattr(total, one.name, getattr(total, one.name) + getattr(each.verdict, one.name))
        if played % _TOLD == 0:
            print(f"{played} seeds, {len(failed)} failing", file=sys.stderr)
        if each.verdict.bad():
            failed.append(each)
            print(f"seed {seed} fails", file=sys.stderr)
            if len(failed) >= most:
                break
    seconds = time.process_time() - began
    figures = " ".join(f"{one.name}={getattr(total, one.name)}" for one in fields(Verdict) if one.name != "notes")
    rate = played / seconds if seconds else 0.0
    return (
        f"simulation seeds={played} crashes={crashes} {figures} failing={len(failed)} processor_seconds={seconds:.0f} per_second={rate:.1f}",
        failed,
    )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--most", type=int, default=sys.maxsize, help="stop after so many failing ones")
    parser.add_argument("--only", type=int, help="play this one alone, and print every event")
    parser.add_argument("--hedged", action="store_true", help="with second jobs beside slow ones")
    asked = parser.parse_args()
    if asked.only is not None:
        alone = run(asked.only, trace=True, hedged=asked.hedged)
        print("\n".join(alone.trace or ()))
        print(alone.digest, *alone.verdict.notes, sep="\n")
        return 1 if alone.verdict.bad() else 0
    seeds = [*known_seeds(), *range(asked.first, asked.first + asked.seeds)]
    figures, failed = many(seeds, asked.most, hedged=asked.hedged)
    print(figures, f"first={asked.first} hedged={asked.hedged}")
    for each in failed[:50]:
        print(f"seed {each.seed}: {'; '.join(each.verdict.notes[:4])}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
