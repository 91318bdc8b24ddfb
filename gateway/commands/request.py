"""`field=value` words, as people type them, to the fields of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.commands.exits import Exit, Stop
from gateway.generation import Type
from gateway.ingress import fields as native

HELP = "a field of the request, such as prompt='a baby seal', ratio=16:9, duration=5 or images=https://…"
EXAMPLES = """\
fields
  prompt=…                 the words; every model needs them
  ratio=16:9               also resolution=, format=, count=, duration=, seed=, and a model's own
  audio=true               true or false
  images=https://a,https://b
                           several with commas, or the field twice
  order=first,second       the providers to ask first, or fastest
  The native names work too: generation_prompt=…, generation_input_file=…
"""
_ORDER = "order"
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NATIVE = re.compile(r"\bgeneration_[a-z0-9_]+\b", re.ASCII)
# Addresses may hold commas themselves.
_BETWEEN = re.compile(r",\s*(?=https?://|data:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """A request as typed: fields under our names with JSON values, and the order of providers if one was given."""

    fields: Mapping[str, Any]
    order: str | None


def parse(words: Iterable[str], types: Mapping[str, Type]) -> Words:
    """Read the words; a value is read as its field's type, and handed on as text where it cannot be.

    Stop for what is no `field=value` and for a field given twice. What the value may be is not judged here.
    """
    found: dict[str, Any] = {}
    for word in words:
        written, equals, text = word.partition("=")
        if not equals or not written:
            raise Stop(Exit.USAGE, f"expected field=value, found {word!r}; quote a value with spaces: prompt='a seal'")
        name = _name(written.strip())
        value = _value(text, types.get(name)) if name != _ORDER else text
        if name == "format" and value == "jpeg":
            value = "jpg"
        if name in found and not (isinstance(value, list) and isinstance(found[name], list)):
            raise Stop(Exit.USAGE, f"{written} is given twice")
        found[name] = [*found[name], *value] if name in found else value
    order = found.pop(_ORDER, None)
    return Words(found, order)


def spell(name: str) -> str:
    """Give a field back as it is typed here."""
    return native.spell(name) if name.startswith("?") else name


def reworded(text: str) -> str:
    """Give what a gateway says about a request in the words it was typed in here: `ratio`, not `generation_ratio`."""
    return _NATIVE.sub(lambda found: spell(_name(found[0])), text)


def _name(written: str) -> str:
    if written == native.ORDER:
        return _ORDER
    if not written.startswith("generation_"):
        return written
    [name] = native.read({written: None})[0]
    return name


def _value(text: str, type_: Type | None) -> Any:
    match type_:
        case Type.TEXT | Type.URL:
            return text
        case Type.INTEGER | Type.NUMBER:
            return json.loads(text) if _is_number(text) else text
        case Type.BOOLEAN:
            return {"true": True, "false": False}.get(text.lower(), text)
        case Type.URLS:
            return _BETWEEN.split(text) if text else []
        case None:
            return _guessed(text)


def _guessed(text: str) -> Any:
    """Read a field whose type nobody here knows: JSON's numbers, truth values and quoted texts, and else the text itself."""
    if text in {"true", "false"} or _is_number(text):
        return json.loads(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _is_number(text: str) -> bool:
    # JSON knows no leading zeros; more digits than that are no number anybody means.
    return len(text) <= 40 and _NUMBER.fullmatch(text) is not None and not re.match(r"-?0\d", text)
