"""The store's file, when it is not what it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.ledger import accounts
from gateway.ledger.database import Database
from gateway.ledger.program import StoreBroken


def _now() -> int:
    return 1


@pytest.mark.parametrize("how", ["moved", "removed", "replaced"])
async def test_a_file_that_is_gone_takes_no_more(tmp_path: Path, how: str) -> None:
    """A store whose file was moved, removed or replaced acknowledges nothing more, and says that the process has to end."""
    path = tmp_path / "store.db"
    store = await Database.open(path, now=_now)
    await store.write(accounts.ensure("acme", "", 1))
    path.rename(tmp_path / "elsewhere.db") if how != "removed" else path.unlink()
    if how == "replaced":
        path.touch()
    with pytest.raises(StoreBroken, match="is not the file it was"):
        await store.write(accounts.ensure("bolt", "", 1))
    assert store.failed.is_set()
    await store.close()


async def test_a_damaged_file_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """F66: a store whose pages are broken is not opened, and the message speaks of a backup."""
    path = tmp_path / "store.db"
    store = await Database.open(path, now=_now)
    await store.write(accounts.ensure("acme", "", 1))
    await store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(StoreBroken, match="restore it from a backup"):
        await Database.open(path, now=_now)
