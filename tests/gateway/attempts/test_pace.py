"""How long to wait before the next look at a running job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attempts.pace import next_look
from gateway.providers.pack import Pace

PACE = Pace(first=5_000, every=1_000, deadline=900_000)


@pytest.mark.parametrize(
    ("elapsed", "chance", "wait"),
    [
        (0, 0.0, 5_000),
        (0, 0.5, 5_500),
        (0, 1.0, 6_000),
        (4_999, 0.0, 1),
        (5_000, 0.5, 1_000),
        (5_000, 0.0, 800),
        (5_000, 1.0, 1_200),
        (10_000, 0.5, 1_000),
        (20_000, 0.5, 2_000),
        (99_000, 0.5, 9_900),
        (100_000, 0.5, 10_000),
        (800_000, 0.5, 10_000),
        (800_000, 0.0, 8_000),
        (800_000, 1.0, 12_000),
    ],
)
def test_the_wait_grows_with_the_time_a_job_has_run(elapsed: int, chance: float, wait: int) -> None:
    """The first look when the pack says, then a tenth of the time run, within the pack's pace and ten seconds."""
    assert next_look(PACE, elapsed, chance) == wait


def test_a_slower_pack_is_never_hurried() -> None:
    """A pack that asks for half a minute between looks gets it, however short or long the job has run."""
    slow = Pace(first=0, every=30_000, deadline=900_000)
    assert [next_look(slow, elapsed, 0.5) for elapsed in (0, 1_000, 800_000)] == [30_000] * 3


@given(st.integers(0, 60_000), st.integers(0, 70_000), st.floats(0, 1))
def test_one_first_look_is_enough(first: int, elapsed: int, chance: float) -> None:
    """After the first wait the job has run at least as long as the pack says, so no second look comes right behind."""
    wait = next_look(Pace(first, 1_000, 900_000), elapsed, chance)
    assert elapsed + wait >= first
    assert wait >= (1 if elapsed < first else 800)
