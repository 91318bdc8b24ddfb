"""What a word of the vocabulary is, where words stand, and the shapes that several of them hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Schema = Mapping[str, Any]


class Where(StrEnum):
    """The sections that hold keys."""

    PROVIDER = "provider.yaml"
    LIFECYCLE = "lifecycles.<name>"
    STATE = "state"
    RULE = "faults[]"
    CLIENT = "clients.<name>"
    MODEL = "<lab>/<model>.yaml"
    FORM = "forms[]"
    TAKES = "takes.<field>"
    REPLY = "samples.yaml[], a reply"
    REQUEST = "samples.yaml[], a request"


@dataclass(frozen=True, slots=True)
class Key:
    """One word of the vocabulary: where it stands, what it holds, what it means."""

    name: str
    where: Where
    holds: Schema
    says: str
    example: str
    required: bool = False


TEXT: Schema = {"type": "string", "minLength": 1}
HOST: Schema = {
    "type": "string",
    "pattern": r"^(\*\.)?[a-z0-9][a-z0-9.-]*$",
    "x-expected": "a host without scheme or path, such as eu.acme.example or *.acme.example",
}
PATH: Schema = {"type": "string", "minLength": 1, "x-holds": "jmespath"}
WORDS: Schema = {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}
FIELD_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "x-expected": "the name of a field"}
FIELDS: Schema = {"type": "array", "items": FIELD_NAME, "minItems": 1, "uniqueItems": True}
SPAN: Schema = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "x-expected": "a length of time such as 90s"}
HEADERS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
CALL_LINE: Schema = {
    "type": "string",
    "pattern": "^(GET|POST|PUT|PATCH|DELETE) [/$].*$",
    "x-expected": "a method and a path, such as `GET /jobs/$id`",
}
CALL: Schema = {
    "anyOf": [
        CALL_LINE,
        {
            "type": "object",
            "properties": {
                "call": CALL_LINE,
                "headers": HEADERS,
                "when": {"type": "array", "items": {"enum": ["queued", "running"]}, "minItems": 1},
            },
            "required": ["call"],
            "additionalProperties": False,
        },
    ],
}
SHARE: Schema = {
    "anyOf": [
        PATH,
        {
            "type": "object",
            "properties": {"at": PATH, "of": {"enum": [1, 100]}},
            "required": ["at"],
            "additionalProperties": False,
        },
    ],
}
STATUSES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}, "minItems": 1}
SCALARS: Schema = {"type": ["string", "number", "boolean"]}
READS: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "object", "additionalProperties": SCALARS},
    },
}
AMOUNT: Schema = {"type": "number", "exclusiveMinimum": 0}
AMOUNTS: Schema = {
    "anyOf": [
        AMOUNT,
        {
            "type": "object",
            "additionalProperties": {"anyOf": [AMOUNT, {"type": "object", "additionalProperties": AMOUNT}]},
        },
    ],
}
