"""Outputs that came inside an answer, and a process that stopped before they were kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.attempts.resume import resume
from gateway.generation import State
from gateway.ledger import attempts, generations
from gateway.outcome import AttemptState, Billing
from tests.gateway.attempts.bench import faults
from tests.gateway.attempts.invented import Far, Invented, invented


async def _cut_off(at: Invented, vendor: str) -> str:
    """A generation whose process stopped right after it had written that the outputs are there."""
    generation = await at.ask([vendor])
    async with asyncio.timeout(5):
        while True:
            record = await at.bench.store.read(generations.find_any(generation, attempts=True))
            if record is not None and record.state is State.RUNNING:
                break
            await asyncio.sleep(0.005)
    at.crash()
    await at.bench.store.write(attempts.storing(record.attempts[0].id, [], at.bench.clock.now_ms()))
    return generation


@pytest.mark.parametrize("says", [[], [503, "busy", 502]])
async def test_a_job_that_is_known_hands_them_over_once_more(tmp_path: Path, says: list[object]) -> None:
    """The job is looked at again, as often as it takes; nothing is asked for or paid for a second time."""
    far = Far(runs=10**6)
    async with invented(tmp_path, far) as at:
        generation = await _cut_off(at, "blind")
        far.runs, far.says = 0, says
        async with at.again() as runs:
            assert await resume(at.bench.store, runs) == 1
            await runs.wait(generation, 10)
        record = await at.bench.outcome(generation)
        assert (record.state, len(record.attempts), far.submits) == (State.SUCCEEDED, 1, 1), faults(record)
        assert (record.attempts[0].state, record.attempts[0].billing) == (AttemptState.DONE, Billing.CERTAIN)
        assert await at.bench.sound() == []


@pytest.mark.parametrize("says", ["broken", 404])
async def test_a_job_that_failed_after_all_is_told_as_it_is(tmp_path: Path, says: object) -> None:
    """What the provider says of its job counts, also when it once said otherwise or knows it no more."""
    far = Far(runs=10**6)
    async with invented(tmp_path, far) as at:
        generation = await _cut_off(at, "blind")
        far.says = [says]
        async with at.again() as runs:
            await resume(at.bench.store, runs)
            await runs.wait(generation, 10)
        record = await at.bench.outcome(generation)
        assert (record.state, record.attempts[0].state) == (State.FAILED, AttemptState.ERROR)
        assert await at.bench.sound() == []


async def test_a_caller_who_cancels_meanwhile_is_heard(tmp_path: Path) -> None:
    """The look goes on until it tells something, and ends when nobody waits any more."""
    far = Far(runs=10**6)
    async with invented(tmp_path, far) as at:
        generation = await _cut_off(at, "blind")
        far.says = [503] * 1000
        async with at.again() as runs:
            await resume(at.bench.store, runs)
            async with asyncio.timeout(5):
                looked = far.looks
                while far.looks < looked + 3:  # noqa: ASYNC110 - the far end has no event for it
                    await asyncio.sleep(0.005)
            await at.bench.store.write(generations.cancel("local", generation, at.bench.clock.now_ms()))
            await runs.cancel(generation)
            await runs.wait(generation, 5)
            assert runs.live == 0
        assert (await at.bench.outcome(generation)).state is State.CANCELED
