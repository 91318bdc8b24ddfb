"""The vocabulary of the pack files: one record per key.

From these records come the JSON Schema that `check` holds every file against and the reference text. A key is added when two
providers need it, with a sentence and an example here, and samples from both beside their packs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.fault import FaultKind
from gateway.generation import FIELDS, Kind, Type
from gateway.offer import Unit

Schema = Mapping[str, Any]


class Where(StrEnum):
    """The sections that hold keys."""

    PROVIDER = "provider.yaml"
    LIFECYCLE = "lifecycles.<name>"
    STATE = "state"
    RULE = "faults[]"
    MODEL = "<lab>/<model>.yaml"
    FORM = "forms[]"
    TAKES = "takes.<field>"
    SAMPLE = "samples.yaml[]"


@dataclass(frozen=True, slots=True)
class Key:
    """One word of the vocabulary: where it stands, what it holds, what it means."""

    name: str
    where: Where
    holds: Schema
    says: str
    example: str
    required: bool = False


_TEXT: Schema = {"type": "string", "minLength": 1}
_PATH: Schema = {"type": "string", "minLength": 1, "x-holds": "jmespath"}
_WORDS: Schema = {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}
_FIELD_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_FIELDS: Schema = {"type": "array", "items": _FIELD_NAME, "minItems": 1, "uniqueItems": True}
_SPAN: Schema = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}
_HEADERS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_CALL_LINE: Schema = {"type": "string", "pattern": "^(GET|POST|PUT|PATCH|DELETE) [/$].*$"}
_CALL: Schema = {
    "anyOf": [
        _CALL_LINE,
        {
            "type": "object",
            "properties": {
                "call": _CALL_LINE,
                "headers": _HEADERS,
                "when": {"type": "array", "items": {"enum": ["queued", "running"]}, "minItems": 1},
            },
            "required": ["call"],
            "additionalProperties": False,
        },
    ],
}
_STATUSES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}, "minItems": 1}
_SCALARS: Schema = {"type": ["string", "number", "boolean"]}
_AMOUNT: Schema = {"type": "number", "exclusiveMinimum": 0}
_AMOUNTS: Schema = {
    "anyOf": [
        _AMOUNT,
        {
            "type": "object",
            "additionalProperties": {"anyOf": [_AMOUNT, {"type": "object", "additionalProperties": _AMOUNT}]},
        },
    ],
}

VOCABULARY: tuple[Key, ...] = (
    Key(
        "provider",
        Where.PROVIDER,
        {"type": "string", "pattern": "^[a-z][a-z0-9]*$"},
        "the id; equal to the folder's name",
        "provider: acme",
        required=True,
    ),
    Key("name", Where.PROVIDER, _TEXT, "the name people know", "name: Acme Cloud", required=True),
    Key(
        "about",
        Where.PROVIDER,
        _TEXT,
        "one sentence for the library",
        "about: Image models on Acme's own machines.",
        required=True,
    ),
    Key("website", Where.PROVIDER, _TEXT, "where people read about it", "website: https://acme.example", required=True),
    Key(
        "docs",
        Where.PROVIDER,
        _TEXT,
        "the page this pack was written from",
        "docs: https://acme.example/api",
        required=True,
    ),
    Key(
        "checked",
        Where.PROVIDER,
        {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "the day it was last compared with that page",
        "checked: 2026-11-22",
        required=True,
    ),
    Key(
        "rank",
        Where.PROVIDER,
        {"type": "integer", "minimum": 1, "maximum": 99},
        "its place where no order is asked for; lower is earlier, the maker of a model before resellers",
        "rank: 10",
        required=True,
    ),
    Key(
        "base",
        Where.PROVIDER,
        {"type": "string", "pattern": "^https://[^/]+(/.*[^/])?$"},
        "the address all calls start with, without a slash at the end",
        "base: https://api.acme.example/v1",
        required=True,
    ),
    Key(
        "hosts",
        Where.PROVIDER,
        {"type": "array", "items": _TEXT},
        "further hosts that may be called with the credential; `*.` stands for any one label or more",
        'hosts: ["*.acme.example"]',
    ),
    Key(
        "auth",
        Where.PROVIDER,
        {**_HEADERS, "minProperties": 1},
        "headers that carry the credential, as `$secret.NAME`",
        "auth: {Authorization: Bearer $secret.ACME_KEY}",
        required=True,
    ),
    Key(
        "failure",
        Where.PROVIDER,
        {
            "type": "object",
            "properties": {"code": _PATH, "message": _PATH},
            "required": ["code", "message"],
            "additionalProperties": False,
        },
        "where a reply names what went wrong",
        "failure: {code: error.code, message: error.message}",
        required=True,
    ),
    Key(
        "faults",
        Where.PROVIDER,
        {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        "rules that read a failure, first match wins; after them a fixed table by HTTP status",
        "faults: [{is: content_blocked, code: [moderated]}]",
        required=True,
    ),
    Key(
        "retry_after",
        Where.PROVIDER,
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "header": _TEXT,
                    "at": _PATH,
                    "as": {"enum": ["seconds", "http_date", "epoch", "epoch_ms", "duration"]},
                },
                "required": ["as"],
                "additionalProperties": False,
                "minProperties": 2,
            },
        },
        "headers, or paths into the body, that say how long to wait, each with its unit",
        "retry_after: [{header: retry-after, as: seconds}]",
    ),
    Key(
        "lifecycles",
        Where.PROVIDER,
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/lifecycle"}, "minProperties": 1},
        "the ways this provider runs a job, by name",
        "lifecycles: {task: {…}}",
        required=True,
    ),
    # ---- a lifecycle
    Key(
        "calls",
        Where.LIFECYCLE,
        {
            "type": "object",
            "properties": {"submit": _CALL, "status": _CALL, "result": _CALL, "cancel": _CALL},
            "required": ["submit"],
            "additionalProperties": False,
        },
        "METHOD and target of each call; which of them are there says how a job runs: `submit` alone answers at once, `status` is looked at, `result` is fetched at the end",
        "calls: {submit: POST /jobs, status: GET /jobs/$id}",
        required=True,
    ),
    Key(
        "keep",
        Where.LIFECYCLE,
        {"type": "object", "additionalProperties": _PATH, "minProperties": 1},
        "what to keep of the submit reply, by name; `id` is the job's own id",
        "keep: {id: id}",
    ),
    Key(
        "state",
        Where.LIFECYCLE,
        {"$ref": "#/$defs/state"},
        "where the job's state is, and which native word means what",
        "state: {at: status, running: [busy], succeeded: [done], failed: [broken]}",
    ),
    Key(
        "outputs",
        Where.LIFECYCLE,
        _PATH,
        "a path to a list of objects with `url` or `b64`, and where known `mime`, `width`, `height`",
        'outputs: "images[].{url: url}"',
        required=True,
    ),
    Key(
        "flagged",
        Where.LIFECYCLE,
        _PATH,
        "a path to a list of booleans beside the outputs: true marks one the provider blacked out",
        "flagged: has_nsfw_concepts",
    ),
    Key("expires", Where.LIFECYCLE, _SPAN, "how long the provider's output links live", "expires: 24h"),
    Key(
        "pace",
        Where.LIFECYCLE,
        {
            "type": "object",
            "properties": {"first": _SPAN, "every": _SPAN, "deadline": _SPAN},
            "required": ["deadline"],
            "additionalProperties": False,
        },
        "when to look first, how often at the most, and when to give up",
        "pace: {first: 1s, every: 2s, deadline: 5m}",
        required=True,
    ),
    # ---- the state of a job
    Key("at", Where.STATE, _PATH, "the path to the native word", "at: status", required=True),
    Key("queued", Where.STATE, _WORDS, "words that mean: not begun", "queued: [starting]"),
    Key(
        "running",
        Where.STATE,
        _WORDS,
        "words that mean: at work; a word in no list counts as running until the deadline",
        "running: [processing]",
        required=True,
    ),
    Key("succeeded", Where.STATE, _WORDS, "words that mean: done", "succeeded: [succeeded]", required=True),
    Key("failed", Where.STATE, _WORDS, "words that mean: it failed", "failed: [failed]"),
    Key("canceled", Where.STATE, _WORDS, "words that mean: somebody stopped it", "canceled: [canceled]"),
    Key(
        "failed_if",
        Where.STATE,
        _PATH,
        "a path that holds something only when the job failed, whatever the word says",
        "failed_if: error",
    ),
    # ---- a rule that reads a failure
    Key(
        "is",
        Where.RULE,
        {"enum": [kind.value for kind in FaultKind]},
        "the fault, in our words",
        "is: out_of_credit",
        required=True,
    ),
    Key("status", Where.RULE, _STATUSES, "HTTP statuses it applies to", "status: [403]"),
    Key(
        "code",
        Where.RULE,
        {"type": "array", "items": _TEXT, "minItems": 1},
        "native codes; `*` stands for any run of characters",
        'code: ["*SensitiveContent*"]',
    ),
    Key(
        "says",
        Where.RULE,
        {"type": "array", "items": _TEXT, "minItems": 1},
        "words in the message, whatever their case; only where the provider has no code",
        "says: [exhausted balance]",
    ),
    # ---- a model
    Key("makes", Where.MODEL, {"enum": [kind.value for kind in Kind]}, "what comes out", "makes: image", required=True),
    Key(
        "aliases",
        Where.MODEL,
        {"type": "array", "items": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$"}, "minItems": 1},
        "other ids that mean this model",
        "aliases: [black-forest-labs/flux-schnell]",
    ),
    Key(
        "lifecycle",
        Where.MODEL,
        _TEXT,
        "which of the provider's lifecycles it runs by; not needed where there is one",
        "lifecycle: task",
    ),
    Key("native", Where.MODEL, _TEXT, "the provider's name for it, `$model` elsewhere", "native: flux-schnell"),
    Key(
        "takes",
        Where.MODEL,
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/takes"}},
        "fields handed on as they are, as `$field`, within bounds",
        "takes: {prompt: {required: true}, images: {max: 4}}",
    ),
    Key(
        "picks",
        Where.MODEL,
        {"type": "object", "additionalProperties": {"type": "object", "minProperties": 1}},
        "fields chosen from a table: value, then the names that join the body; a table over two fields is keyed `one, other` and nests",
        "picks: {ratio: {1:1: {size: 1024x1024}}}",
    ),
    Key(
        "drops",
        Where.MODEL,
        _FIELDS,
        "fields accepted, not sent, and reported to the caller as left out",
        "drops: [format]",
    ),
    Key(
        "defaults",
        Where.MODEL,
        {"type": "object", "additionalProperties": _SCALARS},
        "what holds when the caller says nothing; the same at every provider of the model",
        "defaults: {ratio: 1:1}",
    ),
    Key(
        "body",
        Where.MODEL,
        {"type": "object"},
        "the native request; `$name` is a whole value with its type, `$images.1` the first of a list; what has no value is left out with the branch that holds nothing else",
        "body: {prompt: $prompt}",
    ),
    Key(
        "price",
        Where.MODEL,
        {
            "type": "object",
            "properties": {
                "per": {"enum": [unit.value for unit in Unit]},
                "by": {"type": "array", "items": _FIELD_NAME, "minItems": 1, "maxItems": 2},
                "usd": _AMOUNTS,
            },
            "required": ["per", "usd"],
            "additionalProperties": False,
        },
        "what one unit costs: an amount, or a table `by` one or two fields",
        "price: {per: second, by: [resolution], usd: {720p: 0.05, 1080p: 0.12}}",
    ),
    Key(
        "cost",
        Where.MODEL,
        {
            "type": "object",
            "properties": {"at": _PATH, "usd": _AMOUNT},
            "required": ["at", "usd"],
            "additionalProperties": False,
        },
        "where the reply counts what was used, and what one of that costs",
        "cost: {at: usage.tokens, usd: 0.0000025}",
    ),
    Key(
        "forms",
        Where.MODEL,
        {"type": "array", "items": {"$ref": "#/$defs/form"}, "minItems": 1},
        "different ways to ask, by what the request holds; the first that fits serves, and its sections replace those above whole",
        "forms: [{given: [images], native: acme/edit}, {native: acme/new}]",
    ),
    # ---- a form
    Key("given", Where.FORM, _FIELDS, "fields the request must hold for this form", "given: [images]"),
    # ---- bounds of a field
    Key("required", Where.TAKES, {"const": True}, "the provider refuses a request without it", "required: true"),
    Key(
        "type",
        Where.TAKES,
        {"enum": [kind.value for kind in Type]},
        "the type of a field of the model's own; the common fields have theirs",
        "type: number",
    ),
    Key("min", Where.TAKES, {"type": "number"}, "the least value, or how few items", "min: 1"),
    Key("max", Where.TAKES, {"type": "number"}, "the greatest value, or how many items", "max: 14"),
    Key(
        "max_chars",
        Where.TAKES,
        {"type": "integer", "minimum": 1},
        "how long a text may be, in characters",
        "max_chars: 5000",
    ),
)

# What a model file and each of its forms may both say.
_SECTIONS = ("native", "lifecycle", "takes", "picks", "drops", "defaults", "body", "price", "cost")
_OVERRIDES = ("outputs", "flagged")  # sections of the lifecycle a model may replace


def keys(where: Where) -> tuple[Key, ...]:
    """The keys of one section, those it shares with another included."""
    own = tuple(key for key in VOCABULARY if key.where is where)
    match where:
        case Where.FORM:
            return own + tuple(key for key in VOCABULARY if key.where is Where.MODEL and key.name in _SECTIONS)
        case Where.MODEL:
            return own + tuple(key for key in VOCABULARY if key.where is Where.LIFECYCLE and key.name in _OVERRIDES)
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
        },
    }


def model_schema() -> Schema:
    """JSON Schema of a `<lab>/<model>.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object(keys(Where.MODEL), required=("makes",)),
        "$defs": {"form": _object(keys(Where.FORM), required=()), "takes": _object(keys(Where.TAKES))},
    }


def reference() -> str:
    """The vocabulary as a Markdown table, section by section."""
    lines = []
    for where in Where:
        own = keys(where)
        if not own:
            continue
        lines += [f"### {where.value}", "", "| key | meaning | example |", "|---|---|---|"]
        lines += [
            f"| `{key.name}`{'' if key.required else ' (optional)'} | {key.says} | `{key.example}` |" for key in own
        ]
        lines.append("")
    lines += ["### fields", "", "| field | holds | meaning |", "|---|---|---|"]
    lines += [f"| `{field.name}` | {field.type.value} | {field.says} |" for field in FIELDS.values()]
    return "\n".join(lines) + "\n"


def _object(own: Iterable[Key], required: Iterable[str] | None = None) -> Schema:
    own = tuple(own)
    return {
        "type": "object",
        "properties": {key.name: key.holds for key in own},
        "required": [key.name for key in own if key.required] if required is None else list(required),
        "additionalProperties": False,
    }
