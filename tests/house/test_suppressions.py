"""A check is switched off by code and with a reason, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.house.tree import Source, none, sources

# Behind the code: `- why` or `(why)`, of at least two words.
_WHY = r"\s*(?:-\s*\S+\s+\S.*|\(\S+\s+\S.*\))$"
_NOQA = re.compile(r"#\s*noqa\b(.*)", re.IGNORECASE)
_NOQA_RIGHT = re.compile(r":\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*" + _WHY)
_IGNORE = re.compile(r"#\s*type:\s*ignore\b(.*)")
# What follows a `type: ignore` has to be a comment of its own, be it a noqa with its reason or the reason itself.
_IGNORE_RIGHT = re.compile(r"\[[a-z, -]+\]\s+#\s*(?:noqa\b.*|(?:-\s*)?\S+\s+\S.*)$")
_PRAGMA = re.compile(r"#\s*pragma:\s*no (?:cover|branch)\b(.*)")
_WHOLE_FILE = re.compile(r"#\s*(?:ruff|flake8|mypy):", re.IGNORECASE)


def unexplained(source: Source) -> Iterator[str]:
    """Each suppression that lacks its code or its reason, and each that is for a whole file."""
    for line, comment in source.comments():
        if (found := _NOQA.search(comment)) and not _NOQA_RIGHT.match(found[1]):
            yield source.at(line, f"{comment} - a noqa names its codes and says why: `# noqa: X123 - why`")
        if (found := _IGNORE.search(comment)) and not _IGNORE_RIGHT.match(found[1]):
            yield source.at(line, f"{comment} - it names its code and says why: `# type: ignore[code]  # why`")
        if (found := _PRAGMA.search(comment)) and not re.match(_WHY, found[1]):
            yield source.at(line, f"{comment} - say why it cannot be covered")
        if _WHOLE_FILE.search(comment):
            yield source.at(line, f"{comment} - rules for whole files stand in pyproject.toml")


def test_every_suppression_says_why() -> None:
    """Every noqa and every type: ignore has a code and a reason; none is for a whole file."""
    none(finding for source in (*sources("gateway"), *sources("tests")) for finding in unexplained(source))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: E501",
        "# noqa: E501 why",
        "# noqa: E501 - why",
        "# type: ignore",
        "# type: ignore[misc]",
        "# type: ignore  # for a good reason",
        "# pragma: no cover",
        "# ruff: noqa: D100",
        "# mypy: ignore-errors",
    ],
)
def test_a_bare_one_is_seen(comment: str) -> None:
    """A suppression without a code, without a reason or for a whole file is found."""
    assert len(list(unexplained(Source("x.py", f"x = 1  {comment}\n")))) == 1


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501, F401 - a table of words",
        "# noqa: S311 (a key of the cache)",
        "# type: ignore[no-untyped-call]  # noqa: SLF001 - pinned by a test",
        "# type: ignore[misc]  # it is meant to be refused",
        "# fmt: skip",
        "# a word about noqa",
    ],
)
def test_an_explained_one_passes(comment: str) -> None:
    """A code and a reason are enough."""
    assert not list(unexplained(Source("x.py", f"x = 1  {comment}\n")))
