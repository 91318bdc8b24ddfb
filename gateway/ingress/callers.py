"""API key → who is asking, from where, and what they may do.

Whoever has no usable key gets the same answer after the same work, whatever is wrong with it: its hash is made and looked for in
the store. Hashes are compared there, by an index; what that takes tells of the hash alone, and nobody can choose that without
the pepper.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_network
from types import MappingProxyType
from typing import NoReturn

from aiohttp import web

from gateway.clock import Clock, SystemClock
from gateway.ingress import address
from gateway.ingress.address import Address, Network, Proxies
from gateway.ingress.credential import NATIVE, Ways, presented
from gateway.ingress.keyform import digest_of, is_key
from gateway.ingress.limiter import Claim, Limiter, Pace, Rates, Standing
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import PLACE, Brake, Place, Sharing
from gateway.ledger import accounts, keys
from gateway.ledger.accounts import Allowance
from gateway.ledger.database import Database
from gateway.ledger.keys import NO_CAPS, Caps, KeyRow

_LIFE = 1.0  # seconds a verified key is believed: a revoked one works no longer than that
_MOST = 10_000  # verified keys remembered; more are looked up again
_GUESSES = 20  # keys a minute that one address may get wrong; a person with a wrong key in a script stays below
_NO_PROXIES = Proxies()
_WITH_BODY = frozenset({"POST", "PATCH"})  # whose handlers take their place once the body is there

Handler = Callable[[web.Request, "Caller"], Awaitable[web.StreamResponse]]
Plain = Callable[[web.Request], Awaitable[web.StreamResponse]]
Identify = Callable[[web.Request, Ways], Awaitable["Caller"]]


class Scope(StrEnum):
    """What a key may be allowed; every route needs exactly one."""

    GENERATION_WRITE = "generation:write"
    GENERATION_READ = "generation:read"
    GENERATION_DELETE = "generation:delete"
    ACCOUNT_READ = "account:read"
    HEALTH_READ = "health:read"
    LIBRARY_READ = "library:read"
    WEBHOOKS_WRITE = "webhooks:write"
    METRICS_READ = "metrics:read"  # of the whole gateway, whoever its callers are
    ADMIN = "admin"  # the operator's acts, on every account


# What no preset has: where events are sent and what is the operator's is for keys that were made for it.
_APART = frozenset({Scope.WEBHOOKS_WRITE, Scope.METRICS_READ, Scope.ADMIN})

PRESETS = MappingProxyType(
    {
        "full_access": tuple(scope for scope in Scope if scope not in _APART),  # full is what the native API calls so
        "generate_only": (Scope.GENERATION_WRITE, Scope.GENERATION_READ, Scope.LIBRARY_READ),
        "read_only": (Scope.GENERATION_READ, Scope.ACCOUNT_READ, Scope.HEALTH_READ, Scope.LIBRARY_READ),
        "monitor_only": (Scope.HEALTH_READ, Scope.LIBRARY_READ),
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the account, and what is known of the key. Times in milliseconds since the epoch.

    `family` is what the key's budget and limits are counted by, `own` what was said of this account alone.
    """

    account: str
    key_id: str
    name: str
    prefix: str
    scopes: frozenset[str]
    created: int
    expires: int | None = None
    last_used: int | None = None
    caps: Caps = NO_CAPS
    family: str = ""
    own: Allowance = accounts.NO_CAPS

    @property
    def keys(self) -> tuple[str, ...]:
        """The names the key goes by: its id, and the name it was given."""
        return (self.key_id, self.name) if self.name else (self.key_id,)


CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
STANDING: web.RequestKey[Standing] = web.RequestKey("standing", Standing)


@dataclass(frozen=True, slots=True)
class _Known:
    """A key as it was when the store was asked; believed until then, in seconds of the clock that never steps back."""

    row: KeyRow
    caller: Caller
    networks: tuple[Network, ...]
    until: float

    def is_usable(self, now: int) -> bool:
        """Whether the key is valid at a time in milliseconds since the epoch."""
        starts, expires = self.row.starts, self.row.expires
        has_begun, has_ended = starts is None or starts <= now, expires is not None and expires <= now
        return self.row.revoked is None and has_begun and not has_ended


class Callers:
    """Tells callers by their keys."""

    def __init__(
        self,
        store: Database,
        pepper: bytes,
        clock: Clock,
        *,
        older: Sequence[bytes] = (),
        proxies: Proxies = _NO_PROXIES,
        guesses: int | None = _GUESSES,
        brake: Brake | None = None,
    ) -> None:
        """Look keys up in this store, hashed under this pepper, or under `older` ones, from which they are moved to it.

        Of wrong keys an address may send `guesses` a minute, None for as many as it likes.
        """
        self._store = store
        self._peppers = (pepper, *older)
        self._clock = clock
        self._proxies = proxies
        self._guesses = guesses
        self._brake = brake or Brake(clock)
        self._guessed = Limiter()
        self._known: dict[str, _Known] = {}
        self._used: set[str] = set()

    async def identify(self, request: web.Request, ways: Ways = NATIVE) -> Caller:
        """Say who sends this request, with a key sent in one of these ways; Refusal when that is nobody who may."""
        key = presented(request, ways)
        if not is_key(key):
            _fail()
        digest = digest_of(self._peppers[0], key)
        known = self._known.get(digest)
        if known is None:
            known = await self._guess(key, digest, self._where(request))
        elif known.until <= self._clock.monotonic() or not known.is_usable(self._clock.now_ms()):
            known = await self._look_up(key, digest)
        if known is None:
            _fail()
        if known.networks and not address.is_within(self._where(request), known.networks):
            raise Refusal("ip_not_allowed", "this API key may not be used from this address")
        self._used.add(known.caller.key_id)
        return known.caller

    def take_used(self) -> frozenset[str]:
        """The ids of the keys used since the last call, to be noted in the store."""
        used = frozenset(self._used)
        self._used.clear()
        return used

    def _where(self, request: web.Request) -> Address | None:
        lines = request.headers.getall(self._proxies.header, [])
        return address.client(request.remote, lines, self._proxies)

    async def _guess(self, key: str, digest: str, where: Address | None) -> _Known | None:
        """Look a key up that was never seen to be right, unless its address got too many wrong.

        Keys that were right before are no guesses, so whoever shares an address with somebody who guesses goes on working.
        """
        if self._guesses is None:
            return await self._look_up(key, digest)
        claim = Claim(address.neighbourhood(where), self._guesses)
        wait = self._guessed.wait(claim, self._clock.monotonic())
        if wait is not None:
            await self._brake.hold(claim.name)
            said = "too many wrong API keys came from this address; try again later"
            raise Refusal("auth_rate_limited", said, retry_after=wait)
        known = await self._look_up(key, digest)
        if known is None:
            self._guessed.admit([claim], self._clock.monotonic())
        return known

    async def _look_up(self, key: str, digest: str) -> _Known | None:
        """Ask the store for a key, and remember it if it can be used."""
        # Taken before the look: what is revoked during it is believed no longer than what is revoked after.
        until = self._clock.monotonic() + _LIFE
        found = await self._find(key, digest)
        known = _known(*found, until) if found is not None else None
        if known is None or not known.is_usable(self._clock.now_ms()):
            self._known.pop(digest, None)
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[digest] = known
        return known

    async def _find(self, key: str, digest: str) -> tuple[KeyRow, Allowance] | None:
        found = await self._store.read(keys.identified(digest))
        for pepper in self._peppers[1:]:
            if found is not None:
                break
            old = digest_of(pepper, key)
            found = await self._store.read(keys.identified(old))
            if found is not None:
                await self._store.write(keys.rehash(found[0].id, old, digest))
        return found


def local(account: str, created: int) -> Caller:
    """The one caller of a gateway that asks for no key: it may do everything in its account, and nothing beyond it."""
    return Caller(account, "local", "local", "", frozenset(Scope) - {Scope.ADMIN}, created)


def anyone(caller: Caller) -> Identify:
    """Take every request as this caller's; whatever Authorization says is not looked at."""

    async def identify(_request: web.Request, _ways: Ways) -> Caller:
        return caller

    return identify


def resident(caller: Caller, store: Database, clock: Clock) -> Identify:
    """The same, with what was said of the account, looked up again each second."""
    known, until = caller, clock.monotonic()

    async def identify(_request: web.Request, _ways: Ways) -> Caller:
        nonlocal known, until
        if until <= clock.monotonic():
            until = clock.monotonic() + _LIFE
            found = await store.read(accounts.find(caller.account))
            known = replace(caller, own=found.own) if found is not None else caller
        return known

    return identify


class Guard:
    """Stands before a route: nobody comes through without the scope the route names, for a model or at a rate they may not."""

    def __init__(
        self,
        identify: Identify,
        pace: Pace | None = None,
        name: Callable[[str], str] = str,
        *,
        sharing: Sharing | None = None,
        brake: Brake | None = None,
    ) -> None:
        """Tell callers by this function and hold them to `pace`; `name` gives the one name of a model out of its aliases.

        Each account has its places in `sharing`, and who comes too often is answered as `brake` says.
        """
        self._identify = identify
        self._pace = pace
        self._name = name
        self._sharing = sharing or Sharing(SystemClock())
        self._brake = brake
        self.scopes: dict[Plain, Scope] = {}  # of every handler it gave

    def __call__(self, scope: Scope, handler: Handler, ways: Ways = NATIVE) -> Plain:
        """Give a handler for the router; the one it stands before is handed the caller, whose key came in one of these ways."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            caller = await self._identify(request, ways)
            request[CALLER] = caller
            if scope.value not in caller.scopes:
                raise Refusal("insufficient_permissions", f"this API key lacks the scope {scope.value}")
            creates = scope is Scope.GENERATION_WRITE
            if creates and "model" in request.match_info:
                check_model(caller, self._name(request.match_info["model"].rstrip("/")))
            await self._hold(request, caller, creates=creates)
            request[PLACE] = place = Place(self._sharing, caller.account)
            try:
                if not (request.body_exists and request.method in _WITH_BODY):
                    await place.take()
                return await handler(request, caller)
            finally:
                place.leave()

        self.scopes[guarded] = scope
        return guarded

    async def _hold(self, request: web.Request, caller: Caller, *, creates: bool) -> None:
        """Hold a caller to its rates; Refusal with the time to come back."""
        if self._pace is None:
            return
        family = caller.family or caller.key_id
        own = Rates(caller.own.requests, caller.own.generations)
        standing = self._pace.admit(caller.account, family, caller.caps.rate, creates=creates, own=own)
        if standing is None:
            return
        request[STANDING] = standing
        if standing.wait is not None:
            if self._brake is not None:
                await self._brake.hold(caller.account)
            said = f"no more than {standing.limit} such requests a minute; the next in {standing.wait} s"
            details = {"retry_after_seconds": standing.wait, "limit": standing.limit}
            raise Refusal("rate_limit_exceeded", said, details=details, retry_after=standing.wait)


def check_model(caller: Caller, model: str) -> None:
    """Refusal when a key is for other models than this one, by its one name."""
    patterns = caller.caps.models
    if patterns and not any(fnmatchcase(model, pattern) for pattern in patterns):
        raise Refusal("insufficient_permissions", f"this API key may not use the model {model[:200]}")


def _known(row: KeyRow, own: Allowance, until: float) -> _Known:
    caller = Caller(
        account=row.account,
        key_id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(row.scopes),
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        caps=row.caps,
        family=row.first,
        own=own,
    )
    return _Known(row, caller, tuple(ip_network(network) for network in row.networks), until)


def _fail() -> NoReturn:
    # One sentence for every reason: whoever tries keys learns nothing from the answer.
    raise Refusal("authentication_failed", "the API key is not valid here")
