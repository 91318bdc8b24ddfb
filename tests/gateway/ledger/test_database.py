"""Opening, owning and closing the store."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway.ledger import accounts
from gateway.ledger.database import Database
from gateway.ledger.program import StoreBroken, StoreFailed, StoreInUse, StoreUnknown


@pytest.fixture
def engine() -> str:
    """What is asked here is about a file."""
    return "file"


async def opened(path: Path) -> Database:
    return await Database.open(path, now=lambda: 7)


async def test_the_store_is_its_owners_alone(tmp_path: Path) -> None:
    """Folder and files are made for the owner only."""
    store = await opened(tmp_path / "new" / "deep" / "x.db")
    await store.write(accounts.create("a", "", 1))
    folder = store.path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    await store.close()


async def test_the_second_opener_is_refused(store: Database) -> None:
    """One process owns a store; the other is told which one and what to do, and can have it afterwards."""
    with pytest.raises(StoreInUse, match=f"{store.path} is in use by process {os.getpid()}; stop"):
        await opened(store.path)
    await store.close()
    again = await opened(store.path)
    await again.close()


async def test_what_was_written_is_there_again(store: Database) -> None:
    """Closing folds the log into the file, and opening again finds everything."""
    await store.write(accounts.create("a", "Acme", 1))
    await store.close()
    assert [file.name for file in sorted(store.path.parent.iterdir())] == ["tidegate.db", "tidegate.db.lock"]
    again = await opened(store.path)
    assert (await again.read(accounts.find("a"))).name == "Acme"
    await again.close()


async def test_a_closed_store_takes_no_work(store: Database) -> None:
    """What was handed in before closing is done; what comes after is refused."""
    early = store.write(accounts.create("a", "", 1))
    assert await early is True
    await store.close()
    for lane in (store.write, store.read, store.report):
        with pytest.raises(StoreFailed, match="closed"):
            await lane(accounts.list_())


async def test_the_writer_is_durable(store: Database) -> None:
    """Every commit is synced, foreign keys are on, and the journal is the one that readers can work beside."""
    connection = store._engine._writing
    found = [
        (await connection.execute_fetchall(f"PRAGMA {name}"))[0][0]
        for name in ("synchronous", "foreign_keys", "journal_mode", "busy_timeout")
    ]
    assert found == [2, 1, "wal", 5000]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to have a header" * 40, b"x" * 5000])
async def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is something else is left as it was, and the lock is let go."""
    path = tmp_path / "x.db"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StoreBroken, match="not a database"):
            await opened(path)
    assert path.read_bytes() == content


async def test_a_damaged_store_is_refused(store: Database) -> None:
    """Damage inside the file is found when it is opened."""
    await store.close()
    content = bytearray(store.path.read_bytes())
    content[4096 * 3 : 4096 * 3 + 200] = b"\xff" * 200
    store.path.write_bytes(content)
    with pytest.raises(StoreBroken):
        await opened(store.path)


async def test_a_newer_store_is_refused(store: Database) -> None:
    """A store that a newer version migrated is refused with both versions named, and the lock is let go."""
    await store._engine._writing.execute_fetchall("INSERT INTO applied VALUES (99, 'future', '', 1, 99)")
    await store.close()
    for _ in range(2):
        with pytest.raises(StoreUnknown, match="version 99"):
            await opened(store.path)
