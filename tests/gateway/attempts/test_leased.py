"""A process whose lease may be over begins nothing that costs money, and goes on once it is sure to have it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.generation import State
from tests.gateway.attempts.bench import bench, faults

MODEL = "bytedance/seedream-4.5"


async def test_nothing_is_sent_while_the_lease_may_be_over(tmp_path: Path) -> None:
    """F74: a submit waits until the lease is certain again, however long that takes, and is then sent once."""
    async with bench(tmp_path) as at:
        held = False
        at.runs._walker._line.may = lambda: held
        generation = await at.begin(MODEL, ["byteplus"], prompt="a seal")
        await asyncio.sleep(0.15)
        assert at.sims.jobs() == []
        held = True
        assert (await at.outcome(generation)).state is State.SUCCEEDED
        assert len(at.sims.jobs()) == 1


async def test_a_lease_that_does_not_come_back_in_time_sends_nothing(tmp_path: Path) -> None:
    """At the deadline the generation fails, nothing was sent and nothing is charged."""
    async with bench(tmp_path) as at:
        at.runs._walker._line.may = lambda: False
        generation = await at.begin(MODEL, ["byteplus"], prompt="a seal", _seconds=1)
        record = await at.outcome(generation)
        assert record.state is State.FAILED
        assert faults(record) == [("byteplus", "timeout")]
        assert at.sims.jobs() == []
        assert await at.spent() == 0
