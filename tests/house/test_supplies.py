"""What the project is made of besides itself: locked, counted, told, and the same wheel each time it is built."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway import __version__
from tests.house.tree import ROOT

# What is installed beside the gateway. More is more to trust: raising it is a decision, not an accident.
_MOST = {"runtime": 23, "image": 39}
_AGAIN = "run .ci/lock"


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SBOM = _script()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What is asked for in each lock: the gateway alone, the gateway with all it can use, and what tests and checks it.
EXTRAS = {"runtime": (), "image": ("postgres", "s3", "otel"), "development": ("test", "lint")}
LOCKS = {name: (ROOT / ".ci" / f"{name}.lock").read_text(encoding="utf-8") for name in EXTRAS}


def wanted(*extras: str) -> list[Requirement]:
    """What the project says it needs."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    """S82: a lock names each package at one version with the hashes of its files, and says nothing else, no address at all."""
    text = LOCKS[lock]
    names = re.findall(r"^(\S+)==", text, re.MULTILINE)
    assert list(SBOM.locked(text)) == names == sorted(set(names))
    rest = re.sub(r"(?m)^ +(--hash=sha256:[0-9a-f]{64}( \\)?|# via .*)$|^\S+==\S+( ; .*)? \\$", "", text)
    assert rest.strip() == ""
    assert "://" not in text


@pytest.mark.parametrize(("lock", "extras"), EXTRAS.items())
def test_a_lock_is_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    """S82, S84: every requirement of the project is locked at a version it allows, floors included, and none is there for nothing."""
    packages = SBOM.locked(LOCKS[lock])
    for each in wanted(*extras):
        name = canonicalize_name(each.name)
        assert name in packages, f"{name} is not in {lock}.lock: {_AGAIN}"
        version = packages[name]["version"]
        assert each.specifier.contains(version), f"{name} {version} does not fit {each}: {_AGAIN}"
    asked = {canonicalize_name(each.name) for each in wanted(*extras)}
    direct = {name for name, each in packages.items() if "tidegate" in each["via"]}
    assert direct == asked, f"{_AGAIN}: {direct ^ asked}"


@pytest.mark.parametrize("lock", _MOST)
def test_what_runs_is_locked_to_the_last(lock: str) -> None:
    """S82: whatever a locked package needs itself is locked too, and everything runs in the same version under test."""
    packages, others = SBOM.locked(LOCKS[lock]), SBOM.locked(LOCKS["development"])
    for name, each in packages.items():
        assert others[name]["version"] == each["version"], f"{name}: {_AGAIN}"
        for line in metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in packages, f"{name} needs {need}: {_AGAIN}"


def test_every_extra_of_what_runs_is_in_the_image() -> None:
    """A policy that names a database, a bucket or a collector is served by the image as it is."""
    assert set(EXTRAS["image"]) == set(PROJECT["optional-dependencies"]) - {"test", "lint"}
    assert SBOM.locked(LOCKS["runtime"]).keys() < SBOM.locked(LOCKS["image"]).keys()


@pytest.mark.parametrize("lock", _MOST)
def test_few_packages_are_needed_to_run(lock: str) -> None:
    """The number of packages that run beside the gateway's own is known, and grows only on purpose."""
    count, most = len(SBOM.locked(LOCKS[lock])), _MOST[lock]
    print(f"packages beside the gateway, {lock}: {count} of at most {most}")  # noqa: T201 - shown with -rP, for a reviewer
    assert count <= most


@pytest.mark.parametrize("lock", _MOST)
def test_the_bill_of_materials_lists_every_package(lock: str) -> None:
    """S83: the bill is CycloneDX, names each locked package with version and hashes and who needs it, and is the same each time."""
    told = [
        subprocess.run(
            [sys.executable, ROOT / ".ci" / "sbom.py", lock], capture_output=True, check=True, timeout=60,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        ).stdout
        for _ in range(2)
    ]  # fmt: skip
    assert told[0] == told[1]
    bill = json.loads(told[0])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert bill["metadata"]["component"]["version"] == __version__
    listed = {(each["name"], each["version"]) for each in bill["components"]}
    assert listed == {(name, each["version"]) for name, each in SBOM.locked(LOCKS[lock]).items()}
    assert all(each["hashes"] and each["purl"].startswith("pkg:pypi/") for each in bill["components"])
    refs = {each["bom-ref"] for each in bill["components"]}
    needed = {need for each in bill["dependencies"] for need in each["dependsOn"]}
    assert needed == refs


def test_a_wheel_is_the_same_whoever_builds_it(tmp_path: Path) -> None:
    """S83: built from two copies, at another place, time and umask, the wheel has the same hash."""
    hashes = []
    for name, mask, time in (("one", 0o022, 1_600_000_000), ("elsewhere/two", 0o077, 1_700_000_000)):
        copy = tmp_path / name
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        for part in ("gateway", "providers.d"):
            shutil.copytree(ROOT / part, copy / part, ignore=ignored)
        for part in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "config.example.yaml"):
            shutil.copy(ROOT / part, copy / part)
        for path in copy.rglob("*"):
            os.utime(path, (time, time))
        subprocess.run(
            [sys.executable, "-c", f"import os; os.umask({mask}); from hatchling.cli import hatchling; hatchling()", "build", "-t", "wheel"],
            cwd=copy, check=True, capture_output=True, timeout=120, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        )  # fmt: skip
        [wheel] = (copy / "dist").glob("*.whl")
        hashes.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert hashes[0] == hashes[1]
