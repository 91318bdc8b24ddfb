"""What the library says of a model: its schema, its prices and who serves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.generation import Kind, Value
from gateway.ingress.fields import spell
from gateway.money import as_number
from gateway.offer import Price
from gateway.routing.menu import Dish, Menu

# Fields with an entry of their own in the schema; whatever else a model takes is listed by name.
_COMMON = frozenset({"prompt", "ratio", "format", "count", "images", "duration", "resolution", "audio"})
_USUAL_FORMAT: Mapping[Kind, str] = {Kind.IMAGE: "png", Kind.VIDEO: "mp4"}


def entry(card: Menu) -> dict[str, Any]:
    """One model of the library."""
    priced = pricing(card.prices())
    return {
        "model_type": card.kind.value,
        "model_identifier": card.model,
        **({"model_pricing": priced} if priced is not None else {}),
        "model_supported_provider": list(card.providers),
        "schema": _schema(card),
        "required_schema": [spell(name) for name in card.required],
        "specific_schema": [spell(name) for name in card.fields if name not in _COMMON],
    }


def pricing(prices: Iterable[Price]) -> float | dict[str, float] | None:
    """The highest price of one unit over the providers: one number, or one per tier such as `1080p` or `720p_audio`.

    Prices by another unit than the first provider's cannot be compared with it and are left out.
    """
    known = list(prices)
    alike = [price for price in known if price.per is known[0].per]
    if not any(price.by for price in alike):
        amounts = [amount for price in alike for amount in price.amounts.values()]
        return as_number(max(amounts)) if amounts else None
    tiers: dict[str, int] = {}
    for row in _rows(alike):
        amounts = [amount for price in alike if (amount := price.of(row)) is not None]
        tiers[_tier(row)] = max(amounts)
    return {tier: as_number(amount) for tier, amount in tiers.items()}


def _rows(prices: Iterable[Price]) -> list[dict[str, Value]]:
    """Every combination the most detailed tables have a price for."""
    tables = list(prices)
    most = max(len(price.by) for price in tables)
    return [dict(zip(price.by, row, strict=True)) for price in tables if len(price.by) == most for row in price.amounts]


def _tier(row: Mapping[str, Value]) -> str:
    ordered = sorted(row.items(), key=lambda item: item[0] == "audio")
    return "_".join(_word(value) for _, value in ordered)


def _word(value: Value) -> str:
    """A value in the name of a tier; only the sound is a matter of yes or no."""
    return ("audio" if value else "noaudio") if isinstance(value, bool) else str(value)


def _schema(card: Menu) -> dict[str, Any]:
    fields = card.fields
    formats = _values(fields.get("format"))
    schema: dict[str, Any] = {
        spell("prompt"): "prompt" in fields,
        spell("ratio"): _values(fields.get("ratio")),
        spell("format"): formats or [_USUAL_FORMAT[card.kind]],
        # Clients send this number back as it is, so it is the usual count and not the largest.
        spell("count"): card.defaults.get("count", 1),
        spell("images"): "images" in fields,
    }
    if card.kind is Kind.VIDEO:
        schema[spell("duration")] = _values(fields.get("duration"))
    if "resolution" in fields:
        schema[spell("resolution")] = _default_first(_values(fields["resolution"]), card.defaults.get("resolution"))
    if "audio" in fields:
        schema[spell("audio")] = True in _values(fields["audio"])
    return schema


def _values(dish: Dish | None) -> list[Value]:
    return list(dish.values) if dish is not None and dish.values is not None else []


def _default_first(values: list[Value], usual: Value | None) -> list[Value]:
    """Clients take the first for the default."""
    return sorted(values, key=lambda value: value != usual)
