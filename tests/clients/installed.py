"""Clients that are not installed with the tests: got once, as their lock has them, and kept from run to run."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from tests.house.tree import ROOT

NODE = Path(__file__).parent / "node"
_LOCK = ROOT / ".ci" / "clients.lock"
_OLDEST = 20  # of Node: what the clients there ask for
_SECONDS = 300


def node(folder: Path) -> Path:
    """Give `folder` the programs of node/ and what they import."""
    found = _version()
    if found < _OLDEST:
        _lacking(f"Node {_OLDEST} or newer with npm is not there" if not found else f"Node {found} is too old")
    lock = (NODE / "package-lock.json").read_bytes()
    kept = _once(f"node-{hashlib.sha256(lock).hexdigest()[:16]}", _npm)
    for program in NODE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "node_modules").symlink_to(kept / "node_modules")
    return folder


def python() -> Path:
    """Give the folder of Python's clients: what their lock has and this interpreter has not."""
    wanted = [each for each in re.split(r"(?m)^(?=[^ #\n])", _LOCK.read_text()) if "==" in each and _lacks(each)]
    digest = hashlib.sha256("".join([sys.implementation.cache_tag or "", *wanted]).encode()).hexdigest()
    return _once(f"python-{digest[:16]}", lambda into: _pip(into, wanted))


def _version() -> int:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return 0
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    return int(said.removeprefix("v").partition(".")[0])


def _lacking(what: str) -> None:
    """Where a change is judged nothing may be left out; elsewhere it is said."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder of that name, unless it is there already; whoever comes meanwhile waits."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate-clients"
    kept.mkdir(parents=True, exist_ok=True)
    made = kept / name
    with (kept / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=kept) as part:
                make(Path(part, name))
                Path(part, name).rename(made)
    return made


def _npm(into: Path) -> None:
    into.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE / name, into)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], into)


def _pip(into: Path, wanted: list[str]) -> None:
    into.mkdir()
    (into / "wanted.lock").write_text("".join(wanted))
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes"]
    lock = str(into / "wanted.lock")
    _run([sys.executable, "-m", "pip", "install", *options, "--target", str(into), "--requirement", lock], into)


def _lacks(locked: str) -> bool:
    name, version = re.split(r"==| ", locked, maxsplit=2)[:2]
    try:
        return metadata.version(name) != version
    except metadata.PackageNotFoundError:
        return True


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS)
    assert done.returncode == 0, f"{' '.join(command[:4])}: {done.stderr[-2000:]}"
