"""The only place objects are made and joined, and the order in which they start and stop."""

from __future__ import annotations

import asyncio
import os
import secrets as entropy
from collections.abc import AsyncIterator, Callable, Collection, Mapping
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
from gateway.attempts.room import Room
from gateway.attempts.run import Runs
from gateway.clock import Clock, SteadyClock, SystemClock
from gateway.ingress import admin, admission, body, entrance, envelope
from gateway.ingress.account import Account, Tallies
from gateway.ingress.acts import Acts
from gateway.ingress.address import Header, Proxies
from gateway.ingress.callers import Callers, Guard, local, resident
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
from gateway.ingress.reference import Reference
from gateway.ingress.sharing import Brake, Sharing
from gateway.ingress.webhooks import Webhooks
from gateway.learning import Learning
from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from gateway.ledger.lane import Observer
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.running import Running, Served, account_caps, account_rates
from gateway.settings import Address, Auth, Booking, Settings
from gateway.state import kept_packs, peppers, secret_of, socket_path
from gateway.upkeep import Ages, Upkeep
from gateway.webhooks.outbox import Outbox
from gateway.world import load

LOCAL = "local"  # the one account there is without keys
_FILES = 8  # the part of memory, one in so many, that callers' files may take on their way to providers
_CALLS = 2_000  # connections to providers: a call that holds the line for a minute holds one


class NotListening(OSError):  # noqa: N818 - named for what happened
    """An address that the settings name cannot be listened on."""

    def __init__(self, address: Address, error: OSError) -> None:
        """Carry the address, and what the system says."""
        super().__init__(error.errno, error.strerror)
        self.address = address


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

    Mistakes for packs that cannot be used, StoreError for the store, NotListening for an address.
    """
    clock = SteadyClock(clock or SystemClock(), _stepped)
    random = random or Random(entropy.randbits(64))  # noqa: S311 - it spreads waits and guards nothing
    now = Running(await asyncio.to_thread(load, settings, environ, kept_packs(settings)))
    async with AsyncExitStack() as stack:
        store = await Database.open(settings.store.path, now=clock.now_ms)
        stack.push_async_callback(store.close)
        await _open_books(store, settings, clock)
        artifacts = await _artifacts(stack, settings)
        wire = await _wire(stack, settings, now)
        links = Links(secret_of(settings, "output links"), settings.outputs.links, settings.public_url, clock)
        parts = _Parts(settings, clock, store, artifacts, wire, _health(settings), links, receivers(settings, now.own))
        learning = Learning(store, lambda: now.loaded.world.menus, clock, random, explore=settings.policy.explore)
        stack.push_async_callback(learning.stop)
        runs = await _runs(stack, parts, now, random, learning)
        intake = _intake(parts, now, runs, random, learning)
        told = await stack.enter_async_context(
            telling.opened(settings, store, parts.receivers, links, lambda: now.origin, clock=clock, random=random)
        )
        sharing, brake = Sharing(clock), Brake(clock)
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
        guard = Guard(
            callers.identify if callers else resident(local(LOCAL, clock.now_ms()), store, clock),
            pace,
            now.name,
            sharing=sharing,
            brake=brake,
        )
        application = _application(clock, tallies)
        application.add_routes(envelope.spelled(_routes(parts, intake, runs, now, guard, learning)))
        operations = _operations(store, now)
        application.add_routes(envelope.spelled([*operations.routes(), *_metrics(operations, settings, guard)]))
        office = _office(parts, now)
        application.add_routes([*Acts(office).routes(guard), *_reference(application, guard, now)])
        await _open(stack, application, operations, parts, now)
        told.outbox.start()
        await _private_door(stack, settings, office)
        learning.start()
        now.ready = True
        log.event("serving", origin=now.origin, apart=now.apart, version=__version__, **settings.describe())
        yield now
        now.ready = False
        log.event("stopping", live=runs.live)


def _reference(application: web.Application, guard: Guard, now: Running) -> list[web.RouteDef]:
    server = now.loaded.settings.public_url or "/"
    return Reference(application, guard, lambda: now.loaded.world.menus, server).routes()


def _application(clock: Clock, tallies: Tallies) -> web.Application:
    around = envelope.middleware(clock, _counting(tallies), entropy.token_bytes)
    admitting = admission.middleware(admission.share(admission.memory()), body.LARGEST_BODY)
    return web.Application(middlewares=[around, admitting])


def _callers(store: Database, settings: Settings, clock: Clock) -> Callers:
    proxies = Proxies(settings.proxies.trusted, Header(settings.proxies.header))
    pepper, *older = peppers(settings)
    return Callers(store, pepper, clock, older=older, proxies=proxies, guesses=settings.limits.wrong_keys)


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


def _health(settings: Settings) -> Health:
    return Health(settings.caps, settings.rates)


async def _wire(stack: AsyncExitStack, settings: Settings, now: Running) -> Wire:
    # Providers are where the operator says, on whatever port.
    guarded = egress.socket_factory(settings.egress, now.own, any_port=True)
    connector = aiohttp.TCPConnector(socket_factory=guarded, limit=_CALLS)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    await stack.enter_async_context(session)
    return Wire(session, now.loaded.secrets, settings.timeouts.connect / 1000)


async def _runs(stack: AsyncExitStack, parts: _Parts, now: Running, random: Random, learning: Learning) -> Runs:
    settings = parts.settings
    fetching = await stack.enter_async_context(open_session(settings.egress, parts.receivers.own))
    limits = Limits(settings.outputs.max_image, settings.outputs.max_video)
    keeper = Keeper(fetching, parts.artifacts, limits, settings.egress)
    collector = Collector(parts.store, keeper, parts.clock)
    nudges = _nudges(settings)
    line = Line(
        parts.wire,
        Inputs(Source(fetching, settings.egress), Room(admission.memory() // _FILES)),
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
    intake = Intake(
        now.loaded.world,
        parts.store,
        runs,
        parts.health,
        parts.clock,
        parts.settings.limits.live,
        chance=random.random,
        rankings=learning.rankings,
    )
    intake.usual, intake.is_shared = account_caps(parts.settings), parts.settings.auth is Auth.KEYS
    return intake


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
        *(nudges.routes(runs.nudge, clock.sleep) if (nudges := _nudges(settings)) is not None else ()),
    ]


def _operations(store: Database, now: Running) -> Operations:
    async def loaded() -> str | None:
        return None if now.ready else "the gateway is starting or stopping"

    return Operations({"serving": loaded, "store": writable(store)}, metrics.render)


def _metrics(operations: Operations, settings: Settings, guard: Guard) -> list[web.RouteDef]:
    return operations.guarded(guard) if settings.metrics.with_key else []


def _apart(operations: Operations, clock: Clock) -> web.Application:
    application = web.Application(middlewares=[envelope.middleware(clock, lambda _: None, entropy.token_bytes)])
    application.add_routes(operations.apart())
    return application


def _counting(tallies: Tallies) -> Callable[[Answered], None]:
    def count(answered: Answered) -> None:
        tallies.count(answered)
        _counted(answered)

    return count


def _counted(answered: Answered) -> None:
    metrics.REQUESTS.labels(answered.endpoint, str(answered.status)).inc()
    metrics.REQUEST_SECONDS.labels(answered.endpoint).observe(answered.seconds)


def _stepped(by: int) -> None:
    log.event("clock_stepped", level="warning", ms=by)


async def _open(
    stack: AsyncExitStack, application: web.Application, operations: Operations, parts: _Parts, now: Running
) -> None:
    settings = parts.settings
    now.origin = await _listen(stack, application, settings.listen, parts, _terms(settings))
    if settings.metrics.listen is not None:
        apart = _apart(operations, parts.clock)
        now.apart = await _listen(stack, apart, settings.metrics.listen, parts, entrance.Terms())
    now.own += [now.origin, *filter(None, [now.apart])]


async def _listen(
    stack: AsyncExitStack, application: web.Application, address: Address, parts: _Parts, terms: entrance.Terms
) -> str:
    outside = envelope.Outside(parts.clock, _counted, entropy.token_bytes)
    coming = entrance.serving(application, address.host, address.port, clock=parts.clock, outside=outside, terms=terms)
    try:
        return await stack.enter_async_context(coming)
    except OSError as error:
        raise NotListening(address, error) from error


def _terms(settings: Settings) -> entrance.Terms:
    limits, proxies = settings.limits, settings.proxies
    return entrance.Terms(limits.idle / 1000, limits.connections, proxies.trusted, proxies.protocol)


def _office(parts: _Parts, now: Running) -> admin.Office:
    def config() -> Mapping[str, Any]:
        return now.loaded.settings.describe()

    board = Switchboard(parts.health, lambda: now.loaded.catalog.models, lambda: int(parts.clock.monotonic() * 1000))
    return admin.Office(
        parts.store, peppers(parts.settings)[0], parts.clock, parts.receivers, board=board, config=config
    )


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


def receivers(settings: Settings, own: Collection[str] | None = None) -> Receivers:
    """What has to be known of those who are told; `own` are the gateway's addresses, where the settings do not say them."""
    return telling.receivers(settings, secret_of(settings, "webhooks"), settings.origins if own is None else own)
