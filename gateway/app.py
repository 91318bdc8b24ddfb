"""The only place objects are made and joined, and the order in which they start and stop."""

from __future__ import annotations

import asyncio
import os
import secrets as entropy
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
from aiohttp import web

from gateway import __version__, egress, log, metrics, telling
from gateway.artifacts.disk import Disk
from gateway.artifacts.fetch import open_session
from gateway.artifacts.keeper import Keeper, Limits
from gateway.artifacts.source import Source
from gateway.artifacts.store import Store
from gateway.attempts.aftercare import Aftercare
from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Line
from gateway.attempts.resume import resume
from gateway.attempts.run import Runs
from gateway.clock import Clock, SteadyClock, SystemClock
from gateway.ingress import admin, admission, door, envelope
from gateway.ingress.account import Account, Tallies
from gateway.ingress.acts import Acts
from gateway.ingress.address import Header, Proxies
from gateway.ingress.callers import Callers, Guard, Identify, anyone, local
from gateway.ingress.content import Content
from gateway.ingress.desk import Receivers, Switchboard
from gateway.ingress.envelope import Answered
from gateway.ingress.estimate import Estimate
from gateway.ingress.generate import Generate
from gateway.ingress.intake import Intake
from gateway.ingress.library import Dependencies, Library
from gateway.ingress.limiter import Pace
from gateway.ingress.nudges import Nudges
from gateway.ingress.operations import Operations, writable
from gateway.ingress.outputs import Links, Outputs
from gateway.ingress.webhooks import Webhooks
from gateway.learning import Learning
from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from gateway.ledger.lane import Observer
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.running import Running, Served, account_rates
from gateway.settings import Auth, Booking, Settings
from gateway.state import kept_packs, pepper, secret_of, socket_path
from gateway.upkeep import Ages, Upkeep
from gateway.webhooks.outbox import Outbox
from gateway.world import Loaded, load

LOCAL = "local"  # the one account there is without keys
_CALLS = 2_000  # connections to providers: a call that holds the line for a minute holds one
_LAST_ANSWERS = 5.0  # seconds that requests under way get when the process stops


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the rest is made of."""

    settings: Settings
    clock: Clock
    store: Database
    artifacts: Store | None
    wire: Wire
    health: Health
    links: Links
    receivers: Receivers


@asynccontextmanager
async def running(
    settings: Settings, environ: Mapping[str, str], *, clock: Clock | None = None, random: Random | None = None
) -> AsyncIterator[Running]:
    """Open the store, go on with what was in flight, and listen; on leaving, drain and close.

    Mistakes for packs that cannot be used, StoreError for the store, OSError for the address.
    """
    clock = SteadyClock(clock or SystemClock(), _stepped)
    random = random or Random(entropy.randbits(64))  # noqa: S311 - it spreads waits and guards nothing
    now = Running(await asyncio.to_thread(load, settings, environ, kept_packs(settings)))
    async with AsyncExitStack() as stack:
        store = await Database.open(settings.store.path, now=clock.now_ms)
        stack.push_async_callback(store.close)
        await _open_books(store, settings, clock)
        artifacts = await _artifacts(stack, settings)
        wire = await _wire(stack, settings, now.loaded)
        links = Links(secret_of(settings, "output links"), settings.outputs.links, settings.public_url, clock)
        health = Health(settings.caps, settings.rates)
        parts = _Parts(settings, clock, store, artifacts, wire, health, links, receivers(settings))
        learning = Learning(store, lambda: now.loaded.world.menus, clock, random, explore=settings.policy.explore)
        stack.push_async_callback(learning.stop)
        runs = await _runs(stack, parts, now, random, learning)
        intake = _intake(parts, now, runs, random, learning)
        told = await stack.enter_async_context(
            telling.opened(settings, store, parts.receivers, links, lambda: now.origin, clock=clock, random=random)
        )
        store.observe = _observing(told.outbox)
        pace = Pace(clock.monotonic, account_rates(settings))
        now.served = Served(store, intake, wire, told, parts.health, learning, pace)
        tallies = Tallies()
        callers = _callers(store, settings, clock) if settings.auth is Auth.KEYS else None
        ages = Ages(settings.outputs.keep, settings.keep.records, settings.keep.usage)
        upkeep = Upkeep(store, artifacts, tallies, callers, clock, ages)
        upkeep.start()
        stack.push_async_callback(upkeep.stop)
        stack.push_async_callback(runs.drain)
        await resume(store, runs)
        guard = _guard(callers.identify if callers else anyone(local(LOCAL, clock.now_ms())), now, pace)
        around = envelope.middleware(clock, _counting(tallies), entropy.token_bytes)
        application = web.Application(middlewares=[around, admission.middleware(admission.share(admission.memory()))])
        application.add_routes(envelope.spelled(_routes(parts, intake, runs, now, guard, learning)))
        office = _office(parts, now)
        application.add_routes(Acts(office).routes(guard))
        now.origin = await _listen(stack, application, settings, clock)
        told.outbox.start()
        await _private_door(stack, settings, office)
        learning.start()
        now.ready = True
        log.event("serving", origin=now.origin, version=__version__, **settings.describe())
        yield now
        now.ready = False
        log.event("stopping", live=runs.live)


def _callers(store: Database, settings: Settings, clock: Clock) -> Callers:
    proxies = Proxies(settings.proxies.trusted, Header(settings.proxies.header))
    return Callers(store, pepper(settings), clock, proxies=proxies, guesses=settings.limits.wrong_keys)


def _guard(identify: Identify, now: Running, pace: Pace) -> Guard:
    def name(model: str) -> str:
        return now.loaded.catalog.name(model)

    return Guard(identify, pace, name)


async def _open_books(store: Database, settings: Settings, clock: Clock) -> None:
    below = await store.write(credits.set_enforced(enforced=settings.credits is Booking.ENFORCE))
    if below and settings.credits is Booking.ENFORCE:
        log.event("accounts_below_zero", level="warning", accounts=below)
    if settings.auth is Auth.NONE:
        await store.write(accounts.ensure(LOCAL, LOCAL, clock.now_ms()))


async def _artifacts(stack: AsyncExitStack, settings: Settings) -> Store | None:
    if settings.outputs.folder is None:
        return None
    disk = Disk(settings.outputs.folder)
    await disk.start()
    stack.push_async_callback(disk.close)
    return disk


async def _wire(stack: AsyncExitStack, settings: Settings, loaded: Loaded) -> Wire:
    connector = aiohttp.TCPConnector(socket_factory=egress.socket_factory(settings.egress), limit=_CALLS)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    await stack.enter_async_context(session)
    return Wire(session, loaded.secrets, settings.timeouts.connect / 1000)


async def _runs(stack: AsyncExitStack, parts: _Parts, now: Running, random: Random, learning: Learning) -> Runs:
    settings = parts.settings
    fetching = await stack.enter_async_context(open_session(settings.egress))
    limits = Limits(settings.outputs.max_image, settings.outputs.max_video)
    keeper = Keeper(fetching, parts.artifacts, limits, settings.egress)
    collector = Collector(parts.store, keeper, parts.clock)
    nudges = _nudges(settings)
    line = Line(
        parts.wire,
        Inputs(Source(fetching, settings.egress)),
        parts.clock,
        settings.timeouts.submit / 1000,
        nudges.address if nudges is not None else None,
        health=parts.health,
    )
    walker = Walker(
        parts.store, line, collector, parts.clock, random, settings.timeouts.poll_grace, paces=learning.paces
    )
    aftercare = Aftercare(parts.store, line, now.target, parts.clock)
    aftercare.start()
    stack.push_async_callback(aftercare.stop)
    return Runs(parts.store, walker, now.target, parts.health, parts.clock, random, rankings=learning.rankings)


def _intake(parts: _Parts, now: Running, runs: Runs, random: Random, learning: Learning) -> Intake:
    return Intake(
        now.loaded.world,
        parts.store,
        runs,
        parts.health,
        parts.clock,
        parts.settings.limits.live,
        chance=random.random,
        rankings=learning.rankings,
    )


def _observing(outbox: Outbox) -> Observer:
    def observe(programs: int, seconds: float) -> None:
        metrics.COMMIT_SIZE.observe(programs)
        metrics.COMMIT_SECONDS.observe(seconds)
        outbox.wake()  # whatever was committed may be owed to somebody

    return observe


def _nudges(settings: Settings) -> Nudges | None:
    """Without a public address no provider can call back, and none is asked to; several refuse one that is not https."""
    if settings.public_url is None or not settings.public_url.startswith("https://"):
        return None
    return Nudges(secret_of(settings, "nudges"), settings.public_url)


def _routes(
    parts: _Parts, intake: Intake, runs: Runs, now: Running, guard: Guard, learning: Learning
) -> list[web.RouteDef]:
    settings, clock, store, artifacts = parts.settings, parts.clock, parts.store, parts.artifacts
    links = parts.links

    async def remove(generation: str) -> int:
        return await artifacts.delete(generation) if artifacts is not None else 0

    async def loaded() -> str | None:
        return None if now.ready else "the gateway is starting or stopping"

    library = Library(
        lambda: intake.world, lambda: now.loaded.catalog.providers, parts.health, clock, learning.rankings
    )
    stored = artifacts.name if artifacts is not None else "none"
    return [
        *Generate(intake, store, runs.wait).routes(guard),
        *Estimate(intake, store, enforce=settings.credits is Booking.ENFORCE).routes(guard),
        *Content(store, links, runs.cancel, remove, clock).routes(guard),
        *Account(store, clock).routes(guard),
        *Webhooks(store, parts.receivers, clock).routes(guard),
        *library.routes(guard),
        *Dependencies(stored, artifacts.probe if artifacts is not None else None, clock).routes(guard),
        *(Outputs(links, store, artifacts).routes() if artifacts is not None else ()),
        *(nudges.routes(runs.nudge) if (nudges := _nudges(settings)) is not None else ()),
        *Operations(
            {"serving": loaded, "store": writable(store)}, metrics.render if settings.metrics else None
        ).routes(),
    ]


def _counting(tallies: Tallies) -> Callable[[Answered], None]:
    def count(answered: Answered) -> None:
        tallies.count(answered)
        metrics.REQUESTS.labels(answered.endpoint, str(answered.status)).inc()
        metrics.REQUEST_SECONDS.labels(answered.endpoint).observe(answered.seconds)

    return count


def _stepped(by: int) -> None:
    log.event("clock_stepped", level="warning", ms=by)


async def _listen(stack: AsyncExitStack, application: web.Application, settings: Settings, clock: Clock) -> str:
    runner = web.AppRunner(
        application,
        handle_signals=False,
        access_log=None,
        shutdown_timeout=_LAST_ANSWERS,
        auto_decompress=False,  # a compressed request is refused, not unpacked
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None
    entrance = door.Door(runner.server, clock, door.affordable(admission.memory()))
    host, port = await entrance.open(settings.listen.host, settings.listen.port)
    stack.push_async_callback(entrance.close)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _office(parts: _Parts, now: Running) -> admin.Office:
    def config() -> Mapping[str, Any]:
        return now.loaded.settings.describe()

    board = Switchboard(parts.health, lambda: now.loaded.catalog.models, lambda: int(parts.clock.monotonic() * 1000))
    return admin.Office(parts.store, pepper(parts.settings), parts.clock, parts.receivers, board=board, config=config)


async def _private_door(stack: AsyncExitStack, settings: Settings, office: admin.Office) -> None:
    path = socket_path(settings)
    path.unlink(missing_ok=True)  # the store's lock says that whoever left it is gone
    runner = web.AppRunner(admin.application(office), handle_signals=False, access_log=None, auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    before = os.umask(0o177)  # for the owner alone, from the moment it is there
    try:
        await web.UnixSite(runner, str(path)).start()
    finally:
        os.umask(before)
    stack.callback(path.unlink, missing_ok=True)


def receivers(settings: Settings) -> Receivers:
    """What has to be known of those who are told."""
    return telling.receivers(settings, secret_of(settings, "webhooks"))
