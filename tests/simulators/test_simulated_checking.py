"""The strict checks of a request's fields: every type, bound and shape, and nothing taken for another."""

import pytest

from gateway.simulators.checking import check, either, flag, many, number, text, tree, url, whole

FIELDS = {
    "prompt": text(required=True, most=5),
    "mode": text("fast", "slow"),
    "count": whole(least=1, most=4),
    "side": whole(step=8),
    "strength": number(least=0, most=1),
    "loud": flag(),
    "image": url(),
    "images": many(url("https"), least=1, most=2),
    "size": either(text("square"), tree({"width": whole(), "height": whole()})),
}


@pytest.mark.parametrize(
    ("given", "place", "wrong"),
    [
        ({}, "prompt", "missing"),
        ({"prompt": "abcdef"}, "prompt", "many"),
        ({"prompt": None}, "prompt", "type"),
        ({"prompt": "x", "other": 1}, "other", "unknown"),
        ({"prompt": "x", "mode": "Fast"}, "mode", "enum"),
        ({"prompt": "x", "count": 0}, "count", "low"),
        ({"prompt": "x", "count": 5}, "count", "high"),
        ({"prompt": "x", "count": "2"}, "count", "type"),
        ({"prompt": "x", "count": 2.0}, "count", "type"),
        ({"prompt": "x", "count": True}, "count", "type"),
        ({"prompt": "x", "side": 9}, "side", "step"),
        ({"prompt": "x", "strength": 1.1}, "strength", "high"),
        ({"prompt": "x", "strength": True}, "strength", "type"),
        ({"prompt": "x", "loud": 1}, "loud", "type"),
        ({"prompt": "x", "image": "a.png"}, "image", "url"),
        ({"prompt": "x", "image": "https://"}, "image", "url"),
        ({"prompt": "x", "image": "data:image/png,abc"}, "image", "url"),
        ({"prompt": "x", "images": []}, "images", "few"),
        ({"prompt": "x", "images": ["https://a.b"] * 3}, "images", "many"),
        ({"prompt": "x", "images": ["https://a.b", "http://a.b"]}, "images.1", "url"),
        ({"prompt": "x", "images": "https://a.b"}, "images", "type"),
        ({"prompt": "x", "size": "round"}, "size", "enum"),
        ({"prompt": "x", "size": {"width": "1"}}, "size.width", "type"),
        ({"prompt": "x", "size": 3}, "size", "type"),
    ],
)
def test_one_fault_is_one_violation(given, place, wrong):
    """Whatever is wrong with one field is told once, with its place."""
    assert [(bad.dotted, bad.wrong.value) for bad in check(FIELDS, given)] == [(place, wrong)]


def test_what_fits_is_taken():
    """A request that keeps to the table has no violation."""
    given = {
        "prompt": "fox",
        "mode": "slow",
        "count": 4,
        "side": 64,
        "strength": 1,
        "loud": False,
        "image": "data:image/png;base64,AAA=",
        "images": ["https://a.b/c?d"],
        "size": {"width": 1, "height": 2},
    }
    assert check(FIELDS, given) == []
