"""The repository's own files, as the house tests look at them."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIMULATORS = "gateway/simulators/"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @property
    def module(self) -> ast.Module:
        """The file, parsed."""
        return _parsed(self.text, self.path)

    def comments(self) -> Iterator[tuple[int, str]]:
        """Each comment with its line; what looks like one inside a text is none."""
        yield from _comments(self.text)

    def at(self, node: ast.AST | int, what: str) -> str:
        """Word a finding at a node or a line."""
        return f"{self.path}:{node if isinstance(node, int) else getattr(node, 'lineno', 1)}: {what}"


@cache
def _parsed(text: str, path: str) -> ast.Module:
    return ast.parse(text, path)


@cache
def _comments(text: str) -> tuple[tuple[int, str], ...]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """Every Python file under a folder of the root."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"there is no Python under {folder}: the check would prove nothing"
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in found)


def functions(module: ast.AST) -> Iterator[Function]:
    """Every function, however deep it stands."""
    for node in ast.walk(module):
        if isinstance(node, Function):
            yield node


def imported(module: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Each name an import statement reaches for, with its dots: `from a import b` is `a.b`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def aliases(module: ast.Module) -> Mapping[str, str]:
    """What each name that an import binds stands for: after `import time as t`, `t` is `time`."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    """Give the full name of `a.b.c`, imports followed, or an empty text for anything else."""
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value, names)
            return f"{before}.{attr}" if before else ""
        case _:
            return ""


def none(findings: Iterable[str]) -> None:
    """Fail with every finding on a line of its own."""
    found = list(findings)
    if found:
        pytest.fail(f"{len(found)} found\n" + "\n".join(found), pytrace=False)
