"""Attempts: intent before the act, references kept, ends told once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.generation import State
from gateway.ledger import attempts, generations
from gateway.ledger.attempts import Duplicate, Finished
from gateway.ledger.program import ConstraintBroken
from gateway.outcome import AttemptState, Billing

FAULT = {"kind": "timeout"}


async def state(desk: Any, name: str) -> State:
    found = await desk.store.read(generations.find("acme", name))
    return found.state


async def test_an_attempt_is_on_record_before_it_acts(desk: Any) -> None:
    """Opening an attempt writes it and takes the generation to submitting, in one."""
    await desk.accept("a")
    opened = await desk.open("a")
    found = await desk.store.read(attempts.find(opened))
    assert (found.generation, found.n, found.provider, found.native, found.form) == ("a", 1, "one", "x/y", 0)
    assert (found.state, found.billing, found.started) == (AttemptState.SUBMITTING, Billing.POSSIBLE, 200)
    assert await state(desk, "a") is State.SUBMITTING
    assert await desk.store.read(attempts.find(999)) is None


async def test_no_attempt_is_opened_for_what_has_ended(desk: Any) -> None:
    """An ended or unknown generation gets no attempt."""
    await desk.accept("a")
    await desk.store.write(generations.cancel("acme", "a", 150))
    for name in ("a", "nobody"):
        program = attempts.open_attempt(name, 1, provider="one", native="x", form=0, price=1, at=200)
        assert await desk.store.write(program) is None


async def test_the_number_of_an_attempt_is_used_once(desk: Any) -> None:
    """Two attempts of the same number are refused by the schema."""
    await desk.accept("a")
    await desk.open("a")
    with pytest.raises(ConstraintBroken, match=r"(?i)unique"):
        await desk.open("a")


async def test_a_reference_takes_the_generation_to_running(desk: Any) -> None:
    """Once the provider has the job, how to find it is kept and the generation runs."""
    await desk.accept("a")
    opened = await desk.open("a")
    assert await desk.store.write(attempts.submitted(opened, "r1", {"poll": "https://x.test/r1"}, 210)) is True
    found = await desk.store.read(generations.find("acme", "a", attempts=True))
    assert (found.state, found.prediction, found.started) == (State.RUNNING, "r1", 210)
    assert (found.attempts[0].ref, found.attempts[0].kept) == ("r1", {"poll": "https://x.test/r1"})


async def test_a_job_may_have_no_reference(desk: Any) -> None:
    """Providers that give no reference are fine, for any number of attempts."""
    for name in ("a", "b"):
        await desk.accept(name)
        assert await desk.store.write(attempts.submitted(await desk.open(name), None, {}, 210)) is True


async def test_a_reference_belongs_to_one_attempt(desk: Any) -> None:
    """A reference that another attempt of the same provider holds is told apart, and nothing changes."""
    for name in ("a", "b", "c"):
        await desk.accept(name)
    elsewhere, first, second = await desk.open("c", provider="another"), await desk.open("a"), await desk.open("b")
    assert await desk.store.write(attempts.submitted(elsewhere, "r1", {}, 209)) is True
    assert await desk.store.write(attempts.submitted(first, "r1", {}, 210)) is True
    assert await desk.store.write(attempts.submitted(second, "r1", {}, 211)) == Duplicate(first)
    assert await state(desk, "b") is State.SUBMITTING


async def test_a_reference_is_kept_even_after_a_cancel(desk: Any) -> None:
    """If the caller gave up meanwhile, the answer is no, but the job can still be found and stopped."""
    await desk.accept("a")
    opened = await desk.open("a")
    await desk.store.write(generations.cancel("acme", "a", 205))
    assert await desk.store.write(attempts.submitted(opened, "r1", {}, 210)) is False
    assert (await desk.store.read(attempts.find(opened))).ref == "r1"
    assert await state(desk, "a") is State.CANCELED


async def test_submitted_is_told_once(desk: Any) -> None:
    """The second report of a submission changes nothing."""
    await desk.accept("a")
    opened = await desk.open("a")
    await desk.store.write(attempts.submitted(opened, "r1", {}, 210))
    assert await desk.store.write(attempts.submitted(opened, "r2", {}, 211)) is False
    assert (await desk.store.read(attempts.find(opened))).ref == "r1"


async def test_a_provider_that_answers_at_once_skips_running(desk: Any) -> None:
    """Outputs may come with the first answer: submitting leads straight to storing."""
    await desk.accept("a")
    opened = await desk.open("a")
    assert await desk.store.write(attempts.storing(opened, [{"url": "u"}], 210)) is True
    found = await desk.store.read(generations.find("acme", "a", attempts=True))
    assert (found.state, found.started, found.attempts[0].outputs) == (State.STORING, 210, [{"url": "u"}])


async def test_outputs_are_taken_once_and_only_if_awaited(desk: Any) -> None:
    """A second delivery, and one for a generation that has ended, change nothing."""
    await desk.accept("a")
    await desk.accept("b")
    first, second = await desk.open("a"), await desk.open("b")
    assert await desk.store.write(attempts.storing(first, [], 210)) is True
    assert await desk.store.write(attempts.storing(first, [{"url": "u"}], 211)) is False
    await desk.store.write(generations.cancel("acme", "b", 205))
    assert await desk.store.write(attempts.storing(second, [], 210)) is False
    assert (await desk.store.read(attempts.find(second))).state is AttemptState.SUBMITTING


@pytest.mark.parametrize("end", [AttemptState.ERROR, AttemptState.IN_DOUBT, AttemptState.ABANDONED])
async def test_an_attempt_ends_once(desk: Any, end: AttemptState) -> None:
    """The first end stays, with its fault and what is known of the bill."""
    await desk.accept("a")
    opened = await desk.open("a")
    assert await desk.store.write(attempts.close_attempt(opened, end, FAULT, Billing.NONE, 230, cost=7)) is True
    assert await desk.store.write(attempts.close_attempt(opened, end, {}, Billing.CERTAIN, 240)) is False
    found = await desk.store.read(attempts.find(opened))
    assert (found.state, found.fault, found.billing, found.cost, found.ended) == (end, FAULT, Billing.NONE, 7, 230)


@pytest.mark.parametrize("end", [AttemptState.SUBMITTING, AttemptState.STORING, AttemptState.DONE])
async def test_an_attempt_is_not_closed_as_open_or_done(desk: Any, end: AttemptState) -> None:
    """States that are no end without success are refused by name."""
    with pytest.raises(ValueError, match=end.value):
        await desk.store.write(attempts.close_attempt(1, end, FAULT, Billing.NONE, 230))


async def test_the_next_attempt_follows_from_any_live_state(desk: Any) -> None:
    """Failing over leads back to submitting, from running and from storing."""
    await desk.accept("a")
    for n in (1, 2, 3):
        opened = await desk.storing("a", n)
        await desk.store.write(attempts.close_attempt(opened, AttemptState.ERROR, FAULT, Billing.NONE, 230))
        assert await state(desk, "a") is State.STORING


async def test_a_second_billed_attempt_is_flagged_at_once(desk: Any) -> None:
    """Two billed attempts without a winner: the second is flagged."""
    await desk.accept("a")
    for n in (1, 2):
        opened = await desk.storing("a", n)
        await desk.store.write(attempts.close_attempt(opened, AttemptState.ERROR, FAULT, Billing.CERTAIN, 230))
    found = await desk.store.read(generations.find("acme", "a", attempts=True))
    assert [attempt.double_spend for attempt in found.attempts] == [False, True]


async def test_a_late_result_is_noted_once(desk: Any) -> None:
    """A job nobody waited for is marked as billed and wasted; an open or a winning attempt is not."""
    await desk.accept("a")
    opened = await desk.open("a")
    assert await desk.store.write(attempts.late(opened)) is False
    await desk.store.write(attempts.close_attempt(opened, AttemptState.ABANDONED, FAULT, Billing.POSSIBLE, 230))
    won = await desk.storing("a", 2, "two")
    await desk.succeed("a", won)
    assert [await desk.store.write(attempts.late(each, cost=9)) for each in (opened, opened, won)] == [
        True,
        False,
        False,
    ]
    found = await desk.store.read(attempts.find(opened))
    assert (found.billing, found.double_spend, found.cost, found.won) == (Billing.CERTAIN, True, 9, False)


async def closed(desk: Any, name: str, end: AttemptState, fault: str, *, at: int = 230) -> int:
    """A generation whose only attempt ended without success."""
    await desk.accept(name)
    opened: int = await desk.open(name)
    await desk.store.write(attempts.close_attempt(opened, end, {"kind": fault}, Billing.NONE, at))
    return opened


async def test_recent_attempts_say_what_came_of_them(desk: Any) -> None:
    """Newest first: delivered ones as used, faults of the provider as failed, what nobody waited for as discarded."""
    await desk.done("a", model="lab/other")
    await closed(desk, "b", AttemptState.ERROR, "provider_error")
    await closed(desk, "c", AttemptState.IN_DOUBT, "timeout", at=240)
    await closed(desk, "d", AttemptState.ABANDONED, "timeout")
    late = await closed(desk, "e", AttemptState.IN_DOUBT, "lost")
    await desk.store.write(attempts.late(late))
    assert await desk.store.report(attempts.recent(0, 100)) == [
        Finished("one", "lab/model", 0, "discarded", 200, 230, None),
        Finished("one", "lab/model", 0, "discarded", 200, 230, None),
        Finished("one", "lab/model", 0, "failed", 200, 240, None),
        Finished("one", "lab/model", 0, "failed", 200, 230, None),
        Finished("one", "lab/other", 0, "used", 200, 300, 10),
    ]


async def test_recent_attempts_leave_out_what_says_nothing_of_the_provider(desk: Any) -> None:
    """Open attempts, the caller's own mistakes, what the caller gave up on and what was deleted since are not told."""
    await desk.accept("a")
    await desk.open("a")
    for name, fault in (("b", "content_blocked"), ("c", "invalid_input"), ("d", "timeout")):
        await closed(desk, name, AttemptState.ERROR, fault)
    await desk.store.write(generations.fail("d", {"name": "x", "message": "y"}, 240))
    await desk.store.write(generations.delete("acme", "d", 250))
    await desk.accept("e")
    opened = await desk.open("e")
    await desk.store.write(generations.cancel("acme", "e", 205))
    await desk.store.write(attempts.close_attempt(opened, AttemptState.ABANDONED, FAULT, Billing.POSSIBLE, 230))
    await desk.store.write(attempts.late(opened))
    assert await desk.store.report(attempts.recent(0, 100)) == []


async def test_recent_attempts_are_bounded(desk: Any) -> None:
    """Only those that ended since the time are told, of no more than the latest so many."""
    assert await desk.store.report(attempts.recent(0, 100)) == []
    for n in range(1, 5):
        await closed(desk, f"g{n}", AttemptState.ERROR, "timeout", at=200 + n)
    found = [[each.ended for each in await desk.store.report(attempts.recent(*asked))] for asked in ((203, 9), (0, 3))]
    assert found == [[204, 203], [204, 203, 202]]
