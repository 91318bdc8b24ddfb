"""A provider calls back: its job is looked at at once, and nothing else happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.generation import State
from gateway.ingress.nudges import Nudges
from gateway.ledger import generations
from gateway.providers import catalog
from gateway.providers.pack import Nudge, Pace
from tests.gateway.attempts.bench import Bench, bench, shipped

MODEL, PROVIDER = "bytedance/seedance-1-pro", "replicate"
NUDGES = Nudges(b"a secret of the tests", "https://gate.example")
FAR_OFF = 600_000  # ms; even on the hurried clock of the bench nobody looks by itself while a test runs


def packs() -> catalog.Catalog:
    """Give the shipped packs, with one provider that can call back and is hardly ever looked at."""
    found = shipped()
    model = found.models[PROVIDER, MODEL]
    nudge = Nudge("webhook", None, {"webhook_events_filter": ["completed"]})
    shapes = tuple(
        replace(
            shape,
            lifecycle=replace(shape.lifecycle, nudge=nudge, pace=Pace(FAR_OFF, FAR_OFF, shape.lifecycle.pace.deadline)),
        )
        for shape in model.shapes
    )
    return replace(found, models={**found.models, (PROVIDER, MODEL): replace(model, shapes=shapes)})


@asynccontextmanager
async def waiting(folder: Path, video: float) -> AsyncIterator[tuple[Bench, str]]:
    """A job that runs at its provider for so many seconds, while nobody is about to look."""
    async with bench(folder, packs=packs(), callback=NUDGES.address, video=video) as at:
        generation = await at.begin(MODEL, [PROVIDER], prompt="waves", duration=5, _seconds=600)
        while not (await at.store.read(generations.find_any(generation))).started:
            await at.clock.sleep(0.1)
        await asyncio.sleep(0.05)
        yield at, generation


def looks(at: Bench) -> int:
    """How many status calls the provider has seen."""
    return sum(seen.method == "GET" and "/predictions/" in seen.path for seen in at.sims.log)


async def until_looked(at: Bench, times: int) -> None:
    """Wait until the provider has seen so many status calls."""
    async with asyncio.timeout(5):
        while looks(at) < times:  # noqa: ASYNC110 - the far end has no event for it
            await asyncio.sleep(0.01)


async def test_a_job_is_looked_at_when_its_provider_calls_back(tmp_path: Path) -> None:
    """The provider is given an address; calling it ends a wait that had minutes to go, and the generation succeeds."""
    async with waiting(tmp_path, video=0.05) as (at, generation):
        address = at.sims.jobs(PROVIDER)[-1].body["webhook"]
        assert address == NUDGES.address(generation, 1)
        assert at.sims.jobs(PROVIDER)[-1].body["webhook_events_filter"] == ["completed"]
        assert looks(at) == 0
        app = web.Application()
        app.add_routes(NUDGES.routes(at.runs.nudge, at.clock.sleep))
        async with TestClient(TestServer(app)) as client, client.post(urlsplit(address).path) as response:
            assert response.status == 200
        record = await at.outcome(generation, seconds=5)
        assert (record.state, looks(at)) == (State.SUCCEEDED, 1)
        assert at.runs.nudge(generation, 1) is False
        assert await at.sound() == []


async def test_a_callback_too_early_changes_nothing(tmp_path: Path) -> None:
    """Each callback while the job runs is one more look, and the job goes on."""
    async with waiting(tmp_path, video=300) as (at, generation):
        for times in (1, 2):
            assert at.runs.nudge(generation, 1) is True
            await until_looked(at, times)
        record = await at.outcome(generation, seconds=0.05)
        assert (record.state, looks(at)) == (State.RUNNING, 2)


async def test_a_callback_during_a_look_is_not_lost(tmp_path: Path) -> None:
    """What a provider says while we are looking may be newer than what we see: we look once more, however often it calls."""
    async with waiting(tmp_path, video=300) as (at, generation):
        job = at.runs._jobs[generation]
        assert at.runs.nudge(generation, 1)
        async with asyncio.timeout(5):
            while job.resting:  # noqa: ASYNC110 - nor has the walker
                await asyncio.sleep(0)
        assert [at.runs.nudge(generation, 1) for _ in range(3)] == [True, True, True]
        await until_looked(at, 2)
        await asyncio.sleep(0.05)
        assert looks(at) == 2


@pytest.mark.parametrize(("generation", "attempt"), [(None, 2), (None, 0), ("nobody", 1)])
async def test_a_callback_for_another_attempt_does_nothing(
    tmp_path: Path, generation: str | None, attempt: int
) -> None:
    """An attempt that is over, one that never was and a generation nobody knows make nobody look."""
    async with waiting(tmp_path, video=300) as (at, running):
        assert at.runs.nudge(generation or running, attempt) is False
        await asyncio.sleep(0.05)
        assert looks(at) == 0


async def test_a_callback_does_not_keep_the_process_from_stopping(tmp_path: Path) -> None:
    """A callback at the very moment the process stops is left to the next start."""
    async with waiting(tmp_path, video=300) as (at, generation):
        at.runs.nudge(generation, 1)
        async with asyncio.timeout(2):
            await at.runs.drain()
        assert at.runs.live == 0


async def test_a_callback_does_not_keep_the_caller_from_canceling(tmp_path: Path) -> None:
    """A callback at the very moment of a cancellation leaves the generation canceled, and its job is stopped."""
    async with waiting(tmp_path, video=300) as (at, generation):
        await at.store.write(generations.cancel("local", generation, at.clock.now_ms()))
        at.runs.nudge(generation, 1)
        assert await at.runs.cancel(generation) is True
        record = await at.outcome(generation, seconds=5)
        assert record.state is State.CANCELED
        assert [job.state for job in at.sims.jobs(PROVIDER)] == ["canceled"]
