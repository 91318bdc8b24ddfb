"""Programs about endpoints: who is told, of what, and whether they can be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.ledger import events
from gateway.ledger.events import EventType
from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import dump, load

# Instead of an account's id: an endpoint of the operator's that hears of every account.
EVERY = ""


class Source(StrEnum):
    """Where an endpoint was made: in the policy file, or by a command or call."""

    CONFIG = "config"
    API = "api"


class Why(StrEnum):
    """Who disabled an endpoint: its owner, too many failures in a row, or the receiver, which said that it is gone."""

    OWNER = "owner"
    FAILURES = "failures"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told. `account` is EVERY for one that hears of all; `why` is None while it is active.

    `version` is which of its secrets signs; the one before does too until `previous_until`. `sealed` is the secret that an
    endpoint of the policy brings, unreadable without the gateway's own. Times in milliseconds.
    """

    id: str
    account: str
    source: Source
    url: str
    events: tuple[EventType, ...]
    created: int
    version: int = 1
    previous_until: int | None = None
    why: Why | None = None
    failures: int = 0
    draining: bool = False
    sealed: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is told now; what it is not told is queued."""
        return self.why is None


def of_policy(account: str | None, url: str, hears: Iterable[EventType], at: int) -> Endpoint:
    """An endpoint of the policy; its id follows from its account and its address, so that it is the same after a restart."""
    digest = hashlib.sha256(f"{account or EVERY}\n{url}".encode()).hexdigest()
    return Endpoint(f"we_{digest[:16]}", account or EVERY, Source.CONFIG, url, tuple(hears), at)


def create(endpoint: Endpoint) -> Program[None]:
    """Write a new endpoint. ConstraintBroken when the id is taken."""
    yield from ask(
        "endpoint_add",
        id=endpoint.id,
        account=endpoint.account,
        source=endpoint.source.value,
        url=endpoint.url,
        events=dump([each.value for each in endpoint.events]),
        at=endpoint.created,
    )
    yield from _subscribe(endpoint.id, endpoint.events)


def find(endpoint: str) -> Program[Endpoint | None]:
    """Find an endpoint."""
    row = yield from one("endpoint_find", id=endpoint)
    return _endpoint(row) if row else None


def list_(account: str | None = None) -> Program[list[Endpoint]]:
    """The endpoints of an account, or all there are; oldest first."""
    rows = yield from (ask("endpoints_all") if account is None else ask("endpoints_of", account=account))
    return [_endpoint(row) for row in rows]


def change(endpoint: str, url: str, hears: Iterable[EventType], at: int) -> Program[bool]:
    """Change where an endpoint is and what it hears of; False when there is none."""
    if (yield from one("endpoint_find", id=endpoint)) is None:
        return False
    yield from _change(endpoint, url, tuple(hears), at)
    return True


def disable(endpoint: str, why: Why, at: int) -> Program[bool]:
    """Stop telling an endpoint: what is pending is queued, and so is what comes. False when it is not active."""
    if (yield from one("endpoint_disable", id=endpoint, why=why.value, at=at)) is None:
        return False
    yield from ask("deliveries_queue", endpoint=endpoint)
    return True


def enable(endpoint: str, at: int) -> Program[bool]:
    """Tell an endpoint again, beginning with what was queued; False when it is not disabled."""
    return (yield from one("endpoint_enable", id=endpoint, at=at)) is not None


def drain(endpoint: str) -> Program[int | None]:
    """Begin to send what an endpoint has queued, and give how much that is; None when it is not active."""
    if (yield from one("endpoint_drain", id=endpoint)) is None:
        return None
    [row] = yield from ask("deliveries_queued", endpoint=endpoint)
    queued: int = row["n"]
    return queued


def draining() -> Program[list[str]]:
    """The endpoints whose queued deliveries are to be sent."""
    return [row["id"] for row in (yield from ask("endpoints_draining"))]


def rotate(endpoint: str, previous_until: int, at: int) -> Program[int | None]:
    """Go on to the next secret and give its number; None for an endpoint of the policy, which brings its own, or none."""
    row = yield from one("endpoint_rotate", id=endpoint, until=previous_until, at=at)
    return row["version"] if row else None


def delete(endpoint: str, at: int) -> Program[bool]:
    """Delete an endpoint and give up what waits for it; False when there is none."""
    if (yield from one("endpoint_delete", id=endpoint, at=at)) is None:
        return False
    yield from _subscribe(endpoint, ())
    yield from ask("deliveries_drop", endpoint=endpoint, at=at)
    return True


def test(endpoint: str, event_id: str, at: int) -> Program[str | None]:
    """Owe an active endpoint an event that only tries it out; give the delivery's id, None when it is not active."""
    found = yield from find(endpoint)
    if found is None or not found.is_active:
        return None
    return (yield from events.test(endpoint, found.account, event_id, at))


def sync(wanted: Iterable[Endpoint], previous_until: int, at: int) -> Program[None]:
    """Make the endpoints of the policy those that are wanted. One that is there keeps its history, and whether it is disabled.

    A secret that another one replaces still signs until `previous_until`.
    """
    by_id = {each.id: replace(each, source=Source.CONFIG) for each in wanted}
    for row in (yield from ask("endpoints_from", source=Source.CONFIG.value)):
        if row["id"] not in by_id:
            yield from delete(row["id"], at)
    for each in by_id.values():
        there = yield from one("endpoint_any", id=each.id)
        yield from (create(each) if there is None else _change(each.id, each.url, each.events, at))
        if each.sealed is not None:
            yield from ask("endpoint_seal", id=each.id, sealed=each.sealed, until=previous_until)


def forget_secrets(now: int) -> Program[None]:
    """Forget the replaced secrets that do not sign any more."""
    yield from ask("endpoints_unseal", now=now)


def _change(endpoint: str, url: str, hears: tuple[EventType, ...], at: int) -> Program[None]:
    yield from ask("endpoint_change", id=endpoint, url=url, events=dump([each.value for each in hears]), at=at)
    yield from _subscribe(endpoint, hears)


def _subscribe(endpoint: str, hears: Iterable[EventType]) -> Program[None]:
    """Make what an endpoint is told of these types alone."""
    wanted = {each.value for each in hears}
    for row in (yield from ask("subscriptions_of", endpoint=endpoint)):
        if row["type"] not in wanted:
            yield from ask("subscription_close", endpoint=endpoint, type=row["type"])
    for each in sorted(wanted):
        yield from ask("subscription_open", endpoint=endpoint, type=each)


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(
        id=row["id"],
        account=row["account_id"],
        source=Source(row["source"]),
        url=row["url"],
        events=tuple(EventType(each) for each in load(row["events"])),
        created=row["created"],
        version=row["version"],
        previous_until=row["previous_until"],
        why=Why(row["why"]) if row["why"] is not None else None,
        failures=row["failures"],
        draining=bool(row["draining"]),
        sealed=row["sealed"],
    )
