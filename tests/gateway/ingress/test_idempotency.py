"""The life of an idempotency key over HTTP, on a clock that is moved."""

from __future__ import annotations

from tests.gateway.ingress.house import IMAGE, House

PATH = f"/v1/generate/image/{IMAGE}"
KEY = {"Idempotency-Key": "one"}
DAY = 24 * 60 * 60


async def ask(house: House, prompt: str = "a seal") -> tuple[int, str | None, bool]:
    """Create under the key: the status, the generation and whether it was a replay."""
    answer = await house.ask("POST", PATH, {"generation_prompt": prompt}, headers=KEY)
    made = answer.json["data"]["generation_id"] if answer.status == 200 else None
    return answer.status, made, answer.headers.get("Idempotency-Replayed") == "true"


async def test_a_key_keeps_its_answer_for_a_day(house: House) -> None:
    """F01: a second before the day is over the first answer is given again, after it the request is a new one."""
    _, first, _ = await ask(house)
    await house.clock.advance(DAY - 1)
    assert await ask(house) == (200, first, True)
    await house.clock.advance(2)
    status, second, replayed = await ask(house)
    assert (status, second != first, replayed) == (200, True, False)
    assert await ask(house) == (200, second, True)
    assert len(house.jobs.started) == 2


async def test_a_key_is_taken_for_a_day(house: House) -> None:
    """F02: another request under it is refused while it lives, and begins something once its time is over."""
    await ask(house)
    assert await ask(house, "a walrus") == (409, None, False)
    await house.clock.advance(DAY + 1)
    assert (await ask(house, "a walrus"))[0] == 200
