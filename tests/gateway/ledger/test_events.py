"""What is announced: in the transaction that causes it, once, and to those alone who want to hear of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.generation import State
from gateway.ledger import attempts, deliveries, endpoints, events, generations
from gateway.ledger.deliveries import Attempted, Due, Room
from gateway.ledger.endpoints import EVERY, Endpoint, Source, Why
from gateway.ledger.events import OFFERED, EventType
from tests.gateway.ledger.conftest import REFUSES


async def listen(desk: Any, name: str = "we_1", account: str = "acme", hears: Any = OFFERED) -> None:
    """Make an endpoint."""
    source = Source.API if account else Source.CONFIG
    await desk.store.write(endpoints.create(Endpoint(name, account, source, "https://hooks.test/", tuple(hears), 90)))


def rows(desk: Any, sql: str) -> list[tuple[Any, ...]]:
    """What a question to the file gives."""
    with desk.raw() as connection:
        return [tuple(row) for row in connection.execute(sql)]


def told(desk: Any) -> list[tuple[str, str]]:
    """What is owed: endpoint and type, in order."""
    return rows(desk, "SELECT d.endpoint, v.type FROM delivery d JOIN event v ON v.seq = d.event ORDER BY d.seq")


async def test_a_success_is_told_from_its_start(desk: Any) -> None:
    """The first provider that takes the work is announced, and so is the end."""
    await listen(desk)
    await desk.done("a")
    assert told(desk) == [("we_1", "generation.started"), ("we_1", "generation.completed")]
    [(data, at)] = rows(desk, "SELECT data, at FROM event WHERE type = 'generation.started'")
    assert (data, at) == ('{"provider":"one","prediction":"ref-1"}', 210)


async def test_the_start_is_told_once(desk: Any) -> None:
    """A second provider that takes the work is no second start."""
    await listen(desk, hears=[EventType.STARTED])
    await desk.accept("a")
    for n in (1, 2):
        attempt = await desk.open("a", n)
        await desk.store.write(attempts.submitted(attempt, f"r{n}", {}, 210))
    assert told(desk) == [("we_1", "generation.started")]


async def test_an_answer_at_once_is_a_start_too(desk: Any) -> None:
    """A provider that answers with the output begins and ends with one answer, and both are told."""
    await listen(desk)
    await desk.accept("a")
    attempt = await desk.open("a")
    assert await desk.store.write(attempts.storing(attempt, [], 220))
    assert await desk.succeed("a", attempt)
    assert [type_ for _, type_ in told(desk)] == ["generation.started", "generation.completed"]


async def test_the_other_ends_are_told(desk: Any) -> None:
    """A failure and a cancellation each have their event, the second with what was given back."""
    await listen(desk)
    for name in "ab":
        await desk.accept(name)
    await desk.store.write(generations.fail("a", {"name": "x"}, 300))
    await desk.store.write(generations.cancel("acme", "b", 310))
    found = rows(desk, "SELECT type, data, at FROM event ORDER BY seq")
    assert found == [("generation.failed", "{}", 300), ("generation.canceled", '{"refunded":1000000}', 310)]


async def test_who_does_not_want_to_hear_is_not_told(desk: Any) -> None:
    """Another account's endpoint, another type's and a deleted one get nothing; without a listener there is no event."""
    await listen(desk, "we_2", account="brass")
    await listen(desk, "we_3", hears=[EventType.FAILED])
    await listen(desk, "we_4")
    await desk.store.write(endpoints.delete("we_4", 95))
    await desk.done("a")
    assert told(desk) == []
    assert rows(desk, "SELECT COUNT(*) FROM event") == [(0,)]


async def test_an_endpoint_of_the_operator_hears_of_every_account(desk: Any) -> None:
    """An endpoint without an account is told beside the account's own."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    await listen(desk, "we_0", account=EVERY, hears=[EventType.COMPLETED])
    await desk.done("a")
    assert sorted(told(desk)) == [("we_0", "generation.completed"), ("we_1", "generation.completed")]


async def test_what_loses_the_race_is_not_told(desk: Any) -> None:
    """An end that comes second changes nothing and announces nothing."""
    await listen(desk)
    await desk.accept("a")
    assert await desk.store.write(generations.fail("a", {}, 300))
    assert not await desk.store.write(generations.fail("a", {}, 301))
    assert await desk.store.write(generations.cancel("acme", "a", 302)) == generations.WrongState(State.FAILED)
    assert told(desk) == [("we_1", "generation.failed")]


async def test_what_a_disabled_endpoint_misses_is_queued(desk: Any) -> None:
    """A disabled endpoint still listens; what it is owed waits."""
    await listen(desk)
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 95))
    await desk.done("a")
    assert rows(desk, "SELECT DISTINCT state, next_at FROM delivery") == [("queued", None)]


async def test_ids_follow_from_what_is_told(desk: Any) -> None:
    """The ids of events and deliveries are UUIDs without two alike, and free of dots."""
    await listen(desk)
    await listen(desk, "we_2")
    await desk.done("a")
    ids = [each for (each,) in rows(desk, "SELECT id FROM event UNION ALL SELECT id FROM delivery")]
    assert len(ids) == len(set(ids)) == 6
    assert all(len(each) == 36 and "." not in each for each in ids)


async def test_who_came_later_is_owed_nothing_from_before(desk: Any) -> None:
    """The check of ends goes by who listened at that moment, not by who listens now."""
    await desk.done("a")
    await listen(desk)
    assert await desk.findings() == []
    await desk.accept("b")
    await desk.store.write(endpoints.change("we_1", "https://hooks.test/", [EventType.STARTED], 250))
    await desk.store.write(generations.fail("b", {}, 300))
    await desk.store.write(endpoints.change("we_1", "https://hooks.test/", OFFERED, 310))
    assert await desk.findings() == []
    assert told(desk) == []


async def deliver(desk: Any, at: int) -> None:
    """Let everything that is due arrive."""
    due: tuple[Due, ...] = (await desk.store.read(deliveries.due(at, Room(200, 10, {}, {})))).due
    for each in due:
        await desk.store.write(deliveries.attempted(each, Attempted(at, at, arrived=True, status=204), 9))


async def test_what_was_told_is_forgotten_in_small_steps(desk: Any) -> None:
    """Events from before a time go with their deliveries, so many at once, and the ledger's checks find nothing missing."""
    await listen(desk)
    for name in "abc":
        await desk.done(name)
    await deliver(desk, 400)
    assert [await desk.store.write(events.forget(401, limit=4)) for _ in range(3)] == [4, 2, 0]
    assert rows(desk, "SELECT COUNT(*) FROM event") == rows(desk, "SELECT COUNT(*) FROM delivery") == [(0,)]
    assert await desk.findings() == []
    await desk.done("d")
    assert len(told(desk)) == 2
    assert await desk.findings() == []


async def test_what_is_owed_is_never_forgotten(desk: Any) -> None:
    """Pending, queued, told since, or about something live: each keeps its event, whatever its age."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    await listen(desk, "we_2", hears=[EventType.STARTED])
    await desk.done("a")
    assert await desk.store.write(events.forget(10**6)) == 0
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 350))
    await deliver(desk, 400)
    assert await desk.store.write(events.forget(400)) == 0
    assert await desk.store.write(events.forget(10**6)) == 1
    assert told(desk) == [("we_1", "generation.completed")]
    await desk.accept("b")
    attempt = await desk.open("b")
    await desk.store.write(attempts.submitted(attempt, "rb", {}, 410))
    await deliver(desk, 500)
    assert await desk.store.write(events.forget(10**6)) == 0
    assert await desk.findings() == []


async def test_a_telling_repeated_by_hand_keeps_its_event(desk: Any) -> None:
    """As long as somebody was told of it lately, an old event stays with all its tellings."""
    await listen(desk, hears=[EventType.COMPLETED])
    await desk.done("a")
    await deliver(desk, 400)
    [(first,)] = rows(desk, "SELECT id FROM delivery")
    assert await desk.store.write(deliveries.replay("we_1", first, "again", 900))
    await deliver(desk, 950)
    assert await desk.store.write(events.forget(900)) == 0
    assert await desk.store.write(events.forget(951)) == 1
    assert told(desk) == []


@pytest.mark.parametrize("statement", ["DELETE FROM delivery", "DELETE FROM event", "UPDATE event SET at = 0"])
async def test_the_schema_keeps_what_is_owed(desk: Any, statement: str) -> None:
    """No statement removes a delivery that is owed or an event with deliveries, or changes what there was to tell."""
    await listen(desk)
    await desk.done("a")
    with desk.raw() as connection, pytest.raises(REFUSES):
        connection.execute(statement)
