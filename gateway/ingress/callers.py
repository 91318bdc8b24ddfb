"""API key → who is asking and what they may do.

A key is `bye_`, 33 random characters and 6 of checksum. The checksum lets a mistyped or made-up key be refused without asking
the store, and lets scanners of source code recognise a leaked one. The store holds the HMAC of the key under a pepper that is
not in the store, so that a copy of the store can neither be searched for keys nor be made to accept one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any, NoReturn

from aiohttp import web

from gateway.clock import Clock
from gateway.ingress.refusal import Refusal
from gateway.ledger import keys
from gateway.ledger.database import Database

_BRAND = "bye_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 33  # characters, worth 196 bits
_CHECK = 6  # characters; 62⁶ is above 2³²
_FORM = re.compile(r"bye_[0-9A-Za-z]{39}", re.ASCII)
_LIFE = 1.0  # seconds a verified key is believed: a revoked one works no longer than that
_MOST = 10_000  # verified keys remembered; more are looked up again
PREFIX = 9  # characters of a key that people may see

Network = IPv4Network | IPv6Network
Handler = Callable[[web.Request, "Caller"], Awaitable[web.StreamResponse]]
Plain = Callable[[web.Request], Awaitable[web.StreamResponse]]
Identify = Callable[[web.Request], Awaitable["Caller"]]


class Scope(StrEnum):
    """What a key may be allowed; every route needs exactly one."""

    GENERATION_WRITE = "generation:write"
    GENERATION_READ = "generation:read"
    GENERATION_DELETE = "generation:delete"
    ACCOUNT_READ = "account:read"
    HEALTH_READ = "health:read"
    LIBRARY_READ = "library:read"
    WEBHOOKS_WRITE = "webhooks:write"


PRESETS = MappingProxyType(
    {
        # What the native API calls full; where events are sent is for keys that were made for it.
        "full_access": tuple(scope for scope in Scope if scope is not Scope.WEBHOOKS_WRITE),
        "generate_only": (Scope.GENERATION_WRITE, Scope.GENERATION_READ, Scope.LIBRARY_READ),
        "read_only": (Scope.GENERATION_READ, Scope.ACCOUNT_READ, Scope.HEALTH_READ, Scope.LIBRARY_READ),
        "monitor_only": (Scope.HEALTH_READ, Scope.LIBRARY_READ),
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the account, and what is known of the key. Times in milliseconds since the epoch."""

    account: str
    key_id: str
    name: str
    prefix: str
    scopes: frozenset[str]
    created: int
    expires: int | None = None
    last_used: int | None = None


CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    networks: tuple[Network, ...]
    revoked: int | None
    until: float  # seconds of the clock that never steps back


class Callers:
    """Tells callers by their keys."""

    def __init__(self, store: Database, pepper: bytes, clock: Clock) -> None:
        """Look keys up in this store, hashed under this pepper."""
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._used: set[str] = set()

    async def identify(self, request: web.Request) -> Caller:
        """Say who sends this request; Refusal when that is nobody who may."""
        digest = digest_of(self._pepper, _presented(request))
        known = self._known.get(digest)
        if known is None or known.until <= self._clock.monotonic():
            known = await self._look_up(digest)
        now = self._clock.now_ms()
        expires = known.caller.expires
        if known.revoked is not None or (expires is not None and expires <= now):
            _fail()
        if known.networks and not _is_within(request.remote, known.networks):
            raise Refusal("ip_not_allowed", "this API key may not be used from this address")
        self._used.add(known.caller.key_id)
        return known.caller

    def take_used(self) -> frozenset[str]:
        """The ids of the keys used since the last call, to be noted in the store."""
        used = frozenset(self._used)
        self._used.clear()
        return used

    async def _look_up(self, digest: str) -> _Known:
        # Taken before the look: what is revoked during it is believed no longer than what is revoked after.
        until = self._clock.monotonic() + _LIFE
        row = await self._store.read(keys.by_hash(digest))
        if row is None:
            self._known.pop(digest, None)
            _fail()
        caller = Caller(
            account=row.account,
            key_id=row.id,
            name=row.name,
            prefix=row.prefix,
            scopes=frozenset(row.scopes),
            created=row.created,
            expires=row.expires,
            last_used=row.last_used,
        )
        known = _Known(caller, tuple(ip_network(network) for network in row.networks), row.revoked, until)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[digest] = known
        return known


def local(account: str, created: int) -> Caller:
    """The one caller of a gateway that asks for no key: it may do everything in its account."""
    return Caller(account, "local", "local", "", frozenset(Scope), created)


def anyone(caller: Caller) -> Identify:
    """Take every request as this caller's; whatever Authorization says is not looked at."""

    async def identify(_request: web.Request) -> Caller:
        return caller

    return identify


class Guard:
    """Stands before a route: nobody comes through without the scope the route names."""

    def __init__(self, identify: Identify) -> None:
        """Tell callers by this function."""
        self._identify = identify

    def __call__(self, scope: Scope, handler: Handler) -> Plain:
        """Give a handler for the router; the one it stands before is handed the caller."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            caller = await self._identify(request)
            request[CALLER] = caller
            if scope.value not in caller.scopes:
                raise Refusal("insufficient_permissions", f"this API key lacks the scope {scope.value}")
            return await handler(request, caller)

        return guarded


def mint(random: Callable[[int], bytes]) -> str:
    """Make a new key; `random` gives so many random bytes."""
    # 256 bits are folded onto 196: no character is likelier than another by more than 2⁻⁵⁹.
    bare = _BRAND + _base62(int.from_bytes(random(32), "big"), _RANDOM)
    return bare + _checksum(bare)


def is_key(text: str) -> bool:
    """Whether a text has the form of a key and the right checksum."""
    return _FORM.fullmatch(text) is not None and text[-_CHECK:] == _checksum(text[:-_CHECK])


def digest_of(pepper: bytes, key: str) -> str:
    """What the store keeps of a key."""
    return hmac.new(pepper, key.encode(), hashlib.sha256).hexdigest()


def networks(written: Iterable[Any]) -> tuple[str, ...]:
    """Check addresses and networks such as `203.0.113.7` or `10.0.0.0/8`; ValueError names the one that is neither."""
    found: list[str] = []
    for each in written:
        try:
            found.append(str(ip_network(each if isinstance(each, str) else "")))
        except ValueError as exc:
            raise ValueError(f"expected an address or a network such as 10.0.0.0/8, found {str(each)[:60]!r}") from exc
    return tuple(dict.fromkeys(found))


def _presented(request: web.Request) -> str:
    """The key the request carries, in the one place where it belongs and in the right form."""
    if _is_astray(request):
        said = "an API key belongs into the header Authorization alone, never into an address or a cookie"
        raise Refusal("authentication_required", said)
    sent = request.headers.getall("Authorization", [])
    if not sent:
        raise Refusal("authentication_required", "send an API key: Authorization: Bearer bye_…")
    scheme, _, key = sent[0].partition(" ")
    if len(sent) > 1 or scheme.lower() != "bearer":
        raise Refusal("authentication_required", "send one API key: Authorization: Bearer bye_…")
    if not is_key(key.strip(" ")):
        _fail()
    return key.strip(" ")


def _is_astray(request: web.Request) -> bool:
    in_query = _BRAND in request.query_string and any(value.startswith(_BRAND) for value in request.query.values())
    return in_query or _BRAND in request.headers.get("Cookie", "")


def _fail() -> NoReturn:
    # One sentence for every reason: whoever tries keys learns nothing from the answer.
    raise Refusal("authentication_failed", "the API key is not valid here")


def _is_within(remote: str | None, allowed: Iterable[Network]) -> bool:
    try:
        address = ip_address(remote or "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed)


def _checksum(bare: str) -> str:
    return _base62(zlib.crc32(bare.encode()), _CHECK)


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
