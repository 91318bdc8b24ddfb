"""Programs about the API keys of accounts. The key itself never comes here, only its hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.ledger.accounts import Allowance, allowance
from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import dump, load


class Per(StrEnum):
    """What a budget is for: each day in UTC, or all there will be."""

    DAY = "day"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Caps:
    """What a key may be used for beyond its scopes; None and empty cap nothing.

    `models` are patterns, `budget` millionths of a credit, `rate` requests a minute, `in_flight` generations under way, `images`
    and `videos` those of one kind.
    """

    models: tuple[str, ...] = ()
    budget: int | None = None
    per: Per = Per.ALL
    rate: int | None = None
    in_flight: int | None = None
    images: int | None = None
    videos: int | None = None


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key: `prefix` is its beginning, for people; `networks` are the addresses it may be used from, empty for all.

    `family` is the first of the keys that replaced one another, empty for the first itself. Times are milliseconds since the
    epoch. Whether it may be used now is for the caller to judge.
    """

    id: str
    account: str
    name: str
    prefix: str
    hash: str
    scopes: tuple[str, ...]
    created: int
    expires: int | None = None
    networks: tuple[str, ...] = ()
    revoked: int | None = None
    last_used: int | None = None
    rotated_to: str | None = None
    starts: int | None = None
    caps: Caps = NO_CAPS
    family: str = ""

    @property
    def first(self) -> str:
        """The id of the first key of its family, which its budget and its limits are counted by."""
        return self.family or self.id


def create(key: KeyRow) -> Program[None]:
    """Write a new key. ConstraintBroken when the account does not exist, or the id or the hash is taken."""
    yield from ask(
        "key_add",
        id=key.id,
        account=key.account,
        name=key.name,
        prefix=key.prefix,
        hash=key.hash,
        scopes=dump(key.scopes),
        networks=dump(key.networks),
        created=key.created,
        expires=key.expires,
        starts=key.starts,
        family=key.family or None,
        models=dump(key.caps.models),
        budget=key.caps.budget,
        budget_per=key.caps.per.value,
        rate=key.caps.rate,
        in_flight=key.caps.in_flight,
        images=key.caps.images,
        videos=key.caps.videos,
    )


def by_hash(digest: str) -> Program[KeyRow | None]:
    """Find a key by its hash, whatever its state."""
    found = yield from identified(digest)
    return found[0] if found else None


def identified(digest: str) -> Program[tuple[KeyRow, Allowance] | None]:
    """Find a key by its hash, whatever its state, and what is said of its account."""
    row = yield from one("key_by_hash", hash=digest)
    return (_key(row), allowance(row)) if row else None


def find(key_id: str) -> Program[KeyRow | None]:
    """Find a key by its id, whatever its state."""
    row = yield from one("key_find", id=key_id)
    return _key(row) if row else None


def list_(account: str | None = None) -> Program[list[KeyRow]]:
    """The keys of an account, or all there are; newest first."""
    rows = yield from (ask("keys_all") if account is None else ask("keys_of", account=account))
    return [_key(row) for row in rows]


def change(key: KeyRow) -> Program[bool]:
    """Write a key's name, networks and caps anew; False when there is none or it is revoked."""
    row = yield from one(
        "key_change",
        id=key.id,
        name=key.name,
        networks=dump(key.networks),
        models=dump(key.caps.models),
        budget=key.caps.budget,
        budget_per=key.caps.per.value,
        rate=key.caps.rate,
        in_flight=key.caps.in_flight,
        images=key.caps.images,
        videos=key.caps.videos,
    )
    return row is not None


def rehash(key_id: str, old: str, digest: str) -> Program[None]:
    """Put another hash in place of the one a key was found by."""
    yield from ask("key_rehash", id=key_id, old=old, hash=digest)


def revoke(key_id: str, at: int) -> Program[bool]:
    """Revoke a key; False when there is none or it was revoked before."""
    return (yield from one("key_revoke", id=key_id, at=at)) is not None


def rotate(key_id: str, successor: KeyRow, grace_until: int) -> Program[bool]:
    """Write a successor of the same account and let the old key end with the grace period, or earlier if it would anyway.

    False, and nothing changed, when the old key is unknown, revoked, expired, rotated before or another account's.
    """
    old = yield from one("key_usable", id=key_id, at=successor.created)
    if old is None or old["account_id"] != successor.account:
        return False
    yield from create(successor)
    yield from ask("key_rotate", id=key_id, successor=successor.id, until=grace_until, at=successor.created)
    return True


def touch(key_ids: Iterable[str], at: int) -> Program[None]:
    """Note that keys were used."""
    for key_id in key_ids:
        yield from ask("key_touch", id=key_id, at=at)


def _key(row: Row) -> KeyRow:
    return KeyRow(
        id=row["id"],
        account=row["account_id"],
        name=row["name"],
        prefix=row["prefix"],
        hash=row["hash"],
        scopes=tuple(load(row["scopes"])),
        networks=tuple(load(row["networks"])),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
        last_used=row["last_used"],
        rotated_to=row["rotated_to"],
        starts=row["starts"],
        caps=Caps(
            models=tuple(load(row["models"])),
            budget=row["budget"],
            per=Per(row["budget_per"]),
            rate=row["rate"],
            in_flight=row["in_flight"],
            images=row["images"],
            videos=row["videos"],
        ),
        family=row["family"] or "",
    )
