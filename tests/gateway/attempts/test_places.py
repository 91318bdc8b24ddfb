"""The places of a provider that takes only so many jobs at once, among accounts."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from gateway.attempts.choice import Choice
from gateway.attempts.job import Job, accepted
from gateway.generation import Kind
from gateway.routing.health import Health, Turn
from gateway.routing.plan import Why
from tests.clock import VirtualClock

NORTH = "north"
STEP = {"provider": NORTH, "form": 0, "native": "n", "price": 1, "dropped": []}


class Rush:
    """A provider with some places, and jobs that want one."""

    def __init__(self, places: int) -> None:
        self.clock = VirtualClock()
        self.health = Health({NORTH: places})
        self.choice = Choice(self.health, self.clock, Random(1))
        self.begun: list[str] = []

    def job(self, account: str, name: str) -> Job:
        """Accepted work with five minutes to live."""
        plan = {"steps": [STEP], "attempts": 3, "follow_refusal": False, "in_doubt_max_cost": 0}
        now = self.clock.now_ms()
        made = accepted(name, account, Kind.IMAGE, "lab/model", {}, plan, created=now, deadline=now + 300_000)
        made.wind(self.clock)
        return made

    def run(self, account: str, seconds: float, number: int = 0) -> asyncio.Task[bool]:
        """Have one job wait for a place, and hold it for so long; whether it got one."""

        async def work() -> bool:
            job = self.job(account, f"{account}-{number}")
            step = await self.choice.first(job, lambda: False)
            if step is None:
                return False
            trial = self.choice.trial(job, step, None)
            assert self.choice.lets(job, step, trial, again=False)
            self.begun.append(account)
            await self.clock.sleep(seconds)
            self.health.leave(trial)
            return True

        return asyncio.ensure_future(work())


@pytest.mark.parametrize("places", [1, 3])
async def test_a_backlog_does_not_starve_others(places: int) -> None:
    """F80: twenty jobs of one account wait at a full provider; of the next places one is for the first job of another."""
    rush = Rush(places)
    tasks = [rush.run("many", 10, number) for number in range(20)]
    await rush.clock.settle()
    tasks.append(rush.run("few", 10))
    await rush.clock.advance(12)
    assert places <= rush.begun.index("few") < 2 * places
    await rush.clock.advance(20)
    for each in tasks:
        each.cancel()


async def test_accounts_that_both_wait_have_as_many() -> None:
    """F80: of four places two accounts with long rows have two each, whoever came first."""
    rush = Rush(4)
    tasks = [rush.run("a", 5, number) for number in range(12)]
    await rush.clock.settle()
    tasks += [rush.run("b", 5, number) for number in range(12)]
    await rush.clock.advance(28)
    later = rush.begun[4:20]
    assert abs(later.count("a") - later.count("b")) <= 4
    for each in tasks:
        each.cancel()


async def test_who_has_less_than_its_share_is_let_in_to_wait() -> None:
    """F80: at a full provider new work of whoever fills it is turned away, new work of another is not."""
    rush = Rush(2)
    tasks = [rush.run("many", 60, number) for number in range(2)]
    await rush.clock.settle()

    def stands(account: str) -> Why | None:
        found = rush.health.standing(NORTH, "lab/model", 0, turn=Turn(account))
        return found.why if found else None

    assert (stands("many"), stands("few")) == (Why.BUSY, None)
    tasks.append(rush.run("few", 60))
    await rush.clock.advance(1)
    assert (stands("many"), stands("few")) == (Why.BUSY, Why.BUSY)
    await rush.clock.advance(60)
    assert rush.begun[-1] == "few"
    for each in tasks:
        each.cancel()


async def test_a_place_is_waited_for_as_long_as_there_is_time() -> None:
    """Accepted work does not fail because others hold all places for a minute, and does once its time is over."""
    rush = Rush(1)
    tasks = [rush.run("many", 100), rush.run("few", 1)]
    await rush.clock.advance(102)
    assert await tasks[1]
    late = rush.run("many", 1_000)
    await rush.clock.advance(2)
    never = rush.run("few", 1)
    await rush.clock.advance(301)
    assert await never is False
    late.cancel()
