"""What second jobs beside slow ones save, and what they cost, in virtual time.

Run alone: `python -m tests.harness.hedging`. The real intake, runs, walkers and store; of three vendors, played without sockets, each
has one job in fifty that takes ten times as long. One line for each share of the spending that second jobs may cost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from dataclasses import dataclass, replace

from gateway.ledger.records import Record
from gateway.routing.policy import Route
from tests.harness.outage import ORDER, Figures, Stage
from tests.harness.simulation import listening
from tests.harness.virtual import VirtualLoop, play

_DEAR = 10_000_000  # millionths: more than any picture costs
_TAIL, _TIMES = 0.02, 10.0  # of the jobs take so many times as long
_USUAL = 3.0  # seconds a picture takes otherwise
_FINISH = 300.0  # seconds for the last ones


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one share. `waits` are the seconds until each was done, in order; amounts in millionths."""

    share: float
    waits: tuple[float, ...]
    hedges: int
    first: int
    second: int
    failed: int
    defects: tuple[str, ...]

    def at(self, part: float) -> float:
        """The seconds within which so large a part was done."""
        return self.waits[min(int(part * len(self.waits)), len(self.waits) - 1)]

    def line(self) -> str:
        """All of it on one line."""
        return (
            f"hedging share={self.share:g} generations={len(self.waits)} failed={self.failed} hedges={self.hedges} "
            f"cost={self.second / max(self.first, 1):.3f} p50={self.at(0.5):.1f}s p95={self.at(0.95):.1f}s "
            f"p99={self.at(0.99):.1f}s p999={self.at(0.999):.1f}s defects={len(self.defects)}"
        )


def run(share: float, *, generations: int = 2_000, rate: float = 5.0, seed: int = 1) -> Told:
    """Ask for so many pictures, at so many a second; no second jobs where `share` is 0."""
    dice = random.Random(seed)
    with listening() as defects:
        records = play(random.Random(seed), lambda loop: _asked(loop, dice, share, generations, rate))
    waits = sorted(((each.ended or each.deadline) - each.created) / 1000 for each in records)
    first = sum(each.attempts[0].price for each in records)
    second = [attempt.price for each in records for attempt in each.attempts[1:]]
    failed = sum(each.state.value != "succeeded" for each in records)
    return Told(share, tuple(waits), len(second), first, sum(second), failed, tuple(defects))


async def _asked(loop: VirtualLoop, dice: random.Random, share: float, generations: int, rate: float) -> list[Record]:
    stage = Stage(loop, dice, Figures("none"))
    world = stage.intake.world
    policy = replace(world.policy, routes=(Route(hedge_max_cost=_DEAR if share else None),), hedge_share=share)
    stage.intake.world = replace(world, policy=policy)
    late = {"call": "submit", "do": "late", "seconds": _TIMES * _USUAL, "chance": _TAIL}
    stage.far.script([{"provider": each, **late} for each in ORDER])
    asking = []
    for _ in range(generations):
        asking.append(asyncio.ensure_future(stage.one()))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*asking)
    for _ in range(int(_FINISH)):
        if not stage.runs.live:
            break
        await asyncio.sleep(1)
    found = [await stage.record(generation) for generation in stage.taken]
    stage.memory.close()
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generations", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    bad = 0
    for share in (0.0, 0.02, 0.05, 0.2):
        told = run(share, generations=asked.generations, seed=asked.seed)
        print(told.line())
        bad += bool(told.failed or told.defects or told.second > share * told.first)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
