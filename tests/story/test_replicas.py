"""Two processes over one store: whoever is asked answers, and what one has the other does not do again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import app, settings
from gateway.ledger import accounts, checks
from gateway.ledger import credits as ledger_credits
from gateway.ledger.database import Database
from gateway.simulators import Simulators
from tests import postgres

_SECRET = "0123456789abcdef0123456789abcdef"
PATH = "/v1/generate/image/bytedance/seedream-4.5"
ASKED = {"generation_prompt": "a baby seal", "generation_provider_order": "byteplus, replicate"}


class Pair:
    """Two gateways, the vendors they share, and the store."""

    def __init__(self, origins: list[str], sims: Simulators, place: str, client: aiohttp.ClientSession) -> None:
        self.first, self.second = origins
        self.sims = sims
        self.place = place
        self._client = client

    async def ask(self, method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask one of them."""
        async with self._client.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def create(self, origin: str, **headers: str) -> str:
        """Have a generation begun there."""
        status, said = await self.ask("POST", origin + PATH, ASKED, **headers)
        assert status == 200, said
        return str(said["data"]["generation_id"])

    async def status(self, origin: str, generation: str) -> str:
        """How far it has come, as one of them says."""
        status, said = await self.ask("GET", f"{origin}/v1/content/{generation}")
        assert status == 200, said
        return str(said["data"]["generation_status"])

    async def until(self, origin: str, generation: str, status: str) -> None:
        """Wait until it has come so far."""
        for _ in range(600):
            if (found := await self.status(origin, generation)) == status:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{generation} is {found}, not {status}")


@asynccontextmanager
async def pair(folder: Path, *, image: float = 0.05, config: str = "") -> AsyncIterator[Pair]:
    """Serve twice."""
    sims = Simulators(image_seconds=image, video_seconds=0.2)
    await sims.start()
    providers = "".join(f"  {name}: {{base: {base}}}\n" for name, base in sims.bases.items())
    with postgres.fresh(postgres.migrated()) as place:
        store = await Database.open(place, now=lambda: 1)
        await store.write(accounts.ensure(app.LOCAL, app.LOCAL, 1))
        await store.write(ledger_credits.add(app.LOCAL, 100_000_000, "opening", "", 1))
        await store.close()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(sims.close)
            origins = []
            for name in ("a", "b"):
                text = (
                    f"listen: 127.0.0.1:0\nstore: {place}\nsecret: {_SECRET}\nauth: none\ncredits: enforce\n"
                    f"outputs: {{store: 'file://{folder}/outputs'}}\negress: {{allow: [127.0.0.0/8]}}\n"
                    f"providers:\n{providers}{config}"
                )
                (folder / name).mkdir()
                path = folder / name / "config.yaml"
                path.write_text(text)
                environ = {**sims.secrets, "HOME": str(folder / name), "XDG_STATE_HOME": str(folder / name)}
                running = await stack.enter_async_context(app.running(settings.load(path, environ), environ))
                origins.append(running.origin)
            client = await stack.enter_async_context(aiohttp.ClientSession())
            yield Pair(origins, sims, place, client)
        store = await Database.open(place, now=lambda: 1)
        assert await store.report(checks.run_checks(2**62, 2**61)) == []
        await store.close()


async def test_any_of_them_answers_for_all(tmp_path: Path) -> None:
    """What one accepted the other shows, lists and waits for; a repeated request is one generation wherever it comes."""
    async with pair(tmp_path, image=0.5) as two:
        mine = await two.create(two.first, **{"Idempotency-Key": "k1"})
        assert await two.status(two.second, mine) in {"pending", "processing"}
        headers = {"Idempotency-Key": "k1", "Prefer": "wait=20"}
        assert await two.create(two.second, **headers) == mine
        assert await two.status(two.second, mine) == "succeeded"
        _, listed = await two.ask("GET", f"{two.second}/v1/content/list")
        assert mine in str(listed)
        assert len(listed["data"]["generations"]) == 1


async def test_one_stops_what_the_other_has(tmp_path: Path) -> None:
    """A generation is canceled through the one that does not run it: its provider is told, its credits are back."""
    async with pair(tmp_path, image=30) as two:
        mine = await two.create(two.first)
        await two.until(two.second, mine, "processing")
        status, said = await two.ask("POST", f"{two.second}/v1/content/generation/cancel/{mine}")
        assert status == 200, said
        assert await two.status(two.first, mine) == "canceled"
        _, billing = await two.ask("GET", f"{two.first}/v1/user/billing")
        assert billing["data"]["billing_credit_balance"] == pytest.approx(100)


async def test_what_was_left_in_order_is_taken_over_at_once(tmp_path: Path) -> None:
    """Many at once through both: each is done once, and nobody's work is done by the other too."""
    async with pair(tmp_path) as two:
        made = await asyncio.gather(*(two.create(origin) for origin in (two.first, two.second) * 10))
        for each in made:
            await two.until(two.second, each, "succeeded")
        assert len(set(made)) == 20


async def test_a_rate_is_one_rate_wherever_its_requests_come(tmp_path: Path) -> None:
    """Thirty a minute are thirty, however they are spread; whoever stays with one of them gets all thirty there."""
    async with pair(tmp_path, config="limits: {requests: 30}\n") as two:

        async def let(origin: str, tries: int) -> int:
            return sum([(await two.ask("GET", f"{origin}/v1/user/account"))[0] == 200 for _ in range(tries)])

        assert await let(two.first, 20) == 20
        await asyncio.sleep(2.5)  # it is told once a second
        assert 9 <= await let(two.second, 30) <= 13
        await asyncio.sleep(2.5)
        assert await let(two.first, 30) <= 3
