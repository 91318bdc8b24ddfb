"""What is given as an example works."""

from __future__ import annotations

from gateway.settings import example, load
from tests.house.tree import ROOT

_EXAMPLE = ROOT / "config.example.yaml"


def test_the_example_loads() -> None:
    """config.example.yaml has no mistake, and read as it stands it changes nothing that has a fixed default."""
    shown, usual = load(_EXAMPLE, {}), load(None, {})
    assert (shown.listen, shown.auth, shown.credits) == (usual.listen, usual.auth, usual.credits)


def test_the_example_is_up_to_date() -> None:
    """config.example.yaml is what the table of settings makes."""
    assert _EXAMPLE.read_text(encoding="utf-8") == example()
