"""A body of the videos API → what is asked of a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.generation import Value
from gateway.ingress import fields as native
from gateway.ingress.images import size as sizes
from gateway.ingress.order import take_order
from gateway.ingress.refusal import Refusal
from gateway.offer import Fit, fit
from gateway.routing.menu import Menu

REFERENCE = "input_reference"
# For their own watch over users; nobody here is told.
_IGNORED = frozenset({"model", "user", "safety_identifier", "metadata"})
_SPELLED: Mapping[str, str] = MappingProxyType(
    {"duration": "seconds", "images": REFERENCE, "video": REFERENCE, "ratio": "size", "resolution": "size"}
)
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?", re.ASCII)
_USUAL = 4  # seconds of a film when nobody says, as that API has it
_FOLLOWS = "adaptive"  # the ratio of a model that takes its shape from a picture


@dataclass(frozen=True, slots=True)
class Reference:
    """What a film starts from: an address, whether it is a film itself, and a picture's pixels where they are known."""

    address: str
    is_video: bool = False
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as it was read: our fields, the order of providers, and what the film is to be told with."""

    fields: Mapping[str, Any]
    order: str | None
    size: str | None
    adjusted: tuple[Mapping[str, str], ...]


@dataclass(slots=True)
class _Reading:
    """One body on its way."""

    menu: Menu
    fields: dict[str, Any] = field(default_factory=dict)
    size: str | None = None
    adjusted: list[Mapping[str, str]] = field(default_factory=list)


def spell(name: str) -> str:
    """That API's word for one of our fields; ours where it has none."""
    return _SPELLED.get(name, name.removeprefix("?"))


def read(body: Mapping[str, Any], menu: Menu, references: Sequence[Reference]) -> Wishes:
    """Read a body for a model; Refusal by the name of what cannot be had."""
    if len(body) > native.MOST or any(len(name) > native.LONGEST for name in body):
        said = f"a request has at most {native.MOST} fields, their names at most {native.LONGEST} characters"
        raise Refusal("invalid_input", said)
    left = {name: value for name, value in body.items() if value is not None and name not in _IGNORED}
    order = take_order(left, wrong)
    reading = _Reading(menu)
    _referred(reading, references)
    for name, read_one in _READERS.items():
        if name in left:
            read_one(reading, left.pop(name))
    for name, value in left.items():
        ours = _ours(name)
        if ours in reading.fields:
            raise wrong(name, f"is said by {spell(ours)} already; send one of them")
        reading.fields[ours] = value
    if "duration" not in reading.fields and (seconds := _usual(menu)) is not None:
        reading.fields["duration"] = seconds
    if references:
        _shape(reading, references[0].size)
    return Wishes(reading.fields, order, reading.size, tuple(reading.adjusted))


def wrong(name: str, said: str) -> Refusal:
    """Refuse a field by its name."""
    return Refusal("invalid_input", f"{name} {said}", field=name)


def _ours(name: str) -> str:
    """One of our fields by its own name or by that of the native API, which the clients pass on as they find it."""
    if not name.startswith("generation_"):
        return name
    [ours] = native.read({name: None})[0]
    return ours


def _referred(reading: _Reading, references: Sequence[Reference]) -> None:
    images = [each.address for each in references if not each.is_video]
    videos = [each.address for each in references if each.is_video]
    for name, what, found in (("images", "a picture", images), ("video", "a video", videos)):
        if found and name not in reading.menu.fields:
            raise wrong(REFERENCE, f"cannot be {what}: {reading.menu.model} does not start from one")
    if len(videos) > 1:
        raise wrong(REFERENCE, "holds several videos; send one")
    if images:
        reading.fields["images"] = images
    if videos:
        reading.fields["video"] = videos[0]


def _seconds(reading: _Reading, value: Any) -> None:
    """A length as a text, as their clients write it, or as a number."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong("seconds", 'must be a number of seconds, such as "8"')
    if "duration" not in reading.menu.fields:
        raise wrong("seconds", f"cannot be chosen for {reading.menu.model}: its length is that of what it starts from")
    reading.fields["duration"] = value


def _usual(menu: Menu) -> Value | None:
    """The length of a film when nobody says: what that API makes, or the model's nearest to it; None where it cannot be chosen."""
    dish = menu.fields.get("duration")
    if dish is None or any(each.needed for name, each in menu.fields.items() if name == "video"):
        return None
    if dish.values is None:
        least, most = (dish.limits.min, dish.limits.max) if dish.limits is not None else (None, None)
        return min(max(_USUAL, least or 0), most or _USUAL)
    known = [value for value in dish.values if isinstance(value, int | float)]
    return min(known, key=lambda value: (abs(value - _USUAL), value)) if known else None


def _size(reading: _Reading, written: Any) -> None:
    if written == "auto":
        return
    size = sizes.read(written) if isinstance(written, str) else None
    if size is None:
        raise wrong("size", "must be `auto`, or pixels such as 1280x720")
    reading.size = written
    menu = reading.menu
    ratios = tuple(ratio for ratio in _values(menu, "ratio") if ratio != _FOLLOWS)
    if ratios:
        ratio = sizes.shape(size, ratios)
        if ratio is None:
            known = ", ".join(str(each) for each in ratios)
            raise wrong("size", f"{written} has a shape that {menu.model} does not make; it makes these: {known}")
        reading.fields["ratio"] = ratio
    else:
        # The model has one shape, or that of the picture: nothing else could be asked of it.
        reading.adjusted.append(
            {"field": "size", "asked": written, "given": "a shape of the model's own", "action": "adjusted"}
        )
    grade = sizes.grade(size, _values(menu, "resolution"))
    if grade is not None:
        reading.fields["resolution"] = grade


def _shape(reading: _Reading, known: tuple[int, int] | None) -> None:
    """Let a film have the shape of what it starts from, where nobody gives it another one beside that."""
    plain = _plain(reading.fields)
    if plain is None or _is_made(reading.menu, plain):
        return
    ratio = sizes.shape(known, _values(reading.menu, "ratio")) if known is not None else None
    if "ratio" not in plain and ratio is not None and _is_made(reading.menu, {**plain, "ratio": ratio}):
        reading.fields["ratio"] = ratio
        return
    for less in ({"ratio"}, {"ratio", "resolution"}):
        left = {name: value for name, value in plain.items() if name not in less}
        if reading.size is not None and _is_made(reading.menu, left):
            reading.fields = {name: value for name, value in reading.fields.items() if name not in less}
            said = {"asked": reading.size, "given": "the shape of what it starts from"}
            reading.adjusted.append({"field": "size", **said, "action": "adjusted"})
            return


def _is_made(menu: Menu, fields: Mapping[str, Value]) -> bool:
    return any(isinstance(fit(offer, fields), Fit) for offer in menu.offers)


def _plain(fields: Mapping[str, Any]) -> dict[str, Value] | None:
    """The values as offers compare them; None when one is of no kind that they know, which is told later."""
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    kinds = (str, int, float, bool)
    right = all(
        all(isinstance(each, str) for each in v) if isinstance(v, tuple) else isinstance(v, kinds)
        for v in found.values()
    )
    return found if right else None


_READERS: Mapping[str, Callable[[_Reading, Any], None]] = MappingProxyType({"size": _size, "seconds": _seconds})


def _values(menu: Menu, name: str) -> tuple[Value, ...]:
    dish = menu.fields.get(name)
    return dish.values or () if dish is not None else ()
