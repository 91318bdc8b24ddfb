"""A body of the images API → what is asked of a model, and how the answer is to look. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from gateway.generation import Type, Value, word
from gateway.ingress import fields as native
from gateway.ingress.images import size as sizes
from gateway.ingress.order import take_order
from gateway.ingress.refusal import Refusal
from gateway.routing.menu import Menu

_MOST = 10  # pictures of one request, as that API has it
_MOST_PARTIAL = 3
_FORMATS = {"jpeg": "jpg"}  # their word for a format, and ours
# For their own watch over users; nobody here is told.
_IGNORED = frozenset({"user", "safety_identifier", "metadata"})
_SPELLED: Mapping[str, str] = MappingProxyType(
    {"count": "n", "format": "output_format", "images": "image", "ratio": "size", "resolution": "size"}
)
_QUALITIES: Mapping[str, str] = MappingProxyType({"hd": "high"})  # a word of their older models
_USUAL = frozenset({"auto", "standard"})


# What a form holds as a text, whatever the model.
_TYPES: Mapping[str, Type] = MappingProxyType(
    {
        "n": Type.INTEGER,
        "stream": Type.BOOLEAN,
        "partial_images": Type.INTEGER,
        "output_compression": Type.INTEGER,
    }
)
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_FLAGS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})


class Look(StrEnum):
    """How a picture is handed over in JSON."""

    URL = "url"
    B64 = "b64_json"


_LOOKS = frozenset(Look)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is done otherwise than it was asked."""

    field: str
    asked: str
    given: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as it was read: our fields, and how the answer is to look; without a `look` whatever the client may need."""

    model: str
    fields: Mapping[str, Any]
    order: str | None
    look: Look | None
    stream: bool
    size: str | None
    adjusted: tuple[Adjustment, ...]


@dataclass(slots=True)
class _Reading:
    """One body on its way."""

    menu: Menu
    body: dict[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    adjusted: list[Adjustment] = field(default_factory=list)


def spell(name: str) -> str:
    """That API's word for one of our fields; ours where it has none."""
    return _SPELLED.get(name, name.removeprefix("?"))


def model_of(body: Mapping[str, Any], named: str | None = None) -> str:
    """The model a body asks for, or the path did."""
    model = body.get("model")
    if named is not None and model in (None, "", named):
        return named
    if named is not None:
        raise Refusal("invalid_input", "the path and the body name different models; name one", field="model")
    if not isinstance(model, str) or not model:
        said = "model is required, such as lab/model-1.0; GET /v1/models lists what there is"
        raise Refusal("invalid_input", said, field="model")
    if len(model) > native.LONGEST * 2:
        raise Refusal("model_not_found", "no model has a name that long", field="model")
    return model


def typed(texts: Sequence[tuple[str, str]], menu: Menu) -> dict[str, Any]:
    """The texts of a form as JSON would have them: `"2"` for a number is one. Refusal for what is sent twice."""
    body: dict[str, Any] = {}
    for written, text in texts:
        name = written.removesuffix("[]")
        value = _typed(name, text, menu)
        if written.endswith("[]"):
            body.setdefault(name, []).append(value)
        elif name in body:
            raise _wrong(name, "is there twice; send it once")
        else:
            body[name] = value
    return body


def _typed(name: str, text: str, menu: Menu) -> Any:
    dish = menu.fields.get(_ours(name))
    type_ = _TYPES.get(name, dish.type if dish is not None else Type.TEXT)
    match type_:
        case Type.INTEGER if _WHOLE.fullmatch(text):
            return int(text)
        case Type.NUMBER if _NUMBER.fullmatch(text):
            return float(text)
        case Type.BOOLEAN if text in _FLAGS:
            return _FLAGS[text]
        case _:
            return text


def read(body: Mapping[str, Any], menu: Menu, images: Sequence[str] = (), mask: str | None = None) -> Wishes:
    """Read a body for a model; Refusal by the name of what cannot be had."""
    if len(body) > native.MOST or any(len(name) > native.LONGEST for name in body):
        raise Refusal(
            "invalid_input",
            f"a request has at most {native.MOST} fields, their names at most {native.LONGEST} characters",
        )
    left = {name: value for name, value in body.items() if value is not None and name not in _IGNORED | {"model"}}
    order = take_order(left, _wrong)
    look = _look(left.pop("response_format", None))
    stream = left.pop("stream", False)
    if not isinstance(stream, bool):
        raise _wrong("stream", f"must be true or false, not {word(stream)}")
    _within(left.pop("partial_images", 0), "partial_images", 0, _MOST_PARTIAL)
    asked = left.get("size")
    reading = _Reading(menu, left)
    _read_all(reading)
    if images:
        reading.fields["images"] = list(images)
    if mask is not None:
        reading.fields["mask"] = mask
    size = asked if isinstance(asked, str) and asked != "auto" else None
    return Wishes(menu.model, reading.fields, order, look, stream, size, tuple(reading.adjusted))


def _read_all(reading: _Reading) -> None:
    body = reading.body
    for name, read_one in _READERS.items():
        if name in body:
            read_one(reading, body.pop(name))
    for name, value in body.items():
        ours = _ours(name)
        if ours in reading.fields:
            raise _wrong(name, f"is said by {spell(ours)} already; send one of them")
        reading.fields[ours] = value


def _ours(name: str) -> str:
    """One of our fields by its own name or by that of the native API, which the clients pass on as they find it."""
    if not name.startswith("generation_"):
        return name
    [ours] = native.read({name: None})[0]
    return ours


def _size(reading: _Reading, written: Any) -> None:
    if written == "auto":
        return
    size = sizes.read(written) if isinstance(written, str) else None
    if size is None:
        raise _wrong("size", "must be `auto`, or pixels such as 1024x1536")
    ratios, classes = _values(reading.menu, "ratio"), _values(reading.menu, "resolution")
    ratio = sizes.shape(size, ratios)
    if ratio is None:
        known = ", ".join(str(each) for each in ratios) or "none"
        raise _wrong("size", f"{written} has a shape that {reading.menu.model} does not make; it makes these: {known}")
    reading.fields["ratio"] = ratio
    grade = sizes.grade(size, classes)
    if grade is not None:
        reading.fields["resolution"] = grade


def _count(reading: _Reading, value: Any) -> None:
    _within(value, "n", 1, _MOST)
    reading.fields["count"] = value


def _quality(reading: _Reading, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong("quality", f"must be a text, not {word(value)}")
    if value in _USUAL:
        return
    reading.fields["quality"] = value if value in _values(reading.menu, "quality") else _QUALITIES.get(value, value)


def _format(reading: _Reading, value: Any) -> None:
    reading.fields["format"] = _FORMATS.get(value, value) if isinstance(value, str) else value


def _background(reading: _Reading, value: Any) -> None:
    # A picture is opaque unless somebody asks for more.
    if value != "auto" and (value != "opaque" or "background" in reading.menu.fields):
        reading.fields["background"] = value


def _compression(reading: _Reading, value: Any) -> None:
    if "output_compression" in reading.menu.fields or value != 100:  # a hundred is none
        reading.fields["output_compression"] = value


def _loose(name: str, usual: str) -> Callable[[_Reading, Any], None]:
    """A field that asks for a taste rather than for a thing: without it the picture is what was asked for, and that is told."""

    def read_one(reading: _Reading, value: Any) -> None:
        if name in reading.menu.fields:
            reading.fields[name] = value
        elif value != usual:
            reading.adjusted.append(Adjustment(name, str(value)[:60], "left to the provider"))

    return read_one


_READERS: Mapping[str, Callable[[_Reading, Any], None]] = MappingProxyType(
    {
        "size": _size,
        "n": _count,
        "quality": _quality,
        "output_format": _format,
        "background": _background,
        "output_compression": _compression,
        "style": _loose("style", ""),
        "moderation": _loose("moderation", "auto"),
    }
)


def _look(value: Any) -> Look | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in _LOOKS:
        raise _wrong("response_format", f"must be one of: {', '.join(Look)}")
    return Look(value)


def _within(value: Any, name: str, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(name, f"must be a whole number from {least} to {most}")


def _values(menu: Menu, name: str) -> tuple[Value, ...]:
    dish = menu.fields.get(name)
    return dish.values or () if dish is not None else ()


def _wrong(name: str, said: str) -> Refusal:
    return Refusal("invalid_input", f"{name} {said}", field=name)
