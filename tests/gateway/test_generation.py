"""The one shape: which values fit a field, what they become, and which states may follow each other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import EDGES, FIELDS, FINAL, LARGEST, State, Type, mistake, settle, word

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("type_", "value", "kept"),
    [
        (Type.TEXT, "", ""),
        (Type.TEXT, "42", "42"),
        (Type.URL, "https://example.com/a.png", "https://example.com/a.png"),
        (Type.BOOLEAN, False, False),
        (Type.INTEGER, 5, 5),
        (Type.INTEGER, 5.0, 5),
        (Type.INTEGER, LARGEST, LARGEST),
        (Type.NUMBER, 2.5, 2.5),
        (Type.NUMBER, 5.0, 5),
        (Type.URLS, ["a", "b"], ("a", "b")),
        (Type.URLS, (), ()),
    ],
)
def test_a_fitting_value_is_kept_in_one_form(type_: Type, value: object, kept: object):
    """A value of its field's type is kept as it is; whole fractions become whole numbers, lists become tuples."""
    assert mistake(type_, value) is None
    found = settle(type_, value)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("type_", "value", "says"),
    [
        (Type.TEXT, 42, "must be a text, not the number 42"),
        (Type.URL, None, "must be a text, not null"),
        (Type.BOOLEAN, 0, "must be true or false, not the number 0"),
        (Type.BOOLEAN, "true", "must be true or false, not the text 'true'"),
        (Type.INTEGER, True, "must be a whole number, not true"),
        (Type.INTEGER, 2.5, "must be a whole number, not the number 2.5"),
        (Type.INTEGER, "2", "must be a whole number, not the text '2'"),
        (Type.INTEGER, 10**400, "must be a whole number, not a number that large"),
        (Type.INTEGER, math.inf, "must be a whole number, not a number that large"),
        (Type.NUMBER, False, "must be a number, not false"),
        (Type.NUMBER, math.nan, "must be a number, not a number that large"),
        (Type.NUMBER, -(10**400), "must be a number, not a number that large"),
        (Type.NUMBER, {}, "must be a number, not an object"),
        (Type.URLS, "a", "must be a list of addresses, not the text 'a'"),
        (Type.URLS, ["a", 1], "must be a list of addresses, not a list"),
    ],
)
def test_a_misfit_is_named(type_: Type, value: object, says: str):
    """A value of another type is refused with what was wanted and what was found."""
    assert mistake(type_, value) == says


def test_a_long_text_is_not_repeated():
    """Only a short text is shown back."""
    assert word("x" * 41) == "a text"


@given(st.sampled_from(list(Type)), JSON)
def test_any_json_fits_or_is_named(type_: Type, value: object):
    """Whatever a caller sends either fits and can be kept, or has a sentence; nothing raises."""
    if mistake(type_, value) is None:
        settle(type_, value)


def test_final_states_end_everything():
    """Nothing follows a final state, and every other state can still end in failure or be canceled."""
    assert not [edge for edge in EDGES if edge[0] in FINAL]
    for state in set(State) - FINAL:
        assert not state.is_final
        assert {(state, State.FAILED), (state, State.CANCELED)} <= EDGES


def test_success_comes_from_where_there_are_outputs():
    """A generation succeeds once its outputs are made ours: while that takes long it is storing, and else it goes straight on."""
    before = {before for before, after in EDGES if after is State.SUCCEEDED}
    assert before == {State.STORING, State.SUBMITTING, State.RUNNING}
    assert State.SUCCEEDED.is_final


def test_every_field_has_a_sentence():
    """A common field carries its own name and what it means."""
    assert all(field.name == name and field.says for name, field in FIELDS.items())
