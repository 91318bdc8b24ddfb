"""The three ends of a generation. Each is one transaction: state, hold, entries and event together or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.generation import State
from gateway.ledger import alerts
from gateway.ledger.events import EventType, announce
from gateway.ledger.postings import REVENUE, post
from gateway.ledger.program import ConstraintBroken, Program, Row, ask, one
from gateway.ledger.records import ArtifactLike, Attempt, attempt, dump

CANCELS = 5  # times a provider is told to stop a job before it is left to run
# ms in which whoever walks an attempt closes it when its generation has ended, unless the process stopped; calls take 30 s.
SOON_CLOSED = 120_000


@dataclass(frozen=True, slots=True)
class Canceled:
    """The generation is canceled; its hold is back, and these attempts are still to be stopped at their providers."""

    credits_refunded: int
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """The account has no such generation, or it was deleted."""


@dataclass(frozen=True, slots=True)
class WrongState:
    """The generation has already ended."""

    state: State


def succeed(
    generation: str,
    attempt_id: int,
    artifacts: Sequence[ArtifactLike],
    *,
    captured: int,
    at: int,
    provider: str,
    reported_cost: int | None = None,
    others: bool = False,
) -> Program[bool]:
    """End with success: outputs recorded, `captured` millionths taken from the hold, the rest given back.

    `others` says that later attempts than this one were made, of which one may still run.

    False, and nothing changed, when the generation is not storing this attempt's outputs (any more). ValueError when there
    is no output or nothing to capture; ConstraintBroken when more than the hold would be captured.
    """
    if not artifacts or captured <= 0:
        raise ValueError("a success needs at least one output and an amount above zero to capture")
    ended = yield from one(
        "generation_succeed", id=generation, attempt=attempt_id, captured=captured, provider=provider, at=at
    )
    if ended is None:
        return False
    seq: int = ended["seq"]
    [won] = yield from ask("attempt_won", id=attempt_id, generation=seq, cost=reported_cost, at=at)
    if others or won["n"] > 1:
        yield from ask("attempts_lost", generation=seq)
        yield from _unattended(seq, at)
    for each in artifacts:
        yield from _keep(seq, each)
    hold = yield from one("hold_settle", generation=seq, captured=captured, at=at)
    owner = _held(hold, generation)
    yield from post(
        "settle",
        generation,
        source=owner["account_id"],
        target=REVENUE,
        amount=captured,
        released=owner["amount"],
        at=at,
    )
    yield from announce(EventType.COMPLETED, owner["account_id"], generation, seq, {}, at)
    return True


def fail(generation: str, error: Mapping[str, Any], at: int) -> Program[bool]:
    """End in failure and give the hold back; False when it had already ended."""
    ended = yield from one("generation_end", id=generation, state=State.FAILED.value, error=dump(error), at=at)
    if ended is None:
        return False
    owner = yield from _release(ended["seq"], generation, at)
    yield from _unattended(ended["seq"], at)
    yield from announce(EventType.FAILED, owner["account_id"], generation, ended["seq"], {}, at)
    return True


def cancel(account: str, generation: str, at: int) -> Program[Canceled | NotFound | WrongState]:
    """End because the caller says so, and give the hold back."""
    row = yield from one("generation_of", id=generation, account=account)
    if row is None:
        return NotFound()
    ended = yield from one("generation_end", id=generation, state=State.CANCELED.value, error=None, at=at)
    if ended is None:
        return WrongState(State(row["state"]))
    refunded: int = (yield from _release(row["seq"], generation, at))["amount"]
    yield from announce(EventType.CANCELED, account, generation, row["seq"], {"refunded": refunded}, at)
    yield from _unattended(row["seq"], at)
    tries = yield from ask("attempts_of", generation=row["seq"])
    return Canceled(refunded, tuple(each for each in map(attempt, tries) if each.state.is_open))


def _unattended(seq: int, at: int) -> Program[None]:
    yield from ask("attempts_unattended", generation=seq, due=at + SOON_CLOSED, cancels=CANCELS)


def _release(seq: int, generation: str, at: int) -> Program[Row]:
    owner = _held((yield from one("hold_release", generation=seq, at=at)), generation)
    [now] = yield from ask("account_release", account=owner["account_id"], amount=owner["amount"])
    yield from alerts.raised(owner["account_id"], now["available"])
    return owner


def _held(hold: Row | None, generation: str) -> Row:
    if hold is None:
        raise ConstraintBroken(f"the live generation {generation} has no open hold; run the ledger's checks")
    return hold


def _keep(seq: int, each: ArtifactLike) -> Program[None]:
    yield from ask(
        "artifact_add",
        generation=seq,
        idx=each.index,
        uri=each.uri,
        sha256=each.sha256,
        bytes=each.size,
        type=each.type,
        width=each.width,
        height=each.height,
    )
