"""The few words that schemas are written in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
NOTHING: Schema = {"type": "null"}
MOMENT: Schema = {"type": "string", "format": "date-time", "examples": ["2026-11-25T12:00:00.000Z"]}
CREDITS: Schema = {"type": "number", "description": "Credits, exact to a millionth; one credit is one US dollar."}
ADDRESS: Schema = {"type": "string", "format": "uri"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def shape(fields: Mapping[str, Schema], *, optional: Collection[str] = (), says: str | None = None) -> Schema:
    """An object with these fields, all of them there but the optional ones."""
    made: dict[str, Any] = {"type": "object"}
    if says is not None:
        made["description"] = says
    required = [name for name in fields if name not in optional]
    return {**made, "properties": dict(fields), **({"required": required} if required else {})}


def closed(fields: Mapping[str, Schema], *, needed: Iterable[str] = (), says: str | None = None) -> Schema:
    """An object that is sent: these fields, no others, and at least the needed ones."""
    needed = list(needed)
    made = shape(fields, optional=[name for name in fields if name not in needed], says=says)
    return {**made, "additionalProperties": False}


def list_of(items: Schema, **more: Any) -> Schema:
    """A list of such things."""
    return {"type": "array", "items": items, **more}


def map_of(values: Schema) -> Schema:
    """An object whose names are data."""
    return {"type": "object", "additionalProperties": values}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, NOTHING]}
    made = {**schema, "type": [schema["type"], "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made


def one_of(values: Iterable[Any]) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": [str(value) for value in values]}


def always(value: Any) -> Schema:
    """This value and no other."""
    return {"const": value}


def ref(name: str, within: str = "schemas") -> Schema:
    """What stands under that name among the components."""
    return {"$ref": f"#/components/{within}/{name}"}


def saying(schema: Schema, says: str) -> Schema:
    """The same with a sentence."""
    return {**schema, "description": says}
