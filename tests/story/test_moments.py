"""Moments at which something else happens: more work than is taken on, a restart, a backup, a new price, a store that fails."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway import settings
from gateway.artifacts.fault import StorageFault
from gateway.attempts.resume import resume
from gateway.generation import State
from gateway.ledger import attempts, generations
from gateway.ledger.database import Database
from gateway.ledger.records import Artifact
from tests.gateway.attempts.bench import Bench, bench, faults, line
from tests.gateway.attempts.invented import Far, Invented, invented
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
SEEDANCE = "video/bytedance/seedance-1-pro"
FOR_EVER = 10**6


async def running(at: Invented, generation: str) -> None:
    """Wait until a job runs at its vendor."""
    async with asyncio.timeout(10):
        while not at.far.looks:  # noqa: ASYNC110 - the far end has no event for it
            await asyncio.sleep(0.005)
    record = await at.bench.store.read(generations.find_any(generation))
    assert record is not None
    assert record.state is State.RUNNING


async def state(at: Bench, generation: str) -> State | None:
    """How far a generation is."""
    record = await at.store.read(generations.find_any(generation))
    return record.state if record is not None else None


async def many(at: House, count: int, **more: Any) -> list[tuple[int, Any, Any]]:
    """Create so many videos at once, each with a prompt of its own."""
    return await asyncio.gather(
        *(
            at.create(SEEDANCE, prompt=f"waves {n}", duration=5, provider_order="replicate", **more)
            for n in range(count)
        )
    )


async def test_more_than_is_taken_on_is_turned_away(tmp_path: Path) -> None:
    """F09: beyond the limit the answer is 503 with a time to come back, and nothing is held; all else is served."""
    async with house(tmp_path, config="limits: {live: 3}\n", video=300) as at:
        answers = await many(at, 8)
        taken = [said for status, _, said in answers if status == 200]
        turned = [(headers, said["error"]) for status, headers, said in answers if status == 503]
        assert (len(taken), len(turned)) == (3, 5)
        assert all((error["type"], error["retryable"]) == ("overloaded", True) for _, error in turned)
        assert all(int(headers["Retry-After"]) >= 1 for headers, _ in turned)
        assert (await at.ask("GET", "/v1/content/list"))[0] == 200
        async with at.client.get(f"{at.running.origin}/readyz") as ready:
            assert ready.status == 200
        first = taken[0]["data"]["generation_id"]
        assert (await at.ask("POST", f"/v1/content/generation/cancel/{first}"))[0] == 200
        assert (await admitted(at))[0] == 200


async def admitted(at: House, **more: Any) -> tuple[int, Any, Any]:
    """Ask until there is room: a place is free right after the end of what had it is on record."""
    async with asyncio.timeout(5):
        while (answer := await at.create(SEEDREAM, prompt="a seal", **more))[0] == 503:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.05)
    return answer


async def test_a_key_turned_away_is_free(tmp_path: Path) -> None:
    """F09: a request that was turned away may come back under its key, and is then a new one."""
    async with house(tmp_path, config="limits: {live: 1}\n", video=0.3) as at:
        [(_, _, first)] = await many(at, 1)
        key = {"Idempotency-Key": "one"}
        assert (await at.create(SEEDREAM, headers=key, prompt="a seal"))[0] == 503
        await at.end(first["data"]["generation_id"])
        answer = await admitted(at, headers=key)
        assert (answer[0], "Idempotency-Replayed" in answer[1]) == (200, False)


async def test_what_was_accepted_and_never_begun_is_begun(tmp_path: Path) -> None:
    """F12: killed between the hold and the first call, the next process makes the call, with the same hold."""
    far = Far()
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind"])
        at.crash()
        await asyncio.sleep(0)
        assert far.submits == 0
        async with at.again() as runs:
            assert await resume(at.bench.store, runs) == 1
            await runs.wait(generation, 10)
        record = await at.bench.outcome(generation, seconds=0)
        assert (record.state, len(record.attempts), far.submits) == (State.SUCCEEDED, 1, 1)
        assert await at.bench.spent() == 500_000
        assert await at.bench.sound() == []


async def test_a_store_of_files_that_is_down_is_waited_for(tmp_path: Path) -> None:
    """F39: while outputs cannot be stored the generation is not settled; once they can, it is, without a second job."""
    far = Far()
    async with invented(tmp_path, far) as at:
        collector = at.bench.runs._walker._collector
        keeper = Failing(collector._keeper, times=3)
        collector._keeper = keeper
        record = await at.bench.outcome(await at.ask(["blind", "silent"]))
        assert (record.state, record.provider_used, len(far.jobs)) == (State.SUCCEEDED, "blind", 1)
        assert keeper.left == 0
        assert await at.bench.sound() == []


async def test_a_store_of_files_that_stays_down_costs_nothing(tmp_path: Path) -> None:
    """F39: when it is down until the deadline the generation fails, says so, and the hold is released."""
    far = Far()
    async with invented(tmp_path, far) as at:
        collector = at.bench.runs._walker._collector
        collector._keeper = Failing(collector._keeper, times=10**6)
        record = await at.bench.outcome(await at.bench.begin("lab/still", ["blind"], prompt="a seal", _seconds=60))
        assert record.error is not None
        assert (record.state, record.error["name"]) == (State.FAILED, "storage_failed")
        assert await at.bench.spent() == 0
        assert await at.bench.sound() == []


class Failing:
    """A store of files that takes nothing for a while."""

    def __init__(self, inner: Any, times: int) -> None:
        self.left = times
        self._inner = inner

    def is_at_hand(self, *given: Any) -> bool:
        """As the store does."""
        return bool(self._inner.is_at_hand(*given))

    async def keep(self, *given: Any) -> Any:
        """Fail, or store."""
        if self.left:
            self.left -= 1
            raise StorageFault("the folder is not there")
        return await self._inner.keep(*given)

    async def discard(self, generation: str) -> None:
        """Remove what was stored."""
        await self._inner.discard(generation)


async def test_killed_while_storing(tmp_path: Path) -> None:
    """F40, F42: killed while its output was being fetched, the next process fetches it and settles; the job ran once."""
    slow = [{"provider": "replicate", "call": "output", "do": "delay", "seconds": 0.5, "times": 1}]
    async with bench(tmp_path, slow) as at:
        generation = await at.begin("bytedance/seedream-4.5", ["replicate"], prompt="a seal")
        async with asyncio.timeout(10):
            while await state(at, generation) is not State.STORING:  # noqa: ASYNC110 - the store has no event for it
                await asyncio.sleep(0.01)
        at.runs._jobs[generation].task.cancel()  # type: ignore[union-attr] # it runs
        async with line(tmp_path, at.sims, at.store, at.packs, at.clock) as runs:
            await resume(at.store, runs)
            await runs.wait(generation, 20)
        record = await at.outcome(generation)
        assert (record.state, len(record.attempts), len(at.sims.jobs())) == (State.SUCCEEDED, 1, 1), faults(record)
        assert await at.spent() == 40_000
        assert await at.sound() == []


async def test_a_price_that_changes_meanwhile(tmp_path: Path) -> None:
    """F47: what was accepted at one price is charged at it, though the pack says another when the job ends."""
    packs = Path(__file__).parents[2] / "providers.d"
    own = tmp_path / "own"
    shutil.copytree(packs / "replicate", own / "replicate")
    catalog = f"catalog: [{packs}, {own}]\n"
    async with house(tmp_path, config=catalog, video=0.6) as at:
        estimate = "/v1/estimate/bytedance/seedance-1-pro?duration=5"
        _, _, asked = await at.create(SEEDANCE, prompt="waves", duration=5, provider_order="replicate")
        await at.until(lambda: bool(at.sims.jobs("replicate")))
        _, _, before = await at.ask("GET", estimate)
        model = own / "replicate" / "bytedance" / "seedance-1-pro.yaml"
        model.write_text(re.sub(r"(480p|720p|1080p): 0\.", r"\1: 9.", model.read_text()))
        environ = at.sims.secrets
        await at.running.reload(settings.load(tmp_path / "config.yaml", environ), environ)
        _, _, after = await at.ask("GET", estimate)
        record = await at.end(asked["data"]["generation_id"])
        assert record["generation_provider_used"] == "replicate"
        assert cost(after) > 10 * cost(before)
        assert 100 - await at.balance() <= cost(before)


def cost(estimated: Any) -> float:
    """What an estimate says."""
    return float(estimated["data"]["cost_per_generation"])


async def test_a_restored_backup_goes_on(tmp_path: Path) -> None:
    """F69: from a backup taken while a job ran the job is found again, waited for and settled once; none is begun twice."""
    far = Far(runs=0.5)
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["blind"])
        await running(at, generation)
        with (
            closing(sqlite3.connect(at.bench.store.path)) as live,
            closing(sqlite3.connect(tmp_path / "old.db")) as old,
        ):
            live.backup(old)
        record = await at.bench.outcome(generation)
        assert record.state is State.SUCCEEDED
        store = await Database.open(tmp_path / "old.db", now=at.bench.clock.now_ms)
        async with line(tmp_path, far, store, at.bench.packs, at.bench.clock) as runs:  # type: ignore[arg-type] # a double of its interface
            assert await resume(store, runs) == 1
            await runs.wait(generation, 10)
        restored = await store.read(generations.find_any(generation, attempts=True))
        assert restored is not None
        assert (restored.state, restored.settled, len(far.jobs)) == (State.SUCCEEDED, record.settled, 1)
        await store.close()


@pytest.mark.parametrize("shape", ["none", "some"])
async def test_what_is_delivered_is_what_is_paid(tmp_path: Path, shape: str) -> None:
    """F31, F32: a job without an output is followed by the next provider; with a part of them, a part is paid."""
    rule = (
        {"call": "submit", "do": "no_output"} if shape == "none" else {"call": "output", "do": "output_404", "times": 5}
    )
    async with bench(tmp_path, [{"provider": "fal", **rule}]) as at:
        record = await at.outcome(await at.begin("bfl/flux-schnell", ["fal", "replicate"], prompt="a seal", count=4))
        assert record.state is State.SUCCEEDED, faults(record)
        assert (record.provider_used, len(record.artifacts)) == (("replicate", 4) if shape == "none" else ("fal", 3))
        paid = await at.spent()
        assert paid == record.settled
        assert paid == record.attempts[-1].price * len(record.artifacts) // 4


@pytest.mark.parametrize("end", ["cancel", "fail"])
@pytest.mark.parametrize("first", [True, False])
async def test_two_ends_at_the_same_moment(tmp_path: Path, end: str, *, first: bool) -> None:
    """F45, F49: a cancellation, or the deadline, against a success: whoever is first is the end, and money follows it."""
    async with invented(tmp_path, Far()) as at:
        store = at.bench.store
        generation = await at.ask(["blind"])
        at.crash()
        opening = attempts.open_attempt(generation, 1, provider="blind", native="still", form=0, price=500_000, at=1)
        attempt = await store.write(opening)
        assert attempt is not None
        await store.write(attempts.submitted(attempt, "1", {"id": "1"}, 2))
        await store.write(attempts.storing(attempt, [], 3))
        picture = Artifact(0, "file:ab/0.png", "c0ffee", 12, "image/png", 1, 1)
        success = generations.succeed(generation, attempt, [picture], captured=500_000, at=4, provider="blind")
        failure = {"name": "deadline_passed", "message": "late", "retryable": False, "errors": []}
        other = (
            generations.cancel("local", generation, 4) if end == "cancel" else generations.fail(generation, failure, 4)
        )
        programs = [success, other] if first else [other, success]
        await asyncio.gather(*(store.write(program) for program in programs))
        lost = State.CANCELED if end == "cancel" else State.FAILED
        assert await state(at.bench, generation) is (State.SUCCEEDED if first else lost)
        assert await at.bench.spent() == (500_000 if first else 0)
