"""Bodies: a name is a whole value with its type, and what has no value leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.providers.tree import compile_tree, names, uses


@pytest.mark.parametrize(
    ("tree", "values", "body"),
    [
        ({"a": "$x"}, {"x": "1"}, {"a": "1"}),
        ({"a": "$x"}, {"x": 1}, {"a": 1}),
        ({"a": "$x"}, {"x": False}, {"a": False}),
        ({"a": "$x"}, {"x": None}, {"a": None}),
        ({"a": "$x"}, {"x": {"w": 1, "h": 2}}, {"a": {"w": 1, "h": 2}}),
        ({"a": "$x", "b": 1}, {}, {"b": 1}),
        ({"a": "$x"}, {"x": ("p", "q")}, {"a": ["p", "q"]}),
        ({"a": "$x"}, {"x": ()}, {}),
        ({"a": "$x.1", "b": "$x.2"}, {"x": ("p",)}, {"a": "p"}),
        ({"a": "$x.1"}, {"x": "text"}, {}),
        ({"a": "$$x"}, {"x": 1}, {"a": "$x"}),
        ({"a": "costs $x"}, {"x": 1}, {"a": "costs $x"}),
        ({"a": {"kind": "p", "url": "$x"}}, {}, {}),
        ({"a": {"kind": "p", "url": "$x"}}, {"x": "u"}, {"a": {"kind": "p", "url": "u"}}),
        ({"a": {"b": {"c": "$x"}, "d": "$y"}}, {"y": 1}, {"a": {"d": 1}}),
        ({"a": {"kind": "p"}}, {}, {"a": {"kind": "p"}}),
        ({"a": [{"url": "$x"}, {"url": "$y"}]}, {"y": 1}, {"a": [{"url": 1}]}),
        ({"a": ["$x"]}, {}, {}),
        ({"a": [1, 2]}, {}, {"a": [1, 2]}),
        ({"a": []}, {}, {"a": []}),
        (
            {"a": [{"$each": "x", "kind": "p", "url": {"at": "$item"}}]},
            {"x": ("u", "v")},
            {"a": [{"kind": "p", "url": {"at": "u"}}, {"kind": "p", "url": {"at": "v"}}]},
        ),
        (
            {"a": [{"kind": "t", "text": "$y"}, {"$each": "x", "url": "$item"}]},
            {"y": 1},
            {"a": [{"kind": "t", "text": 1}]},
        ),
        (
            {"a": [{"$each": "x", "url": "$item", "seed": "$y"}]},
            {"x": ("u",), "y": 7},
            {"a": [{"url": "u", "seed": 7}]},
        ),
        ({"a": [{"$each": "x", "seed": "$y"}]}, {"x": ("u",)}, {}),
        ({"a": [{"$each": "x", "url": "$item"}]}, {}, {}),
        ({"a": [{"$each": "x", "url": "$item"}]}, {"x": "text"}, {}),
    ],
)
def test_a_body_is_filled(tree: dict[str, Any], values: dict[str, Any], body: dict[str, Any]):
    """Values keep their types, and a branch all of whose names are missing goes with its constants."""
    assert compile_tree(tree)(values) == body


def test_a_text_that_looks_like_a_name_stays_a_text():
    """What a caller writes is never read as a name."""
    assert compile_tree({"prompt": "$prompt"})({"prompt": "$model"}) == {"prompt": "$model"}


def test_names_are_listed_wherever_they_stand():
    """Every use of a name is found with the item it asks for; what only looks like a name is given as it stands."""
    tree = {"a": "$x", "b": ["$y.2", {"c": "$Bad"}], "d": "$$z", "e": 5, "f": "plain"}
    assert list(uses(tree)) == [("x", None), ("y", 2), ("$Bad", None)]
    assert list(names(tree)) == ["x", "y", "$Bad"]


def test_the_item_of_a_list_is_no_name_of_its_own():
    """What goes through a list uses that list and the other names; the item is its own, and only there."""
    tree = {"a": [{"$each": "x", "url": "$item", "seed": "$y"}], "b": "$item", "c": [{"$each": "z", "d": "$item.1"}]}
    assert list(uses(tree)) == [("x", None), ("y", None), ("item", None), ("z", None), ("item", 1)]
