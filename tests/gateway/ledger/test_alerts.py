"""Thresholds: each fires once, all that are crossed together, and is armed again by credits that come back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import accounts, alerts, endpoints, generations
from gateway.ledger.alerts import Alert
from gateway.ledger.credits import add, set_enforced
from gateway.ledger.endpoints import Endpoint, Source
from gateway.ledger.events import EventType
from gateway.ledger.program import ConstraintBroken
from tests.gateway.ledger.conftest import ACCOUNT, CREDIT, new
from tests.gateway.ledger.test_model import Ledger


async def told(desk: Any) -> list[Any]:
    """What was said about the balance, in order."""
    with desk.raw() as connection:
        found = connection.execute("SELECT data FROM event WHERE type = 'credits.low_balance' ORDER BY seq")
        return [json.loads(row["data"]) for row in found]


async def listen(desk: Any, *thresholds: int) -> None:
    """Want to hear of low balances, below these."""
    heard = (EventType.LOW_BALANCE,)
    await desk.store.write(endpoints.create(Endpoint("we_1", ACCOUNT, Source.API, "https://hooks.test/", heard, 90)))
    await desk.store.write(alerts.set_(ACCOUNT, thresholds))


async def test_an_account_begins_with_one_threshold(desk: Any) -> None:
    """Half a credit, armed."""
    assert await desk.store.read(alerts.show(ACCOUNT)) == [Alert(500_000, None)]


async def test_a_threshold_fires_once(desk: Any) -> None:
    """A balance that stays below it is told once."""
    await listen(desk, 9 * CREDIT)
    for name in "abc":
        await desk.accept(name)
    assert await told(desk) == [{"balance": 8 * CREDIT, "thresholds": [9 * CREDIT]}]
    assert await desk.store.read(alerts.show(ACCOUNT)) == [Alert(9 * CREDIT, 100)]


async def test_equal_is_not_below(desk: Any) -> None:
    """A balance that reaches the threshold exactly fires nothing."""
    await listen(desk, 9 * CREDIT)
    await desk.accept("a")
    assert await told(desk) == []


async def test_all_that_are_crossed_are_told_together(desk: Any) -> None:
    """One drop across several thresholds is one event."""
    await listen(desk, 9 * CREDIT, 7 * CREDIT, 2 * CREDIT)
    await desk.accept("a", price=4 * CREDIT)
    assert await told(desk) == [{"balance": 6 * CREDIT, "thresholds": [9 * CREDIT, 7 * CREDIT]}]


async def test_credits_that_come_back_arm_it_again(desk: Any) -> None:
    """A refund or an addition that reaches the threshold lets it fire once more; one that does not reach it does not."""
    await listen(desk, 9 * CREDIT)
    for name in "ab":
        await desk.accept(name)
    await desk.store.write(generations.fail("a", {}, 300))
    assert (await desk.store.read(alerts.show(ACCOUNT)))[0].fired is None
    await desk.accept("c", price=5 * CREDIT)
    await desk.store.write(add(ACCOUNT, CREDIT, "little", "", 310))
    await desk.accept("d")
    assert [each["balance"] for each in await told(desk)] == [8 * CREDIT, 4 * CREDIT]
    await desk.store.write(add(ACCOUNT, 9 * CREDIT, "much", "", 320))
    await desk.accept("e", price=5 * CREDIT)
    assert len(await told(desk)) == 3


async def test_a_refused_request_fires_nothing(desk: Any) -> None:
    """What cannot be paid is not held, and so lowers nothing."""
    await listen(desk, 9 * CREDIT)
    await desk.accept("a", price=11 * CREDIT)
    assert (await desk.store.read(alerts.show(ACCOUNT)))[0].fired is None


async def test_nobody_who_listens_is_no_hindrance(desk: Any) -> None:
    """A threshold is crossed whether or not anybody is told."""
    await desk.store.write(alerts.set_(ACCOUNT, [10 * CREDIT]))
    assert isinstance(await desk.accept("a"), generations.Accepted)
    assert (await desk.store.read(alerts.show(ACCOUNT)))[0].fired == 100


async def test_what_stays_keeps_its_mark(desk: Any) -> None:
    """Setting thresholds anew forgets what is left out, and not what stays."""
    await listen(desk, 10 * CREDIT, 5 * CREDIT)
    await desk.accept("a")
    found = await desk.store.write(alerts.set_(ACCOUNT, [10 * CREDIT, CREDIT]))
    assert found == [Alert(10 * CREDIT, 100), Alert(CREDIT, None)]


@pytest.mark.parametrize("wrong", [range(1, 12), [0], [-1]])
async def test_what_is_no_threshold_is_refused(desk: Any, wrong: Any) -> None:
    """Eleven, nothing and less than nothing are refused."""
    with pytest.raises(ValueError, match="at most 10 thresholds, each above zero"):
        await desk.store.write(alerts.set_(ACCOUNT, wrong))


async def test_an_account_that_is_not_there_has_none(desk: Any) -> None:
    """Thresholds belong to an account."""
    with pytest.raises(ConstraintBroken):
        await desk.store.write(alerts.set_("nobody", [1]))


@given(steps=st.lists(st.tuples(st.sampled_from(["spend", "fail", "add"]), st.integers(1, 6)), max_size=30))
def test_any_order_of_credits(steps: list[tuple[str, int]]) -> None:
    """Whatever comes and goes, each threshold fires exactly at its first drop below after it was armed."""
    ledger = Ledger()
    try:
        _walk(ledger, steps)
    finally:
        ledger.teardown()


def _walk(ledger: Ledger, steps: list[tuple[str, int]]) -> None:
    balance, armed, live, fired = 0, {5: True, 2: True}, [], []
    run = ledger.run_
    run(set_enforced(enforced=False))
    run(accounts.ensure(ACCOUNT, "", 1))
    heard = (EventType.LOW_BALANCE,)
    run(endpoints.create(Endpoint("we_1", ACCOUNT, Source.API, "https://h.test/", heard, 1)))
    run(alerts.set_(ACCOUNT, armed))
    for n, (what, amount) in enumerate(steps):
        match what:
            case "spend":
                run(generations.accept(new(f"g{n}", price=amount)))
                live.append((f"g{n}", amount))
                balance -= amount
                crossed = [each for each in armed if armed[each] and balance < each]
                armed |= dict.fromkeys(crossed, False)
                fired += [{"balance": balance, "thresholds": crossed}] if crossed else []
            case "fail" if live:
                name, price = live.pop()
                run(generations.fail(name, {}, 1))
                balance += price
                armed |= {each: True for each in armed if balance >= each}
            case "add":
                run(add(ACCOUNT, amount, f"r{n}", "", 1))
                balance += amount
                armed |= {each: True for each in armed if balance >= each}
    found = ledger.connection.execute("SELECT data FROM event ORDER BY seq").fetchall()
    assert [json.loads(row["data"]) for row in found] == fired
