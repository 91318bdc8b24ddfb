"""Programs about the API keys of accounts. The key itself never comes here, only its hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.ledger.program import Program, Row, ask, one
from gateway.ledger.records import dump, load


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key: `prefix` is its beginning, for people; `networks` are the addresses it may be used from, empty for all.

    Times are milliseconds since the epoch. Whether it may be used now is for the caller to judge.
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
    )


def by_hash(digest: str) -> Program[KeyRow | None]:
    """Find a key by its hash, whatever its state."""
    row = yield from one("key_by_hash", hash=digest)
    return _key(row) if row else None


def list_(account: str | None = None) -> Program[list[KeyRow]]:
    """The keys of an account, or all there are; newest first."""
    rows = yield from (ask("keys_all") if account is None else ask("keys_of", account=account))
    return [_key(row) for row in rows]


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
    )
