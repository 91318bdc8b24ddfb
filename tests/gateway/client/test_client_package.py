"""The client as a package: light to import, typed, and alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gateway.client
from gateway import client
from tests.house.tree import ROOT

_LOADED = """
import sys
before = set(sys.modules)
import gateway.client
from gateway.client import Client, GatewayError, verify
Client("http://127.0.0.1:8080", "bye_key")
print("\\n".join(sorted(set(sys.modules) - before)))
"""


def _loaded(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def test_it_is_light() -> None:
    """Who blocks loads the standard library and the client, nothing else of the gateway and no aiohttp."""
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    names = _loaded(path + _LOADED)
    own = {name for name in names if name.split(".")[0] == "gateway"}
    assert own
    assert all(name == "gateway" or name.startswith("gateway.client") for name in own)
    foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"gateway"}
    assert not foreign


def test_every_name_is_there() -> None:
    """What the package says it has can be had, and a misspelled name is an error."""
    for name in client.__all__:
        assert getattr(gateway.client, name) is not None
    assert not hasattr(gateway.client, "Klient")


def test_it_is_typed() -> None:
    """The marker that tells type checkers so is in the package."""
    assert (Path(gateway.client.__file__).parents[1] / "py.typed").is_file()
