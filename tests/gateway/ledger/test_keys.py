"""API keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ledger import accounts, keys
from gateway.ledger.database import Database
from gateway.ledger.keys import Caps, KeyRow, Per
from gateway.ledger.program import ConstraintBroken

KEY = KeyRow("k1", "acme", "laptop", "key_abcde", "hash1", ("generation:read",), 100, networks=("10.0.0.0/8",))


@pytest.fixture
async def keyed(store: Database) -> Database:
    """A store with one account and one key."""
    await store.write(accounts.create("acme", "Acme", 50))
    await store.write(keys.create(KEY))
    return store


async def test_a_key_is_found_by_its_hash(keyed: Database) -> None:
    """What was created comes back by its hash, and an unknown hash finds nothing."""
    assert await keyed.read(keys.by_hash("hash1")) == KEY
    assert await keyed.read(keys.by_hash("hash2")) is None


@pytest.mark.parametrize(
    "change", [{"hash": "hash1", "id": "k2"}, {"hash": "h", "id": "k1"}, {"account": "x", "id": "k2"}]
)
async def test_ids_and_hashes_are_unique_and_the_account_exists(keyed: Database, change: dict[str, str]) -> None:
    """A taken id, a taken hash and an account that does not exist are refused by the schema."""
    with pytest.raises(ConstraintBroken):
        await keyed.write(keys.create(replace(KEY, **({"hash": "h2"} | change))))


async def test_keys_are_listed_newest_first(keyed: Database) -> None:
    """One account's keys, or everybody's."""
    await keyed.write(accounts.create("other", "Other", 50))
    await keyed.write(keys.create(replace(KEY, id="k2", hash="h2", created=200)))
    await keyed.write(keys.create(replace(KEY, id="k3", hash="h3", created=300, account="other")))
    assert [key.id for key in await keyed.read(keys.list_("acme"))] == ["k2", "k1"]
    assert [key.id for key in await keyed.read(keys.list_())] == ["k3", "k2", "k1"]


async def test_a_key_is_revoked_once(keyed: Database) -> None:
    """The first revocation stays."""
    answers = [await keyed.write(keys.revoke(name, at)) for name, at in (("k1", 150), ("k1", 160), ("k9", 170))]
    assert answers == [True, False, False]
    assert (await keyed.read(keys.by_hash("hash1"))).revoked == 150


@pytest.mark.parametrize(("expires", "ends"), [(None, 900), (500, 500), (2000, 900)])
async def test_rotation_lets_the_old_key_end_with_the_grace(keyed: Database, expires: int | None, ends: int) -> None:
    """The old key names its successor and ends with the grace period, or earlier if it would anyway."""
    await keyed.write(keys.create(replace(KEY, id="k2", hash="h2", expires=expires)))
    assert await keyed.write(keys.rotate("k2", replace(KEY, id="k3", hash="h3", created=300), 900)) is True
    old = await keyed.read(keys.by_hash("h2"))
    assert (old.rotated_to, old.expires) == ("k3", ends)
    assert (await keyed.read(keys.by_hash("h3"))).id == "k3"


async def test_what_cannot_be_rotated_gets_no_successor(keyed: Database) -> None:
    """Unknown, revoked, expired and rotated keys, and keys of another account, are left alone."""
    await keyed.write(accounts.create("other", "Other", 50))
    for name, changes in (("gone", {}), ("over", {"expires": 250}), ("twice", {})):
        await keyed.write(keys.create(replace(KEY, id=name, hash=name, **changes)))
    await keyed.write(keys.revoke("gone", 200))
    await keyed.write(keys.rotate("twice", replace(KEY, id="n", hash="n", created=300), 900))
    for name in ("nobody", "gone", "over", "twice"):
        assert await keyed.write(keys.rotate(name, replace(KEY, id="m", hash="m", created=300), 900)) is False
    assert await keyed.write(keys.rotate("k1", replace(KEY, id="m", hash="m", account="other"), 900)) is False
    assert await keyed.read(keys.by_hash("m")) is None


async def test_last_use_only_moves_forward(keyed: Database) -> None:
    """Touching several keys at once notes the time, and an older one does not take it back."""
    for at in (300, 200):
        await keyed.write(keys.touch(["k1", "k9"], at))
    assert (await keyed.read(keys.by_hash("hash1"))).last_used == 300


async def test_caps_are_kept_and_changed(keyed: Database) -> None:
    """Name, networks and caps are written anew; hash, scopes and account are what the key was made with."""
    caps = Caps(("lab/*",), 5_000_000, Per.DAY, 60, 4)
    changed = replace(KEY, name="desktop", networks=(), caps=caps)
    assert await keyed.write(keys.change(changed)) is True
    assert await keyed.read(keys.find("k1")) == changed
    assert await keyed.write(keys.change(replace(changed, scopes=("admin",), account="x", hash="h"))) is True
    assert await keyed.read(keys.find("k1")) == changed
    await keyed.write(keys.revoke("k1", 150))
    assert await keyed.write(keys.change(KEY)) is False


async def test_a_hash_is_replaced_by_another(keyed: Database) -> None:
    """A key is found by its new hash alone, and only whoever knows the old one puts it there."""
    await keyed.write(keys.rehash("k1", "wrong", "hash2"))
    assert await keyed.read(keys.by_hash("hash2")) is None
    await keyed.write(keys.rehash("k1", "hash1", "hash2"))
    assert await keyed.read(keys.by_hash("hash1")) is None
    assert await keyed.read(keys.by_hash("hash2")) == replace(KEY, hash="hash2")
