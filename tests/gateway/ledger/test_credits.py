"""Adding, showing and listing credits, and whether a balance is needed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.ledger import accounts, generations
from gateway.ledger.credits import (
    LARGEST,
    Added,
    Balance,
    Mismatch,
    NoAccount,
    Repeated,
    add,
    entries,
    set_enforced,
    show,
)
from gateway.ledger.generations import Accepted, ShortOfCredit


async def test_adding_raises_the_balance(desk: Any) -> None:
    """Credits are added to what is there, and what is held stays held."""
    await desk.accept("a")
    answer = await desk.store.write(add("acme", 500_000, "invoice:7", "thanks", 70))
    assert answer == Added(Balance(10_500_000, 1_000_000))
    assert answer.balance.available == 9_500_000


async def test_a_reference_adds_once(desk: Any) -> None:
    """Of 20 equal requests at once one adds, the others say that it was done; another amount is a mismatch."""
    answers = await asyncio.gather(*(desk.store.write(add("acme", 5, "invoice:7", "", 70)) for _ in range(20)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Added"] + ["Repeated"] * 19
    assert Repeated(5, Balance(10_000_005, 0)) in answers
    assert await desk.store.write(add("acme", 6, "invoice:7", "", 80)) == Mismatch(5)


async def test_a_reference_is_the_accounts_own(desk: Any) -> None:
    """Two accounts may use the same reference."""
    await desk.store.write(accounts.create("other", "Other", 50))
    for account in ("acme", "other"):
        assert isinstance(await desk.store.write(add(account, 5, "invoice:7", "", 70)), Added)


@pytest.mark.parametrize("amount", [0, -1, LARGEST + 1])
async def test_an_amount_out_of_bounds_is_refused(desk: Any, amount: int) -> None:
    """Amounts are above zero and at most the largest the native API can say."""
    with pytest.raises(ValueError, match="amount"):
        await desk.store.write(add("acme", amount, "x", "", 70))


async def test_adding_needs_a_reference_and_a_customer(desk: Any) -> None:
    """An empty reference is refused; an unknown account and the ledger's own get nothing."""
    with pytest.raises(ValueError, match="reference"):
        await desk.store.write(add("acme", 5, "", "", 70))
    for account in ("nobody", "@revenue"):
        assert await desk.store.write(add(account, 5, "x", "", 70)) == NoAccount()


async def test_an_unknown_account_shows_zeros(desk: Any) -> None:
    """The balance of an account that does not exist reads as nothing."""
    assert await desk.store.read(show("nobody")) == Balance(0, 0)


async def test_the_list_is_newest_first_with_balances(desk: Any) -> None:
    """Each entry carries what was posted right after it; a hold is no entry."""
    await desk.done("g1")
    await desk.accept("g2")
    await desk.store.write(add("acme", 250_000, "invoice/7", "late", 400))
    listed = await desk.store.read(entries("acme"))
    assert [(each.kind, each.reference, each.note, each.delta, each.balance, each.at) for each in listed] == [
        ("add", "invoice/7", "late", 250_000, 9_250_000, 400),
        ("settle", "g1", "", -1_000_000, 9_000_000, 300),
        ("add", "first", "", 10_000_000, 10_000_000, 60),
    ]
    assert await desk.store.read(entries("acme", limit=1, offset=2)) == listed[2:]


async def test_tracking_needs_no_balance(desk: Any) -> None:
    """Where credits are only tracked everything is booked the same, below zero too, for old and new accounts."""
    assert await desk.store.write(set_enforced(enforced=False)) == []
    await desk.store.write(accounts.create("other", "Other", 50))
    assert await desk.accept("a", price=11_000_000) == Accepted(-1_000_000)
    assert await desk.accept("b", account="other") == Accepted(-1_000_000)
    assert await desk.balance() == (10, 11)


async def test_enforcing_spares_nobody_who_is_below_zero(desk: Any) -> None:
    """Turning enforcement on names the accounts below zero: they can start nothing, and return to the rule with credits."""
    await desk.store.write(set_enforced(enforced=False))
    await desk.accept("a", price=11_000_000)
    assert await desk.store.write(set_enforced(enforced=True)) == ["acme"]
    assert await desk.accept("b", price=1) == ShortOfCredit(-1_000_000)
    assert (await desk.store.read(accounts.find("acme"))).enforced is False
    await desk.store.write(add("acme", 999_999, "too little", "", 70))
    assert (await desk.store.read(accounts.find("acme"))).enforced is False
    await desk.store.write(add("acme", 1, "enough", "", 80))
    assert (await desk.store.read(accounts.find("acme"))).enforced is True
    assert await desk.accept("b", price=1) == ShortOfCredit(0)


async def test_the_end_of_a_generation_can_follow_a_change_of_rule(desk: Any) -> None:
    """What was accepted while tracking settles and releases under enforcement."""
    await desk.store.write(set_enforced(enforced=False))
    await desk.accept("a", price=11_000_000)
    await desk.accept("b", price=7_000_000)
    attempt = await desk.storing("a")
    await desk.store.write(set_enforced(enforced=True))
    assert await desk.succeed("a", attempt, 11_000_000)
    assert await desk.store.write(generations.fail("b", {}, 300))
    assert await desk.balance() == (-1, 0)
