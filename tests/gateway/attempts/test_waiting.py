"""Outputs that wait for their store: what is paid for is neither lost nor asked for twice."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.artifacts.access import Access, Place
from gateway.artifacts.bucket import Bucket
from gateway.generation import State
from tests.bucket import Service, shared_service
from tests.gateway.artifacts.kept import files
from tests.gateway.attempts.bench import bench, faults
from tests.proxy import CLEAN, Toxic, proxy

__all__ = ["shared_service"]

MODEL = "bytedance/seedream-4.5"
# The link works once; whoever comes again finds nothing.
ONCE = {"call": "output", "after": 1, "do": "output_404"}


async def test_a_link_that_is_over_costs_nothing_when_the_bytes_are_here(
    shared_service: Service, tmp_path: Path
) -> None:
    """F39: the store is down when the job is done, and the provider's link is over before it is back: one job, one price."""
    away: Iterator[Toxic] = itertools.chain([Toxic(deaf=True)] * 4, itertools.repeat(CLEAN))
    async with proxy(shared_service.endpoint, away) as (origin, seen):
        access = replace(shared_service.access, endpoint=origin)
        bucket = Bucket(Place("outputs", uuid.uuid4().hex), access, tmp_path / "spool")
        await bucket._spool.start()
        async with bench(tmp_path, [ONCE], artifacts=bucket) as it:
            record = await it.outcome(await it.begin(MODEL, ["replicate", "fal"], prompt="a seal"))
            assert (record.state, faults(record)) == (State.SUCCEEDED, [("replicate", None)])
            [artifact] = record.artifacts
            assert (await bucket.open(artifact.uri)).size == artifact.size
            assert await it.spent() == record.settled
            assert await it.sound() == []
        await bucket.close()
    assert seen.spoiled == 4
    assert files(tmp_path / "spool") == []


async def test_a_store_that_stays_away_ends_it_without_another_job(tmp_path: Path) -> None:
    """F39: at its deadline the generation fails, what was held is given back, and no provider is asked in vain."""
    bucket = Bucket(Place("outputs"), Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path / "spool")
    await bucket.start()
    async with bench(tmp_path, artifacts=bucket) as it:
        record = await it.outcome(await it.begin(MODEL, ["replicate", "fal"], prompt="a seal", _seconds=6))
        assert record.state is State.FAILED
        assert [attempt.provider for attempt in record.attempts] == ["replicate"]
        assert await it.spent() == 0
        assert await it.sound() == []
    await bucket.close()
    assert files(tmp_path / "spool") == []
