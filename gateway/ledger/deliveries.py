"""Programs about deliveries: what is due, how an attempt went, and what is sent again by hand.

Every step is a compare-and-set on the state and on how many attempts were made, so that an attempt is counted once, and one
whose endpoint was disabled or deleted meanwhile changes nothing but, if it arrived, that it did.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.generation import State
from gateway.ledger import endpoints
from gateway.ledger.endpoints import Source, Why
from gateway.ledger.events import EventType
from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import Record, load, record

_MOST_ENDPOINTS = 500  # with something due, looked at in one turn; the others come in the next
_MOST_COUNTED = 10_000  # waiting deliveries that are counted; more are as alarming


class DeliveryState(StrEnum):
    """How far a delivery is; the last three are final."""

    PENDING = "pending"
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that is to be attempted: its event, the generation it is about as it is now, and where it goes.

    `attempts` is how many there were; `happened` is when the event was, in milliseconds. `previous` is the sealed secret that was
    replaced in the policy. `dialect` is there when it is told to somebody named with the generation, in the words of another API.
    """

    seq: int
    id: str
    attempts: int
    type: EventType
    account: str
    data: Mapping[str, Any]
    happened: int
    record: Record | None
    endpoint: str
    url: str
    source: Source
    version: int
    previous_until: int | None
    previous: str | None = None
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What is due, and whose turn was last; when the next is due, in milliseconds, if there is one; how many wait in all.

    `draining` are the endpoints whose queued deliveries are to be sent.
    """

    due: tuple[Due, ...]
    last: str
    next_at: int | None
    backlog: int
    draining: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be taken: `most` in all, per endpoint what `of` says and `usual` where it says nothing.

    `held` is what is under way, by endpoint, and is not taken again; `after` is the endpoint to begin behind, so that turns
    go round.
    """

    most: int
    usual: int
    of: Mapping[str, int]
    held: Mapping[str, Collection[int]]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Attempted:
    """How an attempt went. `next_at` is None when there is no other; `status` is the answer's, `error` why it failed."""

    began: int
    ended: int
    arrived: bool
    next_at: int | None = None
    status: int | None = None
    error: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """What an attempt means for its endpoint: failures in a row, and why it was disabled by this one, if it was."""

    failures: int
    disabled: Why | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as people see it. Times in milliseconds."""

    id: str
    endpoint: str
    event: str
    type: EventType
    account: str
    generation: str | None
    state: DeliveryState
    attempts: int
    next_at: int | None
    status: int | None
    error: str | None
    created: int
    attempted: int | None
    ended: int | None
    replay_of: str | None


def due(now: int, room: Room) -> Program[Found]:
    """What is due and may be taken, fairly: every endpoint gets some before one gets more."""
    free = yield from _free(now, room)
    share = max(1, room.most // max(1, len(free)))
    found: list[Due] = []
    last = room.after
    for endpoint in free:
        if len(found) >= room.most:
            break
        held = room.held.get(endpoint, ())
        limit = min(room.of.get(endpoint, room.usual), share, room.most - len(found))
        rows = yield from ask("deliveries_due", endpoint=endpoint, now=now, limit=limit + len(held))
        for row in [row for row in rows if row["seq"] not in held][:limit]:
            found.append((yield from _due(row)))  # noqa: PERF401 - a comprehension cannot ask the store
        last = endpoint
    following = yield from one("delivery_next", now=now)
    [counted] = yield from ask("usage_backlog", limit=_MOST_COUNTED)
    draining = yield from endpoints.draining()
    return Found(tuple(found), last, following["next_at"] if following else None, counted["n"], tuple(draining))


def take(endpoint: str, delivery_id: str, until: int) -> Program[Due | None]:
    """Take the oldest queued delivery of an endpoint that is drained; None, and the draining is over, when there is none.

    It goes under a new id, and is nobody else's until the lease ends.
    """
    taken = yield from one("delivery_take", endpoint=endpoint, id=delivery_id, until=until)
    if taken is None:
        yield from ask("endpoint_drained", id=endpoint)
        return None
    [row] = yield from ask("delivery_whole", seq=taken["seq"])
    return (yield from _due(row))


def attempted(delivery: Due, went: Attempted, disable_after: int) -> Program[Noted | None]:
    """Note how an attempt went, and what that means for the endpoint; None when nobody waited for it any more."""
    state = (
        DeliveryState.DELIVERED
        if went.arrived
        else DeliveryState.FAILED
        if went.next_at is None
        else DeliveryState.PENDING
    )
    noted = yield from one(
        "delivery_attempted",
        seq=delivery.seq,
        attempts=delivery.attempts,
        state=state.value,
        next=went.next_at,
        status=went.status,
        error=went.error,
        at=went.ended,
        ended=None if state is DeliveryState.PENDING else went.ended,
    )
    if went.arrived:
        if noted is None:
            noted = yield from one(
                "delivery_arrived", seq=delivery.seq, attempts=delivery.attempts, status=went.status, at=went.ended
            )
        yield from ask("endpoint_answered", id=delivery.endpoint)
        return Noted(0) if noted else None
    return (yield from _failed(delivery, went, disable_after)) if noted else None


def _failed(delivery: Due, went: Attempted, disable_after: int) -> Program[Noted]:
    row = yield from one("endpoint_failed", id=delivery.endpoint, began=went.began, at=went.ended)
    failures = row["failures"] if row else 1
    if delivery.dialect is not None:
        return Noted(failures)  # nobody could enable it again: what is not told in time is not told
    why = Why.GONE if went.gone else Why.FAILURES if failures >= disable_after else None
    if why is not None and not (yield from endpoints.disable(delivery.endpoint, why, went.ended)):
        why = None
    return Noted(failures, why)


def expire(before: int, at: int) -> Program[int]:
    """Give up what was queued before a moment; give how many that were."""
    return len((yield from ask("deliveries_expire", before=before, at=at)))


def page(endpoint: str, limit: int, offset: int = 0) -> Program[list[Delivery]]:
    """Some deliveries to an endpoint, newest first."""
    rows = yield from ask("deliveries_page", endpoint=endpoint, limit=limit, offset=offset)
    return [_delivery(row) for row in rows]


def endpoint_of(delivery: str) -> Program[str | None]:
    """The endpoint a delivery goes to, if there is such a delivery and the endpoint is not deleted."""
    row = yield from one("delivery_find", id=delivery)
    return row["endpoint"] if row else None


def replay(endpoint: str, delivery: str, new_id: str, at: int) -> Program[bool]:
    """Tell an active endpoint once more what a delivery told; False when it is not active or that delivery is not its own."""
    row = yield from one("delivery_find", id=delivery)
    if row is None or row["endpoint"] != endpoint or row["state"] != "active":
        return False
    yield from ask(
        "event_owe", id=new_id, endpoint=endpoint, event=row["event"], replay=delivery, state="pending", next=at, at=at
    )
    return True


def _free(now: int, room: Room) -> Program[list[str]]:
    """The endpoints at which something is due and may be taken, beginning behind the one whose turn was last."""
    found: list[str] = []
    if room.most <= 0:
        return found
    for first, last in ((room.after, None), ("", room.after)):
        at = first
        while len(found) < _MOST_ENDPOINTS:
            row = yield from one("delivery_endpoint_after", after=at, now=now)
            if row is None or (last is not None and row["endpoint"] > last):
                break
            at = row["endpoint"]
            if room.of.get(at, room.usual) > 0:
                found.append(at)
    return found


def _due(row: Row) -> Program[Due]:
    told = (yield from _record(row["generation"])) if row["generation"] is not None else None
    return Due(
        seq=row["seq"],
        id=row["id"],
        attempts=row["attempts"],
        type=EventType(row["type"]),
        account=row["account_id"],
        data=load(row["data"]),
        happened=row["happened"],
        record=told,
        endpoint=row["endpoint"],
        url=row["url"],
        source=Source(row["source"]),
        version=row["version"],
        previous_until=row["previous_until"],
        previous=row["previous"],
        dialect=row["dialect"],
    )


def _record(seq: int) -> Program[Record]:
    [row] = yield from ask("generation_of_event", seq=seq)
    files = (yield from ask("artifacts_of", generation=seq)) if row["state"] == State.SUCCEEDED else []
    return record(row, files)


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        endpoint=row["endpoint"],
        event=row["event_id"],
        type=EventType(row["type"]),
        account=row["account_id"],
        generation=row["generation_id"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        status=row["status"],
        error=row["error"],
        created=row["created"],
        attempted=row["attempted"],
        ended=row["ended"],
        replay_of=row["replay_of"],
    )
