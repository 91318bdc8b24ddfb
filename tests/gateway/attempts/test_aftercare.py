"""Attempts nobody waits for: their providers are told to stop, and one last look says whether they were paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.attempts.aftercare import Aftercare, following
from gateway.attempts.line import Told
from gateway.generation import State
from gateway.ledger import attempts, generations
from gateway.ledger.attempts import After
from gateway.ledger.usage import report
from gateway.outcome import AttemptState, Billing
from gateway.providers.pack import Pace
from tests.gateway.attempts.bench import faults
from tests.gateway.attempts.invented import Far, Invented, invented

PACE = Pace(1_000, 1_000, 120_000)
FOR_EVER = 10**6


def aftercare(at: Invented) -> Aftercare:
    """Aftercare over what the bench's runs speak with."""
    runs = at.bench.runs
    return Aftercare(at.bench.store, runs._walker._line, runs._targets, at.bench.clock)


async def until(said: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not await said():  # noqa: ASYNC110 - the far end has no event for it
            await asyncio.sleep(0.005)


async def settled(at: Invented) -> None:
    """Let aftercare run until nothing is to be done any more."""
    care = aftercare(at)

    async def nothing_left() -> bool:
        await care.turn()
        return not await at.bench.store.read(attempts.due(10**15, 9))

    await until(nothing_left)


async def canceled(at: Invented, vendor: str) -> str:
    """A generation canceled while its job runs."""
    generation = await at.ask([vendor])

    async def running() -> bool:
        record = await at.bench.store.read(generations.find_any(generation))
        return record is not None and record.state is State.RUNNING

    await until(running)
    await at.bench.store.write(generations.cancel("local", generation, at.bench.clock.now_ms()))
    await at.bench.runs.cancel(generation)
    await at.bench.outcome(generation)
    return generation


@pytest.mark.parametrize(
    ("told", "left", "after"),
    [
        (Told.FAILED, 4, After(1_002_000, 4)),
        (Told.FAILED, 3, After(1_004_000, 3)),
        (Told.FAILED, 1, After(1_016_000, 1)),
        (Told.FAILED, 0, After(1_120_000)),
        (Told.SENT, 4, After(1_120_000)),
        (Told.DEAF, 4, After(1_120_000)),
    ],
)
def test_a_provider_that_cannot_be_told_is_told_again(told: Told, left: int, after: After) -> None:
    """F46: with longer rests each time, five times in all; then only the last look is due."""
    assert following(told, left, PACE, 1_000_000) == after


@pytest.mark.parametrize(("troubles", "calls"), [([], 1), ([503], 2), ([503, 429, 500], 4), ([404], 2), ([503] * 9, 6)])
async def test_cancelling_is_tried_five_times(tmp_path: Path, troubles: list[int], calls: int) -> None:
    """F46: the caller is told at once, the provider until it has heard, five times at most and once more at the last look."""
    far = Far(runs=FOR_EVER, cancels=list(troubles))
    async with invented(tmp_path, far) as at:
        generation = await canceled(at, "blind")
        assert (await at.bench.outcome(generation)).state is State.CANCELED
        assert len(far.canceled) == 1
        await settled(at)
        assert len(far.canceled) == calls
        assert await at.bench.spent() == 0
        assert await at.bench.sound() == []


@pytest.mark.parametrize("empty", [False, True])
async def test_a_result_that_came_too_late_is_on_record(tmp_path: Path, *, empty: bool) -> None:
    """F44: a job that ended well although it was canceled counts as billed and discarded, whatever it made; nobody is charged."""
    far = Far(runs=0.1, cancels=[404], empty=empty)
    async with invented(tmp_path, far) as at:
        generation = await canceled(at, "blind")
        [attempt] = (await at.bench.outcome(generation)).attempts
        assert (attempt.state, attempt.billing) == (AttemptState.ABANDONED, Billing.POSSIBLE)
        await settled(at)
        [attempt] = (await at.bench.outcome(generation)).attempts
        assert (attempt.billing, attempt.double_spend) == (Billing.CERTAIN, True)
        assert await at.bench.spent() == 0
        [used] = (await at.bench.store.report(report("local", 0))).providers
        assert (used.discarded, used.cancelled, used.wasted) == (1, 0, 500_000)
        assert await at.bench.sound() == []


async def test_a_job_given_up_is_stopped_and_looked_at_once_more(tmp_path: Path) -> None:
    """F28, F44: past its deadline the next provider is asked; the first one's late result changes nothing but its record."""
    far = Far(runs=FOR_EVER, cancels=[404])
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind", "silent"])

        async def given_up() -> bool:
            return len(far.jobs) == 2

        await until(given_up)
        far.jobs[0]["status"], far.jobs[1]["status"] = "done", "done"
        record = await at.bench.outcome(generation)
        assert (record.state, record.provider_used, faults(record)[0]) == (
            State.SUCCEEDED,
            "silent",
            ("blind", "timeout"),
        )
        assert far.canceled == [1]
        await settled(at)
        first, second = (await at.bench.outcome(generation)).attempts
        assert (first.billing, first.double_spend, second.won) == (Billing.CERTAIN, True, True)
        assert await at.bench.spent() == 500_000
        assert await at.bench.sound() == []


async def test_what_a_dead_process_left_open_is_closed(tmp_path: Path) -> None:
    """Killed between the cancellation and telling the provider, the next process tells it and closes the attempt."""
    far = Far(runs=FOR_EVER)
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind"])

        async def looked() -> bool:
            return far.looks > 0

        await until(looked)
        at.crash()
        await at.bench.store.write(generations.cancel("local", generation, at.bench.clock.now_ms()))
        assert far.canceled == []
        await settled(at)
        [attempt] = (await at.bench.outcome(generation)).attempts
        assert (attempt.state, far.canceled) == (AttemptState.ABANDONED, [1])
        assert await at.bench.sound() == []


async def test_a_deleted_generation_is_left_alone(tmp_path: Path) -> None:
    """Once a generation is deleted nothing of it is kept, not even what finds its job."""
    far = Far(runs=FOR_EVER, cancels=[503] * 9)
    async with invented(tmp_path, far) as at:
        generation = await canceled(at, "blind")
        await at.bench.store.write(generations.delete("local", generation, at.bench.clock.now_ms()))
        assert await at.bench.store.read(attempts.due(10**15, 9)) == []
        assert await aftercare(at).turn() == 0
        assert len(far.canceled) == 1


async def test_one_that_cannot_be_seen_to_stops_nothing(tmp_path: Path) -> None:
    """An attempt whose pack no longer fits what was kept is given up, and the others are seen to."""
    far = Far(runs=FOR_EVER, cancels=[503])
    async with invented(tmp_path, far) as at:
        store = at.bench.store
        odd = await at.ask(["silent"])
        at.crash()
        opening = attempts.open_attempt(odd, 1, provider="silent", native="still", form=0, price=1, at=1)
        attempt = await store.write(opening)
        assert attempt is not None
        await store.write(attempts.submitted(attempt, "7", {"number": 7}, 2))
        await store.write(generations.cancel("local", odd, 3))
        await canceled(at, "blind")
        await settled(at)
        assert len(far.canceled) > 1
        found = await store.read(attempts.find(attempt))
        assert found is not None
        assert found.state is AttemptState.ABANDONED
        assert await at.bench.sound() == []


async def test_it_runs_by_itself_and_stops(tmp_path: Path) -> None:
    """Started with the gateway it sees to what is due, and it ends when told to."""
    far = Far(runs=FOR_EVER, cancels=[503])
    async with invented(tmp_path, far) as at:
        await canceled(at, "blind")
        care = aftercare(at)
        care.start()

        async def told() -> bool:
            return len(far.canceled) == 2

        await until(told)
        await care.stop()
