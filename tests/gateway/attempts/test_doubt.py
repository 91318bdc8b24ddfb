"""A submit whose answer was lost: what becomes of it at a vendor of each class."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.attempts.line import Callback
from gateway.attempts.resume import resume
from gateway.generation import State
from gateway.ledger.records import Record
from gateway.outcome import AttemptState, Billing
from tests.gateway.attempts.bench import faults
from tests.gateway.attempts.invented import Far, invented

DEAR = 100_000  # half a credit is above it: a second job would be too dear
HOOK = "https://gate.example/nudges"


def hook(generation: str, attempt: int) -> str:
    """An address that a vendor is given to call back."""
    return f"{HOOK}/{generation}/{attempt}/proof"


def states(record: Record) -> list[tuple[str, AttemptState, Billing]]:
    """Provider, state and billing of each attempt."""
    return [(each.provider, each.state, each.billing) for each in record.attempts]


@pytest.mark.parametrize("vendor", ["keyed", "named"])
@pytest.mark.parametrize("trouble", [["lose"], ["drop"], [500], ["lose", 429, 503], ["drop", "drop", "lose"]])
async def test_a_vendor_with_a_key_is_asked_again_with_it(tmp_path: Path, vendor: str, trouble: list) -> None:
    """F14, F18: whatever happens to the first answers, there is one attempt and one job, and it is paid once."""
    far = Far(does=list(trouble))
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask([vendor, "silent"], _in_doubt_max_cost=DEAR))
        assert (record.state, record.provider_used, len(record.attempts)) == (State.SUCCEEDED, vendor, 1), faults(
            record
        )
        assert (len(far.jobs), far.submits) == (1, len(trouble) + 1)
        assert far.jobs[0]["key"] == f"{record.id}-1"
        assert await at.bench.spent() == 500_000
        assert await at.bench.sound() == []


async def test_a_key_is_not_tried_for_ever(tmp_path: Path) -> None:
    """After three repeats without an answer the attempt stays in doubt, and a dear job is not begun elsewhere."""
    far = Far(does=["lose"] * 9)
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["keyed", "silent"], _in_doubt_max_cost=DEAR))
        assert record.error is not None
        assert (record.error["name"], far.submits, len(far.jobs)) == ("submit_in_doubt", 4, 1)
        assert states(record) == [("keyed", AttemptState.IN_DOUBT, Billing.POSSIBLE)]
        assert await at.bench.spent() == 0


async def test_a_refusal_of_the_repeat_is_not_one_of_the_first(tmp_path: Path) -> None:
    """A key that was turned off meanwhile says nothing of the job before it: the doubt stays."""
    far = Far(does=["lose", 401, 401, 401])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["keyed", "silent"], _in_doubt_max_cost=DEAR))
        assert states(record) == [("keyed", AttemptState.IN_DOUBT, Billing.POSSIBLE)]


async def test_refused_content_clears_the_doubt(tmp_path: Path) -> None:
    """What is refused when it is sent again was refused before: nothing began."""
    far = Far(does=["drop", 422])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["keyed", "silent"], _in_doubt_max_cost=DEAR))
        assert states(record) == [("keyed", AttemptState.ERROR, Billing.NONE)]
        assert record.error is not None
        assert record.error["name"] == "content_refused"


@pytest.mark.parametrize(("vendor", "callback"), [("listed", None), ("listed", hook), ("calling", hook)])
async def test_a_job_that_is_found_is_adopted(tmp_path: Path, vendor: str, callback: Callback | None) -> None:
    """F14: the job that began without an answer is found by its tag, or by the address it was given, and watched."""
    far = Far(does=["lose"])
    async with invented(tmp_path, far, callback) as at:
        record = await at.bench.outcome(await at.ask([vendor, "silent"], _in_doubt_max_cost=DEAR))
        assert (record.state, record.provider_used, len(record.attempts)) == (State.SUCCEEDED, vendor, 1), faults(
            record
        )
        assert (len(far.jobs), far.submits) == (1, 1)
        assert await at.bench.spent() == 500_000
        assert await at.bench.sound() == []


async def test_a_job_that_is_nowhere_never_began(tmp_path: Path) -> None:
    """After a minute on no list the next vendor is asked, however dear the job is; the first cannot have charged."""
    far = Far(does=["drop"])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["listed", "silent"], _in_doubt_max_cost=DEAR))
        assert (record.provider_used, far.lists > 5) == ("silent", True)
        assert states(record)[0] == ("listed", AttemptState.ERROR, Billing.NONE)
        assert await at.bench.spent() == 500_000


async def test_a_list_that_cannot_be_read_leaves_the_doubt(tmp_path: Path) -> None:
    """Who cannot look cannot say that nothing began: a dear job is not begun elsewhere."""
    far = Far(does=["lose"], blind_list=True)
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["listed", "silent"], _in_doubt_max_cost=DEAR))
        assert states(record) == [("listed", AttemptState.IN_DOUBT, Billing.POSSIBLE)]


async def test_without_an_address_to_call_there_is_nothing_to_find(tmp_path: Path) -> None:
    """A vendor whose list shows only the callback's address is blind for a gateway that nobody can call."""
    far = Far(does=["lose"])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask(["calling", "silent"], _in_doubt_max_cost=DEAR))
        assert (far.lists, states(record)[0][1]) == (0, AttemptState.IN_DOUBT)


@pytest.mark.parametrize("vendor", ["blind", "silent"])
async def test_a_blind_vendor_is_never_asked_again(tmp_path: Path, vendor: str) -> None:
    """Without a key and a list the price decides: a cheap job goes to the next vendor, a dear one to nobody."""
    far = Far(does=["lose"])
    async with invented(tmp_path, far) as at:
        record = await at.bench.outcome(await at.ask([vendor, "keyed"], _in_doubt_max_cost=DEAR))
        assert (len(record.attempts), far.submits, record.state) == (1, 1, State.FAILED)
    far = Far(does=["lose"])
    async with invented(tmp_path / "cheap", far) as at:
        record = await at.bench.outcome(await at.ask([vendor, "keyed"]))
        assert (record.provider_used, len(far.jobs)) == ("keyed", 2)
        assert states(record)[0] == (vendor, AttemptState.IN_DOUBT, Billing.POSSIBLE)


@pytest.mark.parametrize("vendor", ["keyed", "named", "listed"])
async def test_a_restart_in_doubt_finds_the_job(tmp_path: Path, vendor: str) -> None:
    """F13, F15: killed before the reference was written, the next process comes to the same job without a second one."""
    far = Far(does=["hold"])
    async with invented(tmp_path, far) as at:
        generation = await at.ask([vendor, "silent"], _in_doubt_max_cost=DEAR)
        await asyncio.wait_for(far.held.wait(), 5)
        at.crash()
        async with at.again() as runs:
            assert await resume(at.bench.store, runs) == 1
            await runs.wait(generation, 10)
        record = await at.bench.outcome(generation)
        assert (record.state, record.provider_used, len(record.attempts)) == (State.SUCCEEDED, vendor, 1), faults(
            record
        )
        assert len(far.jobs) == 1
        assert await at.bench.sound() == []


async def test_a_callback_makes_us_look_for_the_job(tmp_path: Path) -> None:
    """F30: a callback for an attempt in doubt is no proof of anything: the list is read, and it decides."""
    far = Far(does=["drop"])
    async with invented(tmp_path, far, hook) as at:
        generation = await at.ask(["calling"], _in_doubt_max_cost=DEAR)
        async with asyncio.timeout(5):
            while not far.lists:  # noqa: ASYNC110 - the far end has no event for it
                await asyncio.sleep(0.005)
        for _ in range(3):
            at.bench.runs.nudge(generation, 1)
            await asyncio.sleep(0.01)
        record = await at.bench.outcome(generation)
        assert (record.state, far.jobs) == (State.FAILED, [])
        assert states(record) == [("calling", AttemptState.ERROR, Billing.NONE)]


async def test_a_cancellation_ends_the_search(tmp_path: Path) -> None:
    """Who cancels while a job is looked for is not kept waiting, and pays nothing."""
    from gateway.ledger import generations

    far = Far(does=["drop"])
    async with invented(tmp_path, far) as at:
        generation = await at.ask(["listed"], _in_doubt_max_cost=DEAR)
        async with asyncio.timeout(5):
            while not far.lists:  # noqa: ASYNC110 - the far end has no event for it
                await asyncio.sleep(0.005)
        await at.bench.store.write(generations.cancel("local", generation, at.bench.clock.now_ms()))
        await at.bench.runs.cancel(generation)
        record = await at.bench.outcome(generation)
        assert (record.state, far.lists < 5) == (State.CANCELED, True)
        assert await at.bench.spent() == 0
        assert await at.bench.sound() == []
