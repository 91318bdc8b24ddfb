"""How generations end, and that money and state end together, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.generation import State
from gateway.ledger import attempts, generations
from gateway.ledger.credits import entries
from gateway.ledger.generations import Canceled, NotFound, WrongState
from gateway.ledger.program import ConstraintBroken
from gateway.ledger.records import Artifact
from gateway.outcome import AttemptState, Billing


async def test_success_settles_what_was_captured_and_gives_back_the_rest(desk: Any) -> None:
    """A success takes the captured amount from the hold, records outputs and winner, and frees the rest."""
    await desk.accept("a", price=3_000_000)
    attempt = await desk.storing("a")
    pictures = [desk.picture(0), desk.picture(1)]
    assert await desk.store.write(
        generations.succeed("a", attempt, pictures, captured=2_000_000, at=300, provider="one", reported_cost=38_000)
    )
    found = await desk.store.read(generations.find("acme", "a", attempts=True))
    assert (found.state, found.settled, found.provider_used, found.ended) == (State.SUCCEEDED, 2_000_000, "one", 300)
    assert found.artifacts == tuple(pictures)
    [won] = found.attempts
    assert (won.state, won.won, won.billing, won.cost) == (AttemptState.DONE, True, Billing.CERTAIN, 38_000)
    assert await desk.balance() == (8, 0)


async def test_settling_twice_moves_money_once(desk: Any) -> None:
    """The second success of a generation is refused without a change."""
    attempt = await desk.done("a")
    assert await desk.succeed("a", attempt) is False
    assert await desk.balance() == (9, 0)
    assert len(await desk.store.read(entries("acme"))) == 2


async def test_releasing_twice_gives_back_once(desk: Any) -> None:
    """The second failure of a generation is refused without a change."""
    await desk.accept("a")
    await desk.accept("b")
    assert await desk.store.write(generations.fail("a", {"code": "x"}, 300)) is True
    assert await desk.store.write(generations.fail("a", {"code": "y"}, 301)) is False
    assert (await desk.store.read(generations.find("acme", "a"))).error == {"code": "x"}
    assert await desk.balance() == (10, 1)


async def test_more_than_the_hold_is_never_captured(desk: Any) -> None:
    """Capturing above the hold is refused by the schema, and the generation stays where it was."""
    await desk.accept("a")
    attempt = await desk.storing("a")
    with pytest.raises(ConstraintBroken):
        await desk.succeed("a", attempt, captured=1_000_001)
    assert (await desk.store.read(generations.find("acme", "a"))).state is State.STORING
    assert await desk.balance() == (10, 1)


async def test_success_needs_outputs_and_an_amount(desk: Any) -> None:
    """Nothing delivered or nothing captured is no success."""
    await desk.accept("a")
    attempt = await desk.storing("a")
    with pytest.raises(ValueError, match="at least one output"):
        await desk.succeed("a", attempt, captured=0)
    with pytest.raises(ValueError, match="at least one output"):
        await desk.store.write(generations.succeed("a", attempt, [], captured=1, at=300, provider="one"))


async def test_a_link_that_is_passed_on_has_neither_hash_nor_size(desk: Any) -> None:
    """An output that is a mere link is recorded; one with a hash but no size is refused."""
    await desk.accept("a")
    attempt = await desk.storing("a")
    half = Artifact(0, "https://x.test/1", "c0ffee", None, None, None, None)
    link = Artifact(0, "https://x.test/1", None, None, None, None, None)
    for artifact, fits in ((half, False), (link, True)):
        program = generations.succeed("a", attempt, [artifact], captured=1, at=300, provider="one")
        if fits:
            assert await desk.store.write(program) is True
        else:
            with pytest.raises(ConstraintBroken):
                await desk.store.write(program)


async def test_only_the_attempt_that_is_storing_wins(desk: Any) -> None:
    """An attempt that is not storing, or is another generation's, does not end a generation."""
    await desk.accept("a")
    await desk.accept("b")
    mine = await desk.storing("a")
    other = await desk.storing("b")
    assert await desk.succeed("a", other) is False
    assert await desk.succeed("a", 999) is False
    assert await desk.succeed("a", mine) is True


async def test_canceling_gives_back_and_names_what_is_open(desk: Any) -> None:
    """A canceled generation gives its hold back and says which attempts are still to be stopped."""
    await desk.accept("a")
    closed = await desk.open("a")
    await desk.store.write(attempts.close_attempt(closed, AttemptState.ERROR, {"kind": "lost"}, Billing.NONE, 210))
    opened = await desk.open("a", 2, "two")
    answer = await desk.store.write(generations.cancel("acme", "a", 300))
    assert isinstance(answer, Canceled)
    assert (answer.credits_refunded, [attempt.id for attempt in answer.attempts]) == (1_000_000, [opened])
    assert await desk.balance() == (10, 0)


async def test_canceling_what_is_not_there_or_over(desk: Any) -> None:
    """Another's generation is not found, an ended one is in the wrong state; neither changes."""
    await desk.done("a")
    assert await desk.store.write(generations.cancel("other", "a", 300)) == NotFound()
    assert await desk.store.write(generations.cancel("acme", "a", 300)) == WrongState(State.SUCCEEDED)


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_cancel_and_success_race(desk: Any, cancel_first: bool) -> None:  # noqa: FBT001 - both orders
    """Whichever of cancel and success comes first is the end, and the other changes nothing."""
    await desk.accept("a")
    attempt = await desk.storing("a")
    race = [
        desk.store.write(generations.cancel("acme", "a", 300)),
        desk.succeed("a", attempt),
    ]
    answers = await asyncio.gather(*(race if cancel_first else reversed(race)))
    found = await desk.store.read(generations.find("acme", "a"))
    if cancel_first:
        assert isinstance(answers[0], Canceled)
        assert answers[1] is False
        assert (found.state, found.artifacts, await desk.balance()) == (State.CANCELED, (), (10, 0))
    else:
        assert answers == [True, WrongState(State.SUCCEEDED)]
        assert (found.state, await desk.balance()) == (State.SUCCEEDED, (9, 0))


async def test_a_failover_that_had_to_pay_twice_is_flagged(desk: Any) -> None:
    """A billed attempt that is not the one delivered is flagged as double spending when another succeeds."""
    await desk.accept("a")
    first = await desk.storing("a")
    await desk.store.write(
        attempts.close_attempt(first, AttemptState.ERROR, {"kind": "output_lost"}, Billing.CERTAIN, 230)
    )
    second = await desk.storing("a", 2, "two")
    assert await desk.succeed("a", second)
    found = await desk.store.read(generations.find("acme", "a", attempts=True))
    assert [(attempt.won, attempt.double_spend) for attempt in found.attempts] == [(False, True), (True, False)]


async def test_a_lost_hold_is_reported_not_papered_over(careless_desk: Any) -> None:
    """If the hold of a live generation is gone, ending it is refused and says so."""
    await careless_desk.accept("a")
    with careless_desk.raw(careless=True) as connection:
        connection.execute("DELETE FROM hold")
    with pytest.raises(ConstraintBroken, match="no open hold"):
        await careless_desk.store.write(generations.fail("a", {}, 300))
    assert (await careless_desk.store.read(generations.find("acme", "a"))).state is State.ACCEPTED
