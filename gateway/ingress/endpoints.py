"""The acts on endpoints and deliveries: the operator's, and, held to one account, those of the calls under /v1/webhooks.

Every act takes an `account`; where it is given, what belongs to another account is not there.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.egress import BadAddress
from gateway.ingress.desk import Act, AdminError, Desk, NotThere, text
from gateway.ledger import accounts, deliveries
from gateway.ledger import endpoints as ledger
from gateway.ledger.deliveries import Delivery
from gateway.ledger.endpoints import Endpoint, Source, Why
from gateway.ledger.events import OFFERED, USUAL, EventType
from gateway.webhooks import target
from gateway.webhooks.sign import OVERLAP

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_MOST = 50  # endpoints of one account: every event is told to each of them
_USUAL_PAGE, _LARGEST_PAGE = 50, 100
_DEEPEST = 1_000_000


async def create(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make an endpoint; its secret is in the answer, and follows from the gateway's own, so that it is never stored."""
    account, url, hears = text(given, "account"), _url(desk, text(given, "url")), _events(given, USUAL)
    if await desk.store.report(accounts.find(account)) is None:
        raise NotThere(f"there is no account {account!r}; open it with accounts create")
    if len(await desk.store.report(ledger.list_(account))) >= _MOST:
        raise AdminError(f"an account has at most {_MOST} endpoints; delete one first")
    made = Endpoint(f"we_{desk.random(16).hex()}", account, Source.API, url, hears, desk.now)
    await desk.change(ledger.create(made), made.id)
    return {**_shown(made), "secret": desk.receivers.secrets.derived(made.id, made.version)}


async def list_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoints of an account, or all there are."""
    account = text(given, "account") if given.get("account") is not None else None
    return {"webhooks": [_shown(each) for each in await desk.store.report(ledger.list_(account))]}


async def show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """One endpoint."""
    return _shown(await _find(desk, given))


async def update(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Change where an endpoint is, or what it hears of."""
    found = await _own(desk, given)
    url = _url(desk, text(given, "url")) if given.get("url") is not None else found.url
    await desk.change(ledger.change(found.id, url, _events(given, found.events), desk.now), found.id)
    return _shown(await _find(desk, given))


async def enable(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Tell an endpoint again; what was queued for it is sent first, one after the other."""
    found = await _find(desk, given)
    await desk.change(ledger.enable(found.id, desk.now), found.id, was_done=bool)
    return _shown(await _find(desk, given))


async def disable(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Stop telling an endpoint; what it would be told is queued."""
    found = await _find(desk, given)
    await desk.change(ledger.disable(found.id, Why.OWNER, desk.now), found.id, was_done=bool)
    return _shown(await _find(desk, given))


async def rotate(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give an endpoint a new secret; for a day the old one signs beside it."""
    found = await _own(desk, given)
    until = desk.now + OVERLAP
    version = await desk.change(ledger.rotate(found.id, until, desk.now), found.id, was_done=_is_there)
    if version is None:
        raise _unknown(found.id)
    secret = desk.receivers.secrets.derived(found.id, version)
    return {**_shown(found), "secret": secret, "previous_secret_until": iso(until)}


async def delete(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Delete an endpoint; what waits for it is given up."""
    found = await _own(desk, given)
    await desk.change(ledger.delete(found.id, desk.now), found.id, was_done=bool)
    return {"id": found.id, "deleted": True}


async def test(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Send an endpoint an event that only tries it out."""
    found = await _find(desk, given)
    sent = await desk.change(ledger.test(found.id, _new_id(desk), desk.now), found.id, was_done=_is_there)
    if sent is None:
        raise _disabled(found.id)
    return {"id": found.id, "delivery": sent}


async def drain(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Send what an endpoint has queued, one after the other."""
    found = await _find(desk, given)
    queued = await desk.change(ledger.drain(found.id), found.id, was_done=_is_there)
    if queued is None:
        raise _disabled(found.id)
    return {"id": found.id, "queued": queued}


async def page(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Some deliveries to an endpoint, newest first."""
    found = await _find(desk, given)
    limit = _whole(given, "limit", _USUAL_PAGE, 1, _LARGEST_PAGE)
    offset = _whole(given, "offset", 0, 0, _DEEPEST)
    rows = await desk.store.report(deliveries.page(found.id, limit, offset))
    return {"id": found.id, "deliveries": [_delivery(row) for row in rows], "limit": limit, "offset": offset}


async def replay(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Tell an endpoint once more what a delivery told, under a new id."""
    old = text(given, "delivery")
    endpoint = await desk.store.report(deliveries.endpoint_of(old)) if _ID.fullmatch(old) else None
    if endpoint is None or given.get("id") not in (None, endpoint):
        raise NotThere(f"there is no delivery {old!r}; webhooks deliveries shows them")
    found = await _find(desk, {**given, "id": endpoint})
    new = _new_id(desk)
    if not await desk.change(deliveries.replay(found.id, old, new, desk.now), found.id, was_done=bool):
        raise _disabled(found.id)
    return {"id": found.id, "delivery": new, "replay_of": old}


async def _find(desk: Desk, given: Mapping[str, Any]) -> Endpoint:
    wanted = text(given, "id")
    found = await desk.store.report(ledger.find(wanted)) if _ID.fullmatch(wanted) else None
    if found is None or given.get("account") not in (None, found.account):
        raise _unknown(wanted)
    return found


async def _own(desk: Desk, given: Mapping[str, Any]) -> Endpoint:
    """An endpoint that may be changed here: one of the policy is changed in the policy."""
    found = await _find(desk, given)
    if found.source is Source.CONFIG:
        raise AdminError(f"the endpoint {found.id} comes from the policy file; change it there")
    return found


def _unknown(endpoint: str) -> NotThere:
    return NotThere(f"there is no endpoint with the id {endpoint!r}; webhooks list shows them")


def _disabled(endpoint: str) -> AdminError:
    return AdminError(f"the endpoint {endpoint} is disabled; enable it first")


def _url(desk: Desk, url: str) -> str:
    try:
        target.check(url, desk.receivers.policy, desk.receivers.own)
    except BadAddress as exc:
        raise AdminError(str(exc)) from exc
    return url


def _events(given: Mapping[str, Any], usual: tuple[EventType, ...]) -> tuple[EventType, ...]:
    written = given.get("events")
    if written is None:
        return usual
    if not isinstance(written, list) or not written or any(each not in list(OFFERED) for each in written):
        raise AdminError(f"events is a list out of {', '.join(OFFERED)}")
    return tuple(event for event in OFFERED if event in written)


def _whole(given: Mapping[str, Any], name: str, usual: int, least: int, most: int) -> int:
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise AdminError(f"{name} is a whole number from {least} to {most}")
    return value


def _is_there(result: object) -> bool:
    return result is not None


def _new_id(desk: Desk) -> str:
    return str(uuid.UUID(bytes=desk.random(16), version=4))


def _shown(found: Endpoint) -> dict[str, Any]:
    return {
        "id": found.id,
        "account": found.account or None,
        "source": found.source.value,
        "url": found.url,
        "events": [each.value for each in found.events],
        "status": "active" if found.why is None else "disabled",
        "disabled_by": found.why.value if found.why is not None else None,
        "failures_in_a_row": found.failures,
        "created_at": iso(found.created),
    }


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "event": row.type.value,
        "generation_id": row.generation,
        "status": row.state.value,
        "attempts": row.attempts,
        "response_status": row.status,
        "error": row.error,
        "created_at": iso(row.created),
        "attempted_at": _moment(row.attempted),
        "next_attempt_at": _moment(row.next_at),
        "ended_at": _moment(row.ended),
        "replay_of": row.replay_of,
    }


def _moment(at: int | None) -> str | None:
    return iso(at) if at is not None else None


_ONE = ("id", "account")
ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {
        "webhooks.create": (create, ("account", "url", "events")),
        "webhooks.list": (list_, ("account",)),
        "webhooks.show": (show, _ONE),
        "webhooks.update": (update, (*_ONE, "url", "events")),
        "webhooks.enable": (enable, _ONE),
        "webhooks.disable": (disable, _ONE),
        "webhooks.rotate": (rotate, _ONE),
        "webhooks.delete": (delete, _ONE),
        "webhooks.test": (test, _ONE),
        "webhooks.drain": (drain, _ONE),
        "webhooks.deliveries": (page, (*_ONE, "limit", "offset")),
        "webhooks.replay": (replay, (*_ONE, "delivery")),
    }
)
