"""What is due, how an attempt went, and what follows from it for the endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.generation import State
from gateway.ledger import deliveries, endpoints, generations
from gateway.ledger.deliveries import Attempted, DeliveryState, Due, Noted, Room
from gateway.ledger.endpoints import Endpoint, Source, Why
from gateway.ledger.events import USUAL, EventType

ROOM = Room(200, 10, {}, {})
ARRIVED = Attempted(500, 510, arrived=True, status=204)
FAILED = Attempted(500, 510, arrived=False, next_at=2000, status=500, error="status_500")


async def listen(desk: Any, *names: str, hears: Any = USUAL) -> None:
    """Make endpoints of the account."""
    for name in names:
        await desk.store.write(
            endpoints.create(Endpoint(name, "acme", Source.API, f"https://{name}.test/", tuple(hears), 90))
        )


async def due(desk: Any, room: Room = ROOM, now: int = 1000) -> list[Due]:
    """What is due now."""
    return list((await desk.store.read(deliveries.due(now, room))).due)


async def one_due(desk: Any) -> Due:
    """One delivery that is due, of a generation that succeeded."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    await desk.done("a")
    [found] = await due(desk)
    return found


async def test_what_is_due_brings_all_that_is_told(desk: Any) -> None:
    """A delivery comes with its event, its endpoint and the generation as it is now, outputs included."""
    found = await one_due(desk)
    assert (found.type, found.account, found.url, found.attempts) == (
        EventType.COMPLETED,
        "acme",
        "https://we_1.test/",
        0,
    )
    assert found.record is not None
    assert (found.record.state, len(found.record.artifacts)) == (State.SUCCEEDED, 1)


async def test_a_deleted_generation_is_told_without_its_content(desk: Any) -> None:
    """What the caller deleted is still announced, with nothing of what it held."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    await desk.done("a")
    await desk.store.write(generations.delete("acme", "a", 350))
    [found] = await due(desk)
    assert found.record is not None
    assert (found.record.removed, found.record.request) == (350, {})


async def test_every_endpoint_gets_some_before_one_gets_more(desk: Any) -> None:
    """With little room it is shared out, turns go round, and what is under way is not taken again."""
    await listen(desk, "we_1", "we_2", "we_3", hears=[EventType.COMPLETED])
    for name in "abcde":
        await desk.done(name)
    assert [each.endpoint for each in await due(desk, replace(ROOM, most=4))] == ["we_1", "we_2", "we_3"]
    assert [each.endpoint for each in await due(desk, replace(ROOM, most=2, after="we_1"))] == ["we_2", "we_3"]
    assert [each.endpoint for each in await due(desk, replace(ROOM, most=2, after="we_2"))] == ["we_3", "we_1"]
    full = replace(ROOM, of={"we_1": 0, "we_2": 1}, usual=2)
    assert [each.endpoint for each in await due(desk, full)] == ["we_2", "we_3", "we_3"]
    first = await due(desk, replace(ROOM, of={"we_2": 0, "we_3": 0}, usual=2))
    held = replace(ROOM, of={"we_2": 0, "we_3": 0}, usual=2, held={"we_1": {each.seq for each in first}})
    assert not {each.seq for each in first} & {each.seq for each in await due(desk, held)}
    assert await due(desk, replace(ROOM, most=0)) == []


async def test_when_the_next_is_due_is_known(desk: Any) -> None:
    """A look tells when it is worth looking again, and how much waits."""
    found = await one_due(desk)
    await desk.store.write(deliveries.attempted(found, FAILED, 15))
    looked = await desk.store.read(deliveries.due(1000, ROOM))
    assert (looked.due, looked.next_at, looked.backlog) == ((), 2000, 1)
    assert [each.attempts for each in await due(desk, now=2000)] == [1]


async def test_an_arrival_is_the_end_of_it(desk: Any) -> None:
    """What arrived is delivered, once."""
    found = await one_due(desk)
    assert await desk.store.write(deliveries.attempted(found, ARRIVED, 15)) == Noted(0)
    assert await desk.store.write(deliveries.attempted(found, ARRIVED, 15)) is None
    assert await desk.store.write(deliveries.attempted(found, FAILED, 15)) is None
    [row] = await desk.store.report(deliveries.page("we_1", 50))
    assert (row.state, row.status, row.attempts, row.ended, row.generation) == (
        DeliveryState.DELIVERED,
        204,
        1,
        510,
        "a",
    )


async def test_the_last_failure_is_the_end_too(desk: Any) -> None:
    """Without a next attempt a delivery has failed."""
    found = await one_due(desk)
    await desk.store.write(deliveries.attempted(found, replace(FAILED, next_at=None), 15))
    [row] = await desk.store.report(deliveries.page("we_1", 50))
    assert (row.state, row.error, row.ended) == (DeliveryState.FAILED, "status_500", 510)


async def test_failures_in_a_row_disable(desk: Any) -> None:
    """The last of so many failures disables the endpoint and queues what is pending; an arrival in between starts over."""
    found = await one_due(desk)

    async def fail(n: int) -> Noted | None:
        went = replace(FAILED, began=500 + 20 * n, ended=510 + 20 * n)
        return await desk.store.write(deliveries.attempted(replace(found, attempts=n), went, 3))

    assert [await fail(n) for n in range(2)] == [Noted(1), Noted(2)]
    await desk.done("b")
    [other] = await due(desk)
    assert await desk.store.write(deliveries.attempted(other, ARRIVED, 3)) == Noted(0)
    assert [await fail(n) for n in range(2, 5)] == [Noted(1), Noted(2), Noted(3, Why.FAILURES)]
    assert (await desk.store.read(endpoints.find("we_1"))).why is Why.FAILURES
    assert (await desk.store.report(deliveries.page("we_1", 50)))[1].state is DeliveryState.QUEUED


async def test_what_failed_together_counts_once(desk: Any) -> None:
    """Attempts that were under way at the same time are one failure: a short outage disables nobody."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    for name in "abc":
        await desk.done(name)
    for n, each in enumerate(await due(desk)):
        went = replace(FAILED, ended=600 + n)
        assert await desk.store.write(deliveries.attempted(each, went, 3)) == Noted(1)
    assert (await desk.store.read(endpoints.find("we_1"))).failures == 1


async def test_gone_disables_at_once(desk: Any) -> None:
    """A receiver that says it is gone is told nothing more."""
    found = await one_due(desk)
    went = replace(FAILED, next_at=None, gone=True, status=410)
    assert await desk.store.write(deliveries.attempted(found, went, 15)) == Noted(1, Why.GONE)


@pytest.mark.parametrize(("went", "state"), [(ARRIVED, DeliveryState.DELIVERED), (FAILED, DeliveryState.QUEUED)])
async def test_an_endpoint_disabled_meanwhile(desk: Any, went: Attempted, state: DeliveryState) -> None:
    """An attempt that ends after its endpoint was disabled counts if it arrived, and changes nothing if not."""
    found = await one_due(desk)
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 505))
    assert (await desk.store.write(deliveries.attempted(found, went, 15)) is None) == (state is DeliveryState.QUEUED)
    assert [row.state for row in await desk.store.report(deliveries.page("we_1", 50))] == [state]


async def test_a_queue_has_an_end(desk: Any) -> None:
    """What was queued too long ago is given up."""
    await listen(desk, "we_1", hears=[EventType.COMPLETED])
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 95))
    await desk.done("a")
    assert await desk.store.write(deliveries.expire(300, 900)) == 0
    assert await desk.store.write(deliveries.expire(301, 900)) == 1
    assert [row.state for row in await desk.store.report(deliveries.page("we_1", 50))] == [DeliveryState.EXPIRED]


async def test_a_replay_tells_again_under_a_new_id(desk: Any) -> None:
    """What was delivered can be told again by hand, as often as one likes, but only by its own endpoint while it is active."""
    found = await one_due(desk)
    await desk.store.write(deliveries.attempted(found, ARRIVED, 15))
    await listen(desk, "we_2")
    for new_id in ("again-1", "again-2"):
        assert await desk.store.write(deliveries.replay("we_1", found.id, new_id, 700))
    assert [each.id for each in await due(desk)] == ["again-1", "again-2"]
    assert await desk.store.read(deliveries.endpoint_of("again-1")) == "we_1"
    assert not await desk.store.write(deliveries.replay("we_2", found.id, "again-3", 700))
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 800))
    assert not await desk.store.write(deliveries.replay("we_1", found.id, "again-4", 810))
