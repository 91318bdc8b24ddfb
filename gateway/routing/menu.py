"""What a model offers over all its providers: what a caller may ask for at all.

A value is on the menu when at least one provider has it; those that do not are left out of the plan for that request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

from gateway.generation import FIELDS, Kind, Type, Value
from gateway.offer import Limits, Offer, Price


@dataclass(frozen=True, slots=True)
class Dish:
    """One field on the menu: its values where they are a list, and else its widest bounds."""

    type: Type
    values: tuple[Value, ...] | None
    limits: Limits | None
    needed: bool


@dataclass(frozen=True)  # without slots: what follows from the fields is found once
class Menu:
    """One model: who offers it, in the usual order, and every field with what it may hold."""

    model: str
    kind: Kind
    offers: tuple[Offer, ...]
    fields: Mapping[str, Dish]
    defaults: Mapping[str, Value]

    @cached_property
    def providers(self) -> tuple[str, ...]:
        """The providers, in the order that holds when nobody asks for one."""
        return tuple(offer.provider for offer in self.offers)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """What a request must hold: the native API's own words, and what every provider of the model asks for."""
        always = ["prompt", "duration"] if self.kind is Kind.VIDEO else ["prompt"]
        return tuple(dict.fromkeys([*always, *(name for name, dish in self.fields.items() if dish.needed)]))

    def refusal(self, name: str, value: Value) -> str | None:
        """Say why no provider of the model takes this value for this field, or None when one may."""
        dish = self.fields[name]
        if dish.values is not None:
            if value in dish.values:
                return None
            return f"must be one of: {', '.join(_shown(known) for known in dish.values)}"
        return dish.limits.refusal("the value", value) if dish.limits else None

    def prices(self) -> list[Price]:
        """Every price at which the model is offered."""
        return [form.price for offer in self.offers for form in offer.forms]


def menu(offers: Iterable[Offer]) -> Menu:
    """Lay out the menu of one model from its offers; there must be at least one."""
    offers = tuple(offers)
    first = offers[0]
    names = dict.fromkeys(name for name in FIELDS if any(form.knows(name) for offer in offers for form in offer.forms))
    names.update(dict.fromkeys(name for offer in offers for name in offer.types))
    defaults: dict[str, Value] = {}
    for offer in reversed(offers):  # where two differ, the one that is asked first has its way
        defaults.update(offer.forms[-1].defaults)
    return Menu(first.model, first.kind, offers, {name: _dish(name, offers) for name in names}, defaults)


def _dish(name: str, offers: tuple[Offer, ...]) -> Dish:
    forms = [form for offer in offers for form in offer.forms]
    type_ = next(offer.types[name] for offer in offers if name in offer.types)
    listed: list[Value] = []
    bounds: list[Limits] = []
    for form in forms:
        listed += [value for pick in form.picks if name in pick.fields for value in pick.values(name)]
        if name in form.takes:
            bounds.append(form.takes[name])
    needed = all(name in form.needs | form.given for form in forms)
    if not bounds:
        return Dish(type_, tuple(_sorted(name, dict.fromkeys(listed))) if listed else None, None, needed)
    return _bounded(name, type_, bounds, listed, needed=needed)


def _bounded(name: str, type_: Type, bounds: list[Limits], listed: list[Value], *, needed: bool) -> Dish:
    """Widen the bounds over all who have some; a length in seconds becomes the list of those that somebody offers."""
    numbers = [value for value in listed if isinstance(value, int | float)]
    if name == "duration" and (whole := _whole(bounds)):
        return Dish(type_, tuple(sorted({*whole, *numbers})), None, needed)
    low = _widest([limit.min for limit in bounds], min)
    high = _widest([limit.max for limit in bounds], max)
    chars = _widest([limit.max_chars for limit in bounds], max)
    if numbers and low is not None:
        low = min(low, *numbers)
    if numbers and high is not None:
        high = max(high, *numbers)
    limits = Limits(type_, low, high, int(chars) if chars is not None else None)
    return Dish(type_, None, limits, needed)


def _whole(bounds: list[Limits]) -> set[int]:
    """The whole numbers within one of the bounds; none where one of them is open."""
    whole: set[int] = set()
    for limit in bounds:
        if limit.min is None or limit.max is None:
            return set()
        whole.update(range(ceil(limit.min), floor(limit.max) + 1))
    return whole


def _widest(bounds: list[float | None], choose: Callable[[list[float]], float]) -> float | None:
    known = [bound for bound in bounds if bound is not None]
    return choose(known) if len(known) == len(bounds) else None  # one who sets no bound takes everything


def _sorted(name: str, values: Iterable[Value]) -> list[Value]:
    values = list(values)
    if name == "ratio":
        return sorted(values, key=_by_first_number)
    if all(isinstance(value, int | float) for value in values):
        return sorted(values, key=lambda value: value if isinstance(value, int | float) else 0)
    return values


def _by_first_number(value: Value) -> tuple[float, float]:
    parts = str(value).split(":")
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        return float(parts[0]), float(parts[1])
    return float("inf"), 0.0


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
