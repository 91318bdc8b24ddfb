"""The parameters of a model in its provider's spelling, as a client of that provider sees them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.generation import Type, Value
from gateway.providers.matching import Way, leaves
from gateway.providers.pack import Model


@dataclass(slots=True)
class Parameter:
    """One parameter: its type, or the native values it may have; `usual` is what holds when it is not said."""

    type: Type | None
    values: list[Any] = field(default_factory=list)
    usual: Any = None
    is_needed: bool = False


def parameters(model: Model) -> Mapping[Way, Parameter]:
    """Every parameter of every form, by where it stands in the body."""
    found: dict[Way, Parameter] = {}
    forms = list(zip(model.offer.forms, model.shapes, strict=True))
    for form, shape in forms:
        for way, name, item in leaves(shape.body):
            if name in form.takes:
                type_ = form.takes[name].type
                parameter = found.setdefault(way, Parameter(Type.URL if item is not None else type_))
                parameter.usual = form.defaults.get(name, parameter.usual)
                parameter.is_needed = all(name in each.needs | each.given for each, _ in forms)
                continue
            for pick in form.picks:
                usual = tuple(form.defaults.get(each, "") for each in pick.fields)
                _add(found, way, name, pick.rows, usual)
    return found


def _add(
    found: dict[Way, Parameter],
    way: Way,
    name: str,
    rows: Mapping[tuple[Value, ...], Mapping[str, object]],
    usual: tuple[Value, ...],
) -> None:
    values = [row[name] for row in rows.values() if name in row]
    if not values:
        return
    parameter = found.setdefault(way, Parameter(None))
    parameter.values += [value for value in values if value not in parameter.values]
    parameter.usual = rows.get(usual, {}).get(name, parameter.usual)
