"""Programs about what accounts and keys may spend, and how much of their work may be under way.

A generation is accepted within all of it, and refused before anything is held. A key and those that replaced it count as one, so
that a rotation neither doubles a budget nor forgets what was spent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.generation import Kind
from gateway.ledger import accounts, generations
from gateway.ledger.accounts import NO_CAPS, Allowance, allowance
from gateway.ledger.generations import Accepted, KeyMismatch, NewGeneration, Replay, ShortOfCredit
from gateway.ledger.keys import KeyRow, Per
from gateway.ledger.program import Program, Row, ask, one

DAY = 24 * 60 * 60 * 1000  # ms


@dataclass(frozen=True, slots=True)
class OverBudget:
    """A budget does not bear the price: the key's, or the account's for a day; `left` is what it has, in millionths."""

    left: int
    per: Per
    of_key: bool = True


@dataclass(frozen=True, slots=True)
class Busy:
    """As many generations are under way as the key, or the account, may have; of one `kind` where that is said."""

    most: int
    kind: Kind | None = None
    of_key: bool = True


Refused = Replay | KeyMismatch | ShortOfCredit | OverBudget | Busy
Answer = Accepted | Refused


def accept(new: NewGeneration, key_id: str | None, usual: Allowance = NO_CAPS) -> Program[Answer]:
    """Accept a generation as `generations.accept` does, within what account and key may; a repeated request is no new one.

    An account is held to `usual` where nothing else is said of it. A key that is not in the store, as where none is asked for,
    has neither budget nor cap.
    """
    caps = yield from one("caps", account=new.account, key=key_id)
    if caps is None:
        return (yield from generations.accept(new))
    new = replace(new, key=caps["key_id"])
    allowed = allowance(caps).over(usual)
    if not _is_held(caps, allowed, new.kind):
        return (yield from generations.accept(new))
    if new.idempotency and (before := (yield from generations.seen(new, new.idempotency))):
        return before
    refused = (yield from _too_many(caps, allowed, new)) or (yield from _too_much(caps, allowed, new))
    return refused or (yield from generations.accept(new))


def spent(key: KeyRow, now: int) -> Program[int]:
    """What a key has spent and set aside, in millionths: today if its budget is for a day, else in all."""
    return (yield from _spent(key.first, key.caps.per, now))


def is_capped(caps: Row, kind: Kind, usual: Allowance) -> bool:
    """Whether anything limits what may begin, by a row about an account and a key."""
    return _is_held(caps, allowance(caps).over(usual), kind)


def _is_held(caps: Row, allowed: Allowance, kind: Kind) -> bool:
    limits = (_of(kind, allowed), allowed.daily, caps["in_flight"], caps[_COLUMN[kind]], caps["budget"])
    return any(limit is not None for limit in limits)


def _too_many(caps: Row, allowed: Allowance, new: NewGeneration) -> Program[Busy | None]:
    family, kind = caps["family"], new.kind
    most: int | None = _of(kind, allowed)
    if most is not None:
        full = yield from ask("account_under_way", account=new.account, kind=kind.value, beyond=most - 1)
        if full:
            return Busy(most, kind, of_key=False)
    most = caps[_COLUMN[kind]]
    if most is not None and (yield from ask("key_under_way_of", family=family, kind=kind.value, beyond=most - 1)):
        return Busy(most, kind)
    most = caps["in_flight"]
    if most is not None and (yield from ask("key_under_way", family=family, beyond=most - 1)):
        return Busy(most)
    return None


def _too_much(caps: Row, allowed: Allowance, new: NewGeneration) -> Program[OverBudget | None]:
    if caps["budget"] is not None:
        per = Per(caps["budget_per"])
        left: int = caps["budget"] - (yield from _spent(caps["family"], per, new.created))
        if new.price > left:
            return OverBudget(max(left, 0), per)
    if allowed.daily is not None:
        left = allowed.daily - (yield from accounts.spent(new.account, new.created // DAY))
        if new.price > left:
            return OverBudget(max(left, 0), Per.DAY, of_key=False)
    return None


def _spent(family: str, per: Per, now: int) -> Program[int]:
    [row] = yield from ask("key_spent", family=family, since=now // DAY if per is Per.DAY else 0)
    amount: int = row["amount"]
    return amount


_COLUMN = {Kind.IMAGE: "images", Kind.VIDEO: "videos"}


def _of(kind: Kind, allowed: Allowance) -> int | None:
    return allowed.images if kind is Kind.IMAGE else allowed.videos
