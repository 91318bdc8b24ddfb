"""Who may import whom: the contracts of pyproject.toml, and the one they cannot word."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.tree import ROOT, SIMULATORS, imported, none, sources

_RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_the_contracts_hold() -> None:
    """No import goes against the layers, in a circle, out of the pure part, or past the doors to network and store."""
    pytest.importorskip("importlinter", reason="import-linter comes with the extra `lint`")
    command = [sys.executable, "-c", _RUN, "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if told.returncode:
        pytest.fail(told.stdout + told.stderr, pytrace=False)


def test_the_simulators_stand_alone() -> None:
    """The simulators import nothing of the package, its root included."""
    none(
        source.at(node, f"imports {name}")
        for source in sources(SIMULATORS)
        for node, name in imported(source.module)
        if name.startswith("gateway.") and not name.startswith("gateway.simulators")
    )
