"""The vocabulary of the pack files, as the JSON Schema that `check` holds every file against and as the reference text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.generation import FIELDS
from gateway.providers.vocabulary import VOCABULARY, Key, Schema, Where
from gateway.providers.vocabulary.wording import holds

# What a model file and each of its forms may both say.
_SECTIONS = ("native", "lifecycle", "takes", "picks", "drops", "defaults", "body", "encoding", "price", "cost", "reads")
_SOMEWHERE = ("native", "body", "price")  # needed, by the file or by each of its forms
# What needs no words beside an example.
_SAID_BY_THE_EXAMPLE = frozenset({"text", "a mapping", "anything"})
_PROVIDERS_TOO = ("reads",)  # what a provider says for all of its models
_OVERRIDES = ("outputs", "flagged")  # sections of the lifecycle a model may replace


def keys(where: Where) -> tuple[Key, ...]:
    """The keys of one section, those it shares with another included."""
    own = tuple(key for key in VOCABULARY if key.where is where)
    match where:
        case Where.FORM:
            return own + tuple(key for key in VOCABULARY if key.where is Where.MODEL and key.name in _SECTIONS)
        case Where.MODEL:
            shared = (key for key in VOCABULARY if key.where is Where.LIFECYCLE and key.name in _OVERRIDES)
            return own + tuple(replace(key, required=False) for key in shared)
        case Where.PROVIDER:
            return own + tuple(key for key in VOCABULARY if key.where is Where.MODEL and key.name in _PROVIDERS_TOO)
        case _:
            return own


def provider_schema() -> Schema:
    """JSON Schema of a `provider.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object(keys(Where.PROVIDER)),
        "$defs": {
            "lifecycle": _object(keys(Where.LIFECYCLE)),
            "state": _object(keys(Where.STATE)),
            "rule": {**_object(keys(Where.RULE)), "minProperties": 2},
            "client": _object(keys(Where.CLIENT)),
        },
    }


def model_schema() -> Schema:
    """JSON Schema of a `<lab>/<model>.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object(keys(Where.MODEL), required=("makes",)),
        "$defs": {"form": _object(keys(Where.FORM), required=()), "takes": _object(keys(Where.TAKES))},
    }


def samples_schema() -> Schema:
    """JSON Schema of a `samples.yaml`; what has a `call` is a reply, all else a request."""
    request = {**_object(keys(Where.REQUEST)), "dependentRequired": {"sends": ["price"]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "if": {"required": ["call"]},
            "then": _object(keys(Where.REPLY)),
            "else": request,
        },
    }


def reference() -> str:
    """The vocabulary as Markdown tables, section by section."""
    lines = []
    for where in Where:
        lines += [f"### `{where.value}`", "", "| key | meaning | example |", "|---|---|---|"]
        lines += [_row(key) for key in VOCABULARY if key.where is where]
        if where in {Where.PROVIDER, Where.MODEL}:
            lines += [_row(key) for key in keys(where) if key.where is not where]
        lines.append("")
        if where is Where.FORM:
            lines += [f"Beside it each of {', '.join(f'`{name}`' for name in _SECTIONS)} may stand in a form.", ""]
    lines += ["### Fields", "", "| field | holds | meaning |", "|---|---|---|"]
    lines += [f"| `{field.name}` | {field.type.value} | {field.says} |" for field in FIELDS.values()]
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    if key.required:
        needed = ""
    else:
        needed = " (here or in each form)" if key.where is Where.MODEL and key.name in _SOMEWHERE else " (optional)"
    held = holds(key.holds)
    more = "" if held in _SAID_BY_THE_EXAMPLE else f". S{held[1:]}" if held.startswith("see ") else f". Holds {held}"
    cells = (f"`{key.name}`{needed}", key.says + more, f"`{key.example}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _object(own: Iterable[Key], required: Iterable[str] | None = None) -> Schema:
    own = tuple(own)
    return {
        "type": "object",
        "properties": {key.name: key.holds for key in own},
        "required": [key.name for key in own if key.required] if required is None else list(required),
        "additionalProperties": False,
    }
