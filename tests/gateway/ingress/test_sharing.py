"""How much of one account is in work at a time, and how slowly it is answered that comes too often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import State
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import Brake, Held, Sharing, Waits
from tests.clock import VirtualClock
from tests.gateway.ingress.house import IMAGE, House


class Work:
    """Requests that are worked on until a test ends them."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.sharing = Sharing(self.clock)
        self.begun: list[str] = []
        self.ends: list[asyncio.Event] = []

    def ask(self, account: str) -> asyncio.Task[None]:
        """One more request."""

        async def work() -> None:
            await self.sharing.enter(account)
            self.begun.append(account)
            end = asyncio.Event()
            self.ends.append(end)
            try:
                await end.wait()
            finally:
                self.sharing.leave(account)

        return asyncio.ensure_future(work())


async def test_nobody_waits_behind_another_account() -> None:
    """F80: of a hundred requests of one account a few are in work, and one of another begins at once."""
    work = Work()
    tasks = [work.ask("few"), *(work.ask("many") for _ in range(100))]
    await asyncio.sleep(0)
    assert work.begun.count("many") <= 4
    tasks.append(work.ask("few"))
    await asyncio.sleep(0)
    assert work.begun[-1] == "few"
    for _ in range(110):
        for end in work.ends:
            end.set()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert work.begun.count("many") == 100


async def test_an_account_alone_has_more_places() -> None:
    """Nobody is held up for the sake of somebody who is not there."""
    work = Work()
    tasks = [work.ask("many") for _ in range(20)]
    await asyncio.sleep(0)
    assert len(work.begun) == 20
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_that_hangs_up_leaves_its_place() -> None:
    """While it waits and while it is worked on; in the end nothing is remembered of anybody."""
    work = Work()
    tasks = [work.ask(account) for account in ["few", *["many"] * 10]]
    await asyncio.sleep(0)
    for each in tasks[3:8]:
        each.cancel()
    await asyncio.sleep(0)
    for _ in range(20):
        for end in work.ends:
            end.set()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(task.cancelled() for task in tasks) == 5
    assert len(work.begun) == 6
    assert work.sharing._shares == {}


async def test_a_row_has_a_longest_length() -> None:
    """F80: beyond a thousand that wait an account is told to come again; others are not."""
    work = Work()
    tasks = [work.ask("few"), *(work.ask("many") for _ in range(1002))]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as told:
        await work.sharing.enter("many")
    assert (told.value.code.code, told.value.code.status, told.value.retry_after) == ("BSE1009", 429, 2)
    await work.sharing.enter("few")
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@given(st.lists(st.floats(0, 0.05), min_size=1, max_size=300))
def test_refusals_are_held_to_a_pace(gaps: list[float]) -> None:
    """S52: the first of a second at once, then fifty a second, and nobody for longer than ten seconds."""
    held, now, answered = Held(-1.0), 0.0, []
    for gap in gaps:
        now += gap
        held, wait = held.one_more(now)
        assert 0 <= wait <= 10
        answered.append(now + wait)
    if max(answered) - now < 10:
        for first in range(0, len(answered) - 101, 10):
            assert answered[first + 101] - answered[first] >= 0.9


async def test_a_connection_that_asks_in_vain_is_answered_slowly() -> None:
    """S52: who goes on asking is answered fifty times a second in all; somebody else at once."""
    clock = VirtualClock()
    brake, over = Brake(clock), list[float]()

    async def refused(name: str) -> None:
        await brake.hold(name)
        over.append(clock.monotonic())

    tasks = [asyncio.ensure_future(refused("many")) for _ in range(200)]
    await clock.settle()
    assert len(over) in {49, 50}
    await refused("few")
    assert over[-1] == 0.0
    await clock.advance(1)
    assert 95 <= len(over) - 1 <= 105
    await clock.advance(3)
    await asyncio.gather(*tasks)


async def test_a_key_has_so_many_waits(house: House) -> None:
    """F76: of a key 200 requests wait for the end; the next is answered at once and says so, and what ends makes room."""
    waiting, release = list[str](), asyncio.Event()

    async def while_waiting(generation: str, _seconds: float) -> None:
        waiting.append(generation)
        await release.wait()

    house.jobs.while_waiting = while_waiting
    await house.act("credits.add", account="acme", amount="100")
    path, body, headers = f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"}, {"Prefer": "wait=30"}
    many = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    sent = {**headers, "Authorization": f"Bearer {house.key}"}

    async def ask() -> str | None:
        async with many.post(house.client.make_url(path), json=body, headers=sent) as answer:
            return answer.headers.get("Preference-Applied")

    asked = [asyncio.ensure_future(ask()) for _ in range(200)]
    async with asyncio.timeout(30):
        while len(waiting) < 200:  # noqa: ASYNC110 - the house has no event for it
            await asyncio.sleep(0.01)
    one_more = await house.ask("POST", path, body, headers=headers)
    assert one_more.status == 200
    assert "Preference-Applied" not in one_more.headers
    assert await house.state(one_more.data["generation_id"]) is State.ACCEPTED
    house.key = await house.new_key()
    other = asyncio.ensure_future(house.ask("POST", path, body, headers=headers))
    async with asyncio.timeout(30):
        while len(waiting) < 201:  # noqa: ASYNC110 - the house has no event for it
            await asyncio.sleep(0.01)
    release.set()
    assert set(await asyncio.gather(*asked)) == {"wait=30"}
    assert (await other).headers["Preference-Applied"] == "wait=30"
    await many.close()


def test_waits_are_counted_out() -> None:
    """Each key for itself, and nothing is remembered of one whose waits are over."""
    waits = Waits(most=1)
    over = waits.begin("a")
    assert over is not None
    assert waits.begin("a") is None
    assert waits.begin("b") is not None
    over()
    assert waits.begin("a") is not None


async def test_a_body_on_its_way_takes_no_place(house: House) -> None:
    """S52, F80: an account whose clients send slowly goes on being answered."""
    sent, never = list[int](), asyncio.Event()

    async def slowly() -> None:
        async def parts() -> AsyncIterator[bytes]:
            yield b'{"generation_prompt": '
            sent.append(1)
            await never.wait()

        headers = {"Authorization": f"Bearer {house.key}", "Content-Type": "application/json"}
        async with house.client.post(f"/v1/generate/image/{IMAGE}", data=parts(), headers=headers) as answer:
            await answer.read()

    slow = [asyncio.ensure_future(slowly()) for _ in range(50)]
    async with asyncio.timeout(20):
        while len(sent) < 50:  # noqa: ASYNC110 - the far end has no event for it
            await asyncio.sleep(0.01)
        assert (await house.ask("GET", "/v1/status")).status == 200
        assert await house.create()
    for each in slow:
        each.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_flood_of_one_is_nobody_elses_business(house: House) -> None:
    """S52, F80: while two hundred requests of one account wait, one of another is answered among the very next."""
    await house.act("accounts.create", account="other")
    await house.act("credits.add", account="other", amount="1")
    other = (await house.act("keys.create", account="other"))["key"]
    done, path, body = list[str](), house.client.make_url(f"/v1/generate/image/{IMAGE}"), {"generation_prompt": "x"}
    many = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def ask(name: str, key: str) -> int:
        async with many.post(path, json=body, headers={"Authorization": f"Bearer {key}"}) as answer:
            await answer.read()
        done.append(name)
        return answer.status

    assert await ask("few", other) == 200
    asked = [asyncio.ensure_future(ask("many", house.key)) for _ in range(200)]
    async with asyncio.timeout(30):
        while len(done) < 20:  # noqa: ASYNC110 - the house has no event for it
            await asyncio.sleep(0)
        begun = len(done)
        assert await ask("few", other) == 200
        assert len(done) - begun < 60
        assert set(await asyncio.gather(*asked)) == {200}
    await many.close()
