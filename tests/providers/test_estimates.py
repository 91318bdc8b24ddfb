"""What a request is estimated at is what is held for it, for every model that is shipped."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.generation import Kind
from gateway.ingress.estimate import _some
from gateway.ingress.fields import spell
from gateway.ledger import credits
from gateway.routing.menu import Menu
from tests.gateway.ingress.house import ACCOUNT, House, catalog, opened

PACKS = catalog()
RICH = 9_000_000_000_000  # millionths: enough for every request of this file
QUERY = {"count": "count", "duration": "duration", "resolution": "resolution", "audio": "audio"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The front rooms, with credits for everything."""
    async with opened(tmp_path, PACKS, balance=RICH) as made:
        yield made


def choices(card: Menu, name: str) -> list[Any]:
    """Values of a field that sets a price; none where a model has no such field."""
    dish = card.fields.get(name)
    if dish is None:
        return []
    if dish.values is not None:
        return list(dish.values)
    least = int(dish.limits.min) if dish.limits is not None and dish.limits.min is not None else 1
    return [value for value in (least, least + 1, least + 3) if dish.limits is None or value <= (dish.limits.max or 10)]


def asked(card: Menu, dice: random.Random) -> dict[str, Any]:
    """A request for a model: the fields an estimate asks about by chance, and those it needs."""
    found = {name: dice.choice(values) for name in QUERY if (values := choices(card, name)) and dice.random() < 0.8}
    if card.kind is Kind.VIDEO and "duration" not in found:
        found["duration"] = dice.choice(choices(card, "duration") or [5])
    return found


def body(card: Menu, found: dict[str, Any]) -> dict[str, Any]:
    """The same as a native request, with what the model cannot be without."""
    needed = {name: _some(dish) for name, dish in card.fields.items() if dish.needed and name not in found}
    said = {"prompt": "a prompt", **needed, **found}
    return {spell(name): list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def written(value: Any) -> str:
    """A value as a query has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


async def test_an_estimate_is_what_is_held(house: House) -> None:
    """Over all models and the fields that set a price: what is estimated is served at that price, and held to the millionth."""
    dice, tried, refused = random.Random(11), 0, 0
    for model in PACKS.ids():
        card = house.intake.menu(model)
        for _ in range(3):
            found = asked(card, dice)
            query = "&".join(f"{name}={written(value)}" for name, value in found.items())
            estimate = await house.ask("GET", f"/v1/estimate/{model}?{query}")
            before = (await house.store.read(credits.show(ACCOUNT))).held
            made = await house.ask("POST", f"/v1/generate/{card.kind.value}/{model}", body(card, found))
            held = (await house.store.read(credits.show(ACCOUNT))).held - before
            assert (made.status == 200) is (estimate.status == 200), (model, found, estimate.json, made.json)
            if made.status == 200:
                tried += 1
                assert round(estimate.data["cost_total_consumed"] * 1_000_000) == held, (model, found, held)
            else:
                refused += 1
    assert tried > 2 * len(PACKS.ids()), (tried, refused)
