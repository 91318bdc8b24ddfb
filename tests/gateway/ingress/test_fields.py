"""The native spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import FIELDS
from gateway.ingress.fields import NATIVE, read, spell
from gateway.ingress.refusal import Refusal


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_one_spelling(name: str) -> None:
    """The native word of a field leads back to it."""
    assert read({spell(name): 1}) == ({name: 1}, None)


@pytest.mark.parametrize("name", NATIVE)
def test_a_second_spelling_is_unknown(name: str) -> None:
    """Our own word is no native one, and neither is the prefix before it."""
    for written in (name, f"generation_{name}"):
        fields, _ = read({written: 1})
        [found] = fields
        assert found not in FIELDS
        assert spell(found) == written


def test_the_order_is_no_field() -> None:
    """The order of providers is told apart from the fields."""
    assert read({"generation_provider_order": "fal", "generation_prompt": "x"}) == ({"prompt": "x"}, "fal")


@pytest.mark.parametrize("order", [None, 5, ["fal"], {"a": 1}])
def test_the_order_is_a_text(order: Any) -> None:
    """Another type is refused by its name."""
    with pytest.raises(Refusal) as refused:
        read({"generation_provider_order": order})
    assert refused.value.details["field"] == "generation_provider_order"


def test_both_words_for_one_format_are_taken() -> None:
    """What is often spelled jpeg is jpg inside."""
    assert read({"generation_output_format": "jpeg"})[0] == {"format": "jpg"}


@given(st.dictionaries(st.text(min_size=1, max_size=30), st.none(), max_size=10))
def test_no_field_is_lost(body: dict[str, None]) -> None:
    """Whatever the names, each comes through and is spelled back as it was written."""
    fields, order = read({name: value for name, value in body.items() if name != "generation_provider_order"})
    assert order is None
    assert {spell(name) for name in fields} == set(body) - {"generation_provider_order"}
