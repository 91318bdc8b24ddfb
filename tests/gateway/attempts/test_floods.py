"""A provider that says too much: long answers to short questions, and progress by the minute."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.fault import FaultKind
from gateway.generation import State
from gateway.ledger import generations
from gateway.outcome import Billing
from tests.gateway.attempts.bench import bench, faults

STILL, QUEUE = "bytedance/seedream-4.5", "fal"
CLIP, POLLED = "bytedance/seedance-1-pro", "replicate"
LONG = "x" * (2 << 20)


def answered(call: str, **body: Any) -> list[dict[str, Any]]:
    """A script by which one call is answered with this body, once."""
    return [{"provider": QUEUE, "call": call, "do": "status", "status": 200, "body": body, "times": 1}]


async def test_a_status_beyond_all_measure_is_a_look_that_failed(tmp_path: Path) -> None:
    """Two megabytes where a word was asked for say nothing about the job, whatever is in them: it is looked at again."""
    async with bench(tmp_path, answered("status", status="COMPLETED", error_type="broken", pad=LONG)) as at:
        record = await at.outcome(await at.begin(STILL, [QUEUE], prompt="waves", ratio="16:9"))
        assert (record.state, faults(record)) == (State.SUCCEEDED, [(QUEUE, None)])


async def test_a_status_of_the_usual_length_is_believed(tmp_path: Path) -> None:
    """The same words without the padding end the job: it is the length that was not believed."""
    async with bench(tmp_path, answered("status", status="COMPLETED", error_type="broken")) as at:
        record = await at.outcome(await at.begin(STILL, [QUEUE], prompt="waves", ratio="16:9"))
        assert (record.state, len(record.attempts)) == (State.FAILED, 1)


async def test_a_submit_answered_beyond_all_measure_is_in_doubt(tmp_path: Path) -> None:
    """A job may have begun behind two megabytes in answer to a submit that only queues: it may have cost money."""
    async with bench(tmp_path, answered("submit", request_id="1", pad=LONG)) as at:
        asked = await at.begin(STILL, [QUEUE], prompt="waves", ratio="16:9", _in_doubt_max_cost=0)
        record = await at.outcome(asked)
        assert faults(record) == [(QUEUE, FaultKind.UNREADABLE)]
        assert record.attempts[0].billing is Billing.POSSIBLE


async def test_a_result_may_be_long(tmp_path: Path) -> None:
    """The call that hands over the outputs has room for pictures inside it: what comes with them is read."""
    url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
    async with bench(tmp_path, answered("result", images=[{"url": url}], pad=LONG)) as at:
        record = await at.outcome(await at.begin(STILL, [QUEUE], prompt="waves", ratio="16:9"))
        assert (record.state, faults(record)) == (State.SUCCEEDED, [(QUEUE, None)])


@pytest.mark.parametrize("nudges", [0, 200])
async def test_progress_is_not_written_down(tmp_path: Path, nudges: int) -> None:
    """However often a running job is looked at, or its provider calls back, the store is not written."""
    async with bench(tmp_path, video=300) as at:
        generation = await at.begin(CLIP, [POLLED], prompt="waves", duration=5, _seconds=600)
        async with asyncio.timeout(5):
            while not (await at.store.read(generations.find_any(generation))).started:
                await at.clock.sleep(0.1)
        commits: list[int] = []
        at.store.observe = lambda programs, _: commits.append(programs)
        seen = len(at.sims.log)
        for _ in range(nudges):
            at.runs.nudge(generation, 1)
            await asyncio.sleep(0.002)
        async with asyncio.timeout(10):
            while len(at.sims.log) - seen < 5:  # noqa: ASYNC110 - the far end has no event for it
                await asyncio.sleep(0.01)
        assert commits == []
