"""Programs that accept, find, move and delete generations; how they end is in `endings`.

Every step is a compare-and-set: whoever comes second is told so by the result and changes nothing. Each program is one
transaction, money and state together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.fault import Reach
from gateway.generation import EDGES, Kind, State
from gateway.ledger import alerts, callbacks
from gateway.ledger.callbacks import Callback
from gateway.ledger.endings import Canceled, NotFound, WrongState, cancel, fail, succeed
from gateway.ledger.pages import page
from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import Record, dump, load, record

__all__ = [
    "Accepted",
    "Canceled",
    "Deleted",
    "Expired",
    "Idempotency",
    "KeyMismatch",
    "Lately",
    "NewGeneration",
    "NotFound",
    "Replay",
    "ShortOfCredit",
    "StillLive",
    "WrongState",
    "accept",
    "cancel",
    "delete",
    "expire",
    "fail",
    "find",
    "find_any",
    "forget_keys",
    "history",
    "live",
    "move",
    "page",
    "remove_files",
    "removed",
    "removing",
    "repeated",
    "seen",
    "shorten",
    "stale",
    "succeed",
]

# How long a key keeps its answer: the 24 hours that the native API promises.
KEY_LIFE = 24 * 60 * 60 * 1000
_FREE = frozenset({Reach.UNSENT, Reach.REFUSED})  # how far a call got that nobody charges for


@dataclass(frozen=True, slots=True)
class Lately:
    """Which generation a request without a key of its caller's own may be meant to repeat. Times in milliseconds.

    It was made after the one and before the other, and is under way or ended no sooner than `ended`.
    """

    after: int
    before: int
    ended: int


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key, the fingerprint of the whole request, and the answer to give again.

    With `lately` the key was made out of the request: it stands for the latest such generation, and a new one takes its place.
    """

    key: str
    fingerprint: str
    response: str
    lately: Lately | None = None


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A generation to accept. `price` is the hold, above zero, in millionths of a credit; times in milliseconds.

    `request` and `plan` are kept as JSON: the canonical fields with whatever has to be echoed, and the pinned steps. `key` is the
    id of the API key it is counted against, see `spending`; `callback` is who is told of it beside the account's endpoints,
    `owner` the lease under which it is under way, see `leases`.
    """

    id: str
    account: str
    kind: Kind
    model: str
    request: Mapping[str, Any]
    plan: Mapping[str, Any]
    order: tuple[str, ...]
    price: int
    created: int
    deadline: int
    adjustments: Sequence[Any] = ()
    idempotency: Idempotency | None = None
    key: str | None = None
    callback: Callback | None = None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The generation is written and its price is held; `available` is what the account has left, in millionths."""

    available: int


@dataclass(frozen=True, slots=True)
class Replay:
    """The key was used before for the same request: the answer given then, and how far that generation has come."""

    response: str
    generation: str
    state: State


@dataclass(frozen=True, slots=True)
class KeyMismatch:
    """The key was used before for another request."""

    generation: str


@dataclass(frozen=True, slots=True)
class ShortOfCredit:
    """The account cannot bear the price; `available` is what it has, in millionths."""

    available: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """The generation is gone for its caller; `uris` are the files still to be removed."""

    uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expired:
    """A generation that was kept long enough and is gone now; whether files of it may still be there, whatever became of it."""

    id: str
    has_files: bool


@dataclass(frozen=True, slots=True)
class StillLive:
    """The generation has not ended, so it cannot be deleted."""

    state: State


def accept(new: NewGeneration) -> Program[Accepted | Replay | KeyMismatch | ShortOfCredit]:
    """Hold the price and write the generation, or say why not. ValueError when the price is not above zero."""
    if new.price <= 0:
        raise ValueError(f"the price of a generation must be above zero, not {new.price}")
    if new.idempotency and (before := (yield from seen(new, new.idempotency))):
        return before
    held = yield from one("account_hold", account=new.account, amount=new.price)
    if held is None:
        balance = yield from one("account_balance", account=new.account)
        return ShortOfCredit(balance["posted"] - balance["held"] if balance else 0)
    [row] = yield from ask(
        "generation_add",
        id=new.id,
        account=new.account,
        kind=new.kind.value,
        model=new.model,
        request=dump(new.request),
        plan=dump(new.plan),
        adjustments=dump(list(new.adjustments)),
        order=dump(new.order),
        price=new.price,
        at=new.created,
        deadline=new.deadline,
        key=new.key,
        owner=new.owner,
    )
    seq: int = row["seq"]
    yield from ask("hold_open", generation=seq, account=new.account, amount=new.price, at=new.created)
    if new.callback is not None:
        yield from callbacks.register(seq, new.account, new.callback, new.created)
    if key := new.idempotency:
        yield from ask(
            "idempotency_put",
            account=new.account,
            key=key.key,
            fingerprint=key.fingerprint,
            generation=seq,
            response=key.response,
            at=new.created,
        )
    yield from alerts.lowered(new.account, held["available"], new.id, seq, new.created)
    return Accepted(held["available"])


def seen(new: NewGeneration, key: Idempotency) -> Program[Replay | KeyMismatch | None]:
    """What the caller's key was used for before; None when it is new, or its time is over."""
    return (yield from repeated(new.account, key, new.created))


def repeated(account: str, key: Idempotency, now: int) -> Program[Replay | KeyMismatch | None]:
    """What a key of this account was used for before; None when it is new, or its time is over."""
    if key.lately is not None and key.lately.before <= key.lately.after:
        return None  # no generation can be meant
    row = yield from one("idempotency_find", account=account, key=key.key)
    if row is None or not stands(row, key.lately, now):
        return None
    if row["fingerprint"] != key.fingerprint:
        return KeyMismatch(row["id"])
    return Replay(row["response"], row["id"], State(row["state"]))


def stands(row: Row, lately: Lately | None, now: int) -> bool:
    """Whether what a key was used for is what it stands for now: its time is not over, and it is meant."""
    return row["created"] > now - KEY_LIFE and (lately is None or _is_meant(row, lately))


def shorten(generation: str, request: Mapping[str, Any]) -> Program[bool]:
    """Keep this in place of what an ended generation was asked for, whose files were in it; False when it is not there."""
    return (yield from one("generation_shorten", id=generation, request=dump(request))) is not None


def _is_meant(row: Row, lately: Lately) -> bool:
    """Whether a request sent again means this generation: one that failed and cost nothing is rather made anew."""
    if row["deleted"] is not None or not lately.after < row["made"] < lately.before:
        return False
    if row["ended"] is not None and row["ended"] < lately.ended:
        return False
    return State(row["state"]) is not State.FAILED or not _may_begin_again(load(row["error"]) or {})


def _may_begin_again(error: Mapping[str, Any]) -> bool:
    """Whether another try at what failed may succeed, and cannot be paid for twice."""
    free = all(each.get("reach") in _FREE for each in error.get("errors", ()))
    return bool(error.get("retryable", False)) and free


def forget_keys(before: int, limit: int = 500) -> Program[int]:
    """Forget up to `limit` idempotency keys used before a time; give how many went."""
    return len((yield from ask("idempotency_forget", before=before, limit=limit)))


def find(account: str, generation: str, *, attempts: bool = False) -> Program[Record | None]:
    """Find a generation of an account, with its outputs and, if wanted, its attempts. Deleted ones are not found."""
    row = yield from one("generation_of", id=generation, account=account)
    return (yield from _whole(row, attempts=attempts)) if row else None


def find_any(generation: str, *, attempts: bool = False) -> Program[Record | None]:
    """Find a generation whoever it belongs to. Deleted ones are not found."""
    row = yield from one("generation_any", id=generation)
    return (yield from _whole(row, attempts=attempts)) if row else None


def history(generation: str) -> Program[list[tuple[State, int]]]:
    """Every state a generation has been in, and since when in ms."""
    return [(State(row["state"]), row["at"]) for row in (yield from ask("transitions_of", id=generation))]


def _whole(row: Any, *, attempts: bool) -> Program[Record]:
    # Only a success has outputs, so the others save the look.
    files = (yield from ask("artifacts_of", generation=row["seq"])) if row["state"] == State.SUCCEEDED else []
    tries = (yield from ask("attempts_of", generation=row["seq"])) if attempts else []
    return record(row, files, tries)


def live() -> Program[list[tuple[str, str]]]:
    """Account and id of all generations that have not ended, oldest first: what a restart takes up again."""
    return [(row["account_id"], row["id"]) for row in (yield from ask("generations_live"))]


def move(generation: str, a: State, b: State, at: int) -> Program[bool]:
    """Take a generation from one live state to another; False when it is not there (any more). ValueError if no such step."""
    if (a, b) not in EDGES or b.is_final:
        raise ValueError(f"there is no plain step from {a.value} to {b.value}")
    return (yield from one("generation_move", id=generation, a=a.value, b=b.value, at=at)) is not None


def delete(account: str, generation: str, at: int) -> Program[Deleted | NotFound | StillLive]:
    """Delete an ended generation for its caller: content is scrubbed at once, money and counts stay on record."""
    row = yield from one("generation_of", id=generation, account=account)
    if row is None:
        return NotFound()
    if not (state := State(row["state"])).is_final:
        return StillLive(state)
    kept = [] if row["removed"] is not None else (yield from ask("artifacts_of", generation=row["seq"]))
    files = tuple(file["uri"] for file in kept)
    yield from _scrub(row, at)
    return Deleted(files)


def expire(before: int, at: int, limit: int = 50) -> Program[list[Expired]]:
    """Delete some of the generations that ended before a time, as their callers could; the oldest first."""
    rows = yield from ask("generations_outdated", before=before, limit=limit)
    for row in rows:
        yield from _scrub(row, at)
    return [Expired(row["id"], row["removed"] is None) for row in rows]


def _scrub(row: Row, at: int) -> Program[None]:
    yield from ask("generation_scrub", id=row["id"], account=row["account_id"], at=at)
    yield from ask("artifacts_scrub", generation=row["seq"])
    yield from ask("attempts_scrub", generation=row["seq"])
    yield from ask("account_uncount", account=row["account_id"])


def remove_files(generation: str, at: int) -> Program[bool]:
    """Mark the files of an ended generation as gone; False when they were already, or it has not ended."""
    row = yield from one("generation_removed", id=generation, at=at)
    if row is not None:
        yield from ask("artifacts_scrub", generation=row["seq"])
    return row is not None


def removing(limit: int = 500) -> Program[list[str]]:
    """The ids of some generations that are said to have no files any more, and may still have some."""
    return [row["id"] for row in (yield from ask("artifacts_removing", limit=limit))]


def removed(ids: Sequence[str]) -> Program[None]:
    """Note that the files of these generations are removed."""
    for each in ids:
        yield from ask("artifacts_removed", id=each)


def stale(before: int, limit: int = 100) -> Program[list[str]]:
    """The ids of generations that succeeded before a time and still have their files, oldest first."""
    return [row["id"] for row in (yield from ask("generations_stale", before=before, limit=limit))]
