"""The same key, the same answer: whatever becomes of the answers on their way, and whenever the process dies."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.harness.process import Gateway, far_ends, free_port, fund, policy
from tests.proxy import CLEAN, Toxic, proxy
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
PRICE = 0.04
BODY = {"generation_prompt": "a seal", "generation_provider_order": "byteplus"}


def lossy(seed: int, chance: float, *, at_once: bool) -> Iterator[Toxic]:
    """Reset so many of the connections: before the first byte of the answer, or anywhere in it."""
    dice = random.Random(seed)
    while True:
        offset = 0 if at_once else dice.randint(0, 600)
        yield Toxic(reset_after=offset) if dice.random() < chance else CLEAN


class Client:
    """A client that asks again under its key until it has an answer."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self._origin = origin
        self.unheard = 0
        self.doubtful: set[str] = set()  # keys of which an answer was lost
        self.replayed = 0

    async def ask(self, key: str, body: Any = None) -> str:
        """Ask until there is an answer, and give the generation."""
        for _ in range(50):
            try:
                async with self._session.post(
                    f"{self._origin}/v1/generate/{SEEDREAM}", json=body or BODY, headers={"Idempotency-Key": key}
                ) as answer:
                    said = await answer.json()
                    assert answer.status == 200, said
                    self.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                    return str(said["data"]["generation_id"])
            except (aiohttp.ClientError, ConnectionError):
                self.unheard += 1
                self.doubtful.add(key)
        raise AssertionError(f"{key} was never answered")


def single() -> aiohttp.TCPConnector:
    """A connection for each request, so that each has a fate of its own."""
    return aiohttp.TCPConnector(force_close=True, limit=0)


async def total(at: House) -> int:
    """How many generations there are."""
    _, _, said = await at.ask("GET", "/v1/content/list?limit=1")
    return int(said["data"]["total"])


async def quiet(at: House) -> None:
    """Wait until nothing is under way."""
    for _ in range(400):
        _, _, said = await at.ask("GET", "/v1/content/list?limit=100")
        if all(each["generation_status"] not in {"pending", "processing"} for each in said["data"]["generations"]):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("something is still under way")


@pytest.mark.parametrize("at_once", [True, False])
async def test_lost_answers_cost_nothing(tmp_path: Path, *, at_once: bool) -> None:
    """F01, F04: with three answers in ten lost, anywhere in them, each wish is one generation, one job and one charge."""
    wishes = 40
    async with (
        house(tmp_path) as at,
        proxy(at.running.origin, lossy(7, 0.3, at_once=at_once)) as (origin, between),
        aiohttp.ClientSession(connector=single()) as session,
    ):
        client = Client(session, origin)
        made = await asyncio.gather(*(client.ask(f"wish-{n}") for n in range(wishes)))
        assert len(set(made)) == wishes == await total(at)
        assert between.spoiled >= client.unheard > 3
        assert client.replayed == len(client.doubtful)
        await quiet(at)
        assert len(at.sims.jobs("byteplus")) == wishes
        assert await at.balance() == pytest.approx(100 - wishes * PRICE)


async def test_a_replay_is_the_answer_given_before(tmp_path: Path) -> None:
    """F01: the same body and status come again, marked as a replay, before and after the end of the work."""
    async with house(tmp_path) as at:
        first = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, prompt="a seal")
        again = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, prompt="a seal")
        await at.end(first[2]["data"]["generation_id"])
        later = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, prompt="a seal")
        for status, headers, said in (again, later):
            assert (status, said["data"]) == (first[0], first[2]["data"])
            assert headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first[1]


async def test_another_request_under_the_key_is_refused(tmp_path: Path) -> None:
    """F02: another prompt or another model is a conflict; nothing is begun and nothing is held."""
    async with house(tmp_path) as at:
        _, _, said = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, prompt="a seal")
        await at.end(said["data"]["generation_id"])
        before = await at.balance()
        for path, prompt in ((SEEDREAM, "a walrus"), ("image/bfl/flux-schnell", "a seal")):
            status, _, said = await at.create(path, headers={"Idempotency-Key": "one"}, prompt=prompt)
            assert (status, said["error"]["code"], said["error"]["retryable"]) == (409, "BSE2015", False)
        assert (await total(at), await at.balance()) == (1, before)


async def test_a_hundred_at_once_are_one(tmp_path: Path) -> None:
    """F03: of a hundred requests at the same moment under one key one is executed; all get its answer, one hold is taken."""
    async with house(tmp_path) as at, aiohttp.ClientSession(connector=single()) as session:
        client = Client(session, at.running.origin)
        made = Counter(await asyncio.gather(*(client.ask("one") for _ in range(100))))
        assert (len(made), client.replayed, await total(at)) == (1, 99, 1)
        await quiet(at)
        assert len(at.sims.jobs("byteplus")) == 1
        assert await at.balance() == pytest.approx(100 - PRICE)


async def test_a_refused_request_leaves_its_key_free(tmp_path: Path) -> None:
    """F07: what was wrong may be put right under the same key, for nothing was stored or held."""
    async with house(tmp_path) as at:
        for wrong in ({"prompt": 7}, {"prompt": "a seal", "ratio": "17:9"}, {}):
            status, _, _ = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, **wrong)
            assert status == 400
        assert (await total(at), await at.balance()) == (0, 100)
        status, headers, _ = await at.create(SEEDREAM, headers={"Idempotency-Key": "one"}, prompt="a seal")
        assert (status, "Idempotency-Replayed" in headers) == (200, False)


async def test_killed_between_commit_and_answer(tmp_path: Path) -> None:
    """F06: the process is killed while its answer is on the way; the next one gives that answer under the same key."""
    port = free_port()
    async with far_ends([], 1, "image=0.05,video=0.1") as (_, bases, secrets):
        gateway = Gateway(tmp_path, policy(tmp_path, bases, port), secrets, port)
        await fund(tmp_path)
        await gateway.start()
        kills: list[asyncio.Task[None]] = []

        def kill() -> None:
            if not kills:
                kills.append(asyncio.ensure_future(gateway.kill()))

        async with (
            proxy(gateway.origin, [Toxic(reset_after=0)], kill) as (origin, _),
            aiohttp.ClientSession(connector=single()) as session,
        ):
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await session.post(f"{origin}/v1/generate/{SEEDREAM}", json=BODY, headers={"Idempotency-Key": "one"})
            await kills[0]
            await gateway.start()
            client = Client(session, gateway.origin)
            made = await client.ask("one")
            assert client.replayed == 1
            async with session.get(f"{gateway.origin}/v1/content/list") as answer:
                listed = (await answer.json())["data"]["generations"]
            assert [each["generation_id"] for each in listed] == [made]
        assert await gateway.stop() == 0


async def test_killed_before_the_commit(tmp_path: Path) -> None:
    """F05: a request that never got through leaves nothing: no generation, no hold, and a key that is free."""
    async with (
        house(tmp_path) as at,
        proxy(at.running.origin, [Toxic(deaf=True)] * 3) as (origin, _),
        aiohttp.ClientSession(connector=single()) as session,
    ):
        client = Client(session, origin)
        await client.ask("one")
        assert (client.unheard >= 3, client.replayed, await total(at)) == (True, 0, 1)
