"""Programs that write what there is to tell, in the transaction that causes it.

An event is written only if somebody wants to hear of it at that moment, together with one delivery for each who does. Its id
follows from the generation and the type, a delivery's from the event and the endpoint: the programs need no randomness, and
nothing can be announced twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from gateway.ledger.program import Program, Row, SQLValue, ask, one
from gateway.ledger.records import dump

# Drawn once; it keeps these ids apart from all others that are made by name.
_NAMES = UUID("0d1c4c1e-6c0b-4b53-9a36-3f2f8a5f7c11")


class EventType(StrEnum):
    """What can be told."""

    STARTED = "generation.started"
    COMPLETED = "generation.completed"
    FAILED = "generation.failed"
    CANCELED = "generation.canceled"
    LOW_BALANCE = "credits.low_balance"
    TEST = "webhook.test"


# What an endpoint hears of when nothing else is said, and all it can ask for: a test is sent by hand alone.
USUAL = (EventType.STARTED, EventType.COMPLETED, EventType.FAILED, EventType.CANCELED)
OFFERED = (*USUAL, EventType.LOW_BALANCE)


def announce(
    type_: EventType, account: str, generation: str, seq: int, data: Mapping[str, Any], at: int
) -> Program[None]:
    """Write what happened to a generation and owe it to everybody who wants to hear of it; once, however often it is called.

    `seq` is the generation's number. `data` is what may be another thing when it is told.
    """
    listeners = yield from ask("event_listeners", type=type_.value, account=account, generation=seq)
    if not listeners:
        return
    event = uuid5(_NAMES, f"{generation}/{type_.value}")
    row = yield from one(
        "event_write", id=str(event), account=account, generation=seq, type=type_.value, data=dump(data), at=at
    )
    if row is not None:
        for listener in listeners:
            yield from _owe(row["seq"], event, listener, at)


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a generation, as `announce` takes it."""

    type: EventType
    account: str
    generation: str
    seq: int
    data: Mapping[str, Any]
    at: int

    @property
    def id(self) -> UUID:
        """The id of its event."""
        return uuid5(_NAMES, f"{self.generation}/{self.type.value}")


def announce_all(happened: Sequence[Happening]) -> Program[None]:
    """Announce several things by the statements of one."""
    asked = {
        str(place): {"type": each.type.value, "account": each.account, "seq": each.seq}
        for place, each in enumerate(happened)
    }
    found = yield from ask("events_listeners", rows=dump(asked))
    if not found:
        return
    listeners = sorted(found, key=lambda row: int(row["place"]))  # in the order in which it happened
    heard = {row["place"]: happened[int(row["place"])] for row in listeners}
    rows = {
        place: {**asked[place], "id": str(each.id), "data": dump(each.data), "at": each.at}
        for place, each in heard.items()
    }
    written = {row["id"]: row["seq"] for row in (yield from ask("events_write", rows=dump(rows)))}
    owed = {
        str(number): _owed(heard[row["place"]], written[str(heard[row["place"]].id)], row)
        for number, row in enumerate(listeners)
        if str(heard[row["place"]].id) in written
    }
    if owed:
        yield from ask("events_owe", rows=dump(owed))


def _owed(event: Happening, seq: int, listener: Row) -> dict[str, SQLValue]:
    is_active = listener["state"] == "active"
    return {
        "id": str(uuid5(event.id, listener["endpoint"])),
        "endpoint": listener["endpoint"],
        "event": seq,
        "state": "pending" if is_active else "queued",
        "next": event.at if is_active else None,
        "at": event.at,
    }


def test(endpoint: str, account: str, event_id: str, at: int) -> Program[str]:
    """Write an event that only tries an endpoint out, and give the id of its delivery."""
    event = UUID(event_id)
    [row] = yield from ask(
        "event_write", id=str(event), account=account, generation=None, type=EventType.TEST.value, data="{}", at=at
    )
    [found] = yield from ask("endpoint_find", id=endpoint)
    return (yield from _owe(row["seq"], event, {"endpoint": endpoint, "state": found["state"]}, at))


def forget(before: int, limit: int = 100) -> Program[int]:
    """Remove up to `limit` events from before a time, with their deliveries, and give how many went.

    One stays that is about something live, or has a delivery that is owed or ended since.
    """
    outdated = yield from ask("events_outdated", before=before, limit=limit)
    for row in outdated:
        yield from ask("deliveries_forget", event=row["seq"])
        yield from ask("callback_forget", event=row["seq"])
        yield from ask("event_forget", event=row["seq"])
    if outdated:
        yield from ask("events_since", before=before)
    return len(outdated)


def _owe(seq: int, event: UUID, listener: Row | Mapping[str, Any], at: int) -> Program[str]:
    delivery = str(uuid5(event, listener["endpoint"]))
    is_active = listener["state"] == "active"
    yield from ask(
        "event_owe",
        id=delivery,
        endpoint=listener["endpoint"],
        event=seq,
        replay=None,
        state="pending" if is_active else "queued",
        next=at if is_active else None,
        at=at,
    )
    return delivery
