"""What a key may spend and how much of its work may be under way, over HTTP."""

from __future__ import annotations

import asyncio

from tests.gateway.ingress.house import IMAGE, Answer, House

PATH = f"/v1/generate/image/{IMAGE}"  # a picture holds 0.04 credits


async def ask(house: House, **options: object) -> Answer:
    """Ask for a picture."""
    return await house.ask("POST", PATH, {"generation_prompt": "x"}, **options)


async def test_a_budget_is_never_passed(house: House) -> None:
    """S14: of three pictures at once a budget of two and a half bears two; the third is refused as a balance refuses it."""
    house.key = await house.new_key(budget="0.1")
    answers = await asyncio.gather(*(ask(house) for _ in range(3)))
    assert sorted(each.status for each in answers) == [200, 200, 402]
    [refused] = [each for each in answers if each.status == 402]
    assert (refused.error["code"], refused.error["retryable"]) == ("BSE1004", False)
    assert "0.02 more in all" in refused.error["message"]
    assert len(house.jobs.started) == 2
    assert (await house.ask("GET", "/v1/user/billing")).data["billing_credit_balance"] == 9.92


async def test_a_failure_gives_the_budget_back(house: House) -> None:
    """What ended without a picture can be spent again."""
    house.key = await house.new_key(budget="0.04", budget_per="day")
    generation = await house.create()
    assert "0.00 more today" in (await ask(house)).error["message"]
    await house.fail(generation)
    assert (await ask(house)).status == 200


async def test_a_day_brings_a_new_budget(house: House) -> None:
    """What was spent yesterday is not today's."""
    house.key = await house.new_key(budget="0.04", budget_per="day")
    await house.succeed(await house.create())
    assert (await ask(house)).status == 402
    await house.clock.advance(86_400)
    assert (await ask(house)).status == 200


async def test_a_cap_turns_away_with_a_time_to_come_back(house: House) -> None:
    """At the cap a new request is told to come back, a repeated one gets its answer, and what ends makes room."""
    house.key = await house.new_key(in_flight=1)
    same = {"Idempotency-Key": "one"}
    first = await ask(house, headers=same)
    full = await ask(house)
    assert (full.status, full.error["code"], full.error["retryable"]) == (429, "BSE1009", True)
    assert full.error["details"] == {"limit": 1, "retry_after_seconds": 5}
    assert int(full.headers["Retry-After"]) >= 1
    again = await ask(house, headers=same)
    assert again.data["generation_id"] == first.data["generation_id"]
    await house.succeed(first.data["generation_id"])
    assert (await ask(house)).status == 200


async def test_the_ledger_agrees(house: House) -> None:
    """What is counted against keys is what their generations hold and cost."""
    house.key = await house.new_key(budget="1")
    await house.succeed(await house.create())
    await house.fail(await house.create())
    await house.create()
    assert (await house.act("doctor"))["findings"] == []
