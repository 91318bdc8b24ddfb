"""Clients from elsewhere are those that were looked at: locked to the last, and missed where they are due."""

from __future__ import annotations

import json
import re

import pytest

from tests.clients import installed
from tests.house.tree import ROOT

LOCK = (ROOT / ".ci" / "clients.lock").read_text(encoding="utf-8")
DEVELOPMENT = (ROOT / ".ci" / "development.lock").read_text(encoding="utf-8")


def versions(lock: str) -> dict[str, str]:
    """The packages of a lock."""
    return dict(re.findall(r"(?m)^(\S+)==(\S+)", lock))


def test_packages_of_node_are_pinned_and_hashed() -> None:
    """Each at one version, with the hash of its file, and from nowhere in particular."""
    asked = json.loads((installed.NODE / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    text = (installed.NODE / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert packages.pop("")["dependencies"] == asked
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name
    assert {f"node_modules/{name}" for name in asked} < packages.keys()


def test_packages_of_python_are_pinned_and_hashed() -> None:
    """The same, and what the tests have anyway has the version that they have, so that it is not installed twice."""
    rest = re.sub(r"(?m)^ +(--hash=sha256:[0-9a-f]{64}( \\)?|# via .*)$|^\S+==\S+( ; .*)? \\$", "", LOCK)
    assert rest.strip() == ""
    locked, known = versions(LOCK), versions(DEVELOPMENT)
    assert {"litellm", "langchain-community"} <= locked.keys()
    differing = {name for name in locked.keys() & known.keys() if locked[name] != known[name]}
    assert not differing, "run .ci/lock"


def test_where_node_is_missing_it_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a change is judged that is a failure, elsewhere it is left out."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="npm is not there"):
        installed.node(installed.NODE)
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="npm is not there"):
        installed.node(installed.NODE)
