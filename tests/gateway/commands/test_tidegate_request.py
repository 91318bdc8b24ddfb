"""`field=value` words to fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands.exits import Exit, Stop
from gateway.commands.request import parse, reworded, spell
from gateway.generation import FIELDS, Type

_TYPES = {name: field.type for name, field in FIELDS.items()}


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("prompt=a=b, c", "prompt", "a=b, c"),
        ("prompt=12", "prompt", "12"),
        ("prompt=", "prompt", ""),
        ("ratio=16:9", "ratio", "16:9"),
        ("count=2", "count", 2),
        ("count=two", "count", "two"),
        ("count=02", "count", "02"),
        ("duration=5.5", "duration", 5.5),
        ("duration=1e999", "duration", float("inf")),
        ("audio=true", "audio", True),
        ("audio=False", "audio", False),
        ("audio=yes", "audio", "yes"),
        ("images=", "images", []),
        ("images=https://a/1,2.jpg,https://b", "images", ["https://a/1,2.jpg", "https://b"]),
        ("images=data:image/png;base64,AAAA", "images", ["data:image/png;base64,AAAA"]),
        ("last_image=https://a", "last_image", "https://a"),
        ("format=jpeg", "format", "jpg"),
        ("generation_output_format=jpeg", "format", "jpg"),
        ("generation_input_file=https://a", "images", ["https://a"]),
        ("generation_generate_audio=true", "audio", True),
        ("steps=4", "steps", 4),
        ("style=vivid", "style", "vivid"),
        ('style="4"', "style", "4"),
        ("watermark=false", "watermark", False),
    ],
)
def test_value_is_read_as_its_field_wants_it(word: str, name: str, value: Any) -> None:
    """A word becomes the field it names, with the type the field has; what cannot is handed on as text."""
    found = parse([word], _TYPES).fields
    assert found == {name: value}
    assert type(found[name]) is type(value)


def test_list_may_be_given_in_pieces() -> None:
    """Pictures given one by one are one list, in order."""
    assert parse(["images=https://a", "images=https://b,https://c"], _TYPES).fields == {
        "images": ["https://a", "https://b", "https://c"]
    }


@pytest.mark.parametrize("word", ["order=one,two", "generation_provider_order=one,two"])
def test_order_is_no_field(word: str) -> None:
    """The order of providers is kept apart from the fields."""
    found = parse([word, "prompt=x"], _TYPES)
    assert (found.order, found.fields) == ("one,two", {"prompt": "x"})


@pytest.mark.parametrize(
    "words", [["seal"], ["=seal"], ["ratio=1:1", "ratio=1:1"], ["ratio=1:1", "generation_ratio=1:1"]]
)
def test_what_is_no_field_or_given_twice_is_refused(words: list[str]) -> None:
    """A word without a name or a value, and a second value for the same field, are usage errors."""
    with pytest.raises(Stop) as stop:
        parse(words, _TYPES)
    assert stop.value.code is Exit.USAGE


def test_unknown_native_name_is_given_back_as_typed() -> None:
    """A native name that means nothing stays recognisable for the error about it."""
    [name] = parse(["generation_images=x"], _TYPES).fields
    assert name not in _TYPES
    assert spell(name) == "generation_images"


def test_gateways_words_become_those_typed() -> None:
    """What a gateway says about a field is said of the short name."""
    said = "generation_ratio must be one of: 1:1; generation_input_file_last_content is unknown"
    assert reworded(said) == "ratio must be one of: 1:1; last_image is unknown"


@given(st.sampled_from([*FIELDS, "own"]), st.text())
def test_no_value_breaks_the_reading(name: str, text: str) -> None:
    """Whatever a value is, it is read; text fields keep it unchanged."""
    found = parse([f"{name}={text}"], _TYPES).fields[name]
    if name != "format" and _TYPES.get(name) is Type.TEXT:
        assert found == text
