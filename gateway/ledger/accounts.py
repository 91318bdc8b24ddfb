"""Programs about customers' accounts."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import alerts
from gateway.ledger.credits import Balance
from gateway.ledger.program import Program, Row, ask, one


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account; `generations` counts those not deleted, `enforced` says that it can never go below zero."""

    id: str
    name: str
    balance: Balance
    enforced: bool
    generations: int
    created: int


def create(account: str, name: str, at: int) -> Program[bool]:
    """Open an account; False when the id is taken. ValueError for an id that is empty or holds a slash."""
    if not account or "/" in account:
        raise ValueError("the id of an account must not be empty and must not hold a slash")
    if (yield from one("account_add", id=account, name=name, at=at)) is None:
        return False
    yield from alerts.set_(account, [alerts.USUAL])
    return True


def ensure(account: str, name: str, at: int) -> Program[Account]:
    """Find an account, opening it if need be."""
    yield from create(account, name, at)
    [row] = yield from ask("account_find", id=account)
    return _account(row)


def find(account: str) -> Program[Account | None]:
    """Find an account."""
    row = yield from one("account_find", id=account)
    return _account(row) if row else None


def list_() -> Program[list[Account]]:
    """Every account, oldest first."""
    return [_account(row) for row in (yield from ask("accounts_all"))]


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        balance=Balance(row["posted"], row["held"]),
        enforced=bool(row["enforced"]),
        generations=row["generations"],
        created=row["created"],
    )
