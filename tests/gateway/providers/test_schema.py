"""The vocabulary: every word is explained, its example is YAML that its own schema takes, and the reference names it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.documents import parse
from gateway.generation import FIELDS
from gateway.providers import schema
from gateway.providers.vocabulary import VOCABULARY, Key, Where


def key_id(key: Key) -> str:
    """Name a key in test output."""
    return f"{key.where.value}-{key.name}"


@pytest.mark.parametrize("key", VOCABULARY, ids=key_id)
def test_every_key_is_explained(key: Key):
    """A key has a sentence, and an example that begins with the key and parses as YAML."""
    assert len(key.says.split()) > 1
    assert key.says.strip() == key.says
    assert list(parse(key.example, "example").value) == [key.name]


@pytest.mark.parametrize("key", [key for key in VOCABULARY if "…" not in key.example], ids=key_id)
def test_every_example_is_what_the_key_holds(key: Key):
    """An example would pass as the value of its key."""
    definitions: dict[str, Any] = {**schema.provider_schema()["$defs"], **schema.model_schema()["$defs"]}
    validator = Draft202012Validator({**key.holds, "$defs": definitions})
    value = parse(key.example, "example").value[key.name]
    assert not list(validator.iter_errors(_as_json(value)))


def test_no_key_stands_twice_in_a_section():
    """Within a section a word means one thing."""
    for where in Where:
        named = [key.name for key in schema.keys(where)]
        assert len(named) == len(set(named))


@pytest.mark.parametrize("made", [schema.provider_schema, schema.model_schema, schema.samples_schema])
def test_the_schemas_are_schemas(made: Any):
    """Each file's JSON Schema is one."""
    Draft202012Validator.check_schema(made())


def test_the_reference_names_every_word():
    """Every key and every common field has a row in the reference, three cells wide."""
    text = schema.reference()
    for name in {key.name for key in VOCABULARY} | set(FIELDS):
        assert f"| `{name}`" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert all(len(re.split(r" \| ", row.strip("|"))) == 3 for row in rows)


def test_a_borrowed_section_is_optional():
    """A model may replace its lifecycle's `outputs`, and need not."""
    own = {key.name: key for key in schema.keys(Where.MODEL)}
    assert not own["outputs"].required


def _as_json(value: Any) -> Any:
    match value:
        case dict():
            return {str(name): _as_json(part) for name, part in value.items()}
        case _:
            return value
