"""Programs about customers' accounts."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger import alerts
from gateway.ledger.credits import Balance
from gateway.ledger.program import Program, Row, ask, one


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account is held to; None caps nothing.

    `requests` and those that begin `generations` are a minute, `images` and `videos` generations under way, `daily` millionths
    of a credit a day in UTC.
    """

    requests: int | None = None
    generations: int | None = None
    images: int | None = None
    videos: int | None = None
    daily: int | None = None

    def over(self, usual: Allowance) -> Allowance:
        """The same, and as usual where nothing is said."""
        if usual == NO_CAPS:
            return self
        said = ((getattr(self, name), getattr(usual, name)) for name in self.__slots__)
        return Allowance(*(other if own is None else own for own, other in said))


NO_CAPS = Allowance()


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account; `generations` counts those not deleted, `enforced` says that it can never go below zero.

    `own` is what was said of this account alone; where that is None it is held to what all are.
    """

    id: str
    name: str
    balance: Balance
    enforced: bool
    generations: int
    created: int
    own: Allowance = NO_CAPS


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


def change(account: str, name: str, own: Allowance) -> Program[bool]:
    """Write an account's name and what it alone is held to; False when there is none."""
    row = yield from one(
        "account_limit",
        id=account,
        name=name,
        requests=own.requests,
        generations=own.generations,
        images=own.images,
        videos=own.videos,
        daily=own.daily,
    )
    return row is not None


def spent(account: str, day: int) -> Program[int]:
    """What an account has spent and set aside on a day since the epoch, in millionths."""
    row = yield from one("account_spent", account=account, day=day)
    return int(row["amount"]) if row else 0


def allowance(row: Row) -> Allowance:
    """What a row says of its account alone."""
    return Allowance(
        row["request_rate"], row["generation_rate"], row["account_images"], row["account_videos"], row["daily"]
    )


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        balance=Balance(row["posted"], row["held"]),
        enforced=bool(row["enforced"]),
        generations=row["generations"],
        created=row["created"],
        own=allowance(row),
    )
