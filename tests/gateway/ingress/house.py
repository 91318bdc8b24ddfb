"""The native API over a real socket: a real store, the shipped packs, and nobody behind the door but a list of jobs."""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import egress
from gateway.artifacts.disk import Disk
from gateway.attempts.job import Job
from gateway.generation import State
from gateway.ingress import admin, callers, envelope
from gateway.ingress.account import Account, Tallies
from gateway.ingress.acts import Acts
from gateway.ingress.address import Proxies
from gateway.ingress.callers import Callers, Guard, Scope
from gateway.ingress.content import Content
from gateway.ingress.desk import Receivers
from gateway.ingress.estimate import Estimate
from gateway.ingress.generate import Generate
from gateway.ingress.intake import Intake
from gateway.ingress.library import Dependencies, Library
from gateway.ingress.limiter import Pace, Rates
from gateway.ingress.operations import Operations, writable
from gateway.ingress.outputs import Links, Outputs
from gateway.ingress.reference import Reference
from gateway.ingress.webhooks import Webhooks
from gateway.ingress.weigh import World
from gateway.ledger import attempts, generations
from gateway.ledger.database import Database
from gateway.outcome import AttemptState, Billing
from gateway.providers.catalog import Catalog, load
from gateway.routing.health import Health
from gateway.routing.policy import Policy
from gateway.webhooks.sign import Secrets
from gateway.world import menus
from tests.clock import VirtualClock

PEPPER = b"a pepper of the tests"
SECRET = b"a secret of the tests"
RECEIVERS = Receivers(Secrets(SECRET), egress.Policy())
DIRECT = Proxies()
ACCOUNT = "acme"
CREDIT = 1_000_000
PACKS = Path(__file__).parents[3] / "providers.d"
IMAGE = "bytedance/seedream-4.5"
VIDEO = "bytedance/seedance-1-pro"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@dataclass
class Jobs:
    """What stands behind the door: it takes jobs, and does to them what a test says while somebody waits."""

    started: list[Job] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    tells_provider: bool = True
    while_waiting: Any = None

    @property
    def openings(self) -> Jobs:
        """Nothing is made ready beforehand."""
        return self

    def ready(self, _job: Job) -> None:
        """No first attempt can go out at once."""

    def start(self, job: Job, _opened: None = None) -> None:
        """Take a job."""
        self.started.append(job)

    async def cancel(self, generation: str) -> bool:
        """Stop a job."""
        self.canceled.append(generation)
        return self.tells_provider

    async def wait(self, generation: str, seconds: float) -> None:
        """Let the test have its way."""
        if self.while_waiting is not None:
            await self.while_waiting(generation, seconds)


@dataclass
class House:
    """The gateway's front rooms and what a test needs to look into them."""

    client: TestClient[web.Request, web.Application]
    store: Database
    clock: VirtualClock
    jobs: Jobs
    intake: Intake
    health: Health
    artifacts: Disk
    tallies: Tallies
    callers: Callers
    pace: Pace
    key: str

    async def act(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Do an operator's act."""
        return await admin.act(self.store, PEPPER, self.clock, name, arguments, receivers=RECEIVERS)

    async def new_key(self, **arguments: Any) -> str:
        """Make a key of the account."""
        made = await self.act("keys.create", account=ACCOUNT, name="test", **arguments)
        return str(made["key"])

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send a request with the usual key, unless headers say otherwise."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        if body is not None:
            options["json"] = body
        async with self.client.request(method, path, headers=headers, allow_redirects=False, **options) as response:
            text = await response.read()
            json = await response.json() if response.content_type == "application/json" and text else None
            return Answer(response.status, json, response.headers, text)

    async def create(self, path: str = f"/v1/generate/image/{IMAGE}", body: Any = None, **options: Any) -> str:
        """Create a generation and give its id."""
        answer = await self.ask("POST", path, body or {"generation_prompt": "a seal"}, **options)
        assert answer.status == 200, answer.json
        return str(answer.data["generation_id"])

    async def succeed(self, generation: str, *, files: int = 1) -> None:
        """Bring a generation to its good end at its first provider."""
        [job] = [job for job in self.jobs.started if job.id == generation]
        step, now = job.steps[0], self.clock.now_ms()
        attempt = await self.begin(generation)
        await self.clock.advance(2)
        await self.store.write(attempts.storing(attempt, [], self.clock.now_ms()))
        kept = [await self.artifacts.write(generation, n, _once(PNG), kind="image", limit=1000) for n in range(files)]
        ending = generations.succeed(
            generation, attempt, kept, captured=step.price, at=now + 2000, provider=step.provider
        )
        assert await self.store.write(ending)

    async def begin(self, generation: str) -> int:
        """Open the first attempt of a generation and give it a reference."""
        [job] = [job for job in self.jobs.started if job.id == generation]
        step, now = job.steps[0], self.clock.now_ms()
        opening = attempts.open_attempt(
            generation, 1, provider=step.provider, native=step.native, form=step.form, price=step.price, at=now
        )
        attempt = await self.store.write(opening)
        assert attempt is not None
        await self.store.write(attempts.submitted(attempt, f"ref-{generation}", {}, now))
        return attempt

    async def fail(self, generation: str, name: str = "all_providers_failed") -> None:
        """Bring a generation to its bad end: one attempt that timed out."""
        attempt = await self.begin(generation)
        fault = {"kind": "timeout", "reach": "accepted", "message": "it took too long"}
        now = self.clock.now_ms()
        await self.store.write(attempts.close_attempt(attempt, AttemptState.ERROR, fault, Billing.POSSIBLE, now))
        provider = next(job for job in self.jobs.started if job.id == generation).steps[0].provider
        error = {
            "name": name,
            "message": "every provider failed",
            "retryable": False,
            "errors": [{"provider": provider, **fault}],
        }
        assert await self.store.write(generations.fail(generation, error, now))

    async def state(self, generation: str) -> State | None:
        """How far a generation is in the store."""
        found = await self.store.read(generations.find_any(generation))
        return found.state if found else None


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    json: Any
    headers: Any
    body: bytes

    @property
    def data(self) -> Any:
        """The data of a success."""
        assert self.status == 200, self.json
        return self.json["data"]

    @property
    def error(self) -> Any:
        """The error of a refusal, its envelope checked."""
        check_error(self)
        return self.json["error"]


def check_error(answer: Answer) -> None:
    """An error has one shape, whoever gives it."""
    assert answer.status >= 400
    assert set(answer.json) == {"status", "request_id", "error"}
    error = answer.json["error"]
    assert answer.json["status"] == "error"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert re.fullmatch(r"BSE\d{4}", error["code"])
    assert isinstance(error["retryable"], bool)
    assert isinstance(error["message"], str)
    assert error["message"]
    assert set(error) <= {"code", "type", "message", "retryable", "details", "provider_errors"}
    for each in error.get("provider_errors", []):
        assert set(each) == {"provider", "code", "type", "message", "retryable"}
    assert ("Retry-After" in answer.headers) == ("X-RateLimit-Limit" in answer.headers)


async def alone(routes: list[web.RouteDef], path: str) -> Answer:
    """Ask for one path of some routes that stand alone behind the envelope."""
    app = web.Application(middlewares=[envelope.middleware(VirtualClock(), lambda _: None, os.urandom)])
    app.add_routes(routes)
    async with TestClient(TestServer(app)) as client, client.get(path) as response:
        text = await response.read()
        json = await response.json() if response.content_type == "application/json" else None
        return Answer(response.status, json, response.headers, text)


def open_guard() -> Guard:
    """A guard that takes everyone for the owner of the account."""
    return Guard(callers.anyone(callers.local(ACCOUNT, 0)))


def world(catalog: Catalog, *, standing: Any = None) -> World:
    """The shipped packs, all providers set up, and no routes."""
    policy = Policy((), attempts=3, image_deadline=300_000, video_deadline=1_800_000, in_doubt_max_cost=100_000)
    return World(
        menus=menus(catalog),
        name=catalog.name,
        policy=policy,
        standing=standing or {},
        egress=egress.Policy(),
    )


def native(house_parts: Iterable[Any], guard: Guard) -> list[web.RouteDef]:
    """The routes behind keys."""
    return [route for part in house_parts for route in part.routes(guard)]


@asynccontextmanager
async def opened(
    tmp_path: Path,
    catalog: Catalog,
    *,
    balance: int = 10 * CREDIT,
    open_to_all: bool = False,
    proxies: Proxies = DIRECT,
) -> AsyncIterator[House]:
    """Open the house: one account with some credits and one key that may do everything."""
    clock = VirtualClock()
    store = await Database.open(tmp_path / "store.db", now=clock.now_ms)
    jobs, health, tallies, artifacts = Jobs(), Health(), Tallies(), Disk(tmp_path / "outputs")
    await artifacts.start()
    intake = Intake(world(catalog), store, jobs, health, clock)  # type: ignore[arg-type] # a double of its interface
    links = Links(SECRET, 3_600_000, None, clock)
    known, pace = Callers(store, PEPPER, clock, proxies=proxies), Pace(clock.monotonic, Rates())
    guard = open_guard() if open_to_all else Guard(known.identify, pace, catalog.name)
    parts = (
        Generate(intake, store, jobs.wait),
        Estimate(intake, store, enforce=True),
        Content(store, links, jobs.cancel, artifacts.delete, clock),
        Account(store, clock),
        Webhooks(store, RECEIVERS, clock),
        Library(lambda: intake.world, lambda: catalog.providers, health, clock),
        Dependencies(artifacts.name, artifacts.probe, clock),
    )
    app = web.Application(middlewares=[envelope.middleware(clock, tallies.count, os.urandom)])
    app.add_routes(envelope.spelled([*native(parts, guard), *Outputs(links, store, artifacts).routes()]))
    operations = Operations({"store": writable(store)}, lambda _: (b"a_series 1\n", "text/plain"))
    app.add_routes([*operations.routes(), *operations.guarded(guard)])
    app.add_routes(Acts(admin.Office(store, PEPPER, clock, RECEIVERS)).routes(guard))
    app.add_routes(Reference(app, guard, lambda: intake.world.menus, "/").routes())
    app.router.add_get("/v1/broken", guard(Scope.HEALTH_READ, _broken))
    server = TestServer(app)
    await server.start_server(auto_decompress=False)
    client = TestClient(server)
    house = House(client, store, clock, jobs, intake, health, artifacts, tallies, known, pace, "")
    try:
        await house.act("accounts.create", account=ACCOUNT, name="Acme")
        if balance:
            await house.act("credits.add", account=ACCOUNT, amount=str(balance / CREDIT))
        house.key = await house.new_key()
        yield house
    finally:
        await client.close()
        await store.close()
        await artifacts.close()


@functools.cache
def catalog() -> Catalog:
    """Three of the packs that are shipped: what is asserted must not change with every vendor that joins."""
    with tempfile.TemporaryDirectory() as folder:
        for provider in ("byteplus", "replicate", "fal"):
            shutil.copytree(PACKS / provider, Path(folder) / provider)
        return load([Path(folder)])


async def _broken(_request: web.Request, _caller: callers.Caller) -> web.Response:
    raise RuntimeError("a secret that nobody may read")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
