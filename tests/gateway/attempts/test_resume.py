"""What a restart takes up, and what a store in trouble leaves to be taken up: on virtual time, with the vendors played."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.attempts.job import accepted, was_cut_off
from gateway.generation import Kind, State
from gateway.ingress.weigh import Asked
from gateway.ledger import accounts, attempts, checks, credits, generations
from gateway.ledger.program import StoreFailed
from gateway.ledger.records import Record
from tests.clock import VirtualClock
from tests.harness import memory as stores
from tests.harness.life import Life, born, enter, take_up
from tests.harness.theatre import Crash, Far
from tests.harness.virtual import EPOCH, VirtualLoop, WallClock, play

SEEDREAM = "bytedance/seedream-4.5"
RULES = {"steps": [], "attempts": 1, "follow_refusal": False, "in_doubt_max_cost": 0}


@dataclass
class Stage:
    """A gateway on virtual time, over a store that can be troubled."""

    far: Far
    memory: stores.Memory
    clock: WallClock
    life: Life

    def again(self) -> Life:
        """Another process over the same store and the same far ends."""
        return born(self.far, self.memory, self.clock, Crash(print, None), random.Random(2))

    async def ask(self, order: str | None = None) -> str:
        """Ask for a picture until it is accepted, and give its id."""
        asked = Asked(Kind.IMAGE, SEEDREAM, {"prompt": "a seal"}, order, str)
        while True:
            try:
                answer = await self.life.spawn(
                    self.life.intake.accept("acme", asked, None, lambda name, _: {"id": name})
                )
            except StoreFailed:
                continue
            return answer.generation

    async def quiet(self, life: Life, seconds: float = 120) -> None:
        """Wait until nothing is under way any more."""
        for _ in range(int(seconds * 100)):
            if life.runs.live == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{life.runs.live} are still under way")

    def found(self, generation: str) -> Record:
        """The record, with its attempts."""
        record = stores.run(self.memory, generations.find_any(generation, attempts=True))
        assert record is not None
        return record


def on_stage(scene: Callable[[Stage], Any]) -> Any:
    """Play a scene on a stage of its own."""

    async def whole(loop: VirtualLoop) -> Any:
        dice = random.Random(1)
        loop.set_task_factory(enter)
        far, memory, clock = (
            Far(loop, dice, {"image": 1.0, "video": 2.0}, lambda *_: None),
            stores.fresh(),
            WallClock(loop),
        )
        stores.run(memory, accounts.ensure("acme", "", EPOCH))
        stores.run(memory, credits.add("acme", 10**9, "opening", "", EPOCH))
        stage = Stage(far, memory, clock, born(far, memory, clock, Crash(print, None), dice))
        result = await scene(stage)
        memory.trouble = lambda _: None
        assert stores.run(memory, checks.run_checks(clock.now_ms(), 60_000)) == []
        await stage.life.end()
        return result

    return play(random.Random(1), whole)


@pytest.mark.parametrize(("sql", "code"), [("BEGIN IMMEDIATE", 5), ("COMMIT", 13)])
@pytest.mark.parametrize("which", range(1, 5))
def test_what_the_store_did_not_take_is_taken_up_again(sql: str, code: int, which: int) -> None:
    """F64, F65: whichever step of a life finds the store locked or full, the generation goes on when that is over."""
    left = [which]

    def trouble(statement: str) -> int | None:
        left[0] -= statement == sql
        return code if left[0] == 0 and statement == sql else None

    async def scene(stage: Stage) -> None:
        stage.memory.trouble = trouble
        generation = await stage.ask("replicate")
        await stage.quiet(stage.life)
        record = stage.found(generation)
        assert record.state is State.SUCCEEDED, (record.error, record.attempts)

    on_stage(scene)
    assert left[0] <= 0, "the trouble was never met"


def test_our_own_stop_is_not_held_against_a_provider() -> None:
    """A restart with many submits cut off leaves the provider in use: it did nothing wrong."""

    async def scene(stage: Stage) -> None:
        names = [await stage.ask("byteplus") for _ in range(8)]
        await stage.life.end()
        for name in names:
            record = stage.found(name)
            assert [was_cut_off(attempt) for attempt in record.attempts] in ([], [True])
            if not record.attempts:
                opened = attempts.open_attempt(name, 1, provider="byteplus", native="n", form=0, price=1, at=EPOCH)
                stores.run(stage.memory, opened)
        stage.life = stage.again()
        await stage.life.spawn(take_up(stage.life))
        await stage.quiet(stage.life)
        served = stage.found(await stage.ask("byteplus"))
        assert served.state is State.SUBMITTING
        await stage.quiet(stage.life)
        assert stage.found(served.id).provider_used == "byteplus"

    on_stage(scene)


def test_what_is_taken_up_is_looked_at_in_its_turn() -> None:
    """A job that a restart finds running is looked at as soon as its turn has come, and the first turn comes at once."""

    async def scene(stage: Stage) -> float:
        generation = await stage.ask("replicate")
        for _ in range(100):
            if stage.found(generation).started:
                break
            await asyncio.sleep(0.05)
        await stage.life.end()
        seen: list[float] = []
        stage.far.note = lambda *what: seen.append(stage.far.loop.time()) if what[:1] == ("call",) else None
        stage.life = stage.again()
        began = stage.far.loop.time()
        await stage.life.spawn(take_up(stage.life))
        await stage.quiet(stage.life)
        return seen[0] - began

    assert on_stage(scene) < 0.3


@pytest.mark.parametrize(("off", "left"), [(0, 60_000), (30_000, 30_000), (86_400_000, 0), (-86_400_000, 60_000)])
def test_a_job_has_never_more_left_than_it_was_given(off: int, left: int) -> None:
    """F48: a restart by a clock that was set back keeps nothing alive for longer; one set on leaves a last look."""
    now = VirtualClock().now_ms()
    job = accepted("g", "acme", Kind.IMAGE, SEEDREAM, {}, RULES, created=now, deadline=now + 60_000)
    clock = VirtualClock(now + off)
    job.wind(clock)
    assert job.left(clock) == left


async def test_time_left_ignores_the_time_of_day() -> None:
    """F48: once a job is wound, only time that really passes takes from what it has left."""
    clock = VirtualClock()
    now = clock.now_ms()
    job = accepted("g", "acme", Kind.IMAGE, SEEDREAM, {}, RULES, created=now, deadline=now + 60_000)
    job.wind(clock)
    await clock.advance(20)
    clock._start_ms += 86_400_000
    assert job.left(clock) == 40_000
