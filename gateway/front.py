"""Everything that answers, joined: the native routes, the doors of other dialects, the operations, and where they listen."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway import metrics, traces
from gateway.artifacts.keeper import Limits
from gateway.artifacts.store import Store
from gateway.attempts.replica import Alone, Replica
from gateway.attempts.run import Runs
from gateway.clock import Clock
from gateway.entropy import Entropy
from gateway.ingress import admin, admission, body, doors, entrance, envelope
from gateway.ingress.account import Account, Tallies
from gateway.ingress.acts import Acts
from gateway.ingress.callers import Guard
from gateway.ingress.content import Content
from gateway.ingress.desk import Receivers, Switchboard
from gateway.ingress.dialect import DOOR_OF
from gateway.ingress.drain import Drain
from gateway.ingress.envelope import Answered
from gateway.ingress.estimate import Estimate
from gateway.ingress.generate import Generate
from gateway.ingress.intake import Intake
from gateway.ingress.library import Dependencies, Library
from gateway.ingress.nudges import Nudges
from gateway.ingress.operations import Operations, writable
from gateway.ingress.outputs import Links, Outputs
from gateway.ingress.reference import Reference
from gateway.ingress.webhooks import Webhooks
from gateway.learning import Learning
from gateway.ledger.database import Database
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.running import Running
from gateway.settings import Address, Booking, Settings
from gateway.state import peppers, secret_of, socket_path
from gateway.webhooks.outbox import Outbox


class NotListening(OSError):  # noqa: N818 - named for what happened
    """An address that the settings name cannot be listened on."""

    def __init__(self, address: Address, error: OSError) -> None:
        """Carry the address, and what the system says."""
        super().__init__(error.errno, error.strerror)
        self.address = address


@dataclass(frozen=True, slots=True)
class Parts:
    """What the rest is made of."""

    settings: Settings
    clock: Clock
    store: Database
    artifacts: Store | None
    wire: Wire
    health: Health
    links: Links
    receivers: Receivers
    tls: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class Working:
    """What answers lean on: what takes work in, does it, learns of it and tells of it."""

    intake: Intake
    runs: Runs
    others: Replica | Alone
    learning: Learning
    outbox: Outbox
    tallies: Tallies
    guard: Guard


async def open_front(stack: AsyncExitStack, parts: Parts, working: Working, now: Running) -> None:
    """Join all that answers, and listen; NotListening for an address that cannot be had."""
    guard, settings = working.guard, parts.settings
    application = _application(parts.clock, working.tallies, now.drain)
    operations = _operations(parts.store, now)
    native = [*_routes(parts, working, now), *operations.routes(), *_metrics(operations, settings, guard)]
    application.add_routes(envelope.spelled(native))
    await stack.enter_async_context(doors.served(application, guard, _house(parts, working, now)))
    office = _office(parts, now)
    application.add_routes([*Acts(office).routes(guard), *_reference(application, guard, now)])
    await _open(stack, application, operations, parts, now)
    await _private_door(stack, settings, office)


def _application(clock: Clock, tallies: Tallies, drain: Drain) -> web.Application:
    around = envelope.middleware(clock, _counting(tallies), Entropy())
    admitting = admission.middleware(admission.share(admission.memory()), body.LARGEST_BODY)
    return web.Application(middlewares=[*drain.around(around), admitting])


def _routes(parts: Parts, working: Working, now: Running) -> list[web.RouteDef]:
    guard, intake, runs, others = working.guard, working.intake, working.runs, working.others
    settings, clock, store, artifacts = parts.settings, parts.clock, parts.store, parts.artifacts
    links = parts.links

    async def remove(generation: str) -> int:
        return await artifacts.delete(generation) if artifacts is not None else 0

    library = Library(
        lambda: intake.world, lambda: now.loaded.catalog.providers, parts.health, clock, working.learning.rankings
    )
    stored = artifacts.name if artifacts is not None else "none"
    return [
        *Generate(intake, store, others.wait).routes(guard),
        *Estimate(intake, store, enforce=settings.credits is Booking.ENFORCE).routes(guard),
        *Content(store, links, runs.cancel, remove, clock).routes(guard),
        *Account(store, clock).routes(guard),
        *Webhooks(store, parts.receivers, clock).routes(guard),
        *library.routes(guard),
        *Dependencies(stored, artifacts.probe if artifacts is not None else None, clock).routes(guard),
        *Outputs(links, store, artifacts).routes(),
        *(nudges.routes(others.nudge, clock.sleep) if (nudges := nudges_of(settings)) is not None else ()),
    ]


def _operations(store: Database, now: Running) -> Operations:
    async def loaded() -> str | None:
        return None if now.ready else "the gateway is starting or stopping"

    return Operations({"serving": loaded, "store": writable(store)}, metrics.render)


def _metrics(operations: Operations, settings: Settings, guard: Guard) -> list[web.RouteDef]:
    return operations.guarded(guard) if settings.metrics.with_key else []


def _apart(operations: Operations, clock: Clock) -> web.Application:
    application = web.Application(middlewares=[envelope.middleware(clock, lambda _: None, Entropy())])
    application.add_routes(operations.apart())
    return application


def _counting(tallies: Tallies) -> Callable[[Answered], None]:
    def count(answered: Answered) -> None:
        tallies.count(answered)
        _counted(answered)

    return count


def _counted(answered: Answered) -> None:
    metrics.counted(metrics.REQUESTS, answered.endpoint, answered.status).inc()
    metrics.timed(metrics.REQUEST_SECONDS, answered.endpoint).observe(answered.seconds, traces.exemplar())


def _reference(application: web.Application, guard: Guard, now: Running) -> list[web.RouteDef]:
    server = now.loaded.settings.public_url or "/"
    return Reference(application, guard, lambda: now.loaded.world.menus, server).routes()


def _house(parts: Parts, working: Working, now: Running) -> doors.House:
    outputs = parts.settings.outputs
    return doors.House(
        working.intake,
        parts.store,
        parts.artifacts,
        parts.links,
        parts.clock,
        Limits(outputs.max_image, outputs.max_video),
        parts.settings.egress,
        parts.receivers.own,
        working.others.wait,
        working.runs.cancel,
        lambda: now.loaded.catalog,
        parts.receivers,
        working.outbox.dialects,
        lambda: now.origin,
        working.runs.share,
        outputs.keep if parts.artifacts is not None else None,
    )


def _office(parts: Parts, now: Running) -> admin.Office:
    def config() -> Mapping[str, Any]:
        return now.loaded.settings.describe()

    board = Switchboard(parts.health, lambda: now.loaded.catalog.models, lambda: int(parts.clock.monotonic() * 1000))
    return admin.Office(
        parts.store, peppers(parts.settings)[0], parts.clock, parts.receivers, board=board, config=config
    )


async def _open(
    stack: AsyncExitStack, application: web.Application, operations: Operations, parts: Parts, now: Running
) -> None:
    settings = parts.settings
    now.origin = await _listen(stack, application, settings.listen, parts, _terms(settings, parts.tls, now.drain))
    if settings.metrics.listen is not None:
        apart = _apart(operations, parts.clock)
        now.apart = await _listen(stack, apart, settings.metrics.listen, parts, entrance.Terms())
    now.own += [now.origin, *filter(None, [now.apart])]


async def _listen(
    stack: AsyncExitStack, application: web.Application, address: Address, parts: Parts, terms: entrance.Terms
) -> str:
    door_of = application.get(DOOR_OF, lambda _request: None)
    outside = envelope.Outside(parts.clock, _counted, Entropy(), door_of)
    coming = entrance.serving(application, address.host, address.port, clock=parts.clock, outside=outside, terms=terms)
    try:
        return await stack.enter_async_context(coming)
    except OSError as error:
        raise NotListening(address, error) from error


def _terms(settings: Settings, tls: ssl.SSLContext | None, drain: Drain) -> entrance.Terms:
    limits, proxies = settings.limits, settings.proxies
    return entrance.Terms(limits.idle / 1000, limits.connections, proxies.trusted, proxies.protocol, tls, drain)


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


def nudges_of(settings: Settings) -> Nudges | None:
    """What providers call back. Without a public address no provider can call back, and none is asked to; several refuse one that is not https."""
    if settings.public_url is None or not settings.public_url.startswith("https://"):
        return None
    return Nudges(secret_of(settings, "nudges"), settings.public_url)
