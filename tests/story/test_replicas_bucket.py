"""Two processes over one PostgreSQL with their outputs in one bucket, each thing a process of its own; one is killed meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from tests import postgres
from tests.bucket import Service, service
from tests.harness.application import Client
from tests.harness.bucket import PLACE, Wire, gather, wired
from tests.harness.judge import Figures, judge
from tests.harness.process import OPENING, Gateway, far_ends, few, free_port, now_ms, policy

_SECRET = "0123456789abcdef0123456789abcdef"
_LIVE = "state NOT IN ('succeeded', 'failed', 'canceled')"


@dataclass
class Pair:
    """Two gateways, the bucket they share with the wire to it, the store and the far ends."""

    gateways: tuple[Gateway, Gateway]
    own: Service
    wire: Wire
    place: str
    far: str
    session: aiohttp.ClientSession
    figures: Figures
    client: Client
    folder: Path

    async def record(self, which: int, generation: str) -> Any:
        """What one of them says of a generation."""
        async with self.session.get(f"{self.gateways[which].origin}/v1/content/{generation}") as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["data"]

    async def ended(self, which: int, generation: str) -> Any:
        """The record once it has ended."""
        for _ in range(1200):
            found = await self.record(which, generation)
            if found["generation_status"] in {"succeeded", "failed", "canceled"}:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"it does not end: {found}")

    async def jobs(self, least: int = 0) -> list[Any]:
        """What the far ends were given to do, once it is so much."""
        for _ in range(600):
            async with self.session.get(self.far + "/_simulators/jobs") as answer:
                found: list[Any] = await answer.json()
            if len(found) >= least:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(found)} jobs of {least}")

    async def judged(self) -> Figures:
        """Stop what runs, and hold store, bucket and far ends against what was asked."""
        for gateway in self.gateways:
            if gateway.code is None:
                assert await gateway.stop() == 0, gateway.log.read_text()[-2000:]
        jobs = await self.jobs()
        await gather(self.own, self.folder, self.place)
        await judge(self.folder, self.client.known, jobs, self.figures, self.place)
        return self.figures


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    """Serve twice."""
    async with AsyncExitStack() as stack:
        own = stack.enter_context(service(folder / "s3"))
        place = stack.enter_context(postgres.fresh(await asyncio.to_thread(postgres.migrated)))
        store = await Database.open(place, now=now_ms)
        await store.write(accounts.ensure("local", "local", now_ms()))
        await store.write(credits.add("local", OPENING, "opening", "", now_ms()))
        await store.close()
        far, bases, secrets = await stack.enter_async_context(far_ends([], 5, "image=0.2,video=0.5"))
        wire, endpoint = await stack.enter_async_context(wired(own))
        # With fewer packs they start sooner; what they offer is enough for what is asked.
        used = {name: base for name, base in bases.items() if name in {"byteplus", "replicate"}}
        more = few(folder, *used) + f"secret: {_SECRET}\n"
        gateways = []
        for name in ("a", "b"):
            place_of = folder / name
            place_of.mkdir()
            port = free_port()
            text = policy(folder, used, port, more)
            text = text.replace("store: sqlite:gateway.db", f"store: {place}")
            text = text.replace(f"'file://{folder}/outputs'", f"'{PLACE}'")
            environ = {**secrets, **own.environ, "AWS_ENDPOINT_URL": endpoint, "TMPDIR": str(place_of)}
            environ |= {"XDG_STATE_HOME": str(place_of), "HOME": str(place_of)}
            gateways.append(Gateway(place_of, text, environ, port))
            stack.push_async_callback(gateways[-1].kill)
        await asyncio.gather(*(each.start(60) for each in gateways))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        figures = Figures()
        client = Client(gateways[0].origin, figures, random.Random(5))
        yield Pair((gateways[0], gateways[1]), own, wire, place, far, session, figures, client, folder)


async def test_outputs_are_everybodys_and_outlive_who_was_sending_them(tmp_path: Path) -> None:
    """F39: what one stored the other serves; killed with six outputs on their way to the bucket, it takes none of them along."""
    async with pair(tmp_path) as two:
        await two.client.wish(two.session, 0)
        [first] = two.client.known.values()
        [output] = (await two.ended(0, first))["generation_output_file"]
        seen = await two.record(1, first)
        [link] = seen["generation_output_file"]
        assert link.startswith(two.gateways[1].origin), link
        for each in (link, output):
            async with two.session.get(each) as answer:
                assert answer.status == 200
                digest = hashlib.sha256(await answer.read()).hexdigest()
            with postgres.connected(two.place) as connection:
                [row] = connection.execute("SELECT sha256, uri FROM artifact").fetchall()
            assert (digest, row["uri"].split(":")[0]) == (row["sha256"], "s3")

        two.wire.turn("slow")
        for number in range(1, 7):
            await two.client.wish(two.session, number)
        assert not two.client.unanswered, two.figures.notes
        # Each job takes half a second at most, and the bucket tells nobody within two that it has anything.
        await two.jobs(7)
        await asyncio.sleep(1.5)
        await two.gateways[0].kill()
        with postgres.connected(two.place) as connection:
            [row] = connection.execute(f"SELECT count(*) AS n FROM generation WHERE {_LIVE}").fetchall()
        assert row["n"] == 6
        two.wire.turn("clear")
        with postgres.connected(two.place) as connection:
            # Its lease is over now, and not when 25 seconds are.
            connection.execute(
                f"UPDATE replica SET until = 0 WHERE seq IN (SELECT owner FROM generation WHERE {_LIVE})"
            )
        for generation in list(two.client.known.values())[1:]:
            assert (await two.ended(1, generation))["generation_status"] == "succeeded"
        figures = await two.judged()
    assert not figures.bad(), f"{figures.line()} {figures.notes[:5]}"
    assert (figures.succeeded, figures.provider_jobs) == (7, 7), figures.line()
