"""Jobs that wait for longer than theirs do: the vendors played without sockets, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway.fault import FaultKind
from gateway.generation import State
from gateway.ledger import checks, generations
from gateway.ledger.records import Record
from gateway.outcome import AttemptState, Billing
from gateway.routing.signal import Kind
from tests.gateway.attempts.bench import faults
from tests.harness.outage import FIRST, MODEL, ORDER, Figures, Stage
from tests.harness.virtual import EPOCH, VirtualLoop, play

SECOND = ORDER[1]
QUEUES = ORDER[:2]  # the third holds the line and has no queue
LONG = 1_200.0  # seconds; a quarter of it in the queue, as the vendors are played
Story = Callable[[Stage], Coroutine[Any, Any, None]]


def told(story: Story) -> None:
    """Play a story on a stage of its own, where the usual time of a job is known."""

    async def played(loop: VirtualLoop) -> None:
        stage = Stage(loop, random.Random(1), Figures("none"))
        for _ in range(6):
            await stage.one()
            await stage.over()
        await story(stage)
        findings = await stage.store.read(checks.run_checks(EPOCH + int(loop.time() * 1000), 60_000))
        assert [finding.check.name for finding in findings] == []

    play(random.Random(1), played)


def late(provider: str = FIRST, **more: Any) -> Mapping[str, Any]:
    """A rule: jobs of this provider stay in its queue."""
    return {"provider": provider, "call": "submit", "do": "late", "seconds": LONG, **more}


async def ended(stage: Stage, *rules: Mapping[str, Any]) -> Record:
    """One more generation, while these faults befall it, at its end."""
    stage.far.script(rules)
    generation = await stage.one()
    assert isinstance(generation, str)
    await stage.over()
    return await stage.record(generation)


def canceled(stage: Stage) -> list[str]:
    """The vendors that were made to stop a job."""
    return [job.provider for job in stage.far.jobs.every() if job.canceled is not None]


def test_a_job_that_stays_in_the_queue_is_moved() -> None:
    """After three times what is usual and half a minute it is withdrawn, and another offer serves."""

    async def story(stage: Stage) -> None:
        record = await ended(stage, late())
        assert (record.state, record.provider_used) == (State.SUCCEEDED, SECOND)
        assert faults(record) == [(FIRST, FaultKind.TIMEOUT), (SECOND, None)]
        first, second = record.attempts
        assert (first.state, first.billing) == (AttemptState.ERROR, Billing.POSSIBLE)
        assert 30_000 <= second.started - first.started < 36_000
        assert canceled(stage) == [FIRST]
        assert record.settled == second.price

    told(story)


def test_it_counts_as_one_job_that_failed() -> None:
    """The breaker of jobs hears of it, and the offer stays in use."""

    async def story(stage: Stage) -> None:
        await ended(stage, late())
        assert [each.good for each in stage.health.breaker(Kind.JOB, FIRST, MODEL).ends] == [True] * 6 + [False]
        assert (await ended(stage)).provider_used == FIRST

    told(story)


def test_a_job_that_runs_is_left_to_run() -> None:
    """It would be paid for: it is waited for until its deadline, however slow."""

    async def story(stage: Stage) -> None:
        record = await ended(stage, {"provider": FIRST, "call": "submit", "do": "late", "seconds": 110.0})
        assert (faults(record), canceled(stage)) == ([(FIRST, None)], [])

    told(story)


def test_a_job_whose_end_is_not_confirmed_stays() -> None:
    """The provider took the word and let the job wait on: only its own deadline ends it."""

    async def story(stage: Stage) -> None:
        stage.far.script([late()])
        generation = await stage.one()
        assert isinstance(generation, str)
        await stage.rest(1)
        list(stage.far.jobs.every())[-1].cancel_ignored = True
        await stage.rest(120)
        assert [each.state for each in (await stage.record(generation)).attempts] == [AttemptState.SUBMITTED]
        await stage.over()

    told(story)


def test_a_provider_that_cannot_be_told_keeps_the_job() -> None:
    """It is told once, and the job is looked at as before."""

    async def story(stage: Stage) -> None:
        refused = {"provider": FIRST, "call": "cancel", "do": "status", "status": 500}
        stage.far.script([late(), refused])
        generation = await stage.one()
        assert isinstance(generation, str)
        await stage.rest(120)
        assert [each.state for each in (await stage.record(generation)).attempts] == [AttemptState.SUBMITTED]
        await stage.over()

    told(story)


def test_without_another_offer_it_stays() -> None:
    """Who is the last waits."""

    async def story(stage: Stage) -> None:
        stage.leave([FIRST])
        stage.far.script([late()])
        await stage.one()
        await stage.rest(120)
        assert canceled(stage) == []
        await stage.over()

    told(story)


@pytest.mark.parametrize(("most", "moved"), [(0, False), (1_000_000, True)])
def test_a_dear_job_stays(most: int, moved: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Above what may be spent in vain nothing is moved."""

    async def story(stage: Stage) -> None:
        world = stage.intake.world
        stage.intake.world = replace(world, policy=replace(world.policy, in_doubt_max_cost=most))
        stage.far.script([late()])
        await stage.one()
        await stage.rest(60)
        assert bool(canceled(stage)) is moved
        await stage.over()

    told(story)


def test_a_caller_who_cancels_meanwhile_is_heeded() -> None:
    """The generation ends canceled, whatever was about to follow, and nobody else is asked."""

    async def story(stage: Stage) -> None:
        slow = {"provider": FIRST, "call": "cancel", "do": "delay", "seconds": 5}
        stage.far.script([late(), slow])
        generation = await stage.one()
        assert isinstance(generation, str)
        while not canceled(stage):
            await stage.rest(0.05)
        await stage.store.write(generations.cancel("rich", generation, EPOCH + int(stage.loop.time() * 1000)))
        await stage.runs.cancel(generation)
        await stage.over()
        record = await stage.record(generation)
        assert (record.state, len(record.attempts)) == (State.CANCELED, 1)

    told(story)


def test_when_all_are_slow_there_is_no_storm() -> None:
    """Of many that wait everywhere a fifth is moved at most: the calls stay within 1.2 for each generation."""

    async def story(stage: Stage) -> None:
        stage.leave([SECOND])
        for _ in range(6):
            await ended(stage)
        stage.leave(QUEUES)
        before = stage.lines.submits.total()
        stage.far.script([late(each) for each in QUEUES])
        await asyncio.gather(*(stage.one() for _ in range(100)))
        await stage.rest(150)
        assert len(canceled(stage)) == 20
        assert stage.lines.submits.total() - before <= 120
        await stage.over(1_200)

    told(story)
