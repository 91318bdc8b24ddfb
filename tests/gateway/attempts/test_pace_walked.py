"""What the walker learns of the jobs it watches, in virtual time, with a vendor played."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tests.harness.looks import Seen, Stage, lognormal
from tests.harness.virtual import VirtualLoop, play


def learned(stage: Stage) -> list[int]:
    """Give the durations the walker took note of."""
    found = stage.paces.of(*stage.kind)
    return list(found.all.recent) if found is not None else []


def test_the_walker_learns_how_long_jobs_run() -> None:
    """Every end is taken note of; soon few looks see it, and what was noted is close to what was."""

    async def story(loop: VirtualLoop) -> None:
        stage = Stage(loop, lognormal(60_000, 0.1))
        seen = [await stage.one(n) for n in range(20)]
        assert seen[0].calls > 12
        assert sorted(one.calls for one in seen[5:])[7] <= 5
        errors = [math.log(taken / one.ran) for taken, one in zip(learned(stage), seen, strict=True)]
        assert max(map(abs, errors)) < 0.2
        assert abs(sum(errors) / 20) < 0.04

    play(random.Random(1), story)


def test_a_failure_is_an_end_too() -> None:
    """A job that its provider gave up has run as long as it did."""

    async def story(loop: VirtualLoop) -> None:
        stage = Stage(loop, lognormal(60_000, 0.0))
        stage.script({"call": "submit", "do": "fail"})
        await stage.one(0)
        assert learned(stage) == [pytest.approx(60_000, rel=0.1)]

    play(random.Random(1), story)


@pytest.mark.parametrize(("away", "noted"), [(100.0, []), (30.0, [pytest.approx(60_000, rel=0.1)])])
def test_an_end_nobody_was_there_for_is_no_measure(away: float, noted: list[Any]) -> None:
    """A job that ended while the gateway was away may have ended at any time; one still running afterwards is measured."""

    async def story(loop: VirtualLoop) -> None:
        stage = Stage(loop, lognormal(60_000, 0.0))
        seen = await stage.one(0, away=away)
        assert seen.late >= 0
        assert learned(stage) == noted

    play(random.Random(1), story)


def test_the_walker_hears_what_a_provider_tells() -> None:
    """A vendor counts the share done and lets every job wait for a quarter of its time: both are known after a few jobs."""

    async def story(loop: VirtualLoop) -> None:
        stage = Stage(loop, lognormal(60_000, 0.25), "runway", "runway/gen-4.5")
        for n in range(12):
            await stage.one(n)
        found = stage.paces.of(*stage.kind)
        assert found is not None
        assert found.prompt is not None
        assert len(found.shares) > 10
        # Of the whole time a quarter goes by in the queue, where nobody looks.
        errors = sorted(abs(true - (25 + told * 0.75)) for told, true in found.shares)
        assert errors[len(errors) // 2] < 6

    play(random.Random(1), story)


def test_what_was_not_seen_to_begin_is_no_measure_of_a_run() -> None:
    """A job that was taken up after a restart is measured from its submit alone."""

    async def story(loop: VirtualLoop) -> None:
        stage = Stage(loop, lognormal(60_000, 0.0))
        await stage.one(0, away=30.0)
        found = stage.paces.of(*stage.kind)
        assert found is not None
        assert (found.prompt, found.runs) == (None, None)

    play(random.Random(1), story)


def outage(times: int) -> tuple[Seen, list[int]]:
    """Let so many status calls fail from the first on; give what was seen of the job, and what is known after it."""

    async def story(loop: VirtualLoop) -> tuple[Seen, list[int]]:
        stage = Stage(loop, lognormal(400_000, 0.0))
        for _ in range(24):
            stage.paces.note(*stage.kind, 400_000)
        stage.script({"call": "status", "do": "status", "status": 503, "times": times})
        return await stage.one(0), learned(stage)

    return play(random.Random(1), story)


def test_an_outage_before_a_late_first_look_ends_nothing() -> None:
    """F26: the first look comes after two minutes; from there on status calls fail for a while, and the job is not given up."""
    seen, noted = outage(8)
    assert seen.late >= 0
    assert len(noted) == 24


def test_an_outage_that_lasts_ends_the_wait() -> None:
    """When looks have told nothing for two minutes, the job is given up long before its end, and nothing is learned from it."""
    seen, noted = outage(1_000)
    assert seen.late < -100_000
    assert noted == [400_000] * 24
