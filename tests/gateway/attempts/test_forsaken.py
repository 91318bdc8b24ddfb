"""A pack that is gone after a restart: its job may run on, and is not paid for a second time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.generation import State
from gateway.ledger import generations
from gateway.outcome import AttemptState, Billing
from tests.gateway.attempts.bench import bench, line, shipped

MODEL = "bytedance/seedream-4.5"


@pytest.mark.parametrize(("most", "ends"), [(0, State.FAILED), (1_000_000, State.SUCCEEDED)])
async def test_a_job_whose_pack_is_gone_may_cost_money(tmp_path: Path, most: int, ends: State) -> None:
    """L10: the attempt ends as one that may be billed; another provider is asked only where a double payment is allowed."""
    async with bench(tmp_path, image=3) as at:
        generation = await at.begin(MODEL, ["replicate", "fal"], prompt="a seal", _in_doubt_max_cost=most)
        for _ in range(200):
            record = await at.store.read(generations.find_any(generation, attempts=True))
            if record is not None and record.attempts and record.attempts[0].state is AttemptState.SUBMITTED:
                break
            await asyncio.sleep(0.05)
        for job in list(at.runs._jobs.values()):
            assert job.task is not None
            job.task.cancel()  # as a crash would
        left = {name: model for name, model in shipped().models.items() if name[0] != "replicate"}
        async with line(tmp_path, at.sims, at.store, replace(shipped(), models=left), at.clock) as runs:
            runs.take_up([("local", generation)], 0.1)
            at.runs = runs
            record = await at.outcome(generation, 60)
        first = record.attempts[0]
        assert (first.state.is_open, first.billing) == (False, Billing.POSSIBLE)
        assert record.state is ends
        assert len(record.attempts) == (2 if ends is State.SUCCEEDED else 1)
