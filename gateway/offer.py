"""What one provider says it can do for one model, within which limits, at what price.

An offer has one or more forms: the same model may want another address or another body depending on what the request holds
(words alone, a picture to start from, a last frame). The first form whose condition fits the request is the one that has to
serve it; a field the form does not know excludes the offer, with the reason kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from gateway.generation import Kind, Type, Value

MICRO = 1_000_000  # millionths in a credit


class Unit(StrEnum):
    """What a price is for."""

    IMAGE = "image"
    SECOND = "second"
    REQUEST = "request"


class Handing(StrEnum):
    """How a file is handed to a provider."""

    URL = "url"
    DATA = "data"
    BASE64 = "base64"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Limits:
    """A field handed on as it is, and the bounds the provider sets. `max` counts items for lists.

    `takes` says how a file may be handed over, the way preferred first: as its address, as a `data:` URI, as bare base64, or
    as a part of a multipart body.
    """

    type: Type
    min: float | None = None
    max: float | None = None
    max_chars: int | None = None
    takes: tuple[Handing, ...] = ()

    def refusal(self, name: str, value: Value) -> str | None:
        """Say why the value is out of bounds, or None."""
        if self.type in {Type.URL, Type.URLS} and self.takes == (Handing.URL,):
            addresses = value if isinstance(value, tuple) else (str(value),)
            if any(is_inline(address) for address in addresses):
                return f"{name} must be public addresses: this provider takes no data in place of one"
        if isinstance(value, str):
            too_long = self.max_chars is not None and len(value) > self.max_chars
            return f"{name} is longer than {self.max_chars} characters" if too_long else None
        if isinstance(value, bool):
            return None
        size, what = (len(value), " items") if isinstance(value, tuple) else (value, "")
        if self.min is not None and size < self.min:
            return f"{name} is below the minimum of {self.min:g}{what}"
        if self.max is not None and size > self.max:
            return f"{name} is above the maximum of {self.max:g}{what}"
        return None


@dataclass(frozen=True, slots=True)
class Pick:
    """One or two fields chosen from a table; each row says which names join the native body."""

    fields: tuple[str, ...]
    rows: Mapping[tuple[Value, ...], Mapping[str, object]]

    def values(self, name: str) -> list[Value]:
        """The values this table has for one of its fields, in the order they are written."""
        at = self.fields.index(name)
        return list(dict.fromkeys(row[at] for row in self.rows))


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs, in millionths of a credit: a single amount, or one per value of up to two fields."""

    per: Unit
    by: tuple[str, ...]
    amounts: Mapping[tuple[Value, ...], int]

    def of(self, values: Mapping[str, Value]) -> int | None:
        """The price of one unit for these values, or None when the table has no such row."""
        return self.amounts.get(tuple(values.get(name, "") for name in self.by))


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask for the model; it serves requests that hold all of `given`."""

    native: str
    given: frozenset[str]
    needs: frozenset[str]
    takes: Mapping[str, Limits]
    picks: tuple[Pick, ...]
    drops: frozenset[str]
    defaults: Mapping[str, Value]
    price: Price

    def knows(self, name: str) -> bool:
        """Whether the form has any word for the field."""
        return name in self.takes or name in self.drops or any(name in pick.fields for pick in self.picks)


@dataclass(frozen=True, slots=True)
class Offer:
    """One model at one provider."""

    provider: str
    model: str
    kind: Kind
    rank: int
    deadline: int
    forms: tuple[Form, ...]
    types: Mapping[str, Type]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """A request that an offer can serve: by which form, with which values, and what it leaves out."""

    form: int
    values: Mapping[str, Value]
    dropped: tuple[str, ...]
    price: int


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why an offer cannot serve a request: field and sentence, one per trouble."""

    reasons: tuple[tuple[str, str], ...]


def fit(offer: Offer, fields: Mapping[str, Value]) -> Fit | Misfit:
    """Try a request on an offer. Pure; every trouble is reported, not only the first. An empty list asks for nothing."""
    fields = {name: value for name, value in fields.items() if value != ()}
    index = _choose(offer, fields)
    if index is None:
        lacking = min((sorted(form.given - fields.keys()) for form in offer.forms), key=len)
        return Misfit(tuple((name, f"{name} is required") for name in lacking))
    form = offer.forms[index]
    values = {**form.defaults, **fields}
    reasons = list(_troubles(form, fields, values))
    if reasons:
        return Misfit(tuple(reasons))
    price = cost(form.price, values)
    if price is None:
        return Misfit(((form.price.by[0], "no price is known for this combination"),))
    return Fit(index, values, tuple(sorted(name for name in fields if name in form.drops)), price)


def cost(price: Price, values: Mapping[str, Value]) -> int | None:
    """The price of a whole request in millionths, rounded half up; None when the table has no such row."""
    unit = price.of(values)
    if unit is None:
        return None
    units = Decimal(1)
    if price.per in {Unit.IMAGE, Unit.SECOND}:
        units *= Decimal(str(values.get("count", 1)))
    if price.per is Unit.SECOND:
        units *= Decimal(str(values.get("duration", 1)))
    return int((unit * units).to_integral_value(rounding=ROUND_HALF_UP))


def _choose(offer: Offer, fields: Mapping[str, Value]) -> int | None:
    for index, form in enumerate(offer.forms):
        if form.given <= fields.keys():
            return index
    return None


def _troubles(form: Form, fields: Mapping[str, Value], values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for name in sorted(form.needs - {name for name, value in values.items() if value != ""}):
        yield name, f"{name} is required"
    for name, value in fields.items():
        if not form.knows(name):
            yield name, f"{name} is not offered"
        elif name in form.takes and (refusal := form.takes[name].refusal(name, value)):
            yield name, refusal
    for pick in form.picks:
        row = tuple(values[name] for name in pick.fields if name in values)
        if len(row) == len(pick.fields):
            if row not in pick.rows:
                strange = (name for name, value in zip(pick.fields, row, strict=True) if value not in pick.values(name))
                yield next(strange, pick.fields[-1]), _no_row(pick, row)
        elif row:
            # One value of a pair chooses no row: it would be left out without a word.
            missing = next(name for name in pick.fields if name not in values)
            yield missing, f"{missing} is required beside {', '.join(set(pick.fields) - {missing})}"


def _no_row(pick: Pick, row: tuple[Value, ...]) -> str:
    asked = " with ".join(f"{name} {value}" for name, value in zip(pick.fields, row, strict=True))
    return f"{asked} is not offered"


def is_inline(address: str) -> bool:
    """Whether an input carries its bytes in itself instead of naming where they are."""
    return address[:5].lower() == "data:"
