"""What one model takes: its fields, their values or their widest bounds over all its providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from gateway.generation import FIELDS, Kind, Type, Value
from gateway.ingress.fields import NATIVE, ORDER, spell
from gateway.ingress.openapi.shapes import Schema, closed
from gateway.ingress.weigh import LONGEST_ORDER, LONGEST_PROMPT, LONGEST_TEXT
from gateway.routing.menu import Dish, Menu

ORDER_OF: Schema = {
    "type": "string",
    "maxLength": LONGEST_ORDER,
    "description": "`fastest`, or ids of providers between commas: these first, the others after them.",
}
_PROMPT = "a baby seal plays in the Arctic"
_PICTURE = "https://example.com/reference.jpg"
_FILM = "https://example.com/reference.mp4"


def request(card: Menu) -> Schema:
    """What a request for this model may hold. Not every combination is served: where none is, the refusal says by whom and why."""
    needed = card.required
    properties = {spell(name): _field(card, name, needed=name in needed) for name in card.fields}
    order = {**ORDER_OF, "examples": [", ".join(card.providers)]}
    made = closed({**properties, ORDER: order}, needed=[spell(name) for name in needed])
    return {**made, "examples": [example(card)]}


def example(card: Menu) -> dict[str, Any]:
    """The least that a request for this model holds."""
    return {spell(name): some(name, card.fields[name]) for name in card.required if name in card.fields}


def some(name: str, dish: Dish) -> Any:
    """A value that the model takes for a field."""
    if dish.values:
        return dish.values[0]
    match dish.type:
        case Type.TEXT:
            return _PROMPT
        case Type.URL:
            return _FILM if name == "video" else _PICTURE
        case Type.URLS:
            return [_PICTURE]
        case Type.BOOLEAN:
            return False
        case Type.INTEGER | Type.NUMBER:
            return _number(dish.limits.min) if dish.limits is not None and dish.limits.min is not None else 1
        case _:
            assert_never(dish.type)


def typed(name: str, type_: Type) -> Schema:
    """What a field of this type holds, whatever the model."""
    match type_:
        case Type.TEXT:
            return {"type": "string", "maxLength": LONGEST_PROMPT if name == "prompt" else LONGEST_TEXT}
        case Type.URL:
            return {"type": "string", "format": "uri"}
        case Type.URLS:
            return {"type": "array", "items": {"type": "string", "format": "uri"}}
        case Type.BOOLEAN:
            return {"type": "boolean"}
        case Type.INTEGER:
            return {"type": "integer"}
        case Type.NUMBER:
            return {"type": "number"}
        case _:
            assert_never(type_)


def prefix(kind: Kind) -> str:
    """What the path begins with on which models of a kind are asked."""
    return f"/v1/generate/{kind.value}/"


def _field(card: Menu, name: str, *, needed: bool) -> Schema:
    dish = card.fields[name]
    made = dict(typed(name, dish.type))
    if name in FIELDS:
        made["description"] = FIELDS[name].says
    if dish.values is not None:
        made["enum"] = [*dish.values, *(["jpeg"] if spell(name) == NATIVE["format"] and "jpg" in dish.values else [])]
        made.pop("maxLength", None)
    made |= _bounds(dish)
    if needed and dish.values is None:
        made |= {Type.TEXT: {"minLength": 1}, Type.URL: {"minLength": 1}}.get(dish.type, {})
        if dish.type is Type.URLS:
            made["minItems"] = max(1, made.get("minItems", 1))
    usual: Value | None = card.defaults.get(name)
    return {**made, "default": usual} if usual is not None and not needed else made


def _bounds(dish: Dish) -> Mapping[str, Any]:
    if dish.limits is None:
        return {}
    limits, made = dish.limits, {}
    low, high = ("minItems", "maxItems") if dish.type is Type.URLS else ("minimum", "maximum")
    if limits.min is not None:
        made[low] = _number(limits.min)
    if limits.max is not None:
        made[high] = _number(limits.max)
    if limits.max_chars is not None:
        made["maxLength"] = min(limits.max_chars, LONGEST_PROMPT if dish.type is Type.TEXT else limits.max_chars)
    return made


def _number(bound: float) -> float:
    return int(bound) if float(bound).is_integer() else bound
