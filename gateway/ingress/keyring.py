"""The operator's acts on API keys: create, list, show, change, rotate, revoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.ingress import keyform, keyterms
from gateway.ingress.desk import Act, AdminError, Desk, NotThere, text
from gateway.ledger import keys, spending
from gateway.ledger.keys import NO_CAPS, KeyRow
from gateway.ledger.program import ConstraintBroken
from gateway.money import as_number

_GRACES = (1, 6, 12, 24, 48, 72, 168)  # hours a rotated key may still be used, as the native API offers them
_USUAL_GRACE = 24
_MOST_NAMED = 10  # keys in a message


async def create(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key; it is in the answer and can never be seen again."""
    expires = keyterms.expiry(given, desk.now, None)
    starts = keyterms.moment(given, "starts_in", desk.now)
    if starts is not None and expires is not None and starts >= expires:
        raise AdminError("starts_in comes after expires_in")
    row, key = _minted(
        desk,
        KeyRow(
            id="",
            account=text(given, "account"),
            name=keyterms.name(given, ""),
            prefix="",
            hash="",
            scopes=keyterms.scopes(given),
            created=desk.now,
            expires=expires,
            networks=keyterms.networks(given, ()),
            starts=starts,
            caps=keyterms.caps(given, NO_CAPS),
        ),
    )
    try:
        await desk.change(keys.create(row), row.id)
    except ConstraintBroken as exc:
        raise AdminError(f"there is no account {row.account!r}; open it with accounts create") from exc
    return {**_shown(row, desk.now), "key": key}


async def list_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an account, or all there are."""
    account = text(given, "account") if given.get("account") is not None else None
    rows = await desk.store.report(keys.list_(account))
    return {"keys": [_shown(row, desk.now) for row in rows]}


async def show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """One key, with what is left of its budget."""
    row = await _found(desk, given)
    told = _shown(row, desk.now)
    if row.caps.budget is not None:
        spent = await desk.store.report(spending.spent(row, desk.now))
        left = max(row.caps.budget - spent, 0)
        told["budget"] = {**told["budget"], "spent": as_number(spent), "left": as_number(left)}
    return {**told, "replaced_by": row.rotated_to, "family": row.first}


async def change(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Change what a key is called, where it may be used from, and what for; its scopes are what it was made with."""
    old = await _found(desk, given)
    new = replace(
        old,
        name=keyterms.name(given, old.name),
        networks=keyterms.networks(given, old.networks),
        caps=keyterms.caps(given, old.caps),
    )
    if not await desk.change(keys.change(new), old.id, was_done=bool):
        raise AdminError(f"the key {old.id} was revoked; make a new one")
    return _shown(new, desk.now)


async def rotate(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a successor of a key, which ends with the grace."""
    old = await _found(desk, given)
    grace = given.get("grace", _USUAL_GRACE)
    if isinstance(grace, bool) or grace not in _GRACES:
        raise AdminError(f"grace is a number of hours out of {', '.join(map(str, _GRACES))}")
    fresh = KeyRow("", old.account, old.name, "", "", old.scopes, desk.now, networks=old.networks)
    expires = keyterms.expiry(given, desk.now, old.expires)
    row, key = _minted(desk, replace(fresh, expires=expires, starts=old.starts, caps=old.caps, family=old.first))
    until = desk.now + grace * keyterms.HOUR
    if not await desk.change(keys.rotate(old.id, row, until), old.id, was_done=bool):
        raise AdminError(f"the key {old.id} is {_status(old, desk.now)}; only an active key can be rotated")
    return {**_shown(row, desk.now), "key": key, "replaces": old.id}


async def revoke(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """End a key within a second."""
    old = await _found(desk, given)
    if not await desk.change(keys.revoke(old.id, desk.now), old.id, was_done=bool):
        raise AdminError(f"the key {old.id} was revoked before")
    return {"id": old.id, "status": "revoked"}


def _minted(desk: Desk, row: KeyRow) -> tuple[KeyRow, str]:
    """Give a row its id and the hash of a new key, and the key itself."""
    key = keyform.mint(desk.random)
    digest = keyform.digest_of(desk.pepper, key)
    return replace(row, id=f"key_{desk.random(16).hex()}", prefix=key[: keyform.PREFIX], hash=digest), key


async def _found(desk: Desk, given: Mapping[str, Any]) -> KeyRow:
    """The key with an id, or the one in use that has it for a name: a replaced one counts only where it alone is meant."""
    wanted = text(given, "id")
    found = await desk.store.report(keys.find(wanted))
    if found is not None:
        return found
    named = [row for row in await desk.store.report(keys.list_()) if row.name == wanted]
    usable = [row for row in named if _status(row, desk.now) not in {"revoked", "expired"}]
    if desk.act != "keys.revoke":  # a key is ended by its name only where no other has it
        usable = [row for row in usable if row.rotated_to is None] or usable
    match usable:
        case [only]:
            return only
        case []:
            raise NotThere(f"there is no key in use with the id or the name {wanted!r}; keys list shows them")
        case several:
            ids = ", ".join(f"{row.id} ({row.account}, {_status(row, desk.now)})" for row in several[:_MOST_NAMED])
            raise AdminError(f"several keys are called {wanted!r}; name one by its id: {ids}")


def _shown(row: KeyRow, now: int) -> dict[str, Any]:
    """A key as people may see it."""
    caps = row.caps
    return {
        "id": row.id,
        "account": row.account,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "networks": list(row.networks),
        "models": list(caps.models),
        "budget": {"credits": as_number(caps.budget), "per": caps.per.value} if caps.budget is not None else None,
        "rate_per_minute": caps.rate,
        "in_flight": caps.in_flight,
        "images": caps.images,
        "videos": caps.videos,
        "status": _status(row, now),
        "created_at": iso(row.created),
        "starts_at": _moment(row.starts),
        "expires_at": _moment(row.expires),
        "last_used_at": _moment(row.last_used),
    }


def _status(row: KeyRow, now: int) -> str:
    if row.revoked is not None:
        return "revoked"
    if row.expires is not None and row.expires <= now:
        return "expired"
    if row.starts is not None and row.starts > now:
        return "waiting"
    return "rotated" if row.rotated_to is not None else "active"


def _moment(at: int | None) -> str | None:
    return iso(at) if at is not None else None


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {
        "keys.create": (
            create,
            ("account", "name", "preset", "scopes", "starts_in", "expires_in", "networks", *keyterms.CAPS),
        ),
        "keys.list": (list_, ("account",)),
        "keys.show": (show, ("id",)),
        "keys.change": (change, ("id", "name", "networks", *keyterms.CAPS)),
        "keys.rotate": (rotate, ("id", "grace", "expires_in")),
        "keys.revoke": (revoke, ("id",)),
    }
)
