"""An outage of the first of three providers, in short; `python -m tests.harness.outage` plays the long one."""

from __future__ import annotations

import pytest

from tests.harness import outage
from tests.story.test_harness import show


@pytest.mark.parametrize(("kind", "seconds"), [("refused", 45.0), ("503", 45.0), ("fails", 90.0)])
def test_an_outage_delays_hardly_anybody(capsys, kind: str, seconds: float) -> None:
    """F78: while it lasts nobody waits for the provider that fails, and its recovery is noticed at the end of a rest."""
    figures = outage.run(kind, rate=2.0, seconds=seconds)
    show(capsys, figures.line())
    assert not figures.bad(), figures.notes[:5]


def test_without_its_breakers_an_outage_is_seen() -> None:
    """The figures are bad where they should be: a gateway whose breakers are held closed asks the first provider throughout."""
    figures = outage.run("503", rate=1.0, seconds=45.0, held=True)
    assert [said for said in figures.bad() if "calls a generation" in said]


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_ordinary_errors_open_nothing(capsys, rate: float) -> None:
    """A fifth of the submits, or of the jobs, fail by chance."""
    found = outage.days(rate, 0.2, length=0.05 / rate)
    show(capsys, found.line())
    assert (found.submit, found.job) == (0, 0)
