"""Where the ledger may lie."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import Mistakes
from gateway.settings import load


def test_a_store_whose_socket_would_have_too_long_a_path(tmp_path: pathlib.Path) -> None:
    """It is a mistake of the file, not of the start."""
    path = tmp_path / "config.yaml"
    path.write_text(f"store: sqlite:{'deep/' * 20}ledger.db\n")
    with pytest.raises(Mistakes) as mistakes:
        load(path, {})
    assert "config.yaml:1:8: store: " in str(mistakes.value)
    assert "at most 102 bytes" in str(mistakes.value)
