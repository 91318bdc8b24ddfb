"""What a key is made with, shown and changed to."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.clock import iso
from gateway.ingress.desk import AdminError
from gateway.ledger import spending
from gateway.ledger.generations import Accepted
from tests.gateway.ingress.house import ACCOUNT, House
from tests.gateway.ledger.conftest import new

DAY = 86_400_000
CAPS = {"models": ["lab/*"], "budget": 5, "budget_per": "day", "rate": 60, "in_flight": 4}


async def test_a_key_is_made_with_all_it_is_held_to(house: House) -> None:
    """Scopes, networks, times and caps are shown as they were asked for."""
    made = await house.act(
        "keys.create", account=ACCOUNT, name="shop", scopes=["health:read"], networks=["10.0.0.0/8"],
        starts_in="1h", expires_in="30d", **CAPS,
    )  # fmt: skip
    now = house.clock.now_ms()
    shown = await house.act("keys.show", id=made["id"])
    assert {**shown, "key": made["key"]} == {
        **made,
        "budget": {"credits": 5, "per": "day", "spent": 0, "left": 5},
        "replaced_by": None,
        "family": made["id"],
    }
    assert (shown["models"], shown["rate_per_minute"], shown["in_flight"]) == (["lab/*"], 60, 4)
    assert (shown["status"], shown["starts_at"]) == ("waiting", iso(now + DAY // 24))
    assert shown["expires_at"] == iso(now + 30 * DAY)


TIMES = [
    ("90s", 90_000),
    ("2026-11-25", "2026-11-25T00:00:00.000Z"),
    ("2026-11-25T12:00:00+02:00", "2026-11-25T10:00:00.000Z"),
]


@pytest.mark.parametrize(("written", "ends"), TIMES)
async def test_a_key_ends_when_it_says(house: House, written: str, ends: int | str) -> None:
    """A span, a day in UTC and a moment are all taken."""
    made = await house.act("keys.create", account=ACCOUNT, expires_in=written)
    assert made["expires_at"] == (ends if isinstance(ends, str) else iso(house.clock.now_ms() + ends))


async def test_what_is_left_of_a_budget_is_shown(house: House) -> None:
    """What generations of the key hold and cost is taken off, and never more than there was."""
    made = await house.act("keys.create", account=ACCOUNT, budget="0.1")
    asked = new("g", price=40_000, created=house.clock.now_ms())
    assert isinstance(await house.store.write(spending.accept(asked, made["id"])), Accepted)
    shown = await house.act("keys.show", id=made["id"])
    assert shown["budget"] == {"credits": 0.1, "per": "all", "spent": 0.04, "left": 0.06}
    await house.act("keys.change", id=made["id"], budget="0.01")
    assert (await house.act("keys.show", id=made["id"]))["budget"]["left"] == 0


async def test_a_key_is_changed_but_not_in_its_scopes(house: House) -> None:
    """What is given is changed, the rest stays; an empty list or a zero takes a cap away."""
    made = await house.act("keys.create", account=ACCOUNT, name="shop", networks=["10.0.0.0/8"], **CAPS)
    changed = await house.act("keys.change", id=made["id"], rate=7, name="store")
    assert changed == {**{k: v for k, v in made.items() if k != "key"}, "rate_per_minute": 7, "name": "store"}
    gone = await house.act("keys.change", id=made["id"], models=[], networks=[], budget=0, rate=0, in_flight=0)
    assert [gone[name] for name in ("models", "networks", "budget", "rate_per_minute", "in_flight")] == [
        [],
        [],
        None,
        None,
        None,
    ]
    with pytest.raises(AdminError, match="takes id, name, networks"):
        await house.act("keys.change", id=made["id"], scopes=["admin"])


async def test_a_successor_is_held_to_the_same(house: House) -> None:
    """A rotation keeps name, scopes, networks and caps, and says whose family it is."""
    made = await house.act("keys.create", account=ACCOUNT, name="shop", scopes=["health:read"], **CAPS)
    heir = await house.act("keys.rotate", id=made["id"], grace=1)
    same = ("name", "scopes", "networks", "models", "budget", "rate_per_minute", "in_flight", "expires_at")
    assert [heir[name] for name in same] == [made[name] for name in same]
    assert heir["replaces"] == made["id"]
    third = await house.act("keys.rotate", id=heir["id"], expires_in="1d")
    shown = await house.act("keys.show", id=third["id"])
    assert shown["family"] == made["id"]
    old = await house.act("keys.show", id=made["id"])
    assert (old["status"], old["replaced_by"]) == ("rotated", heir["id"])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"models": "lab/*"}, "models is a list"),
    ({"models": ["lab/{x}"]}, "models is a list"),
    ({"models": [""]}, "models is a list"),
    ({"models": ["x/y"] * 51}, "at most 50"),
    ({"budget": -1}, "above zero"),
    ({"budget": "much"}, "budget: expected an amount"),
    ({"budget": 1, "budget_per": "week"}, "budget_per is one of day, all"),
    ({"rate": -1}, "rate is a whole number"),
    ({"rate": True}, "rate is a whole number"),
    ({"rate": 1.5}, "rate is a whole number"),
    ({"in_flight": "4"}, "in_flight is a whole number"),
    ({"expires_in": "2020-01-01"}, "is over already"),
    ({"expires_in": "2026-13-01"}, "expires_in is a span"),
    ({"expires_in": 5}, "expires_in is a span"),
    ({"expires_in": "999999999d"}, "after the year 9999"),
    ({"expires_in": "9999-12-31T23:59:59-12:00"}, "expires_in is a span"),
    ({"starts_in": "soon"}, "starts_in is a span"),
    ({"starts_in": "2d", "expires_in": "1d"}, "comes after"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
async def test_what_a_key_cannot_be_held_to_is_said(house: House, given: dict[str, Any], said: str) -> None:
    """What is no list of models, no amount, no number or no time is refused, and no key is made."""
    before = (await house.act("keys.list"))["keys"]
    with pytest.raises(AdminError, match=said):
        await house.act("keys.create", account=ACCOUNT, **given)
    assert (await house.act("keys.list"))["keys"] == before
