"""A siege by slow clients, in small: real processes, real times."""

from __future__ import annotations

from pathlib import Path

from tests.harness import slow


async def test_good_clients_notice_little_of_slow_ones(tmp_path: Path) -> None:
    """S43: while two hundred connections send and take next to nothing, all good requests are served, and the others are closed."""
    found = await slow.run(tmp_path, connections=200, peace=2, siege=14)
    assert found.failed == 0
    assert found.requests > 100
    assert found.let_too_long == 0
    for kind in ("silent", "half_a_head"):
        times, longest = found.closed[kind]
        assert times >= 40, found
        assert longest > 9, found
    assert found.closed["half_a_body"] == found.closed["reader"] == [0, 0]  # their time comes later
    assert found.siege_p50_ms < 1000, found
