"""How tests are written: only the far end is fake, and nobody waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.house.tree import Source, aliases, dotted, imported, none, sources

_MOCKS = ("unittest.mock", "mock", "pytest_mock")
_SLEEPS = {"time.sleep", "asyncio.sleep"}
# Seconds: a tenth, and a little for what has to be past it. A longer wait hides a race and makes the suite slow.
_LONGEST = 0.15
# Whole processes are waited for there; what they do takes the time it takes.
_LONG_SUITES = ("tests/harness/", "tests/story/", "tests/bench/")


def unlike_a_test(source: Source) -> Iterator[str]:
    """Each mock, each patch of a module of ours, and each long sleep outside the long suites."""
    names = aliases(source.module)
    for node, name in imported(source.module):
        if any(name == mock or name.startswith(f"{mock}.") for mock in _MOCKS):
            yield source.at(node, f"imports {name}: a double of the far end is written by hand")
    for node in ast.walk(source.module):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "setattr" and _is_ours(node.args, names):
            yield source.at(node, "patches a module of the package: pass what differs as an argument")
        if dotted(node.func, names) in _SLEEPS and _sleeps_long(node) and not source.path.startswith(_LONG_SUITES):
            yield source.at(node, f"sleeps for more than {_LONGEST} s: wait for what is to happen, or move a clock")


def _is_ours(arguments: list[ast.expr], names: Mapping[str, str]) -> bool:
    match arguments:
        case [ast.Constant(value=str() as target), *_]:
            return target.startswith("gateway.")
        case [first, *_]:
            return dotted(first, names).startswith("gateway.")
        case _:
            return False


def _sleeps_long(node: ast.Call) -> bool:
    match node.args:
        case [ast.Constant(value=int() | float() as seconds)]:
            return seconds > _LONGEST
        case _:
            return False


def test_no_mocks_and_no_waiting() -> None:
    """No test uses a mock, patches the package, or sleeps for more than a tenth of a second."""
    none(finding for source in sources("tests") for finding in unlike_a_test(source))


@pytest.mark.parametrize(
    "code",
    [
        "from unittest.mock import Mock",
        "from unittest import mock",
        "import time\ntime.sleep(1)",
        "from asyncio import sleep\nsleep(0.5)",
        "monkeypatch.setattr('gateway.clock.now', 1)",
        "from gateway import clock\nmonkeypatch.setattr(clock, 'now', 1)",
    ],
)
def test_one_is_seen(code: str) -> None:
    """Each of them is found, under whatever name it was imported."""
    assert list(unlike_a_test(Source("tests/gateway/x.py", code)))


def test_long_suites_may_wait() -> None:
    """Suites over whole processes may wait as long as they need."""
    assert not list(unlike_a_test(Source("tests/story/x.py", "import time\ntime.sleep(1)")))
