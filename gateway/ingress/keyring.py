"""The operator's acts on API keys: create, list, rotate, revoke."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.ingress import callers
from gateway.ingress.desk import AdminError, Desk, text
from gateway.ledger import keys
from gateway.ledger.keys import KeyRow
from gateway.ledger.program import ConstraintBroken

_SPAN = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d)", re.ASCII)
_UNITS = MappingProxyType({"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000})
_LONGEST_NAME = 100  # characters, the native API's limit for the name of a key
_MOST_NETWORKS = 50  # the native API's limit
_GRACES = (1, 6, 12, 24, 48, 72, 168)  # hours a rotated key may still be used, as the native API offers them
_USUAL_GRACE = 24


async def create(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key; it is in the answer and can never be seen again."""
    row, key = _new_key(
        desk,
        account=text(given, "account"),
        name=text(given, "name", ""),
        scopes=_scopes(given),
        networks=_networks(given),
        expires=_expires(desk, given, None),
    )
    try:
        await desk.store.write(keys.create(row))
    except ConstraintBroken as exc:
        raise AdminError(f"there is no account {row.account!r}; open it with accounts create") from exc
    return {**_shown(row, desk.now), "key": key}


async def list_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an account, or all there are."""
    account = text(given, "account") if given.get("account") is not None else None
    rows = await desk.store.report(keys.list_(account))
    return {"keys": [_shown(row, desk.now) for row in rows]}


async def rotate(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a successor of a key, which ends with the grace."""
    old = await _find_key(desk, given)
    grace = given.get("grace", _USUAL_GRACE)
    if isinstance(grace, bool) or grace not in _GRACES:
        raise AdminError(f"grace is a number of hours out of {', '.join(map(str, _GRACES))}")
    row, key = _new_key(
        desk,
        account=old.account,
        name=old.name,
        scopes=old.scopes,
        networks=old.networks,
        expires=_expires(desk, given, old.expires),
    )
    until = desk.now + grace * _UNITS["h"]
    if not await desk.store.write(keys.rotate(old.id, row, until)):
        raise AdminError(f"the key {old.id} is {_status(old, desk.now)}; only an active key can be rotated")
    return {**_shown(row, desk.now), "key": key, "replaces": old.id}


async def revoke(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """End a key within a second."""
    old = await _find_key(desk, given)
    if not await desk.store.write(keys.revoke(old.id, desk.now)):
        raise AdminError(f"the key {old.id} was revoked before")
    return {"id": old.id, "status": "revoked"}


def _new_key(
    desk: Desk, *, account: str, name: str, scopes: tuple[str, ...], networks: tuple[str, ...], expires: int | None
) -> tuple[KeyRow, str]:
    if len(name) > _LONGEST_NAME:
        raise AdminError(f"the name of a key has at most {_LONGEST_NAME} characters")
    key = callers.mint(desk.random)
    row = KeyRow(
        id=f"key_{desk.random(8).hex()}",
        account=account,
        name=name,
        prefix=key[: callers.PREFIX],
        hash=callers.digest_of(desk.pepper, key),
        scopes=scopes,
        created=desk.now,
        expires=expires,
        networks=networks,
    )
    return row, key


async def _find_key(desk: Desk, given: Mapping[str, Any]) -> KeyRow:
    wanted = text(given, "id")
    found = [row for row in await desk.store.report(keys.list_()) if row.id == wanted]
    if not found:
        raise AdminError(f"there is no key with the id {wanted!r}; keys list shows them")
    return found[0]


def _scopes(given: Mapping[str, Any]) -> tuple[str, ...]:
    if "preset" in given and "scopes" in given:
        raise AdminError("give a preset or scopes, not both")
    if "scopes" not in given:
        preset = given.get("preset", "full_access")
        if not isinstance(preset, str) or preset not in callers.PRESETS:
            raise AdminError(f"preset is one of {', '.join(callers.PRESETS)}")
        return tuple(scope.value for scope in callers.PRESETS[preset])
    scopes, known = given["scopes"], [scope.value for scope in callers.Scope]
    if not isinstance(scopes, list) or not scopes or any(scope not in known for scope in scopes):
        raise AdminError(f"scopes is a list out of {', '.join(known)}")
    return tuple(dict.fromkeys(scopes))


def _networks(given: Mapping[str, Any]) -> tuple[str, ...]:
    written = given.get("networks", [])
    if not isinstance(written, list) or len(written) > _MOST_NETWORKS:
        raise AdminError(f"networks is a list of at most {_MOST_NETWORKS} addresses and networks")
    try:
        return callers.networks(written)
    except ValueError as exc:
        raise AdminError(f"networks: {exc}") from exc


def _expires(desk: Desk, given: Mapping[str, Any], usual: int | None) -> int | None:
    span = given.get("expires_in")
    if span is None:
        return usual
    parts = _SPAN.fullmatch(span) if isinstance(span, str) else None
    if parts is None:
        raise AdminError("expires_in is a span such as 12h or 90d")
    return desk.now + int(parts[1]) * _UNITS[parts[2]]


def _shown(row: KeyRow, now: int) -> dict[str, Any]:
    """A key as people may see it."""
    return {
        "id": row.id,
        "account": row.account,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "networks": list(row.networks),
        "status": _status(row, now),
        "created_at": iso(row.created),
        "expires_at": iso(row.expires) if row.expires is not None else None,
        "last_used_at": iso(row.last_used) if row.last_used is not None else None,
    }


def _status(row: KeyRow, now: int) -> str:
    if row.revoked is not None:
        return "revoked"
    if row.expires is not None and row.expires <= now:
        return "expired"
    return "rotated" if row.rotated_to is not None else "active"
