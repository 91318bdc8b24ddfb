"""Guessing in short: ids that follow from nothing, refusals that take the same time; the long forms run by hand."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness import ids, timing


@pytest.mark.parametrize("sort", ids.SORTS, ids=lambda sort: sort.name)
def test_ids_follow_from_nothing(sort: ids.Sort) -> None:
    """S16, S76: no id comes twice or needs to be escaped, and of 120 bits and more each is as likely as its opposite."""
    figures = ids.run(sort, 4_000)
    assert not figures.bad(), figures.line()


def test_ids_that_follow_are_seen() -> None:
    """Ids that count up, come twice, or hold a dot are found."""
    counted = iter(range(10**6))
    up = ids.Sort("up", lambda: f"{next(counted):039}", int, 128)
    few = replace(ids.SORTS[0], make=lambda: str(ids.uuid.UUID(int=next(counted) % 7, version=4)))
    dotted = replace(
        ids.SORTS[0], make=lambda: f"{ids.uuid.uuid4()}.1", value=lambda made: ids.uuid.UUID(made[:36]).int
    )
    assert [ids.run(each, 500).bad() for each in (up, few, dotted)] == [True, True, True]


def test_refusals_take_the_same_time(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """S04, S78: keys and proofs that are wrong in another place take as long; generously, for machines that are busy."""
    for what, medians in (
        ("keys", asyncio.run(timing.keys(150, 1, tmp_path))),
        ("proofs", asyncio.run(timing.proofs(1_000, 1))),
    ):
        with capsys.disabled():
            sys.stdout.write(f"\n{timing.line(what, medians)}\n")
        assert timing.spread(medians) < 0.5
