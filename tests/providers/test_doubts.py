"""What the packs claim about a submit whose answer was lost."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import read

FOLDER = pathlib.Path(__file__).parents[2] / "providers.d"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/provider.yaml")), ids=lambda path: path.parent.name)
def test_every_lifecycle_says_what_can_be_done(path: pathlib.Path):
    """No pack leaves it to the default, and a claim beyond `blind` says why in a comment right above it."""
    raw = read(path).value
    lines = path.read_text().splitlines()
    for name, lifecycle in raw["lifecycles"].items():
        assert "doubt" in lifecycle, f"{name} does not say what can be done when the answer to a submit is lost"
    claims = [index for index, line in enumerate(lines) if line.startswith("    doubt:")]
    reasons = [lines[index - 1].strip().startswith("#") for index in claims]
    assert any(reasons)
    assert all(reason for index, reason in zip(claims, reasons, strict=True) if "blind" not in lines[index])
