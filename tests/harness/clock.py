"""The time of day is set while generations run: nothing expires with it, nothing is stuck, and a restart makes no difference.

Run alone: `python -m tests.harness.clock`. Virtual time, the real engine: for each step a gateway has thirty generations under way that
take minutes; the clock is set, stays wrong for longer than any lease, and is set right again. Exits 1 when one of them fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.clock import LEASE
from gateway.ledger import accounts, credits
from gateway.ledger.checks import run_checks
from tests.harness import memory as stores
from tests.harness.clients import Client
from tests.harness.life import born, enter, take_up
from tests.harness.simulation import listening
from tests.harness.theatre import Crash, Far
from tests.harness.virtual import EPOCH, VirtualLoop, WallClock, play

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_OVERFLOW = int(datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC).timestamp() * 1000)  # where 32 bits end
# By how many ms the time of day is off, one setting after another, each for two minutes: twice as long as a lease.
STEPS: Mapping[str, tuple[int, ...]] = {
    "an hour on": (_HOUR,),
    "an hour back": (-_HOUR,),
    "a day on": (_DAY,),
    "a day back": (-_DAY,),
    "daylight saving, there and back": (_HOUR, 0, -_HOUR, 0),
    "to the end of 32 bits": (_OVERFLOW - EPOCH - 60_000,),
    "to the beginning of time": (-EPOCH + 1000,),
    "a leap second": (-1000,),
    "to and fro": (_DAY, -_DAY, _HOUR, 0),
}
_GENERATIONS = 30
_TAKES = {"image": 200.0, "video": 400.0}  # seconds
_DEADLINES = ("600s", "1500s")
_SETTING = 2 * LEASE


@dataclass
class Figures:
    """What is counted. All from `expired` on has to be zero."""

    steps: int = 0
    generations: int = 0
    told: int = 0
    expired: int = 0
    stuck: int = 0
    late: int = 0
    ledger_findings: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        return any((self.expired, self.stuck, self.late, self.ledger_findings))

    def line(self) -> str:
        """One line, as it goes into the results."""
        return " ".join(f"{name}={value}" for name, value in vars(self).items() if name != "notes")


class _World:
    """As much of a simulated world as a client needs, in fair weather."""

    def __init__(self, loop: VirtualLoop, dice: random.Random, figures: Figures) -> None:
        self.dice = dice
        self.figures = figures
        self.loop = loop
        self.far = Far(loop, dice, _TAKES, self.note)
        self.memory = stores.fresh()
        self.clock = WallClock(loop, 1000.0)
        self.life = born(self.far, self.memory, self.clock, Crash(self.note, None), dice, _DEADLINES)
        self.up = asyncio.Event()
        self.up.set()

    def note(self, *what: object) -> None:
        """Count how often a step is told of; everything else is as it should be."""
        self.figures.told += what[0] == "stepped"

    async def play(self, name: str, offs: tuple[int, ...]) -> None:
        """Begin, set the clock, and see all of it end well and in time."""
        self.loop.set_task_factory(enter)
        stores.run(self.memory, accounts.ensure("rich", "", EPOCH))
        stores.run(self.memory, credits.add("rich", 10**10, "opening", "", EPOCH))
        await self.life.spawn(take_up(self.life))
        clients = [Client(self, number, steadfast=True) for number in range(_GENERATIONS)]
        await asyncio.gather(*(client.live(self.dice.uniform(0, 5)) for client in clients))
        accepted = self.life.runs.live
        await asyncio.sleep(10)
        for off in offs:
            self.clock.off = off
            await asyncio.sleep(_SETTING)
        await asyncio.sleep(max(_TAKES.values()) * 1.2 + 30 - self.loop.time())
        self._judge(name, accepted)
        await self.life.end()
        self.memory.close()

    def _judge(self, name: str, accepted: int) -> None:
        """By now every job has long ended, and its deadline, by true time, has not."""
        figures = self.figures
        figures.steps += 1
        figures.generations += accepted
        live = self.life.runs.live
        figures.late += live
        rows = list(self.memory.execute("SELECT id, state, error, request FROM generation"))
        for row in rows:
            if row["state"] == "failed":
                figures.expired += 1
                figures.notes.append(f"{name}: {row['request'][:60]} {row['error'][:200]}")
        figures.stuck += sum(row["state"] not in {"succeeded", "failed", "canceled"} for row in rows)
        found = stores.run(self.memory, run_checks(self.clock.now_ms(), 60_000))
        figures.ledger_findings += len([each for each in found if each.check.name != "L13" or not live])
        figures.notes += [f"{name}: {each.check.name} {each.rows[:3]}" for each in found]


def run(seed: int) -> Figures:
    """Every step, each in a world of its own."""
    figures = Figures()
    for name, offs in STEPS.items():
        dice = random.Random(f"{seed} {name}")
        with listening() as defects:
            play(
                random.Random(seed),
                lambda loop, name=name, offs=offs, dice=dice: _World(loop, dice, figures).play(name, offs),
            )
        figures.notes += defects
        figures.expired += len(defects)
    return figures


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures = run(asked.seed)
    print(f"clock {figures.line()} seed={asked.seed}")
    for note in figures.notes[:20]:
        print("note:", note)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
