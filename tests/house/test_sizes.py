"""How long a file, a function and a class may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from tests.house.tree import Function, Source, functions, none, sources


class Size(NamedTuple):
    """What is measured, what it should not exceed, and what it must not."""

    what: str
    is_now: int
    soft: int
    hard: int


def sizes(source: Source) -> Iterator[Size]:
    """Measure a file, its functions and its classes."""
    yield Size(source.at(1, "lines of the file"), source.text.count("\n"), 300, 400)
    for function in functions(source.module):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        yield Size(source.at(function, f"lines of {function.name}"), lines, 40, 60)
    for node in ast.walk(source.module):
        # The rules of a test's state machine are no interface that somebody has to learn.
        if isinstance(node, ast.ClassDef) and not source.path.startswith("tests/"):
            public = sum(isinstance(one, Function) and not one.name.startswith("_") for one in node.body)
            yield Size(source.at(node, f"public methods of {node.name}"), public, 12, 15)


def _all() -> Iterator[Size]:
    for source in (*sources("gateway"), *sources("tests")):
        yield from sizes(source)


def test_nothing_is_too_long() -> None:
    """Files end at 400 lines, functions at 60, classes at 15 public methods; what passes 300, 40 or 12 is printed."""
    found = list(_all())
    for size in found:
        if size.soft < size.is_now <= size.hard:
            print(f"{size.what}: {size.is_now}, better {size.soft}")  # noqa: T201 - shown with -rP, for a reviewer
    none(f"{size.what}: {size.is_now}, at most {size.hard}" for size in found if size.is_now > size.hard)


def test_lengths_are_measured() -> None:
    """A long function and a broad class are seen."""
    methods = "".join(f"    def m{n}(self):\n        ...\n" for n in range(16))
    long = "def f():\n" + "    x = 1\n" * 60
    over = [size.is_now for size in sizes(Source("x.py", f"class C:\n{methods}{long}")) if size.is_now > size.hard]
    assert over == [61, 16]
