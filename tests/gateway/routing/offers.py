"""Hand-made offers of one model, for the tests of routing."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.generation import FIELDS, Kind, Type, Value
from gateway.offer import Form, Limits, Offer, Pick, Price, Unit

MODEL = "lab/model"
PROMPT = {"prompt": Limits(Type.TEXT)}


def pick(name: str, *values: Value) -> Pick:
    """A table of one field in which no row adds anything."""
    return Pick((name,), {(value,): {} for value in values})


def form(
    takes: Mapping[str, Limits] | None = None,
    *picks: Pick,
    needs: tuple[str, ...] = (),
    drops: tuple[str, ...] = (),
    defaults: Mapping[str, Value] | None = None,
    price: int = 40_000,
) -> Form:
    """A form that serves every request, at one price an image."""
    return Form(
        native="native/name",
        given=frozenset(),
        needs=frozenset(needs),
        takes=PROMPT if takes is None else takes,
        picks=picks,
        drops=frozenset(drops),
        defaults=defaults or {},
        price=Price(Unit.IMAGE, (), {(): price}),
    )


def offer(provider: str, *forms: Form, rank: int = 0, types: Mapping[str, Type] | None = None) -> Offer:
    """An offer of the model; the types of the shared fields need not be said."""
    forms = forms or (form(),)
    known = {name: field.type for name, field in FIELDS.items() if any(each.knows(name) for each in forms)}
    return Offer(provider, MODEL, Kind.IMAGE, rank, 60_000, forms, {**known, **(types or {})})
