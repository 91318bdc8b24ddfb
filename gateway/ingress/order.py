"""The order of providers as callers of a door may ask for it: in words of ours, for no other API has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.ingress import fields
from gateway.ingress.refusal import Refusal

ORDER = ("provider_order", fields.ORDER)


def order_of(body: Mapping[str, Any]) -> str | None:
    """The order a body asks for, ids joined by commas; Refusal for what is none."""
    asked = next((body[name] for name in ORDER if body.get(name) is not None), None)
    if isinstance(asked, list) and all(isinstance(each, str) for each in asked):
        asked = ",".join(asked)
    if asked is not None and not isinstance(asked, str):
        said = f"{ORDER[0]} must be a text such as 'fastest', or ids of providers"
        raise Refusal("invalid_provider_order", said, field=ORDER[0])
    return asked


def take_order(left: dict[str, Any], wrong: Callable[[str, str], Refusal]) -> str | None:
    """The same taken out of what is left of a body, where it may be said once; `wrong` words what is none."""
    said = [left.pop(name) for name in ORDER if name in left]
    if len(said) > 1:
        raise wrong(ORDER[0], "is said twice; send it once")
    match said:
        case []:
            return None
        case [list(names)] if all(isinstance(each, str) for each in names):
            return ", ".join(names)
        case [str(order)]:
            return order
        case _:
            raise wrong(
                ORDER[0], "must be a text such as 'fastest', or ids of providers, in a list or joined by commas"
            )
