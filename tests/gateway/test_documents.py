"""Strict YAML: what is read, what is refused and where, and mistakes against a schema."""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import Mistake, Mistakes, Place, against, nearest, parse, read, shown


def mistakes(text: str | bytes) -> list[str]:
    """Read `text` and give what was wrong, as `line:column: message`."""
    with pytest.raises(Mistakes) as raised:
        parse(text, "f")
    return [str(mistake).removeprefix("f:") for mistake in raised.value.mistakes]


def violations(text: str, schema: dict[str, Any]) -> list[str]:
    """Hold `text` against `schema` and give what was wrong, as `line:column: message`."""
    found = against(parse(text, "f"), jsonschema.Draft202012Validator(schema))
    return [str(mistake).removeprefix("f:") for mistake in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16:9", "16:9"),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("on", "on"),
        ("no", "no"),
        ("y", "y"),
        ("012", "012"),
        ("-012", "-012"),
        ("1_000", "1_000"),
        ("2026-11-22", "2026-11-22"),
        ("0b11", "0b11"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("=", "="),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    """S85: a plain scalar, `no`, `012` and `12:30` among them, has the value the core rules of YAML 1.2 give it, of exactly that type."""
    read_back = parse(f"a: {text}", "f").value["a"]
    assert (read_back, type(read_back)) == (value, type(value))


def test_keys_keep_their_type() -> None:
    """Number and truth-value keys are kept, ratios as keys are text."""
    keys = list(parse("2: a\n16:9: b\ntrue: c\n1.5: d", "f").value)
    assert [(key, type(key)) for key in keys] == [(2, int), ("16:9", str), (True, bool), (1.5, float)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "3:1: the key 'a' is given twice; the first is at line 1"),
        ("1: a\n'1': b", "2:1: the key '1' is given twice"),
        ("1: a\n0x1: b", "2:1: the key '1' is given twice"),
        ("1: a\ntrue: b", "2:1: the key 'true' cannot be told from the one at line 1; quote it"),
        ("a: &x 1", "1:4: anchors (&x)"),
        ("a: 1\nb: *a", "2:4: aliases (*a)"),
        ("<<: {a: 1}", "1:1: merge keys (<<)"),
        ("a: !!int '1'", "1:4: tags are not read"),
        ("a: !!python/object/apply:os.system [x]", "1:4: tags are not read"),
        ("[a]: 1", "1:1: a key is text or a number"),
        ("a: {{ x }}", "1:5: a key is text or a number"),
        ("? \n: 1", "a key cannot be empty"),
        ("a: .inf", "1:4: .inf is not a number that can be used"),
        ("a: .NaN", "1:4: .NaN is not a number that can be used"),
        ("a: 1e999", "1:4: this number is too large"),
        ("a: 9223372036854775808", "1:4: this whole number does not fit 64 bits"),
        ("a: " + "9" * 5000, "1:4: this whole number does not fit 64 bits"),
        ("a:\n\tb: 1", "2:1: a tab cannot indent"),
        ("a: b: c", "1:5: a ': ' is not expected here"),
        ("a: 'x", "the file ends inside a quoted text"),
        ("a: [1", "expected a ',' or the closing ']'"),
        ("a: @x", "1:4: text cannot begin with this character"),
        ("- a\nb: c", "2:1: expected a '-' here"),
        ("a\n--- \nb", "2:1: a second document begins here"),
        (b"a: x\nb: \xff", "2:4: byte 0xff is not UTF-8"),
        ("a: \x01", "1:4: the character U+0001"),
        ("a: 1\nb: \ufeff", "2:4: the character U+FEFF"),
        ("a:\n" + "".join("  " * n + "- \n" for n in range(1, 30)), "nested more than 20 levels deep"),
        ("[" * 3000, "nested more than 20 levels deep"),
        (b"a" * (1024 * 1024 + 1), "1:1: the file is larger than 1 MiB"),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    """S85: what is ambiguous or dangerous is refused at its place, in words, within a tenth of a second."""
    began = time.process_time()
    assert said in mistakes(text)[0]
    assert time.process_time() - began < 0.1


def test_a_file_of_ten_megabytes_is_refused_at_once(tmp_path: pathlib.Path) -> None:
    """S85: of a file far too large no more is read than tells that it is, within a tenth of a second."""
    path = tmp_path / "config.yaml"
    path.write_bytes(b"region: us\n" * 1_000_000)
    began = time.process_time()
    with pytest.raises(Mistakes, match="the file is larger than 1 MiB"):
        read(path)
    assert time.process_time() - began < 0.1


def test_depth_limit_is_exact() -> None:
    """Twenty levels are read, the twenty-first is refused."""
    assert parse("[" * 20 + "]" * 20, "f").value
    assert mistakes("[" * 21 + "]" * 21) == ["1:21: nested more than 20 levels deep"]


def test_all_mistakes_come_at_once() -> None:
    """One reading names every mistake, in the order of the file."""
    found = mistakes("a: &x 1\nb: !t 2\na: .inf\n")
    assert [line.split(":")[0] for line in found] == ["1", "2", "3", "3"]


def test_places_of_values_and_keys() -> None:
    """A document knows where each value and key stands, and the nearest place of what is not there."""
    document = parse("a:\n  - x\n  - b: 5\n", "f")
    assert document.place(("a", 1, "b")) == Place("f", 3, 8)
    assert document.key_place(("a", 1, "b")) == Place("f", 3, 5)
    assert document.place(("a", 1, "none", "deeper")) == Place("f", 3, 5)
    assert document.key_place(("a", 7)) == Place("f", 2, 3)


def test_reading_a_file(tmp_path: pathlib.Path) -> None:
    """A file is read under the name given, a byte-order mark is passed over, a missing one is a mistake."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(path, name="x").place(("a",)) == Place("x", 1, 4)
    with pytest.raises(Mistakes, match=r"gone\.yaml:1:1: cannot be read: No such file"):
        read(tmp_path / "gone.yaml")


def test_mistakes_are_sorted_and_said_once() -> None:
    """The exception lists each mistake once, by place, one a line."""
    late, early = Mistake(Place("f", 10, 1), "b"), Mistake(Place("f", 9, 2), "a")
    assert str(Mistakes([late, early, late])) == "f:9:2: a\nf:10:1: b"


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "x-expected": "a name of small letters"},
        "weight": {"type": "number", "minimum": 1},
        "kind": {"enum": ["image", "video"]},
        "tags": {"type": "array", "uniqueItems": True, "maxItems": 3},
        "order": {"anyOf": [{"enum": ["fastest"]}, {"type": "array", "items": {"type": "string"}}]},
        "table": {"type": "object", "propertyNames": {"pattern": "^[0-9]+$", "x-expected": "a number"}},
        "rows": {
            "type": "object",
            "patternProperties": {"^[0-9]$": {"type": "boolean"}},
            "additionalProperties": False,
        },
    },
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nwieght: 1", ["2:1: unknown key 'wieght'; did you mean 'weight'?"]),
        ("name: a\nzzz: 1", ["2:1: unknown key 'zzz'; known are name, weight, kind, tags, order, table, rows"]),
        ("kind: image", ["1:1: the key 'name' is missing"]),
        ("name: a\nweight: heavy", ["2:9: weight: expected a number, found the text 'heavy'"]),
        ("name: a\nweight: true", ["2:9: weight: expected a number, found true"]),
        ("name: a\nweight: 0", ["2:9: weight: expected at least 1, found 0"]),
        ("name: A", ["1:7: name: expected a name of small letters, found the text 'A'"]),
        ("name: 5", ["1:7: name: expected a name of small letters, found the number 5"]),
        ("name: a\nkind: vidoe", ["2:7: kind: expected image or video, found the text 'vidoe'; did you mean 'video'?"]),
        ("name: a\ntags: [x, y, x]", ["2:14: tags: the text 'x' is in the list twice"]),
        ("name: a\ntags: [1, 2, 3, 4]", ["2:7: tags: expected at most 3 in the list, found 4"]),
        ("name: a\norder: 5", ["2:8: order: expected fastest or a list, found the number 5"]),
        ("name: a\norder: [a, 5]", ["2:12: order.1: expected text, found the number 5"]),
        (
            "name: a\ntable: {x: 1}",
            ["2:9: table: the key 'x' is not allowed here: expected a number, found the text 'x'"],
        ),
        ("name: a\nrows: {1: x}", ["2:11: rows.1: expected true or false, found the text 'x'"]),
        ("name: a\nrows: {1: true, 12: true}", ["2:17: rows: unknown key '12'; nothing may stand here"]),
        ("[]", ["1:1: expected a mapping, found an empty list"]),
        ("name: a\nweight: 2\norder: [x]", []),
    ],
)
def test_violations_in_plain_words(text: str, said: list[str]) -> None:
    """Each violation of a schema is worded for people, at the place it stands."""
    assert violations(text, SCHEMA) == said


def test_the_form_that_was_meant() -> None:
    """Of several forms of a record, mistakes are named in the one the record says it is."""
    forms = [
        {"properties": {"is": {"const": "a"}, "x": {"type": "integer"}}, "additionalProperties": False},
        {"properties": {"is": {"const": "b"}, "y": {"type": "integer"}}, "additionalProperties": False},
    ]
    assert violations("is: b\ny: no\nz: 1", {"oneOf": forms}) == [
        "2:4: y: expected a whole number, found the text 'no'",
        "3:1: unknown key 'z'; known are is, y",
    ]


def test_nearest_and_shown() -> None:
    """The helpers of wording find the word that was meant and say what a value is."""
    assert nearest("modle", ["model", "match"]) == "model"
    assert nearest("zzz", ["model"]) is None
    assert [shown(value) for value in (None, True, "a\nb", 3, [], {"a": 1})] == [
        "nothing", "true", "the text 'a\\nb'", "the number 3", "an empty list", "a mapping",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:,-[]{}#&*!|>'\"%@` \n\t?019.~<", max_size=80))
def test_anything_is_read_or_refused(data: bytes | str) -> None:
    """Whatever the bytes, the reader gives a document or Mistakes, nothing else."""
    try:
        places = set(parse(data, "f").places.values())
    except Mistakes as raised:
        places = {mistake.place for mistake in raised.mistakes}
    assert all(place.line >= 1 and place.column >= 1 for place in places)


WORDS = st.text(st.characters(max_codepoint=0xD7FF, exclude_characters="\x85\u2028\u2029", exclude_categories=["C"]))
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(PLAIN)
def test_json_is_read_as_json(value: object) -> None:
    """A plain JSON document has the value it has as JSON, whatever its layout."""
    assert parse(json.dumps(value, ensure_ascii=False), "f").value == value
    assert parse(json.dumps(value, ensure_ascii=False, indent=2), "f").value == value
