"""Checks a request's fields as strictly as the vendors' own schemas do.

A vendor's file describes what a model takes as a table of `Field`s; `check` returns every way a
value breaks it as a `Violation`, and the vendor's file words those in its own error shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_DATA = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}")
_WEB = ("http", "https", "data")


class Kind(StrEnum):
    """The JSON types, and addresses apart from other strings."""

    STRING = "string"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"
    EITHER = "either"


class Wrong(StrEnum):
    """The ways a field can be wrong."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    TYPE = "type"
    ENUM = "enum"
    LOW = "low"
    HIGH = "high"
    STEP = "step"
    FEW = "few"
    MANY = "many"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold; `least` and `most` bound a number, or the length of an array or string."""

    kind: Kind
    required: bool = False
    values: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None
    step: int | None = None
    item: Field | None = None
    fields: Mapping[str, Field] | None = None
    options: tuple[Field, ...] = ()
    default: Any = None
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong: where, how, what it held, and the field it should have been."""

    path: tuple[str | int, ...]
    wrong: Wrong
    value: Any
    field: Field | None

    @property
    def dotted(self) -> str:
        """The place in the form `content.0.role`."""
        return ".".join(str(part) for part in self.path)


def text(*values: str, required: bool = False, default: str | None = None, most: int | None = None) -> Field:
    """Describe a string, one of `values` when any are given."""
    return Field(Kind.STRING, required=required, values=values, default=default, most=most)


def url(*schemes: str, required: bool = False) -> Field:
    """Describe an address: http, https or a base64 data URI, unless other schemes are named."""
    return Field(Kind.URL, required=required, schemes=schemes or _WEB)


def whole(
    *values: int, least: float | None = None, most: float | None = None, step: int | None = None, default: Any = None
) -> Field:
    """Describe an integer, one of `values` or within bounds."""
    return Field(Kind.INTEGER, values=values, least=least, most=most, step=step, default=default)


def number(*, least: float | None = None, most: float | None = None) -> Field:
    """Describe any number within bounds."""
    return Field(Kind.NUMBER, least=least, most=most)


def flag(*, default: bool | None = None) -> Field:
    """Describe a boolean."""
    return Field(Kind.BOOLEAN, default=default)


def many(item: Field, *, least: int = 0, most: int | None = None, required: bool = False) -> Field:
    """Describe an array of like items."""
    return Field(Kind.ARRAY, required=required, item=item, least=least, most=most)


def tree(fields: Mapping[str, Field], *, required: bool = False) -> Field:
    """Describe an object with exactly these fields."""
    return Field(Kind.OBJECT, required=required, fields=fields)


def either(*options: Field, default: Any = None) -> Field:
    """Describe a value that may be any one of several things."""
    return Field(Kind.EITHER, options=options, default=default)


def check(fields: Mapping[str, Field], value: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> list[Violation]:
    """Return everything wrong with an object, unknown and missing fields included."""
    found = [
        Violation((*path, name), Wrong.MISSING, value, spec)
        for name, spec in fields.items()
        if spec.required and name not in value
    ]
    for name, held in value.items():
        spec = fields.get(name)
        if spec is None:
            found.append(Violation((*path, name), Wrong.UNKNOWN, held, None))
        else:
            found.extend(_check(spec, held, (*path, name)))
    return found


def _check(spec: Field, value: Any, path: tuple[str | int, ...]) -> Iterator[Violation]:
    if spec.kind is Kind.EITHER:
        tries = [list(_check(option, value, path)) for option in spec.options]
        if all(tries):
            # The option of the right type tells more than "none of these".
            telling = [found for found in tries if (found[0].wrong, found[0].path) != (Wrong.TYPE, path)]
            yield from min(telling or tries, key=len)
        return
    if not _is(spec.kind, value):
        yield Violation(path, Wrong.TYPE, value, spec)
        return
    if spec.values and value not in spec.values:
        yield Violation(path, Wrong.ENUM, value, spec)
    if spec.kind is Kind.URL and not _is_address(spec, value):
        yield Violation(path, Wrong.URL, value, spec)
    yield from _bounds(spec, value, path)
    if spec.item is not None:
        for index, item in enumerate(value):
            yield from _check(spec.item, item, (*path, index))
    if spec.fields is not None:
        yield from check(spec.fields, value, path)


def _is_address(spec: Field, value: str) -> bool:
    scheme, colon, rest = value.partition(":")
    if not colon or scheme not in spec.schemes:
        return False
    if scheme == "data":
        return _DATA.fullmatch(value) is not None
    return re.fullmatch(r"//[^\s/]\S*", rest) is not None


def _bounds(spec: Field, value: Any, path: tuple[str | int, ...]) -> Iterator[Violation]:
    counted = spec.kind in (Kind.ARRAY, Kind.STRING)
    size = len(value) if counted else value
    if spec.least is not None and size < spec.least:
        yield Violation(path, Wrong.FEW if counted else Wrong.LOW, value, spec)
    if spec.most is not None and size > spec.most:
        yield Violation(path, Wrong.MANY if counted else Wrong.HIGH, value, spec)
    if spec.step is not None and value % spec.step:
        yield Violation(path, Wrong.STEP, value, spec)


def _is(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.STRING | Kind.URL:
            return isinstance(value, str)
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.ARRAY:
            return isinstance(value, list)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.EITHER:
            raise AssertionError("an either is tried option by option")
