"""The line to a provider, spoiled: what is lost on the way out, on the way back, and while a job runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.generation import State
from gateway.outcome import AttemptState, Billing
from tests.gateway.attempts.bench import faults
from tests.gateway.attempts.invented import Far, Invented, invented
from tests.harness.process import free_port
from tests.proxy import Proxy, Toxic, proxy

DEAR = 100_000  # below the price of the invented model: a second job would be too dear


@asynccontextmanager
async def between(
    folder: Path, far: Far, vendor: str, toxics: Sequence[Toxic]
) -> AsyncIterator[tuple[Invented, Proxy]]:
    """The invented vendors, one of them behind a line that is spoiled."""
    async with invented(folder, far) as at:
        origin = far.bases[vendor].removesuffix(f"/{vendor}")
        async with proxy(origin, toxics) as (spoiled, line):
            far.bases[vendor] = f"{spoiled}/{vendor}"
            yield at, line


@pytest.mark.parametrize(
    "toxic",
    [
        Toxic(reset_after=0),
        Toxic(reset_after=40),
        Toxic(cut_after=0),
        Toxic(cut_after=20),
        Toxic(cut_after=150),
        Toxic(reset_after=158),
    ],
)
async def test_an_answer_that_breaks_off_leaves_a_doubt(tmp_path: Path, toxic: Toxic) -> None:
    """F14, F16: an answer lost at its beginning, in its headers or in its body: the job may run, so a dear one is not repeated."""
    far = Far()
    async with between(tmp_path, far, "blind", [toxic]) as (at, line):
        record = await at.bench.outcome(await at.ask(["blind", "silent"], _in_doubt_max_cost=DEAR))
        assert line.spoiled == 1
        assert record.error is not None
        assert (record.state, record.error["name"]) == (State.FAILED, "submit_in_doubt")
        [attempt] = record.attempts
        assert (attempt.state, attempt.billing, len(far.jobs)) == (AttemptState.IN_DOUBT, Billing.POSSIBLE, 1)
        assert await at.bench.spent() == 0
        assert await at.bench.sound() == []


@pytest.mark.parametrize("vendor", ["keyed", "named", "listed"])
@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_answer_is_made_good_where_it_can_be(tmp_path: Path, vendor: str, lost: int) -> None:
    """F14: where the vendor takes a key or lists its jobs, the answer is had after all, and there is one job."""
    far = Far()
    async with between(tmp_path, far, vendor, [Toxic(reset_after=30)] * lost) as (at, _):
        record = await at.bench.outcome(await at.ask([vendor, "silent"], _in_doubt_max_cost=DEAR))
        assert (record.provider_used, len(record.attempts), len(far.jobs)) == (vendor, 1, 1), faults(record)
        assert await at.bench.sound() == []


async def test_a_slow_answer_is_an_answer(tmp_path: Path) -> None:
    """An answer that comes byte by byte, after a while, is read as any other."""
    far = Far()
    async with between(tmp_path, far, "blind", [Toxic(delay=0.1, piece=7, rest=0.001)] * 9) as (at, _):
        record = await at.bench.outcome(await at.ask(["blind"]))
        assert (record.state, len(far.jobs)) == (State.SUCCEEDED, 1)


async def test_who_cannot_be_reached_was_not_asked(tmp_path: Path) -> None:
    """F17: without a connection nothing can have begun: the next vendor is asked at once, however dear the job is."""
    far = Far()
    async with invented(tmp_path, far) as at:
        far.bases["blind"] = f"http://127.0.0.1:{free_port()}/blind"
        record = await at.bench.outcome(await at.ask(["blind", "silent"], _in_doubt_max_cost=DEAR))
        assert (record.provider_used, faults(record)[0]) == ("silent", ("blind", "provider_error"))
        assert (record.attempts[0].state, record.attempts[0].billing) == (AttemptState.ERROR, Billing.NONE)
        assert await at.bench.spent() == 500_000


async def test_a_rate_limit_is_no_failure(tmp_path: Path) -> None:
    """F19: whoever says that it is too much is left alone for a while, and is not counted as broken."""
    far = Far(does=[429])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["blind", "silent"], _in_doubt_max_cost=DEAR))
        assert (record.provider_used, faults(record)[0]) == ("silent", ("blind", "rate_limited"))
        assert record.attempts[0].billing is Billing.NONE
        now = int(at.bench.clock.monotonic() * 1000)
        health = at.bench.runs._health
        assert health.standing("blind", record.model, now) is None or far.submits == 2
        assert health.standing("blind", record.model, now + 10_000) is None


@pytest.mark.parametrize("outage", [[503] * 12, [500, 502, 504, 429, 401] * 2])
async def test_an_outage_of_the_looks_is_no_failover(tmp_path: Path, outage: list[Any]) -> None:
    """F26: looks that fail for a while say nothing of the job: it is waited for, and its result is taken."""
    far = Far(says=list(outage))
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["blind", "silent"]))
        assert (record.provider_used, len(record.attempts), len(far.jobs)) == ("blind", 1, 1), faults(record)
        assert await at.bench.sound() == []


async def test_looks_that_are_cut_off_are_no_failover(tmp_path: Path) -> None:
    """F26: the same where the line itself breaks."""
    far = Far()
    toxics = [Toxic(), *[Toxic(deaf=True), Toxic(reset_after=10), Toxic(cut_after=100)] * 4]
    async with between(tmp_path, far, "blind", toxics) as (at, line):
        record = await at.bench.outcome(await at.ask(["blind", "silent"]))
        assert (record.provider_used, len(record.attempts), line.spoiled) == ("blind", 1, 12), faults(record)


async def test_a_provider_may_not_know_its_job_yet(tmp_path: Path) -> None:
    """F27: right after the submit a job that is not there is looked for again."""
    far = Far(says=[404] * 5)
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["blind", "silent"]))
        assert (record.provider_used, len(record.attempts)) == ("blind", 1), faults(record)


async def test_a_job_that_is_gone_is_followed_by_the_next(tmp_path: Path) -> None:
    """F27: later it is lost: the next vendor is asked, and the first may have charged."""
    far = Far(says=["busy"] * 15 + [404] * 40)
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind", "silent"])
        async with asyncio.timeout(10):
            while len(far.jobs) < 2:  # noqa: ASYNC110 - the far end has no event for it
                await asyncio.sleep(0.005)
        far.says.clear()
        record = await at.bench.outcome(generation)
        assert (record.provider_used, faults(record)[0]) == ("silent", ("blind", "lost"))
        assert record.attempts[0].billing is Billing.POSSIBLE
        assert await at.bench.sound() == []


async def test_a_state_that_goes_back_is_ignored(tmp_path: Path) -> None:
    """F25: whatever a vendor says in between, words nobody knows included, the generation goes forward only."""
    far = Far(says=["busy", "queued", "busy", "dreaming", "busy"])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["blind"]))
        assert (record.state, far.looks) == (State.SUCCEEDED, 6)
        assert await at.bench.sound() == []


async def test_two_watchers_settle_once(tmp_path: Path) -> None:
    """F24: two that watch the same job come to its end together; one of them settles, and one charge is made."""
    far = Far(runs=0.15)
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind"])
        async with asyncio.timeout(10):
            while not far.looks:  # noqa: ASYNC110 - the far end has no event for it
                await asyncio.sleep(0.002)
        from gateway.attempts.resume import resume

        async with at.again() as other:
            await resume(at.bench.store, other)
            await asyncio.gather(other.wait(generation, 10), at.bench.runs.wait(generation, 10))
        record = await at.bench.outcome(generation)
        assert (record.state, len(record.attempts), len(far.jobs)) == (State.SUCCEEDED, 1, 1)
        assert record.attempts[0].double_spend is False
        assert await at.bench.spent() == 500_000
        assert await at.bench.sound() == []


def test_a_toxic_is_what_it_says() -> None:
    """A connection nothing is said of is left alone."""
    assert replace(Toxic(deaf=True), deaf=False) == Toxic()
