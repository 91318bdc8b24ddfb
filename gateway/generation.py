"""What is asked for: one shape that every dialect becomes.

A dialect reads its own spelling into these fields; from here on nobody knows which dialect it was. The field names are the
closed set of words that the policy, the packs, the store and the reference share. A model may have words of its own beyond
them; its pack declares those with a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeGuard, assert_never

Value = str | int | float | bool | tuple[str, ...]

LARGEST = 2**63 - 1  # what a column of the store can hold


class Kind(StrEnum):
    """What a model makes."""

    IMAGE = "image"
    VIDEO = "video"


class Type(StrEnum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    URL = "url"
    URLS = "urls"


@dataclass(frozen=True, slots=True)
class Field:
    """A word every dialect and every pack may use, with its type and meaning."""

    name: str
    type: Type
    says: str


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        field.name: field
        for field in (
            Field("prompt", Type.TEXT, "what to make, in words"),
            Field("negative_prompt", Type.TEXT, "what to leave out, in words"),
            Field("ratio", Type.TEXT, "width to height, such as 16:9; `adaptive` follows the input picture"),
            Field("resolution", Type.TEXT, "the size class, such as 2K or 1080p"),
            Field("format", Type.TEXT, "the file format of the output: png, jpg, webp or mp4"),
            Field("count", Type.INTEGER, "how many outputs"),
            Field("images", Type.URLS, "pictures to start from; for a video the first frame"),
            Field("last_image", Type.URL, "the picture a video ends on"),
            Field("duration", Type.NUMBER, "length in seconds"),
            Field("video", Type.URL, "a video to start from"),
            Field("quality", Type.TEXT, "how much effort goes into it, such as low, medium or high"),
            Field("audio", Type.BOOLEAN, "whether the video has sound"),
            Field("seed", Type.INTEGER, "the seed of the model's randomness"),
        )
    },
)


class State(StrEnum):
    """How far a generation has come; the last three are final."""

    ACCEPTED = "accepted"
    SUBMITTING = "submitting"
    RUNNING = "running"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing may follow this state."""
        return self in FINAL


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELED})

# Every legal step; the store refuses all others. Failing over leads from anywhere back to submitting.
EDGES: frozenset[tuple[State, State]] = frozenset(
    {
        (State.ACCEPTED, State.SUBMITTING),
        (State.SUBMITTING, State.RUNNING),
        (State.SUBMITTING, State.STORING),
        (State.SUBMITTING, State.SUBMITTING),
        (State.SUBMITTING, State.SUCCEEDED),
        (State.RUNNING, State.STORING),
        (State.RUNNING, State.SUBMITTING),
        (State.RUNNING, State.SUCCEEDED),
        (State.STORING, State.SUBMITTING),
        (State.STORING, State.SUCCEEDED),
        *((state, end) for state in State if state not in FINAL for end in (State.FAILED, State.CANCELED)),
    },
)


@dataclass(frozen=True, slots=True)
class Generation:
    """One request for one model, in our own words.

    `fields` holds what the caller said and nothing else; defaults belong to the offer that serves it. `order` names the
    providers the caller wants first, or is empty. Times are milliseconds since the epoch.
    """

    id: str
    account: str
    kind: Kind
    model: str
    fields: Mapping[str, Value]
    order: tuple[str, ...]
    created: int
    deadline: int


def mistake(type_: Type, value: object) -> str | None:
    """Say what is wrong with the type of a value, or None when it fits. Nothing is converted, except 5.0 counts as 5."""
    match type_:
        case Type.TEXT | Type.URL:
            return None if isinstance(value, str) else f"must be a text, not {word(value)}"
        case Type.BOOLEAN:
            return None if isinstance(value, bool) else f"must be true or false, not {word(value)}"
        case Type.INTEGER:
            whole = _is_number(value) and value == int(value)
            return None if whole else f"must be a whole number, not {word(value)}"
        case Type.NUMBER:
            return None if _is_number(value) else f"must be a number, not {word(value)}"
        case Type.URLS:
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                return None
            return f"must be a list of addresses, not {word(value)}"
        case _:
            assert_never(type_)


def settle(type_: Type, value: object) -> Value:
    """Bring a value that fits its type into the one form used inside: 5.0 becomes 5, a list becomes a tuple."""
    match type_:
        case Type.INTEGER | Type.NUMBER:
            assert isinstance(value, int | float)
            return int(value) if value == int(value) else value
        case Type.URLS:
            assert isinstance(value, list | tuple)
            return tuple(value)
        case Type.TEXT | Type.URL | Type.BOOLEAN:
            assert isinstance(value, str | bool)
            return value
        case _:
            assert_never(type_)


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a finite number that can be kept; the comparison is false for what is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def word(value: object) -> str:
    """Name the JSON type of a value for a person."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}" if abs(value) < 10**15 else "a number that large"
        case str():
            return f"the text {value!r}" if len(value) <= 40 else "a text"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
