"""What a key may spend, and how much of its work may be under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.ledger import generations, keys, spending
from gateway.ledger.generations import Accepted, Idempotency, KeyMismatch, Replay, ShortOfCredit
from gateway.ledger.keys import Caps, KeyRow, Per
from gateway.ledger.spending import DAY, Busy, OverBudget

CREDIT = 1_000_000
KEY = KeyRow("k1", "acme", "app", "bye_abcde", "hash1", ("generation:write",), 90)


async def keyed(desk: Any, **caps: Any) -> KeyRow:
    """A key with these caps in the store."""
    row = replace(KEY, caps=Caps(**caps))
    await desk.store.write(keys.create(row))
    return row


async def accept(desk: Any, name: str, key: str | None = "k1", **changes: Any) -> spending.Answer:
    """Accept a generation with a key."""
    return await desk.store.write(spending.accept(desk.new(name, **changes), key))


async def spent(desk: Any, key: KeyRow, now: int = 100) -> float:
    """What the key has spent, in credits."""
    return await desk.store.read(spending.spent(key, now)) / CREDIT


async def test_a_budget_is_never_passed(desk: Any) -> None:
    """S14: of three jobs of two credits at once a key with five gets two, and the third is told what is left."""
    key = await keyed(desk, budget=5 * CREDIT)
    done = await asyncio.gather(*(accept(desk, name, price=2 * CREDIT) for name in "abc"))
    assert [type(each) for each in done] == [Accepted, Accepted, OverBudget]
    assert done[2] == OverBudget(CREDIT, Per.ALL)
    assert await spent(desk, key) == 4
    assert await desk.balance() == (10, 4)


async def test_what_is_not_spent_comes_back(desk: Any) -> None:
    """A failure and a cancel give the budget back what they held, a success what it did not cost."""
    key = await keyed(desk, budget=3 * CREDIT)
    for name in "abc":
        assert isinstance(await accept(desk, name), Accepted)
    assert isinstance(await accept(desk, "d"), OverBudget)
    await desk.store.write(generations.fail("a", {}, 300))
    await desk.store.write(generations.cancel("acme", "b", 300))
    await desk.succeed("c", await desk.storing("c"), captured=CREDIT // 4)
    assert await spent(desk, key) == 0.25
    assert isinstance(await accept(desk, "d"), Accepted)


async def test_a_day_has_its_own_budget(desk: Any) -> None:
    """What was spent yesterday does not count today, and what comes back late comes back to its own day."""
    key = await keyed(desk, budget=CREDIT, per=Per.DAY)
    assert isinstance(await accept(desk, "a", created=DAY - 1), Accepted)
    assert isinstance(await accept(desk, "b", created=DAY - 1), OverBudget)
    assert isinstance(await accept(desk, "b", created=DAY), Accepted)
    await desk.store.write(generations.fail("a", {}, DAY + 5))
    assert (await spent(desk, key, DAY - 1), await spent(desk, key, DAY)) == (1, 1)
    assert isinstance(await accept(desk, "c", created=DAY), OverBudget)


async def test_successors_share_the_budget_and_the_cap(desk: Any) -> None:
    """A rotated key and its successors spend from one budget and fill one cap."""
    key = await keyed(desk, budget=4 * CREDIT, in_flight=3)
    assert isinstance(await accept(desk, "a"), Accepted)
    before = key
    for name in ("k2", "k3"):
        heir = replace(before, id=name, hash=name, created=before.created + 1, family=before.first)
        assert await desk.store.write(keys.rotate(before.id, heir, 900))
        assert isinstance(await accept(desk, name, key=name), Accepted)
        before = heir
    assert await accept(desk, "b", key="k1") == Busy(3)
    await desk.succeed("a", await desk.storing("a"))
    assert isinstance(await accept(desk, "b", key="k3"), Accepted)
    await desk.store.write(generations.fail("b", {}, 300))
    assert isinstance(await accept(desk, "c", key="k2", price=2 * CREDIT), OverBudget)


async def test_as_many_are_under_way_as_may_be(desk: Any) -> None:
    """Beyond the cap nothing begins; what ends makes room, and other keys of the account have their own."""
    await keyed(desk, in_flight=2)
    done = await asyncio.gather(*(accept(desk, name) for name in "abc"))
    assert [type(each) for each in done] == [Accepted, Accepted, Busy]
    assert isinstance(await accept(desk, "d", key=None), Accepted)
    await desk.store.write(generations.cancel("acme", "a", 300))
    assert isinstance(await accept(desk, "c"), Accepted)


async def test_a_repeated_request_is_no_new_one(desk: Any) -> None:
    """Whoever repeats a request at the cap and without budget gets the answer of the first, or its mismatch."""
    key = await keyed(desk, in_flight=1, budget=CREDIT)
    same = Idempotency("i", "f", "{}")
    assert isinstance(await accept(desk, "a", idempotency=same), Accepted)
    assert isinstance(await accept(desk, "b", idempotency=same), Replay)
    assert isinstance(await accept(desk, "b", idempotency=replace(same, fingerprint="g")), KeyMismatch)
    assert isinstance(await accept(desk, "b"), Busy)
    assert await spent(desk, key) == 1


async def test_a_balance_comes_before_nothing(desk: Any) -> None:
    """What the account cannot bear is refused as ever and counts against no budget."""
    key = await keyed(desk, budget=100 * CREDIT)
    assert await accept(desk, "a", price=11 * CREDIT) == ShortOfCredit(10 * CREDIT)
    assert await spent(desk, key) == 0


async def test_a_caller_without_a_stored_key_has_no_caps(desk: Any) -> None:
    """Where no key is asked for everything goes as without one."""
    for name, key in (("a", "local"), ("b", None)):
        assert isinstance(await accept(desk, name, key=key), Accepted)


async def test_the_key_of_a_generation_is_pinned(desk: Any) -> None:
    """What was spent cannot be moved to another key."""
    await keyed(desk)
    await accept(desk, "a")
    with desk.raw() as connection, pytest.raises(Exception, match="pinned at acceptance"):
        connection.execute("UPDATE generation SET key_id = NULL")
