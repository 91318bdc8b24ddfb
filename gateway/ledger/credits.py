"""Programs about an account's credits: adding, showing, listing, and whether a balance is needed."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import alerts
from gateway.ledger.postings import SOURCE, post
from gateway.ledger.program import Program, Row, ask, one

# 9,999,999.999 credits, the largest amount that NUMERIC(10,3) of the native API can say, in millionths.
LARGEST = 9_999_999_999_000
_NONE = 2**62  # above every number of an entry there will be


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has, in millionths of a credit."""

    posted: int
    held: int

    @property
    def available(self) -> int:
        """What can still be spent."""
        return self.posted - self.held


@dataclass(frozen=True, slots=True)
class Added:
    """The credits were added."""

    balance: Balance


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same reference had added the same amount before; nothing changed."""

    amount: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The same reference had added another amount before, this one; nothing changed."""

    amount: int


@dataclass(frozen=True, slots=True)
class NoAccount:
    """There is no such account."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of credits: `kind` is add or settle, `reference` the caller's own or the generation's id.

    `delta` and `balance` are in millionths; `balance` is what was posted right after it.
    """

    seq: int
    kind: str
    reference: str
    note: str
    delta: int
    balance: int
    at: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What moved within a span, in millionths: what was there before, what came, what went, and the entries, oldest first.

    `movements` counts all entries of the span, though only some may be given.
    """

    opening: int
    added: int
    charged: int
    movements: int
    entries: tuple[Entry, ...]

    @property
    def closing(self) -> int:
        """What was there after it."""
        return self.opening + self.added - self.charged


def add(
    account: str, amount: int, reference: str, note: str, at: int
) -> Program[Added | Repeated | Mismatch | NoAccount]:
    """Add `amount` millionths, once per account and reference. ValueError for an amount or a reference out of bounds."""
    if not 0 < amount <= LARGEST:
        raise ValueError("the amount must be above 0 and at most 9,999,999.999 credits")
    if not reference:
        raise ValueError("the reference must not be empty; it is what makes a repeated request harmless")
    balance = yield from _balance(account)
    if balance is None:
        return NoAccount()
    ref = f"{account}/{reference}"
    before = yield from one("txn_delta", kind="add", ref=ref, account=account)
    if before:
        return Repeated(amount, balance) if before["delta"] == amount else Mismatch(before["delta"])
    yield from post("add", ref, source=SOURCE, target=account, amount=amount, note=note, at=at)
    yield from ask("account_enforce", account=account)
    now = Balance(balance.posted + amount, balance.held)
    yield from alerts.raised(account, now.available)
    return Added(now)


def show(account: str) -> Program[Balance]:
    """What an account has; nothing, for one that does not exist."""
    return (yield from _balance(account)) or Balance(0, 0)


def _balance(account: str) -> Program[Balance | None]:
    row = yield from one("account_balance", account=account)
    return Balance(row["posted"], row["held"]) if row else None


def entries(account: str, limit: int = 50, offset: int = 0) -> Program[list[Entry]]:
    """Some movements of an account's credits, newest first."""
    rows = yield from ask("entries_page", account=account, limit=limit, offset=offset)
    return [_entry(account, row) for row in rows]


def statement(account: str, since: int, until: int, limit: int) -> Program[Statement]:
    """What moved on an account's credits from a time until before another, in milliseconds; at most `limit` entries of it."""
    first, last = (yield from _from(since)), (yield from _from(until))
    before = yield from one("entries_before", account=account, first=first)
    [sums] = yield from ask("entries_sums", account=account, first=first, last=last)
    rows = yield from ask("entries_between", account=account, first=first, last=last, limit=limit)
    return Statement(
        opening=before["balance"] if before else 0,
        added=sums["added"],
        charged=sums["charged"],
        movements=sums["n"],
        entries=tuple(_entry(account, row) for row in rows),
    )


def _from(at: int) -> Program[int]:
    """Where a time is among the entries: by their order, so that one statement ends with what the next begins with."""
    [found] = yield from ask("entries_from", at=at)
    return _NONE if found["seq"] is None else int(found["seq"])


def _entry(account: str, row: Row) -> Entry:
    return Entry(
        seq=row["seq"],
        kind=row["kind"],
        reference=row["ref"].removeprefix(f"{account}/") if row["kind"] == "add" else row["ref"],
        note=row["note"],
        delta=row["delta"],
        balance=row["balance"],
        at=row["at"],
    )


def set_enforced(*, enforced: bool) -> Program[list[str]]:
    """Say whether a balance is needed, for accounts that exist and for those to come.

    Gives the customers that are below zero. Where a balance is needed these can start nothing, and the schema's own rule
    covers them as soon as credits bring them back to zero.
    """
    yield from ask("credits_policy", policy="enforce" if enforced else "track")
    yield from ask("accounts_enforce" if enforced else "accounts_track")
    return [row["id"] for row in (yield from ask("accounts_below_zero"))]
