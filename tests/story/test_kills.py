"""Nothing lost, in short: the full size runs by hand, see tests/harness/kills.py."""

from __future__ import annotations

from pathlib import Path

from tests.harness import kills


async def test_kills_leave_nothing_lost_stuck_or_charged_twice(tmp_path: Path, capsys) -> None:
    """Three kills with twenty generations under way, and everything that has to be zero is."""
    figures = await kills.run(3, 60, 7, tmp_path)
    with capsys.disabled():
        print("\n" + figures.line())
    assert figures.bad() == 0, figures.notes
    assert figures.generations >= 20
