"""Accepting, finding, listing, moving and deleting generations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.generation import EDGES, State
from gateway.ledger import attempts, generations
from gateway.ledger.generations import (
    KEY_LIFE,
    Accepted,
    Deleted,
    Idempotency,
    KeyMismatch,
    NotFound,
    Replay,
    ShortOfCredit,
    StillLive,
)
from gateway.ledger.program import ConstraintBroken

KEY = Idempotency("key-1", "print-1", '{"id":"a"}')


async def test_accepting_holds_the_price_and_keeps_what_was_asked(desk: Any) -> None:
    """An accepted generation is found as it was asked for, and its price is held."""
    assert await desk.accept("a", adjustments=[{"field": "seed"}]) == Accepted(available=9_000_000)
    found = await desk.store.read(generations.find("acme", "a"))
    assert (found.request, found.order, found.adjustments) == (
        {"prompt": "a seal"},
        ("one", "two"),
        [{"field": "seed"}],
    )
    assert (found.state, found.price, found.settled, found.created) == (State.ACCEPTED, 1_000_000, None, 100)
    assert await desk.balance() == (10, 1)


async def test_a_thousand_at_once_on_credit_for_ten(desk: Any) -> None:
    """Of 1,000 acceptances at once exactly those the credit covers succeed; the rest change nothing."""
    answers = await asyncio.gather(*(desk.accept(f"g{n}") for n in range(1000)))
    assert sum(isinstance(answer, Accepted) for answer in answers) == 10
    assert {answer for answer in answers if not isinstance(answer, Accepted)} == {ShortOfCredit(0)}
    assert await desk.balance() == (10, 10)
    assert (await desk.store.read(generations.page("acme", 100, 0)))[1] == 10


async def test_an_unknown_account_has_no_credit(desk: Any) -> None:
    """An account that does not exist is short of credit, and so are the ledger's own accounts."""
    assert await desk.accept("a", account="nobody") == ShortOfCredit(0)
    assert await desk.accept("a", account="@revenue") == ShortOfCredit(0)


@pytest.mark.parametrize("price", [0, -1])
async def test_a_price_that_is_not_above_zero_is_refused(desk: Any, price: int) -> None:
    """Nothing can be held for nothing."""
    with pytest.raises(ValueError, match="above zero"):
        await desk.accept("a", price=price)


async def test_an_id_can_be_used_once(desk: Any) -> None:
    """The second generation of the same id is refused by the schema and leaves no hold."""
    await desk.accept("a")
    with pytest.raises(ConstraintBroken, match=r"(?i)unique"):
        await desk.accept("a")
    assert await desk.balance() == (10, 1)


async def test_twins_with_one_key_become_one_generation(desk: Any) -> None:
    """Of 100 requests at once under one key one is executed, and all the others are told its answer."""
    answers = await asyncio.gather(*(desk.accept(f"g{n}", idempotency=KEY) for n in range(100)))
    [first] = [n for n, answer in enumerate(answers) if isinstance(answer, Accepted)]
    replay = Replay('{"id":"a"}', f"g{first}", State.ACCEPTED)
    assert all(answer == replay for n, answer in enumerate(answers) if n != first)
    assert await desk.balance() == (10, 1)


async def test_a_key_belongs_to_one_request(desk: Any) -> None:
    """The same key for another request is a mismatch, and nothing is held."""
    await desk.accept("a", idempotency=KEY)
    other = Idempotency(KEY.key, "print-2", "{}")
    assert await desk.accept("b", idempotency=other) == KeyMismatch("a")
    assert await desk.balance() == (10, 1)


async def test_a_refused_request_leaves_its_key_free(desk: Any) -> None:
    """A request that was short of credit can be repeated under its key."""
    assert isinstance(await desk.accept("a", price=99_000_000, idempotency=KEY), ShortOfCredit)
    assert isinstance(await desk.accept("a", idempotency=KEY), Accepted)


@pytest.mark.parametrize(("after", "replayed"), [(KEY_LIFE - 1, True), (KEY_LIFE, False)])
async def test_a_key_keeps_its_answer_for_a_day(desk: Any, after: int, replayed: bool) -> None:  # noqa: FBT001 - a row of the table above
    """Within 24 hours the first answer is given again; later the key is as good as new."""
    await desk.accept("a", idempotency=KEY)
    answer = await desk.accept("b", created=100 + after, idempotency=KEY)
    assert isinstance(answer, Replay) is replayed


async def test_old_keys_are_forgotten_in_portions(desk: Any) -> None:
    """Only keys older than the time given go, at most so many at once."""
    for n in range(4):
        await desk.accept(f"g{n}", created=100 + n, idempotency=Idempotency(f"k{n}", "p", "{}"))
    assert [await desk.store.write(generations.forget_keys(103, limit=2)) for _ in range(3)] == [2, 1, 0]


async def test_finding_minds_the_owner(desk: Any) -> None:
    """Another account does not find the generation; the gateway itself does."""
    await desk.accept("a")
    assert await desk.store.read(generations.find("other", "a")) is None
    assert (await desk.store.read(generations.find_any("a"))).id == "a"
    assert await desk.store.read(generations.find_any("b")) is None


async def test_a_page_is_newest_first_with_its_outputs(desk: Any) -> None:
    """The list goes from the newest back, brings outputs along and counts them all."""
    await desk.done("a", created=100)
    for n in range(4):
        await desk.accept(f"g{n}", created=101 + n // 2)
    records, total = await desk.store.read(generations.page("acme", 2, 3))
    assert [record.id for record in records] == ["g0", "a"]
    assert [len(record.artifacts) for record in records] == [0, 1]
    assert total == 5
    assert await desk.store.read(generations.page("acme", 2, 5)) == ([], 5)
    assert await desk.store.read(generations.page("nobody", 2, 0)) == ([], 0)


async def test_what_is_live_is_listed_oldest_first(desk: Any) -> None:
    """A restart finds every generation that has not ended; what has is not among them."""
    await desk.done("done")
    await desk.accept("b")
    await desk.accept("a")
    assert await desk.store.read(generations.live()) == [("acme", "b"), ("acme", "a")]


async def test_a_move_happens_once(desk: Any) -> None:
    """A step from a state the generation is not in (any more) is refused and changes nothing."""
    await desk.accept("a")
    step = (State.ACCEPTED, State.SUBMITTING, 150)
    assert await desk.store.write(generations.move("a", *step)) is True
    assert await desk.store.write(generations.move("a", *step)) is False
    assert await desk.store.write(generations.move("nobody", *step)) is False


async def test_each_step_is_on_record(desk: Any) -> None:
    """The transitions of a generation tell its whole way, with times."""
    await desk.done("a")
    with desk.raw() as connection:
        steps = [tuple(row) for row in connection.execute("SELECT a, b, at FROM transition ORDER BY seq")]
    assert steps == [
        ("new", "accepted", 100),
        ("accepted", "submitting", 200),
        ("submitting", "running", 210),
        ("running", "storing", 220),
        ("storing", "succeeded", 300),
    ]


@pytest.mark.parametrize("b", list(State))
@pytest.mark.parametrize("a", list(State))
async def test_only_plain_legal_steps_can_be_moved(a: State, b: State) -> None:
    """A step that is illegal, or that ends a generation and so moves money, is no plain move."""
    program = generations.move("a", a, b, 1)
    if (a, b) in EDGES and not b.is_final:
        assert next(program).name == "generation_move"
    else:
        with pytest.raises(ValueError, match="no plain step"):
            next(program)


async def test_deleting_takes_the_content_and_leaves_the_money(desk: Any) -> None:
    """A deleted generation is found no more and its words are gone, while its entries stay."""
    attempt = await desk.done("a")
    assert await desk.store.write(generations.delete("acme", "a", 500)) == Deleted(("file:ab/0.png",))
    assert await desk.store.read(generations.find("acme", "a")) is None
    assert await desk.store.read(generations.find_any("a")) is None
    assert await desk.store.read(generations.page("acme", 10, 0)) == ([], 0)
    assert (await desk.store.read(attempts.find(attempt))).outputs is None
    with desk.raw() as connection:
        assert "seal" not in str([tuple(row) for row in connection.execute("SELECT * FROM generation")])
    assert await desk.balance() == (9, 0)


async def test_deleting_needs_an_end_an_owner_and_happens_once(desk: Any) -> None:
    """A live generation, another's and one already deleted are not deleted."""
    await desk.accept("a")
    assert await desk.store.write(generations.delete("acme", "a", 500)) == StillLive(State.ACCEPTED)
    await desk.store.write(generations.fail("a", {"code": "x"}, 400))
    assert await desk.store.write(generations.delete("other", "a", 500)) == NotFound()
    assert await desk.store.write(generations.delete("acme", "a", 500)) == Deleted(())
    assert await desk.store.write(generations.delete("acme", "a", 500)) == NotFound()


async def test_files_that_are_kept_too_long_are_named(desk: Any) -> None:
    """Successes that ended before a time and still have files are named, oldest first; what is gone is not."""
    for name in ("a", "b"):
        await desk.done(name)
    assert await desk.store.report(generations.stale(300)) == []
    assert await desk.store.report(generations.stale(301, limit=1)) == ["a"]
    await desk.store.write(generations.remove_files("a", 450))
    assert await desk.store.report(generations.stale(301)) == ["b"]


async def test_files_are_removed_once(desk: Any) -> None:
    """Removed files are marked, and a later deletion does not name them again."""
    await desk.done("a")
    assert await desk.store.write(generations.remove_files("a", 450)) is True
    assert await desk.store.write(generations.remove_files("a", 460)) is False
    assert (await desk.store.read(generations.find("acme", "a"))).removed == 450
    assert await desk.store.write(generations.delete("acme", "a", 500)) == Deleted(())
    with desk.raw() as connection:
        assert tuple(connection.execute("SELECT removed, deleted FROM generation").fetchone()) == (450, 500)
