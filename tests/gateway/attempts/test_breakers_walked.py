"""Breakers, pauses and limits on real runs: the vendors played without sockets, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.ingress.refusal import Refusal
from gateway.ledger import generations
from gateway.routing.breaker import Standing
from gateway.routing.override import EVERY, Forced, Override
from gateway.routing.signal import Kind, Trial
from tests.harness.outage import FIRST, MODEL, ORDER, Figures, Stage
from tests.harness.virtual import VirtualLoop, play

SECOND, THIRD = ORDER[1:]
Story = Callable[[Stage], Coroutine[Any, Any, None]]


def told(story: Story) -> None:
    """Play a story on a stage of its own."""

    async def played(loop: VirtualLoop) -> None:
        await story(Stage(loop, random.Random(1), Figures("none")))

    play(random.Random(1), played)


def submits(do: str, *providers: str, **more: Any) -> list[Mapping[str, Any]]:
    """A script: this befalls every submit to these providers."""
    return [{"provider": each, "call": "submit", "do": do, **more} for each in providers]


async def at_once(stage: Stage, count: int, seconds: float = 60.0) -> list[str | Refusal]:
    """So many ask at the same moment; wait until all of that is over."""
    found = await asyncio.gather(*(stage.one() for _ in range(count)))
    await stage.over(seconds)
    return list(found)


async def opened(stage: Stage, rules: Sequence[Mapping[str, Any]]) -> None:
    """Let the first provider fail until it rests, then be well again."""
    stage.far.script(rules)
    for _ in range(5):
        await at_once(stage, 1)
    stage.far.script(())
    assert stage.health.breaker(Kind.SUBMIT, FIRST, MODEL).standing is Standing.OPEN


async def states(stage: Stage, found: Sequence[str | Refusal]) -> list[str]:
    """How the generations ended."""
    return [(await stage.record(each)).state.value for each in found if isinstance(each, str)]


def test_a_submit_is_heard_of_before_its_job_ends() -> None:
    """The breaker of submits knows of a job that was taken while that still runs."""

    async def story(stage: Stage) -> None:
        await stage.one()
        await stage.rest(1)
        assert stage.runs.live == 1
        assert [each.succeeded for each in stage.health.breaker(Kind.SUBMIT, FIRST, MODEL).buckets] == [1]
        assert stage.health.breaker(Kind.JOB, FIRST, MODEL).ends == ()
        await stage.over(60)
        assert [each.good for each in stage.health.breaker(Kind.JOB, FIRST, MODEL).ends] == [True]
        assert [each.succeeded for each in stage.health.breaker(Kind.SUBMIT, FIRST, MODEL).buckets] == [1]

    told(story)


def test_a_lost_answer_counts_when_it_is_lost() -> None:
    """Once, as a failed submit."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("drop_after", FIRST))
        await at_once(stage, 1)
        assert [each.failed for each in stage.health.breaker(Kind.SUBMIT, FIRST, MODEL).buckets] == [1]
        assert stage.health.breaker(Kind.JOB, FIRST, MODEL).ends == ()

    told(story)


def test_where_the_answer_is_the_job_one_outcome_counts() -> None:
    """A provider that holds the line has no breaker of jobs."""

    async def story(stage: Stage) -> None:
        stage.leave([THIRD])
        await at_once(stage, 1)
        assert [each.succeeded for each in stage.health.breaker(Kind.SUBMIT, THIRD, MODEL).buckets] == [1]
        assert stage.health.breaker(Kind.JOB, THIRD, MODEL).ends == ()

    told(story)


def test_failures_after_a_failover_count() -> None:
    """The second and the third provider open as the first does."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("status", *ORDER, status=503))
        for _ in range(5):
            await at_once(stage, 1)
        standings = [stage.health.breaker(Kind.SUBMIT, each, MODEL).standing for each in ORDER]
        assert standings == [Standing.OPEN] * 3

    told(story)


def test_connections_that_fail_count_and_concern_every_model() -> None:
    """Nobody answers at the first provider: it rests as a whole."""

    async def story(stage: Stage) -> None:
        stage.lines.is_cut = True
        for _ in range(5):
            await at_once(stage, 1)
        assert stage.health.breaker(Kind.PROVIDER, FIRST, "").standing is Standing.OPEN
        assert stage.health.standing(FIRST, "lab/other", int(stage.loop.time() * 1000)) is not None

    told(story)


def test_one_of_many_probes_and_the_others_go_elsewhere() -> None:
    """Of two hundred that ask as the rest ends one goes to the first provider, and all are served."""

    async def story(stage: Stage) -> None:
        await opened(stage, submits("status", FIRST, status=503))
        await stage.rest(40)
        before = stage.lines.submits[FIRST]
        found = await asyncio.gather(*(stage.one() for _ in range(200)))
        await stage.rest(0.2)
        assert stage.lines.submits[FIRST] == before + 1
        await stage.over(60)
        assert set(await states(stage, found)) == {"succeeded"}

    told(story)


def test_where_nobody_else_is_the_others_wait_for_the_probe() -> None:
    """One goes first; when it and a second have been taken all the others follow."""

    async def story(stage: Stage) -> None:
        await opened(stage, submits("status", FIRST, status=503))
        stage.leave([FIRST])
        await stage.rest(40)
        before = stage.lines.submits[FIRST]
        found = await at_once(stage, 50)
        assert stage.lines.submits[FIRST] == before + 50
        assert await states(stage, found) == ["succeeded"] * 50

    told(story)


def test_a_caller_who_cancels_a_probe_does_not_wedge_it() -> None:
    """The place is free as soon as the cancellation is through."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("fail", FIRST))
        for _ in range(5):
            await at_once(stage, 1)
        stage.far.script(())
        assert stage.health.breaker(Kind.JOB, FIRST, MODEL).standing is Standing.OPEN
        stage.leave([FIRST])
        await stage.rest(40)
        probe = await stage.one()
        assert isinstance(probe, str)
        await stage.rest(1)
        assert stage.health.standing(FIRST, MODEL, int(stage.loop.time() * 1000)) is not None
        await stage.store.write(generations.cancel("rich", probe, stage.far.now()))
        await stage.runs.cancel(probe)
        await stage.over(60)
        assert stage.health.standing(FIRST, MODEL, int(stage.loop.time() * 1000)) is None

    told(story)


def test_when_all_rest_one_a_second_is_let_in() -> None:
    """The others are turned away and told when the first rest ends; what is let in is asked of one provider."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("status", *ORDER, status=503))
        for _ in range(5):
            await at_once(stage, 1)
        await stage.rest(2)
        before, began = sum(stage.lines.submits.values()), stage.loop.time()
        found: list[str | Refusal] = []
        while stage.loop.time() < began + 10:
            found.append(await stage.one())
            await stage.rest(0.1)
        let_in = [each for each in found if isinstance(each, str)]
        assert 9 <= len(let_in) <= 11
        await stage.over(60)
        assert sum(stage.lines.submits.values()) - before == len(let_in)
        [first, *_] = [each for each in found if isinstance(each, Refusal)]
        rests = [stage.health.breaker(Kind.SUBMIT, each, MODEL).until / 1000 - began for each in ORDER]
        assert first.retry_after is not None
        assert abs(first.retry_after - min(rests)) <= 1.2

    told(story)


def test_after_a_panic_that_went_well_all_go_again() -> None:
    """Nobody has to wait for the end of the rest when somebody was served before it."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("status", *ORDER, status=503))
        for _ in range(5):
            await at_once(stage, 1)
        stage.far.script(())
        for _ in range(4):
            await stage.rest(1.1)
            await stage.one()
        await stage.over(10)
        found = await at_once(stage, 20)
        assert await states(stage, found) == ["succeeded"] * 20

    told(story)


def test_a_failed_generation_may_go_on_where_everybody_else_rests() -> None:
    """When the only one that was ready fails, the one that rests the shortest is asked, once a second for all of them."""

    async def story(stage: Stage) -> None:
        stage.leave([FIRST, SECOND])
        stage.far.script([*submits("fail", FIRST), *submits("delay", SECOND, seconds=20)])
        found = [await stage.one() for _ in range(5)]
        await stage.rest(1)
        fault = Fault(FaultKind.NOT_SERVED, Reach.REFUSED, "no such model")
        stage.health.failed(Trial(SECOND, MODEL, 0), fault, int(stage.loop.time() * 1000), 0)
        await stage.over(60)
        asked = stage.lines.submits[SECOND]
        assert 1 <= asked <= 2  # the jobs fail within two seconds
        assert sorted(await states(stage, found)) == ["failed"] * (5 - asked) + ["succeeded"] * asked

    told(story)


def test_what_the_operator_holds_open_is_not_asked_in_a_panic() -> None:
    """Everybody else rests, and still nothing goes there."""

    async def story(stage: Stage) -> None:
        stage.health.overrides.hold(Override(FIRST, EVERY, Forced.OPEN, 10**9))
        stage.far.script(submits("status", SECOND, THIRD, status=503))
        for _ in range(8):
            await at_once(stage, 1)
            await stage.rest(1.1)
        assert stage.lines.submits[FIRST] == 0

    told(story)


def test_a_full_provider_is_passed_by() -> None:
    """It says that it has enough: fewer go there, the next provider takes the rest, and nobody is failed for it."""

    async def story(stage: Stage) -> None:
        tries = asyncio.gather(*(stage.one() for _ in range(10)))
        await stage.rest(1)
        await tries
        stage.far.script(submits("status", FIRST, status=429, retry_after=1))
        await stage.one()
        await stage.rest(0.5)
        stage.far.script(())
        assert stage.health.traffic.most(FIRST, int(stage.loop.time() * 1000)) == 7
        await stage.rest(0.8)
        before = stage.lines.submits[FIRST]
        await stage.one()
        await stage.rest(0.5)
        assert stage.health.traffic.under_way(FIRST) == 10
        assert stage.lines.submits[FIRST] == before
        await stage.over(60)
        assert stage.health.traffic.under_way(FIRST) == stage.health.traffic.under_way(SECOND) == 0
        assert set(await states(stage, list(stage.taken))) == {"succeeded"}
        assert stage.health.breaker(Kind.SUBMIT, FIRST, MODEL).standing is Standing.CLOSED

    told(story)


def test_second_tries_on_the_same_offer_have_a_budget() -> None:
    """Of a hundred that are refused at the same moment, with nobody else to ask, a fifth is sent again."""

    async def story(stage: Stage) -> None:
        stage.leave([FIRST])
        stage.far.script(submits("status", FIRST, status=429, retry_after=2))
        await at_once(stage, 100)
        assert abs(stage.lines.submits[FIRST] - 120) <= 1
        assert not stage.runs._retrying

    told(story)


@pytest.mark.parametrize(
    "do", [{"do": "status", "status": 503}, {"do": "status", "status": 500}, {"do": "drop_before"}]
)
def test_a_full_brown_out_makes_no_storm(do: dict[str, Any]) -> None:
    """Every provider fails at everything, and the calls are at most 1.2 times what was asked for."""

    async def story(stage: Stage) -> None:
        stage.far.script([{"call": "submit", **do}])
        for _ in range(600):
            await stage.one()
            await stage.rest(0.1)
        await stage.over(60)
        assert sum(stage.lines.submits.values()) <= 1.2 * 600

    told(story)


def test_slow_providers_are_asked_once() -> None:
    """Answers that take twenty seconds are waited for: one call for each generation, and every one is served."""

    async def story(stage: Stage) -> None:
        stage.far.script(submits("delay", *ORDER, seconds=20))
        found = []
        for _ in range(40):
            found.append(await stage.one())
            await stage.rest(1)
        await stage.over(120)
        assert sum(stage.lines.submits.values()) == 40
        assert set(await states(stage, found)) == {"succeeded"}

    told(story)


def test_looks_that_fail_are_made_less_often_and_end_no_job() -> None:
    """The status calls are down for ninety seconds while jobs run: all are served by the first provider."""

    async def story(stage: Stage) -> None:
        stage.far.script([{"provider": FIRST, "call": "status", "do": "status", "status": 502}])
        found = [await stage.one() for _ in range(10)]
        await stage.rest(90)
        assert stage.health.paths.broken == {FIRST}
        stage.far.script(())
        await stage.over(120)
        assert {each.provider_used for each in [await stage.record(str(one)) for one in found]} == {FIRST}
        assert stage.lines.submits == {FIRST: 10}

    told(story)
