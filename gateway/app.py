"""The only place objects are made and joined, and the order in which they start and stop."""

from __future__ import annotations

import asyncio
import secrets as entropy
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import aiohttp

from gateway import __version__, egress, log, metrics, reconciling, telling, traces
from gateway.artifacts.disk import Disk
from gateway.artifacts.fetch import open_session
from gateway.artifacts.keeper import Keeper, Limits
from gateway.artifacts.source import Source
from gateway.artifacts.spool import usual_folder
from gateway.artifacts.store import Store
from gateway.attempts.aftercare import Aftercare
from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Line
from gateway.attempts.replica import Alone, Replica
from gateway.attempts.room import Room
from gateway.attempts.run import Runs
from gateway.clock import Clock, SteadyClock, SystemClock
from gateway.front import Parts, Working, nudges_of, open_front
from gateway.ingress import admission
from gateway.ingress.account import Tallies
from gateway.ingress.address import Header, Proxies
from gateway.ingress.callers import Callers, Guard, local, resident
from gateway.ingress.desk import Receivers
from gateway.ingress.drain import Drain
from gateway.ingress.exchange import Exchange
from gateway.ingress.intake import Intake
from gateway.ingress.limiter import Pace
from gateway.ingress.outputs import Links, Straight
from gateway.ingress.sharing import Brake, Sharing
from gateway.learning import Learning
from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from gateway.ledger.lane import Observer
from gateway.ledger.lease import Lease, held
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.running import Running, Served, account_caps, account_rates
from gateway.settings import Auth, Booking, Settings
from gateway.state import kept_packs, peppers, secret_of
from gateway.threads import Threads
from gateway.upkeep import Ages, Upkeep
from gateway.webhooks.outbox import Outbox
from gateway.world import load

LOCAL = "local"  # the one account there is without keys
_FILES = 8  # the part of memory, one in so many, that callers' files may take on their way to providers
_THREADS = 6  # beside the loop: reading packs, taking pictures apart, hashing; two cores keep no more busy
_CALLS = 2_000  # connections to providers: a call that holds the line for a minute holds one


@asynccontextmanager
async def running(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    tls: ssl.SSLContext | None = None,
    restored: bool = False,
) -> AsyncIterator[Running]:
    """Open the store, go on with what was in flight, and listen; on leaving, drain and close. A `restored` store is made good.

    Mistakes for packs that cannot be used, StoreError for the store, NotListening for an address.
    """
    clock = SteadyClock(clock or SystemClock(), _stepped)
    random = random or Random(entropy.randbits(64))  # noqa: S311 - it spreads waits and guards nothing
    now = Running(await asyncio.to_thread(load, settings, environ, kept_packs(settings)), Drain(clock), clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traces.opened(environ, __version__))
        asyncio.get_running_loop().set_default_executor(Threads(_THREADS, "beside"))
        store = await Database.open(settings.store.place, now=clock.now_ms)
        stack.push_async_callback(store.close)
        lease = await _lease(stack, store, clock)
        await _open_books(store, settings, clock)
        mending = await stack.enter_async_context(
            reconciling.opened(store, clock, settings.outputs.folder, secret_of(settings, "store"), asked=restored)
        )
        parts = await _parts(stack, store, now, environ, clock, tls)
        learning = Learning(store, lambda: now.loaded.world.menus, clock, random, explore=settings.policy.explore)
        stack.push_async_callback(learning.stop)
        runs = await _runs(stack, parts, now, random, learning, lease)
        told = await _telling(stack, parts, now, random, lease)
        store.observe = _observing(told.outbox, mending)
        guard, pace, tallies = await _guarded(stack, parts, now, lease, mending)
        intake = _intake(parts, now, runs, random, learning)
        now.served = Served(store, intake, parts.wire, told, parts.health, learning, pace)
        stack.push_async_callback(runs.drain)
        others = Replica(store, lease, runs, clock, told.outbox.wake) if lease is not None else Alone(store, runs)
        await others.start()
        stack.push_async_callback(others.stop)
        await open_front(stack, parts, Working(intake, runs, others, learning, told.outbox, tallies, guard), now)
        told.outbox.start()
        learning.start()
        stack.push_async_callback(_leave, now, runs, told.outbox)
        now.ready = True
        log.event("serving", origin=now.origin, apart=now.apart, version=__version__, **settings.describe())
        yield now


async def _parts(
    stack: AsyncExitStack,
    store: Database,
    now: Running,
    environ: Mapping[str, str],
    clock: Clock,
    tls: ssl.SSLContext | None,
) -> Parts:
    settings = now.loaded.settings
    artifacts, straight = await _artifacts(stack, settings, environ)
    wire = await _wire(stack, settings, now)
    links = Links(
        secret_of(settings, "output links"), settings.outputs.links, settings.public_url, clock, straight=straight
    )
    health = Health(settings.caps, settings.rates)
    return Parts(settings, clock, store, artifacts, wire, health, links, receivers(settings, now.own), tls)


async def _telling(
    stack: AsyncExitStack, parts: Parts, now: Running, random: Random, lease: Lease | None
) -> telling.Telling:
    return await stack.enter_async_context(
        telling.opened(
            parts.settings,
            parts.store,
            parts.receivers,
            parts.links,
            lambda: now.origin,
            clock=parts.clock,
            random=random,
            leads=_leads(lease),
        )
    )


async def _guarded(
    stack: AsyncExitStack, parts: Parts, now: Running, lease: Lease | None, mending: reconciling.Reconciling
) -> tuple[Guard, Pace, Tallies]:
    """Who stands before every route, and what is counted and kept in order meanwhile."""
    settings, store, clock = parts.settings, parts.store, parts.clock
    pace, tallies = Pace(clock.monotonic, account_rates(settings)), Tallies()
    if lease is not None:
        exchange = Exchange(store, pace, clock, lease.epoch)
        exchange.start()
        stack.push_async_callback(exchange.stop)
    callers = _callers(store, settings, clock) if settings.auth is Auth.KEYS else None
    ages = Ages(settings.outputs.keep, settings.keep.records, settings.keep.usage)
    upkeep = Upkeep(
        store,
        parts.artifacts,
        tallies,
        callers,
        clock,
        ages,
        leads=_leads(lease),
        keeps=lambda: mending.is_under_way,
    )
    upkeep.start()
    stack.push_async_callback(upkeep.stop)
    identify = callers.identify if callers else resident(local(LOCAL, clock.now_ms()), store, clock)
    return Guard(identify, pace, now.name, sharing=Sharing(clock), brake=Brake(clock)), pace, tallies


async def _leave(now: Running, runs: Runs, outbox: Outbox) -> None:
    """Turn away who comes, let who is in have an answer, leave what is under way at providers; told is what can be at once."""
    now.ready = False
    log.event("stopping", live=runs.live)
    now.drain.close()
    await asyncio.gather(runs.drain(), now.drain.quiet())
    await outbox.stop()


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


async def _artifacts(
    stack: AsyncExitStack, settings: Settings, environ: Mapping[str, str]
) -> tuple[Store | None, Straight | None]:
    """Open the store of outputs, and give what makes links of its own if callers are to have those."""
    if settings.outputs.bucket is not None:
        from gateway.artifacts.bucket import Bucket  # noqa: PLC0415 - with it comes a library that only an extra brings

        where = settings.outputs.bucket
        for secret in filter(None, [where.access.secret, where.access.token]):
            log.register(secret)
        bucket = Bucket(where.place, where.access, usual_folder(environ))
        stack.push_async_callback(bucket.close)
        await bucket.start()
        return bucket, bucket.link if where.links else None
    if settings.outputs.folder is None:
        return None, None
    disk = Disk(settings.outputs.folder)
    stack.push_async_callback(disk.close)
    await disk.start()
    return disk, None


async def _wire(stack: AsyncExitStack, settings: Settings, now: Running) -> Wire:
    # Providers are where the operator says, on whatever port.
    guarded = egress.socket_factory(settings.egress, now.own, any_port=True)
    connector = aiohttp.TCPConnector(socket_factory=guarded, limit=_CALLS)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    await stack.enter_async_context(session)
    return Wire(session, now.loaded.secrets, settings.timeouts.connect / 1000)


async def _lease(stack: AsyncExitStack, store: Database, clock: Clock) -> Lease | None:
    """A store that is shared is written under a lease."""
    if store.address is None:
        return None
    return await stack.enter_async_context(held(store, clock, socket.gethostname(), __version__))


def _leads(lease: Lease | None) -> Callable[[], bool]:
    return lambda: lease is None or lease.leads


async def _runs(
    stack: AsyncExitStack, parts: Parts, now: Running, random: Random, learning: Learning, lease: Lease | None
) -> Runs:
    settings = parts.settings
    fetching = await stack.enter_async_context(open_session(settings.egress, parts.receivers.own))
    limits = Limits(settings.outputs.max_image, settings.outputs.max_video)
    keeper = Keeper(fetching, parts.artifacts, limits, settings.egress)
    collector = Collector(parts.store, keeper, parts.clock)
    nudges = nudges_of(settings)
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
    aftercare = Aftercare(parts.store, line, now.target, parts.clock, _leads(lease))
    if lease is not None:
        line.may = lease.is_held
    aftercare.start()
    stack.push_async_callback(aftercare.stop)
    return Runs(parts.store, walker, now.target, parts.health, parts.clock, random, rankings=learning.rankings)


def _intake(parts: Parts, now: Running, runs: Runs, random: Random, learning: Learning) -> Intake:
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


def _observing(outbox: Outbox, mending: reconciling.Reconciling) -> Observer:
    def observe(programs: int, seconds: float) -> None:
        metrics.COMMIT_SIZE.observe(programs)
        metrics.COMMIT_SECONDS.observe(seconds)
        outbox.wake()  # whatever was committed may be owed to somebody
        mending.written()

    return observe


def _stepped(by: int) -> None:
    log.event("clock_stepped", level="warning", ms=by)


def receivers(settings: Settings, own: Collection[str] | None = None) -> Receivers:
    """What has to be known of those who are told; `own` are the gateway's addresses, where the settings do not say them."""
    return telling.receivers(settings, secret_of(settings, "webhooks"), settings.origins if own is None else own)
