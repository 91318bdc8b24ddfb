"""Strange inputs in short: every parser gets some; the long form is `python -m tests.harness.parsers`."""

from __future__ import annotations

import sys

import pytest

from tests.harness import parsers
from tests.harness.parsed import PARSERS
from tests.harness.parsers import Parser

_FEW = 8_000
_HALVES = (PARSERS[::2], PARSERS[1::2])


@pytest.mark.parametrize("half", _HALVES)
def test_parsers_take_whatever_comes(capsys: pytest.CaptureFixture[str], half: tuple[Parser, ...]) -> None:
    """S48, S90: no parser says anything but what it documents, takes long, or says something else the second time."""
    figures = parsers.run(half, _FEW // 2, 1)
    with capsys.disabled():
        sys.stdout.write(f"\nparsers {figures.line()}\n")
    assert not figures.findings, [finding.line() for finding in figures.findings]


def _refuse(given: str) -> int:
    if "7" in given:
        raise KeyError(given)
    if len(given) > 40:
        raise ValueError(given)
    return len(given)


def test_a_parser_that_breaks_is_found() -> None:
    """An error nobody documents, a result out of bounds and a slow answer are found, and told by the smallest such input."""
    one = Parser(
        "broken",
        1,
        lambda dice: str(dice.random()),
        _refuse,
        (ValueError,),
        lambda _given, size: "too long" if size > 17 else None,
    )
    figures = parsers.run([one], 300, 1)
    said = {finding.said: finding.given for finding in figures.findings}
    assert said["raised KeyError in test_parsers.py:_refuse: \"'7'\""] == "7"
    assert any(found == "too long" and len(given) == 18 for found, given in said.items())
    slow = Parser(
        "slow",
        1,
        lambda _dice: "x",
        lambda _given: sum(range(3_000_000)),
        (),
        lambda _given, _found: None,
        longest=0.001,
    )
    assert [finding.said[:5] for finding in parsers.run([slow], 2, 1).findings] == ["slow:"]


def test_an_input_is_the_same_every_time() -> None:
    """The number of an input and the seed say which it is."""
    for parser in PARSERS:
        assert repr(parsers.given(parser, 1, 3)) == repr(parsers.given(parser, 1, 3))
