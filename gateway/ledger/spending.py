"""Programs about what a key may spend: a generation is accepted within its key's budget and its cap on work under way.

A key and those that replaced it count as one, so that a rotation neither doubles a budget nor forgets what was spent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.ledger import generations
from gateway.ledger.generations import Accepted, KeyMismatch, NewGeneration, Replay, ShortOfCredit
from gateway.ledger.keys import KeyRow, Per
from gateway.ledger.program import Program, Row, ask, one

DAY = 24 * 60 * 60 * 1000  # ms


@dataclass(frozen=True, slots=True)
class OverBudget:
    """The key's budget does not bear the price; `left` is what it has, in millionths."""

    left: int
    per: Per


@dataclass(frozen=True, slots=True)
class Busy:
    """As many generations of the key are under way as it may have."""

    most: int


Answer = Accepted | Replay | KeyMismatch | ShortOfCredit | OverBudget | Busy


def accept(new: NewGeneration, key_id: str | None) -> Program[Answer]:
    """Accept a generation as `generations.accept` does, within what the key may spend; a repeated request is no new one.

    A key that is not in the store, as where none is asked for, has neither budget nor cap.
    """
    caps = (yield from one("key_caps", id=key_id)) if key_id is not None else None
    if caps is None:
        return (yield from generations.accept(new))
    new = replace(new, key=key_id)
    if caps["in_flight"] is None and caps["budget"] is None:
        return (yield from generations.accept(new))
    if new.idempotency and (before := (yield from generations.seen(new, new.idempotency))):
        return before
    refused = yield from _refused(caps, new)
    return refused or (yield from generations.accept(new))


def spent(key: KeyRow, now: int) -> Program[int]:
    """What a key has spent and set aside, in millionths: today if its budget is for a day, else in all."""
    return (yield from _spent(key.first, key.caps.per, now))


def _spent(family: str, per: Per, now: int) -> Program[int]:
    [row] = yield from ask("key_spent", family=family, since=now // DAY if per is Per.DAY else 0)
    amount: int = row["amount"]
    return amount


def _refused(caps: Row, new: NewGeneration) -> Program[OverBudget | Busy | None]:
    family, most, budget = caps["family"], caps["in_flight"], caps["budget"]
    if most is not None and (yield from ask("key_under_way", family=family, beyond=most - 1)):
        return Busy(most)
    if budget is not None:
        per = Per(caps["budget_per"])
        left: int = budget - (yield from _spent(family, per, new.created))
        if new.price > left:
            return OverBudget(max(left, 0), per)
    return None
