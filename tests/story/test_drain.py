"""Asked to stop, in short: the full size runs by hand, see tests/harness/drain.py."""

from __future__ import annotations

from pathlib import Path

from tests.harness import drain


async def test_a_stop_under_load_costs_nobody_an_answer_nor_a_generation(tmp_path: Path) -> None:
    """F58, H18: one SIGTERM with sixty generations under way; clients hear 503 at worst, and everything goes on."""
    figures = await drain.run(1, 60, 6, 3, tmp_path, "image=2,video=6")
    assert not figures.bad(), figures.notes + figures.ends.notes
    assert figures.live_at_term >= 30
    assert figures.turned_away > 0
