"""What an account is held to: by the policy, or by what was said of it alone."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.generation import Kind
from gateway.ledger import accounts, generations, keys, spending
from gateway.ledger.accounts import Allowance
from gateway.ledger.generations import Accepted, Idempotency, Replay
from gateway.ledger.keys import Caps, KeyRow, Per
from gateway.ledger.migrations import apply, known
from gateway.ledger.spending import DAY, Busy, OverBudget

CREDIT = 1_000_000
KEY = KeyRow("k1", "acme", "app", "bye_abcde", "hash1", ("generation:write",), 90)


async def accept(desk: Any, name: str, usual: Allowance, key: str | None = None, **changes: Any) -> spending.Answer:
    """Accept a generation where accounts are usually held to this."""
    return await desk.store.write(spending.accept(desk.new(name, **changes), key, usual))


async def test_kinds_are_counted_apart(desk: Any) -> None:
    """Images at their cap leave room for videos; what ends makes room; other accounts have their own."""
    usual = Allowance(images=2, videos=1)
    done = await asyncio.gather(*(accept(desk, name, usual) for name in "abc"))
    assert [type(each) for each in done] == [Accepted, Accepted, Busy]
    assert done[2] == Busy(2, Kind.IMAGE, of_key=False)
    assert isinstance(await accept(desk, "v", usual, kind=Kind.VIDEO), Accepted)
    assert await accept(desk, "w", usual, kind=Kind.VIDEO) == Busy(1, Kind.VIDEO, of_key=False)
    await desk.store.write(generations.cancel("acme", "a", 300))
    assert isinstance(await accept(desk, "c", usual), Accepted)
    assert (await desk.balance())[1] == 3


async def test_a_key_has_kinds_of_its_own(desk: Any) -> None:
    """A key's cap on one kind holds it and its successors, and no other key."""
    row = replace(KEY, caps=Caps(images=1))
    await desk.store.write(keys.create(row))
    heir = replace(row, id="k2", hash="hash2", family="k1")
    await desk.store.write(keys.rotate("k1", heir, 900))
    free = Allowance()
    assert isinstance(await accept(desk, "a", free, "k1"), Accepted)
    assert await accept(desk, "b", free, "k2") == Busy(1, Kind.IMAGE)
    assert isinstance(await accept(desk, "v", free, "k2", kind=Kind.VIDEO), Accepted)
    assert isinstance(await accept(desk, "c", free), Accepted)


async def test_a_day_has_its_spend(desk: Any) -> None:
    """S14: three jobs of two credits at once where five a day may be spent: two begin, and the next day brings a new five."""
    usual = Allowance(daily=5 * CREDIT)
    done = await asyncio.gather(*(accept(desk, name, usual, price=2 * CREDIT) for name in "abc"))
    assert [type(each) for each in done] == [Accepted, Accepted, OverBudget]
    assert done[2] == OverBudget(CREDIT, Per.DAY, of_key=False)
    await desk.store.write(generations.fail("a", {}, 300))
    assert isinstance(await accept(desk, "c", usual, price=2 * CREDIT), Accepted)
    assert isinstance(await accept(desk, "d", usual, price=2 * CREDIT, created=DAY), Accepted)
    assert await desk.store.read(accounts.spent("acme", 0)) == 4 * CREDIT


async def test_what_is_said_of_one_goes_before_the_usual(desk: Any) -> None:
    """In both directions, and what is taken back is the usual again."""
    usual = Allowance(images=1, daily=CREDIT)
    await desk.store.write(accounts.change("acme", "Acme", Allowance(images=3, daily=2 * CREDIT)))
    found = await desk.store.read(accounts.find("acme"))
    assert (found.name, found.own) == ("Acme", Allowance(images=3, daily=2 * CREDIT))
    assert [type(await accept(desk, name, usual)) for name in "abc"] == [Accepted, Accepted, OverBudget]
    await desk.store.write(accounts.change("acme", "Acme", Allowance()))
    assert await accept(desk, "c", usual) == Busy(1, Kind.IMAGE, of_key=False)
    assert not await desk.store.write(accounts.change("nobody", "", Allowance()))


async def test_a_repeated_request_is_no_new_one(desk: Any) -> None:
    """At every cap of the account a repeat gets the answer of the first."""
    usual, same = Allowance(images=1, daily=CREDIT), Idempotency("i", "f", "{}")
    assert isinstance(await accept(desk, "a", usual, idempotency=same), Accepted)
    assert isinstance(await accept(desk, "b", usual, idempotency=same), Replay)
    assert isinstance(await accept(desk, "b", usual), Busy)


async def test_the_key_of_another_account_is_none(desk: Any) -> None:
    """A key is counted for its own account alone."""
    await desk.store.write(accounts.create("other", "", 1))
    await desk.store.write(keys.create(replace(KEY, account="other", caps=Caps(in_flight=1))))
    assert isinstance(await accept(desk, "a", Allowance(), "k1"), Accepted)
    assert isinstance(await accept(desk, "b", Allowance(), "k1"), Accepted)


def test_what_was_spent_before_is_counted(tmp_path: Path) -> None:
    """A store of the version before has its days counted when it is brought here."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as store:
        store.row_factory = sqlite3.Row
        before = [each for each in known() if each.version < 6]
        apply(store, before, 1)
        store.execute("PRAGMA foreign_keys = OFF")
        store.execute("INSERT INTO account (id, name, kind, enforced, created) VALUES ('acme', '', 'customer', 0, 1)")
        for seq, (day, state, captured) in enumerate([(0, "open", 0), (0, "settled", 3), (1, "released", 0)]):
            store.execute(
                "INSERT INTO hold (generation, account_id, amount, state, captured, created, closed)"
                " VALUES (?, 'acme', 5, ?, ?, ?, ?)",
                (seq, state, captured, day * DAY + 7, None if state == "open" else 9),
            )
        apply(store, known(), 2)
        counted = [tuple(row) for row in store.execute("SELECT day, amount FROM account_spend ORDER BY day")]
    assert counted == [(0, 8), (1, 0)]
