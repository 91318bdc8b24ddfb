"""The audit: written with what it tells of, and never changed."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ledger import accounts, audit, keys
from gateway.ledger.audit import Entry
from gateway.ledger.program import ConstraintBroken
from tests.gateway.ledger.conftest import REFUSES

ENTRY = Entry(100, audit.OPERATOR, "accounts.create", "new", "account=new")


async def test_it_is_written_with_the_change(desk: Any) -> None:
    """A change and its entry are kept together, or neither is."""
    await desk.store.write(audit.noted(accounts.create("new", "New", 100), ENTRY, bool))
    assert await desk.store.read(audit.page(None, 10)) == [Entry(*_plain(ENTRY), seq=1)]
    row = keys.KeyRow("k", "nobody", "", "bye_abcde", "h", (), 1)
    with pytest.raises(ConstraintBroken):
        await desk.store.write(audit.noted(keys.create(row), ENTRY, lambda _: True))
    assert len(await desk.store.read(audit.page(None, 10))) == 1


async def test_what_changed_nothing_leaves_nothing(desk: Any) -> None:
    """An account that was there already is not opened twice in the audit."""
    assert await desk.store.write(audit.noted(accounts.create("acme", "", 100), ENTRY, bool)) is False
    assert await desk.store.read(audit.page(None, 10)) == []


async def test_it_is_read_by_page_and_by_name(desk: Any) -> None:
    """The latest comes first; one name finds what was done to it and what it did."""
    for actor, subject in (("operator", "k1"), ("k1", "k2"), ("operator", "k3"), ("operator", "k1")):
        await desk.store.write(audit.add(Entry(100, actor, "keys.revoke", subject, "")))
    assert [each.seq for each in await desk.store.read(audit.page(None, 2))] == [4, 3]
    assert [each.seq for each in await desk.store.read(audit.page(None, 9, before=3))] == [2, 1]
    assert [each.seq for each in await desk.store.read(audit.page("k1", 9))] == [4, 2, 1]


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
async def test_it_is_never_changed(desk: Any, statement: str) -> None:
    """Not even a statement that comes past the programs rewrites or forgets an entry."""
    await desk.store.write(audit.add(ENTRY))
    with desk.raw() as connection, pytest.raises(REFUSES, match="the audit is never"):
        connection.execute(statement)


def _plain(entry: Entry) -> tuple[Any, ...]:
    return (entry.at, entry.actor, entry.act, entry.subject, entry.said)
