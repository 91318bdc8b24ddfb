"""Who is told of one generation alone: of what was asked for, through an endpoint of the host, and nobody can list or change it."""

from __future__ import annotations

from typing import Any

from gateway.ledger import deliveries, endpoints, events
from gateway.ledger.callbacks import Callback
from gateway.ledger.deliveries import Attempted, Due, Room
from gateway.ledger.endpoints import Endpoint, Source
from gateway.ledger.events import EventType

ROOM = Room(200, 10, {}, {})
ENDS = (EventType.COMPLETED, EventType.FAILED, EventType.CANCELED)
FAILED = Attempted(500, 510, arrived=False, next_at=None, status=500, error="status_500")


async def done(desk: Any, name: str, url: str = "https://hooks.test/done?job=1", hears: Any = ENDS) -> None:
    """A generation with somebody to be told of it, from acceptance to success."""
    await desk.done(name, callback=Callback("predictions", url, tuple(hears)))


async def due(desk: Any, now: int = 1000) -> list[Due]:
    """What is due now."""
    return list((await desk.store.read(deliveries.due(now, ROOM))).due)


async def test_the_end_is_told_at_the_address_that_was_named(desk: Any) -> None:
    """With the words it is told in; beside the account's own endpoints, and once."""
    await desk.store.write(
        endpoints.create(Endpoint("we_1", "acme", Source.API, "https://own.test/", (EventType.COMPLETED,), 90))
    )
    await done(desk, "a")
    told = {each.url: each.dialect for each in await due(desk)}
    assert told == {"https://own.test/": None, "https://hooks.test/done?job=1": "predictions"}


async def test_only_what_was_asked_for_is_told(desk: Any) -> None:
    """A callback for the start alone hears of no end, and another generation has none."""
    await done(desk, "a", hears=[EventType.STARTED])
    await desk.done("b")
    assert [each.type for each in await due(desk)] == [EventType.STARTED]


async def test_one_host_is_one_endpoint(desk: Any) -> None:
    """However many addresses a host has, what is sent to it at once is held together; nobody sees that endpoint."""
    for name in "ab":
        await done(desk, name, f"https://hooks.test/{name}")
    found = await due(desk)
    assert [each.url for each in found] == ["https://hooks.test/a", "https://hooks.test/b"]
    [endpoint] = {each.endpoint for each in found}
    assert await desk.store.read(endpoints.list_("acme")) == []
    assert await desk.store.read(endpoints.list_()) == []
    assert await desk.store.read(endpoints.find(endpoint)) is None
    assert await desk.store.read(deliveries.endpoint_of(found[0].id)) is None


async def test_failures_disable_nobody(desk: Any) -> None:
    """What is named with a generation cannot be enabled again by anybody, so it is never disabled."""
    for name in "abc":
        await done(desk, name)
        [found] = await due(desk)
        noted = await desk.store.write(deliveries.attempted(found, FAILED, 1))
        assert noted is not None
        assert noted.disabled is None


async def test_it_is_forgotten_with_its_events(desk: Any) -> None:
    """As long as anything is owed it stays; then it goes with the events."""
    await done(desk, "a")
    assert await desk.store.write(events.forget(10_000)) == 0
    [found] = await due(desk)
    await desk.store.write(deliveries.attempted(found, FAILED, 9))
    assert await desk.store.write(events.forget(10_000)) == 1
    with desk.raw() as connection:
        assert [tuple(row) for row in connection.execute("SELECT COUNT(*) FROM callback")] == [(0,)]
