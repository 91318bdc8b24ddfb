"""What a word of the vocabulary holds, in words: its schema for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.providers.vocabulary.key import Schema, Where

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# Where what a reference names has its own words.
_SECTIONS = {
    "lifecycle": Where.LIFECYCLE,
    "state": Where.STATE,
    "rule": Where.RULE,
    "client": Where.CLIENT,
    "form": Where.FORM,
    "takes": Where.TAKES,
}


def holds(schema: Schema) -> str:
    """Word a schema of the vocabulary; one that says nothing of the kind is worded as anything."""
    match schema:
        case {"x-expected": words}:
            said = str(words)
        case {"x-holds": "jmespath"}:
            said = "a path"
        case {"$ref": ref}:
            said = f"see `{_SECTIONS.get(ref.rpartition('/')[2], ref.rpartition('/')[2])}`"
        case {"const": value}:
            said = _value(value)
        case {"enum": values}:
            said = "one of " + ", ".join(map(_value, values))
        case {"anyOf": forms}:
            said = ", or ".join(holds(form) for form in forms)
        case _:
            said = _typed(schema)
    return said


def _typed(schema: Schema) -> str:
    match schema:
        case {"type": "array", "items": items}:
            return "a list, " + _each("each item", items)
        case {"type": "object"}:
            return _mapping(schema)
        case {"type": list() as types}:
            return ", or ".join(_TYPES[each] for each in types)
        case {"type": str() as one}:
            return _TYPES[one] + _bounds(schema)
        case _:
            return "anything"


def _mapping(schema: Schema) -> str:
    match schema:
        case {"properties": properties}:
            needed = schema.get("required", ())
            said = {name: holds(held) for name, held in properties.items()}
            if len(said) > 1 and len(set(said.values())) == 1:
                names = ", ".join(f"`{name}`{_need(name, needed)}" for name in said)
                return f"a mapping of {names}, each {next(iter(said.values()))}"
            return "a mapping of " + "; ".join(f"`{name}`{_need(name, needed)}: {held}" for name, held in said.items())
        case {"additionalProperties": Mapping() as held}:
            return "a mapping, " + _each("each value", held)
        case _:
            return "a mapping"


def _each(what: str, schema: Schema) -> str:
    return holds(schema) if "$ref" in schema else f"{what} {holds(schema)}"


def _need(name: str, needed: Any) -> str:
    return "" if name in needed else " (optional)"


def _value(value: object) -> str:
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _bounds(schema: Schema) -> str:
    if "maximum" in schema:
        return f" from {schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']}"
    return f" from {schema['minimum']}" if "minimum" in schema else ""
