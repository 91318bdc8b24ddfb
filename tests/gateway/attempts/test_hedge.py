"""A second job beside a slow one: the vendors played without sockets, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway.attempts.hedge import Purse, Situation, may_hedge
from gateway.attempts.job import from_record, unfinished
from gateway.fault import FaultKind
from gateway.generation import State
from gateway.ledger import attempts, checks, generations
from gateway.ledger.records import Record
from gateway.outcome import AttemptState, Billing
from gateway.routing.policy import Hedging, Route
from gateway.simulators.fal_words import asked_failure
from gateway.simulators.jobs import Failure
from tests.gateway.attempts.bench import faults
from tests.harness.outage import FIRST, ORDER, Figures, Stage
from tests.harness.virtual import EPOCH, VirtualLoop, play

SECOND, THIRD = ORDER[1:]
DEAR = 10_000_000  # millionths: more than any picture costs
Story = Callable[[Stage], Coroutine[Any, Any, None]]


def told(story: Story, *, max_cost: int | None = DEAR, share: float = 1.0) -> None:
    """Play a story on a stage of its own, where the usual time of a job is known and a second one may be made beside it."""

    async def played(loop: VirtualLoop) -> None:
        stage = Stage(loop, random.Random(1), Figures("none"))
        world = stage.intake.world
        policy = replace(world.policy, routes=(Route(hedge_max_cost=max_cost),), hedge_share=share)
        stage.intake.world = replace(world, policy=policy)
        for _ in range(6):
            await stage.one()
            await stage.over()
        await story(stage)
        await stage.over()
        await stage.rest(1)  # whoever lost is being told
        findings = await stage.store.read(checks.run_checks(EPOCH + int(loop.time() * 1000), 60_000))
        assert [finding.check.name for finding in findings] == []

    play(random.Random(1), played)


def slow(provider: str = FIRST, seconds: float = 100.0, do: str = "late") -> Mapping[str, Any]:
    """A rule: jobs of this provider take so long."""
    return {"provider": provider, "call": "submit", "do": do, "seconds": seconds}


async def begun(stage: Stage, *rules: Mapping[str, Any]) -> str:
    """One more generation, while these faults befall it."""
    stage.far.script(rules)
    generation = await stage.one()
    assert isinstance(generation, str)
    return generation


async def ended(stage: Stage, *rules: Mapping[str, Any]) -> Record:
    """One more generation, while these faults befall it, at its end."""
    generation = await begun(stage, *rules)
    await stage.over()
    await stage.rest(1)
    return await stage.record(generation)


async def both(stage: Stage, *rules: Mapping[str, Any]) -> str:
    """One more generation, at the moment when two jobs of it are under way."""
    generation = await begun(stage, *rules)
    for _ in range(300):
        if [each.submitted is not None for each in (await stage.record(generation)).attempts] == [True, True]:
            return generation
        await stage.rest(0.1)
    raise AssertionError("no second job was made")


def breaks(stage: Stage, *providers: str) -> None:
    """The jobs that these vendors have under way are to fail."""
    for job in stage.far.jobs.every():
        if job.provider in providers and job.ends > stage.far.now():
            job.failure = Failure()
            job.wish["refusal"] = asked_failure(job.failure)  # where one vendor looks for it


def canceled(stage: Stage) -> list[str]:
    """The vendors that were made to stop a job."""
    return [job.provider for job in stage.far.jobs.every() if job.canceled is not None]


def test_the_second_wins_and_the_first_is_stopped() -> None:
    """What is usual has passed: another is asked, its result is delivered and paid for, and the slow one is told to stop."""

    async def story(stage: Stage) -> None:
        record = await ended(stage, slow())
        first, second = record.attempts
        assert (record.state, record.provider_used, record.prediction) == (State.SUCCEEDED, SECOND, second.ref)
        assert (first.state, first.billing, second.state) == (
            AttemptState.ABANDONED,
            Billing.POSSIBLE,
            AttemptState.DONE,
        )
        assert first.fault is not None
        assert first.fault["message"] == "another provider was faster"
        assert 3_000 <= second.started - first.started < 12_000
        assert first.submitted is not None
        assert second.started < (first.ended or 0)
        assert canceled(stage) == [FIRST]
        assert record.settled == second.price

    told(story)


def test_the_first_wins_and_the_second_is_stopped() -> None:
    """It ends while the other runs: nothing is lost, and the other does not run on."""

    async def story(stage: Stage) -> None:
        record = await ended(stage, slow(seconds=14.0), slow(SECOND))
        first, second = record.attempts
        assert (record.provider_used, record.prediction) == (FIRST, first.ref)
        assert (first.state, second.state) == (AttemptState.DONE, AttemptState.ABANDONED)
        assert canceled(stage) == [SECOND]
        assert record.settled == first.price

    told(story)


@pytest.mark.parametrize(("max_cost", "share"), [(None, 1.0), (1, 1.0), (DEAR, 0.05)])
def test_none_is_made(max_cost: int | None, share: float) -> None:
    """Unless the route says so; nor one that costs too much, or before enough was spent on first ones."""

    async def story(stage: Stage) -> None:
        record = await ended(stage, slow(seconds=20.0))
        assert [(each.provider, each.state) for each in record.attempts] == [(FIRST, AttemptState.DONE)]

    told(story, max_cost=max_cost, share=share)


def test_all_of_them_cost_no_more_than_their_share() -> None:
    """Of forty slow jobs in a row a quarter's price goes into second ones."""

    async def story(stage: Stage) -> None:
        before = stage.lines.submits[SECOND] + stage.lines.submits[THIRD]
        spent = [await ended(stage, slow(seconds=20.0 + n / 2), slow(SECOND)) for n in range(40)]
        first = sum(record.attempts[0].price for record in spent)
        second = sum(each.price for record in spent for each in record.attempts[1:])
        assert stage.lines.submits[SECOND] + stage.lines.submits[THIRD] > before
        assert 0.1 * first < second <= 0.25 * first

    told(story, share=0.25)


def test_the_first_goes_on_when_the_second_fails() -> None:
    """Its failure is on record and changes nothing."""

    async def story(stage: Stage) -> None:
        broken = {"provider": SECOND, "call": "submit", "do": "status", "status": 503}
        record = await ended(stage, slow(seconds=15.0), broken)
        assert (record.state, record.provider_used) == (State.SUCCEEDED, FIRST)
        assert faults(record) == [(FIRST, None), (SECOND, FaultKind.OVERLOADED)]
        assert len(record.attempts) == 2

    told(story)


def test_the_second_is_waited_for_when_the_first_fails() -> None:
    """No third is asked while one runs."""

    async def story(stage: Stage) -> None:
        generation = await both(stage, slow(seconds=20.0), slow(SECOND, 30.0))
        breaks(stage, FIRST)
        await stage.over()
        record = await stage.record(generation)
        assert (record.state, record.provider_used) == (State.SUCCEEDED, SECOND)
        assert [each.state for each in record.attempts] == [AttemptState.ERROR, AttemptState.DONE]

    told(story)


def test_when_both_fail_a_third_is_asked() -> None:
    """As if one had failed after the other."""

    async def story(stage: Stage) -> None:
        generation = await both(stage, slow(seconds=20.0), slow(SECOND, 20.0))
        breaks(stage, FIRST, SECOND)
        await stage.over()
        record = await stage.record(generation)
        assert (record.state, record.provider_used, len(record.attempts)) == (State.SUCCEEDED, THIRD, 3)

    told(story)


def test_a_caller_who_cancels_stops_both() -> None:
    """Neither runs on, and nothing is charged."""

    async def story(stage: Stage) -> None:
        generation = await both(stage, slow(), slow(SECOND))
        await stage.rest(1)
        await stage.store.write(generations.cancel("rich", generation, EPOCH + int(stage.loop.time() * 1000)))
        assert await stage.runs.cancel(generation)
        await stage.over()
        record = await stage.record(generation)
        assert (record.state, record.settled) == (State.CANCELED, None)
        assert sorted(canceled(stage)) == sorted([FIRST, SECOND])

    told(story)


def test_a_call_back_wakes_the_one_it_is_for() -> None:
    """Each of the two is known by the number of its attempt."""

    async def story(stage: Stage) -> None:
        generation = await both(stage, slow(), slow(SECOND))
        assert [stage.runs.nudge(generation, number) for number in (1, 2, 3)] == [True, True, False]

    told(story)


def test_a_start_goes_on_with_one_of_two() -> None:
    """The one that has come furthest is walked on; the other is stopped, and closed, by whoever sees to the rest."""

    async def story(stage: Stage) -> None:
        generation = await both(stage, slow(), slow(SECOND))
        await stage.rest(0.5)
        record = await stage.record(generation)
        kept, others = unfinished(record)
        assert kept is not None
        assert [kept.n, *(each.n for each in others)] == [1, 2]
        assert from_record(record).made == 2
        stored = replace(record, attempts=(record.attempts[0], replace(record.attempts[1], state=AttemptState.STORING)))
        furthest, _ = unfinished(stored)
        assert furthest is not None
        assert furthest.n == 2
        now = EPOCH + int(stage.loop.time() * 1000)
        assert await stage.store.write(attempts.leave(others[0].id, now))
        due = await stage.store.read(attempts.due(now, 8))
        assert [(each.attempt.n, each.cancels > 0) for each in due] == [(2, True)]

    told(story)


def test_a_second_is_worth_it() -> None:
    """Cheap enough, one more attempt allowed, and time for it."""
    good = Situation(price=5, max_cost=5, made=1, allowed=2, needs=1_000, remaining=6_000)
    assert may_hedge(good)
    for bad in ({"price": 6}, {"made": 2}, {"remaining": 5_999}, {"needs": 1_001}):
        assert not may_hedge(replace(good, **bad))


def test_the_purse() -> None:
    """It fills by a share of each first job, holds ten second ones at most, and never goes below nothing."""
    hedging = Hedging(max_cost=100, share=0.05)
    purse = Purse()
    assert purse.spent(1) is None
    for _ in range(20):
        purse = purse.filled(100, hedging)
    assert purse == Purse(100)
    assert purse.spent(100) == Purse(0)
    assert purse.spent(101) is None
    for _ in range(1_000):
        purse = purse.filled(100, hedging)
    assert purse == Purse(1_000)
    assert purse.filled(100, Hedging(max_cost=10, share=0.05)) == purse
