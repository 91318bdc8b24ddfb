"""The table of settings as others look at it: key by key, section by section, and as a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.settings.setting import ANY, EACH, Section, Setting
from gateway.settings.table import SECTIONS, TOP
from gateway.settings.values import SCHEMAS

__all__ = ["ANY", "EACH", "Section", "Setting", "json_schema", "sections", "settings", "top"]


def top() -> tuple[Setting, ...]:
    """Give the settings that stand alone."""
    return TOP


def sections() -> tuple[Section, ...]:
    """Give the settings that stand together."""
    return SECTIONS


def settings() -> Iterator[Setting]:
    """Give every setting under its full key, such as `routes.[].match.model`."""
    yield from TOP
    for section in SECTIONS:
        for one in section.settings:
            yield _under(section, one)


def _under(section: Section, one: Setting) -> Setting:
    """Give a section's setting under its full key."""
    return Setting(
        f"{section.key}.{one.key}", one.kind, one.default, one.says, one.choices, one.least, one.most, one.sample
    )


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the policy file, for the checks here and for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tidegate policy", **_mapping("")}
    says = {section.key.partition(".")[0]: section.says for section in SECTIONS}
    for one in settings():
        node = schema
        for step in one.steps[:-1]:
            node = _inner(node, step, says.get(step, ""))
        node["properties"][one.steps[-1]] = _leaf(one)
    return schema


def _mapping(says: str) -> dict[str, Any]:
    """Give the schema of a section; one left empty counts as absent."""
    return {
        "type": ["object", "null"],
        "properties": {},
        "additionalProperties": False,
        "x-expected": "a mapping",
        **({"description": says} if says else {}),
    }


def _inner(node: dict[str, Any], step: str, says: str) -> dict[str, Any]:
    """Give the schema one step down, made when it is not there yet."""
    if step == EACH:
        node["type"], node["x-expected"] = ["array", "null"], "a list"
        node.pop("properties", None)
        node.pop("additionalProperties", None)
        found: dict[str, Any] = node.setdefault("items", {**_mapping(""), "type": "object"})
    elif step == ANY:
        node["propertyNames"] = {"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$", "x-expected": "a provider id"}
        if node.get("additionalProperties") is False:
            node["additionalProperties"] = _mapping("")
        found = node["additionalProperties"]
    else:
        found = node["properties"].setdefault(step, _mapping(says))
    return found


def _leaf(one: Setting) -> dict[str, Any]:
    """Give the schema of a value."""
    schema: dict[str, Any] = {**SCHEMAS[one.kind], "description": one.says}
    bounds: Mapping[str, Any] = {"minimum": one.least, "maximum": one.most, "default": one.default}
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if one.choices:
        schema["enum"] = list(one.choices)
    if one.default is None:
        # A key with nothing behind it is as good as absent.
        schema["type"] = [schema["type"], "null"]
        if one.choices:
            schema["enum"] = [*one.choices, None]
            schema["x-expected"] = f"{', '.join(one.choices[:-1])} or {one.choices[-1]}"
    return schema
