"""Every door there is, and where each is mounted: the one place that knows them all.

A door stands under each prefix that a pack names for it, and at the root with those paths that no other could mean. Whoever pastes
a base address with `/v1` at its end into a client that adds it, or without it into one that does not, is answered all the same, and
so is a slash at the end: no answer here may be a redirect, which would turn a POST into a GET.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from gateway.artifacts.fetch import open_session
from gateway.artifacts.keeper import Limits
from gateway.artifacts.store import Store
from gateway.clock import Clock
from gateway.egress import Policy
from gateway.ingress import images, predictions, queue, videos
from gateway.ingress.callers import Caller, Guard, Plain
from gateway.ingress.credential import CLIENTS
from gateway.ingress.delivery import Delivery
from gateway.ingress.desk import Receivers
from gateway.ingress.dialect import DOOR_OF, NOBODY, SPELLINGS, Door, Name, Route
from gateway.ingress.intake import Intake
from gateway.ingress.kit import Hooks, Kit
from gateway.ingress.knowing import Knowing
from gateway.ingress.outputs import Links
from gateway.ingress.reception import Reception, Wait
from gateway.ledger.database import Database
from gateway.providers.catalog import Catalog
from gateway.webhooks.event import Dialect

_VERSION = "/v1"
_NAME = re.compile(r"\{(\w+):[^{}]*\}")


@dataclass(frozen=True, slots=True)
class House:
    """Whom the doors lead to. `limits` are the largest outputs, `egress` where what providers keep may be fetched from.

    `own` are the addresses of the gateway itself, `wait` and `cancel` are of the generations under way, `catalog` gives the packs in
    force. `receivers` and `dialects` are for telling those who are named with a generation; `origin` is where the gateway is reached
    if the settings do not say. `share` is how much of a generation's work is done where that is known, `keep` how many ms files are
    kept after its end, None for ever.
    """

    intake: Intake
    store: Database
    artifacts: Store | None
    links: Links
    clock: Clock
    limits: Limits
    egress: Policy
    own: Collection[str]
    wait: Wait
    cancel: Callable[[str], Awaitable[bool]]
    catalog: Callable[[], Catalog]
    receivers: Receivers
    dialects: MutableMapping[str, Dialect]
    origin: Callable[[], str]
    share: Callable[[str], float | None]
    keep: int | None


@asynccontextmanager
async def served(application: web.Application, guard: Guard, house: House) -> AsyncIterator[Doors]:
    """Add every route of every door to an application, and have its errors in their words."""
    async with open_session(house.egress, house.own) as session:

        async def remove(generation: str) -> int:
            return await house.artifacts.delete(generation) if house.artifacts is not None else 0

        kit = Kit(
            Reception(house.intake, house.store, house.wait, house.clock),
            Delivery(house.links, house.artifacts, session, house.egress, house.limits),
            house.store,
            house.clock,
            house.cancel,
            remove,
            house.catalog,
            Hooks(
                house.receivers,
                house.dialects,
                lambda: house.links.at(house.origin()),
                lambda: house.links.base(house.origin()),
            ),
            house.share,
            house.keep,
        )
        doors = opened(kit)
        application[DOOR_OF] = doors.of
        application.add_routes(doors.routes(guard))
        application[SPELLINGS] = doors.spellings
        yield doors


def opened(kit: Kit) -> Doors:
    """Open every door, mounted where the packs say; another mount needs another start."""
    doors = [images.door(kit), videos.door(kit), predictions.door(kit), *queue.doors(kit)]
    mounts: dict[Name, list[str]] = {}
    for provider in kit.catalog().providers.values():
        for name, mount in provider.doors.items():
            mounts.setdefault(name, []).append(mount.prefix)
    return Doors(doors, mounts, kit.reception)


class Doors:
    """All doors, mounted."""

    def __init__(self, doors: Sequence[Door], mounts: Mapping[Name, Sequence[str]], reception: Reception) -> None:
        """Mount each door under these prefixes, such as `/acme`; `reception` is told when an answer is over."""
        self._doors = doors
        self._mounts = {name: tuple(prefixes) for name, prefixes in mounts.items()}
        self._reception = reception
        self._by_handler: dict[object, Door] = {}
        self.spellings: dict[tuple[str, str], str | None] = {}

    def routes(self, guard: Guard) -> list[web.AbstractRouteDef]:
        """Every route of every door under every spelling, each behind its scope."""
        found: list[web.AbstractRouteDef] = []
        known: set[tuple[str, str]] = set()
        for door in self._doors:
            for route in door.routes:
                handler = self._handler(route, guard)
                self._by_handler[handler] = door
                if route.knows is not None:
                    found.append(Knowing(route.method, route.path, handler, route.knows))
                    self.spellings[route.method, _canonical(route.path)] = None
                    continue
                plain: str | None = route.described or route.path  # the first spelling is the one that is told of
                for path in self._spellings(door, route):
                    if (route.method, path) not in known:
                        known.add((route.method, path))
                        found.append(web.RouteDef(route.method, path, handler, {}))
                        self.spellings[route.method, _canonical(path)] = plain and _canonical(plain)
                        plain = None
        return found

    def of(self, request: web.Request) -> Door | None:
        """The door a request came in by; None for what is the native API's, or nobody's."""
        matched = getattr(request, "_match_info", None)
        door = self._by_handler.get(matched.handler) if matched is not None else None
        return door or next((door for door in self._doors if self._is_own(door, request.path)), None)

    def _handler(self, route: Route, guard: Guard) -> Plain:
        """What answers a route, and tells the reception when it has."""
        handler = route.handler
        if route.scope is None:

            async def plain(request: web.Request) -> web.StreamResponse:
                return await handler(request, NOBODY)

            return plain

        async def answered(request: web.Request, caller: Caller) -> web.StreamResponse:
            try:
                return await handler(request, caller)
            finally:
                self._reception.leave(request)

        return guard(route.scope, answered, CLIENTS)

    def _spellings(self, door: Door, route: Route) -> Iterator[str]:
        bare = route.path.removeprefix(_VERSION)
        written = [route.path]
        if bare != route.path:
            written += [bare, _VERSION + route.path]
        prefixes = [*([""] if route.at_root else []), *self._mounts.get(door.name, ())]
        for path in (prefix + each for prefix in prefixes for each in written):
            yield path
            if not path.endswith(("/", ":.+}")):
                yield path + "/"

    def _is_own(self, door: Door, path: str) -> bool:
        """Whether a path that no route answers would be this door's."""
        if any(path == prefix or path.startswith(f"{prefix}/") for prefix in self._mounts.get(door.name, ())):
            return True
        while path.startswith(f"{_VERSION}/"):
            path = path.removeprefix(_VERSION)
        return path.removeprefix("/").partition("/")[0] in door.own


def _canonical(path: str) -> str:
    """A path as the router names it: without the patterns of its names."""
    return _NAME.sub(r"{\1}", path)
