"""A bench for runs: a real store, the real line, the vendors played, and nothing of HTTP in front."""

from __future__ import annotations

import functools
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from gateway import egress
from gateway.artifacts.disk import Disk
from gateway.artifacts.fetch import open_session
from gateway.artifacts.keeper import Keeper, Limits
from gateway.artifacts.source import Source
from gateway.artifacts.store import Store
from gateway.attempts import job as jobs
from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Callback, Line, Target
from gateway.attempts.run import Runs
from gateway.clock import SystemClock
from gateway.ledger import accounts, checks, credits, generations
from gateway.ledger.database import Database
from gateway.ledger.records import Record
from gateway.offer import Fit, fit
from gateway.providers import catalog
from gateway.providers.render import Site
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.simulators import Simulators

LOOPBACK = egress.Policy.parse(["127.0.0.0/8"])
PACKS = Path(__file__).parents[3] / "providers.d"
OPENING = 1_000_000_000


@functools.cache
def shipped() -> catalog.Catalog:
    """Every pack that is shipped; reading them takes longer than most tests."""
    return catalog.load_once([PACKS])


class Hurried(SystemClock):
    """A clock on which waiting takes a tenth of its time, or less; the far ends are told to hurry as well."""

    def __init__(self, times: float = 10) -> None:
        """Wait for so many times less than asked."""
        self._times = times

    async def sleep(self, seconds: float) -> None:
        """Wait a part of it."""
        await super().sleep(seconds / self._times)


@dataclass
class Bench:
    """What a test needs at hand."""

    sims: Simulators
    store: Database
    runs: Runs
    clock: Hurried
    packs: catalog.Catalog

    async def begin(self, model: str, providers: Sequence[str], **fields: Any) -> str:
        """Accept a generation as intake would, and start it; `rules` may be given as `_attempts=1` and so on."""
        rules = {"attempts": 3, "follow_refusal": False, "in_doubt_max_cost": 1_000_000, "seconds": 60}
        rules.update({name[1:]: fields.pop(name) for name in list(fields) if name.startswith("_")})
        steps = []
        for provider in providers:
            found = fit(self.packs.models[provider, model].offer, fields)
            assert isinstance(found, Fit), found
            native = self.packs.models[provider, model].offer.forms[found.form].native
            steps.append(
                {"provider": provider, "form": found.form, "native": native, "price": found.price, "dropped": []}
            )
        now = self.clock.now_ms()
        new = generations.NewGeneration(
            id=str(uuid.uuid4()),
            account="local",
            kind=self.packs.models[providers[0], model].offer.kind,
            model=model,
            request=fields,
            plan={
                "steps": steps,
                "excluded": [],
                **{name: value for name, value in rules.items() if name != "seconds"},
            },
            order=tuple(providers),
            price=max(step["price"] for step in steps),
            created=now,
            deadline=now + rules["seconds"] * 1000,
        )
        assert isinstance(await self.store.write(generations.accept(new)), generations.Accepted)
        self.runs.start(
            jobs.accepted(new.id, "local", new.kind, model, new.request, new.plan, created=now, deadline=new.deadline)
        )
        return new.id

    async def outcome(self, generation: str, seconds: float = 20) -> Record:
        """Wait for the end, and give the record with its attempts."""
        await self.runs.wait(generation, seconds)
        record = await self.store.read(generations.find_any(generation, attempts=True))
        assert record is not None
        return record

    async def spent(self) -> int:
        """What the account has paid, in millionths; nothing may be held."""
        balance = await self.store.read(credits.show("local"))
        assert balance.held == 0
        return OPENING - balance.posted

    async def sound(self) -> list[str]:
        """The names of the ledger's checks that do not hold."""
        return [finding.check.name for finding in await self.store.read(checks.run_checks(self.clock.now_ms(), 60_000))]


@asynccontextmanager
async def bench(
    folder: Path,
    chaos: Sequence[Mapping[str, Any]] = (),
    *,
    packs: catalog.Catalog | None = None,
    callback: Callback | None = None,
    artifacts: Store | None = None,
    **pace: float,
) -> AsyncIterator[Bench]:
    """Set everything up; on leaving the runs are dropped where they are, as a crash would."""
    sims = Simulators(chaos=chaos, image_seconds=pace.get("image", 0.05), video_seconds=pace.get("video", 0.1))
    await sims.start()
    clock, packs = Hurried(pace.get("times", 10)), packs or shipped()
    store = await Database.open(folder / "bench.db", now=clock.now_ms)
    await store.write(accounts.ensure("local", "", clock.now_ms()))
    await store.write(credits.add("local", OPENING, "opening", "", clock.now_ms()))
    async with line(folder, sims, store, packs, clock, callback, artifacts=artifacts) as runs:
        yield Bench(sims, store, runs, clock, packs)
    await store.close()
    await sims.close()


@asynccontextmanager
async def line(
    folder: Path,
    sims: Simulators,
    store: Database,
    packs: catalog.Catalog,
    clock: Hurried,
    callback: Callback | None = None,
    *,
    artifacts: Store | None = None,
) -> AsyncIterator[Runs]:
    """Runs over a store that is already there: what a process has in memory."""
    disk = Disk(folder / "outputs")
    await disk.start()
    connector = aiohttp.TCPConnector(socket_factory=egress.socket_factory(LOOPBACK), force_close=True)
    outputs = open_session(LOOPBACK)
    async with aiohttp.ClientSession(connector=connector) as session, outputs:
        secrets = Secrets(sims.secrets, sims.secrets)
        collector = Collector(store, Keeper(outputs, artifacts or disk, Limits(1 << 26, 1 << 30), LOOPBACK), clock)
        spoken = Line(Wire(session, secrets, 2.0), Inputs(Source(outputs, LOOPBACK)), clock, 5.0, callback)
        walker = Walker(store, spoken, collector, clock, Random(1), 2_000)

        def target(provider: str, model: str) -> Target | None:
            pack = packs.models.get((provider, model))
            return Target(pack, Site(sims.bases[provider], pack.provider.base, ())) if pack else None

        runs = Runs(store, walker, target, Health(), clock, Random(1))
        try:
            yield runs
        finally:
            for live in list(runs._jobs.values()):
                assert live.task is not None
                live.task.cancel()
            await disk.close()


def faults(record: Record) -> list[tuple[str, str | None]]:
    """Provider and fault of each attempt, for short asserts."""
    return [(attempt.provider, attempt.fault["kind"] if attempt.fault else None) for attempt in record.attempts]
