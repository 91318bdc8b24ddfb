"""Programs that open, keep and close attempts, each together with the step it means for its generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.fault import PERMITS, Effect
from gateway.generation import State
from gateway.ledger.endings import CANCELS
from gateway.ledger.events import EventType, announce
from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import Attempt, attempt, dump, load
from gateway.outcome import AttemptState, Billing


@dataclass(frozen=True, slots=True)
class After:
    """What is still to be done about an attempt nobody waits for.

    `due` is when, in milliseconds, or None for nothing; `cancels` how many more times its provider may be told to stop.
    """

    due: int | None
    cancels: int = 0


NOTHING = After(None)
_COUNTS = {kind.value for kind, permit in PERMITS.items() if permit.breaker is not Effect.NONE}


@dataclass(frozen=True, slots=True)
class Unattended:
    """An attempt nobody waits for that something is due for, and its model; `cancels` as in `After`.

    `origin` is what is kept of the request that its generation comes from.
    """

    attempt: Attempt
    model: str
    cancels: int
    origin: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of an attempt: used, failed or discarded. Times in milliseconds since the epoch.

    `ran` is how many ms its job ran, None where that is not known; it was seen to have ended some time after it had.
    """

    provider: str
    model: str
    form: int
    outcome: str
    started: int
    ended: int
    ran: int | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The provider gave a reference that another attempt already holds."""

    attempt: int


def open_attempt(
    generation: str, n: int, *, provider: str, native: str, form: int, price: int, at: int, beside: bool = False
) -> Program[int | None]:
    """Write the intent before the first byte leaves; give the attempt's id, or None when the generation has ended.

    `n` counts from 1 within the generation; ConstraintBroken when it is taken. One `beside` another leaves the generation where it
    is, and gets none when that is no longer running.
    """
    if beside:
        moved = yield from one("generation_beside", id=generation)
    else:
        moved = yield from one("generation_submitting", id=generation, at=at)
    if moved is None:
        return None
    seq: int = moved["seq"]
    [row] = yield from ask(
        "attempt_open", generation=seq, n=n, provider=provider, native=native, form=form, price=price, at=at
    )
    attempt_id: int = row["id"]
    return attempt_id


def submitted(attempt_id: int, ref: str | None, kept: Mapping[str, Any], at: int) -> Program[bool | Duplicate]:
    """Keep how to find the job again, and take the generation to running.

    False when the generation no longer waits for this attempt. The reference is kept even then, if the attempt was still
    submitting, so that the job can be stopped at its provider.
    """
    row = yield from one("attempt_submitted", id=attempt_id, ref=ref, kept=dump(kept), at=at)
    if row is None:
        holder = yield from one("attempt_holder", id=attempt_id, ref=ref)
        return Duplicate(holder["id"]) if holder else False
    moved = yield from one("generation_running", generation=row["generation"], ref=ref, at=at)
    if moved is None:
        return (yield from one("generation_runs", generation=row["generation"])) is not None  # with another beside it
    yield from _started(moved, row["provider"], ref, at)
    return True


def storing(attempt_id: int, outputs: Sequence[Mapping[str, Any]], at: int) -> Program[bool]:
    """Keep what the provider handed over, before it is made ours; False when nobody waits for it any more.

    Outputs that came as bytes do not belong here: pass what describes them.
    """
    row = yield from one("attempt_storing", id=attempt_id, outputs=dump(list(outputs)), at=at)
    if row is None:
        return False
    [moved] = yield from ask("generation_storing", generation=row["generation"], at=at)
    yield from _started(moved, row["provider"], row["ref"], at)
    return True


def _started(generation: Row, provider: str, ref: str | None, at: int) -> Program[None]:
    """Announce that a provider has the work; said once, whoever else is asked later."""
    data = {"provider": provider, "prediction": ref}
    yield from announce(EventType.STARTED, generation["account_id"], generation["id"], generation["seq"], data, at)


def close_attempt(
    attempt_id: int,
    state: AttemptState,
    fault: Mapping[str, Any],
    billing: Billing,
    at: int,
    *,
    cost: int | None = None,
    after: After = NOTHING,
) -> Program[bool]:
    """End an open attempt as error, in doubt or abandoned; False when it had ended. The generation stays where it is.

    `cost` is what the provider reported, in millionths. ValueError for a state that is no such end.
    """
    if state.is_open or state is AttemptState.DONE:
        raise ValueError(f"an attempt is not closed as {state.value}")
    row = yield from one(
        "attempt_close",
        id=attempt_id,
        state=state.value,
        fault=dump(fault),
        billing=billing.value,
        cost=cost,
        at=at,
        due=after.due,
        cancels=after.cancels,
    )
    return row is not None


def late(attempt_id: int, cost: int | None = None) -> Program[bool]:
    """Note that a job nobody waited for was done after all: billed, and its result thrown away. False when noted before."""
    return (yield from one("attempt_late", id=attempt_id, cost=cost)) is not None


def leave(attempt_id: int, at: int) -> Program[bool]:
    """Leave an open attempt to itself: its generation goes on with another. False when it had ended."""
    return (yield from one("attempt_leave", id=attempt_id, due=at, cancels=CANCELS)) is not None


def due(at: int, limit: int) -> Program[list[Unattended]]:
    """Some of the attempts that something is due for, the most overdue first."""
    rows = yield from ask("attempts_due", at=at, limit=limit)
    return [Unattended(attempt(row), row["model"], row["cancels"], load(row["plan"]).get("origin", {})) for row in rows]


def put_off(attempt_id: int, after: After) -> Program[bool]:
    """Say what is to be done next about an attempt nobody waits for; False when nothing was to be done any more."""
    row = yield from one("attempt_put_off", id=attempt_id, due=after.due, cancels=after.cancels)
    return row is not None


def find(attempt_id: int) -> Program[Attempt | None]:
    """Find an attempt by its id."""
    row = yield from one("attempt_find", id=attempt_id)
    return attempt(row) if row else None


def recent(since: int, limit: int) -> Program[list[Finished]]:
    """Of the latest `limit` attempts those that ended since a time and say something of their provider, newest first.

    Left out is what the caller gave up on, and what failed for no fault of the provider or for one deleted since.
    """
    rows = yield from ask("attempts_recent", since=since, limit=limit)
    told = ((row, _outcome(row)) for row in rows)
    return [
        Finished(row["provider"], row["model"], row["form"], said, row["started"], row["ended"], row["ran"])
        for row, said in told
        if said
    ]


def _outcome(row: Row) -> str | None:
    """What an ended attempt says of its provider, if anything."""
    state = AttemptState(row["state"])
    if row["won"]:
        return "used"
    if row["generation_state"] == State.CANCELED and state is not AttemptState.ERROR:
        return None
    if state is AttemptState.ABANDONED or row["double_spend"]:
        return "discarded"
    kind = (load(row["fault"]) or {}).get("kind")
    return "failed" if kind in _COUNTS else None
