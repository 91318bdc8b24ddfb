"""The act `credits.statement`: what was there, what moved, what was there after."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.clock import iso
from gateway.ingress.desk import AdminError
from tests.gateway.ingress.house import ACCOUNT, House

DAY = 24 * 60 * 60


async def months(house: House) -> str:
    """Live through two months: the opening credits, one success, more credits, a failure; gives the first day."""
    first = iso(house.clock.now_ms())[:10]
    await house.clock.advance(10 * DAY)
    await house.succeed(await house.create())
    await house.clock.advance(30 * DAY)
    await house.act("credits.add", account=ACCOUNT, amount="5", reference="invoice-2", note="December")
    await house.fail(await house.create())
    await house.succeed(await house.create())
    return first


async def ask(house: House, **days: Any) -> dict[str, Any]:
    """Ask for a statement."""
    return await house.act("credits.statement", account=ACCOUNT, **days)


async def test_a_statement_adds_up(house: House) -> None:
    """Opening, what came, what went and closing agree, and the movements tell them one by one, oldest first."""
    first = await months(house)
    today = iso(house.clock.now_ms())[:10]
    told = await ask(house, **{"from": first, "to": today})
    assert (told["opening"], told["added"], told["charged"], told["closing"]) == (0, 15, 0.08, 14.92)
    assert [each["kind"] for each in told["entries"]] == ["add", "settle", "add", "settle"]
    assert [each["balance"] for each in told["entries"]] == [10, 9.96, 14.96, 14.92]
    assert (told["entries"][2]["reference"], told["entries"][2]["note"]) == ("invoice-2", "December")
    assert told["movements"] == 4


async def test_one_statement_opens_where_the_last_one_closed(house: House) -> None:
    """Cut at any day, the closing balance of the first part is the opening one of the second."""
    first = await months(house)
    today = iso(house.clock.now_ms())[:10]
    cut = iso(house.clock.now_ms() - 20 * DAY * 1000)[:10]
    after = iso(house.clock.now_ms() - 19 * DAY * 1000)[:10]
    earlier, later = await ask(house, **{"from": first, "to": cut}), await ask(house, **{"from": after, "to": today})
    assert earlier["closing"] == later["opening"] == 9.96
    assert later["closing"] == 14.92
    assert earlier["movements"] + later["movements"] == 4


async def test_without_days_it_is_this_month(house: House) -> None:
    """From the first of the month to the end of today, whatever the time of day is."""
    today = iso(house.clock.now_ms())[:10]
    told = await ask(house)
    assert (told["from"], told["to"]) == (f"{today[:8]}01", today)
    assert (told["opening"], told["added"], told["movements"]) == (0, 10, 1)


async def test_a_quiet_day_moves_nothing(house: House) -> None:
    """A day without movements opens and closes alike."""
    await house.clock.advance(3 * DAY)
    quiet = iso(house.clock.now_ms() - DAY * 1000)[:10]
    told = await ask(house, **{"from": quiet, "to": quiet})
    assert (told["opening"], told["closing"], told["entries"]) == (10, 10, [])


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"from": "yesterday"}, "from is a day such as"),
        ({"to": "2026-02-30"}, "to is a day such as"),
        ({"to": "20260201"}, "to is a day such as"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "the first day comes first"),
        ({"from": 7}, "from must be a text"),
    ],
)
async def test_days_that_are_none_are_refused(house: House, days: dict[str, Any], said: str) -> None:
    """What is wrong is said, with what would be right."""
    with pytest.raises(AdminError, match=said):
        await ask(house, **days)


async def test_a_statement_needs_an_account(house: House) -> None:
    """An account that does not exist has none."""
    with pytest.raises(AdminError, match="no account 'nobody'"):
        await house.act("credits.statement", account="nobody")
