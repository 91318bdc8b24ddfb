"""What has to say what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.tree import Function, Source, functions, none, sources


def undocumented(source: Source) -> Iterator[str]:
    """The module, and each public class, function and method without words."""
    if not _says(source.module):
        yield source.at(1, "the module says not what it is")
    for node, name in _public(source.module.body, ""):
        if not _says(node):
            yield source.at(node, f"{name} says not what it is")


def _public(body: list[ast.stmt], within: str) -> Iterator[tuple[ast.ClassDef | Function, str]]:
    """What can be reached from outside by a public name; Python's own names explain themselves, and of `__init__` the class speaks."""
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if node.name.startswith("_") or _said_elsewhere(node):
                    continue
                yield node, within + node.name
                if isinstance(node, ast.ClassDef):
                    yield from _public(node.body, f"{within}{node.name}.")
            case ast.If() | ast.Try() | ast.With():
                yield from _public([one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)], within)
            case _:
                pass


def _said_elsewhere(node: ast.ClassDef | Function) -> bool:
    """Whether the words stand at the property it sets, or at the function it is one form of."""
    marks = (ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list)
    return any(mark in {"setter", "deleter", "overload"} for mark in marks)


def _says(node: ast.Module | ast.ClassDef | Function) -> bool:
    """Whether there is a docstring, and words in it."""
    return bool((ast.get_docstring(node) or "").strip())


def untold(source: Source) -> Iterator[str]:
    """Each test function without a docstring of one sentence."""
    for function in functions(source.module):
        if not function.name.startswith("test_"):
            continue
        said = (ast.get_docstring(function) or "").strip()
        if not said:
            yield source.at(function, f"{function.name} has no sentence")
        elif "\n\n" in said or not said.endswith("."):
            yield source.at(function, f"{function.name}: its docstring is not one sentence")


def test_the_package_says_what_it_is() -> None:
    """Every public module, class and function of the package has a docstring."""
    none(finding for source in sources("gateway") for finding in undocumented(source))


def test_every_test_is_a_sentence() -> None:
    """Every test states the behaviour it proves in one sentence, and its file says what is tested."""
    tests = sources("tests")
    none(finding for source in tests for finding in untold(source))
    none(source.at(1, "the module says not what it is") for source in tests if not _says(source.module))


@pytest.mark.parametrize(
    "code",
    [
        "def f(): ...",
        '"""Fine."""\nclass C: ...',
        'class C:\n    """A class."""\n    def m(self): ...',
        "if True:\n    def f(): ...",
        'def f():\n    """ """',
    ],
)
def test_silence_is_seen(code: str) -> None:
    """A public thing without words is found wherever it stands."""
    text = code if code.startswith('"""') else f'"""A module."""\n{code}'
    assert list(undocumented(Source("x.py", text)))


def test_private_things_may_be_silent() -> None:
    """What begins with an underscore, stands in a function or is Python's own name needs no docstring."""
    code = '"""A module."""\ndef _f(): ...\nclass _C:\n    def m(self): ...\ndef f():\n    """A function."""\n    def g(): ...\n'
    assert not list(undocumented(Source("x.py", code)))


@pytest.mark.parametrize("said", ["", '"""no end"""', '"""One.\n\n    Two.\n    """'])
def test_a_silent_test_is_seen(said: str) -> None:
    """A test without a sentence, or with more than one paragraph, is found."""
    assert len(list(untold(Source("x.py", f"async def test_x():\n    {said or 'pass'}\n")))) == 1
