"""Customers' accounts."""

from __future__ import annotations

import pytest

from gateway.ledger import accounts
from gateway.ledger.accounts import Account
from gateway.ledger.credits import Balance
from gateway.ledger.database import Database


async def test_an_account_is_opened_once(store: Database) -> None:
    """A new account is empty and found; its id cannot be used again."""
    assert await store.write(accounts.create("acme", "Acme", 5)) is True
    assert await store.write(accounts.create("acme", "Other", 6)) is False
    assert await store.read(accounts.find("acme")) == Account(
        id="acme", name="Acme", balance=Balance(0, 0), enforced=True, generations=0, created=5
    )


async def test_ensuring_opens_at_most_once(store: Database) -> None:
    """The implicit account is there after the first call and the same after the second."""
    first = await store.write(accounts.ensure("local", "this machine", 5))
    assert await store.write(accounts.ensure("local", "this machine", 9)) == first


async def test_the_list_holds_customers_only(store: Database) -> None:
    """Accounts are listed oldest first; the ledger's own two are not customers."""
    for at, name in ((7, "b"), (6, "a"), (8, "c")):
        await store.write(accounts.create(name, name, at))
    assert [account.id for account in await store.read(accounts.list_())] == ["a", "b", "c"]
    assert await store.read(accounts.find("@revenue")) is None


@pytest.mark.parametrize("name", ["", "a/b", "/"])
async def test_an_id_that_would_blur_references_is_refused(store: Database, name: str) -> None:
    """An account's id is not empty and holds no slash."""
    with pytest.raises(ValueError, match="slash"):
        await store.write(accounts.create(name, "x", 5))
