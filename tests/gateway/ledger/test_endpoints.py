"""Who is told: made, changed, disabled, rotated, deleted, and taken from the policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.ledger import deliveries, endpoints, generations
from gateway.ledger.deliveries import DeliveryState, Room
from gateway.ledger.endpoints import EVERY, Endpoint, Source, Why, of_policy
from gateway.ledger.events import OFFERED, USUAL, EventType

HOOK = Endpoint("we_1", "acme", Source.API, "https://hooks.test/", USUAL, 90)
ROOM = Room(200, 10, {}, {})


async def states(desk: Any, endpoint: str = "we_1") -> list[DeliveryState]:
    """How far the deliveries to an endpoint are, newest first."""
    return [row.state for row in await desk.store.report(deliveries.page(endpoint, 50))]


async def test_an_endpoint_is_found_as_it_was_made(desk: Any) -> None:
    """What is written is what is read; lists are of an account or of all."""
    await desk.store.write(endpoints.create(HOOK))
    assert await desk.store.read(endpoints.find("we_1")) == HOOK
    assert await desk.store.read(endpoints.list_("acme")) == await desk.store.read(endpoints.list_()) == [HOOK]
    assert await desk.store.read(endpoints.list_("brass")) == []


async def test_a_change_is_for_what_comes(desk: Any) -> None:
    """A new address counts at once, and what is no longer wanted is not told any more."""
    await desk.store.write(endpoints.create(HOOK))
    assert await desk.store.write(endpoints.change("we_1", "https://other.test/", [EventType.COMPLETED], 95))
    await desk.done("a")
    found = await desk.store.read(deliveries.due(1000, ROOM))
    assert [(due.type, due.url) for due in found.due] == [(EventType.COMPLETED, "https://other.test/")]
    assert not await desk.store.write(endpoints.change("we_2", "https://other.test/", USUAL, 95))


async def test_disabling_queues_and_enabling_drains(desk: Any) -> None:
    """What is pending is queued with what comes; enabled again the endpoint is to be drained, and tells its queue."""
    await desk.store.write(endpoints.create(HOOK))
    await desk.done("a")
    assert await desk.store.write(endpoints.disable("we_1", Why.FAILURES, 400))
    assert not await desk.store.write(endpoints.disable("we_1", Why.OWNER, 401))
    await desk.done("b")
    assert await states(desk) == [DeliveryState.QUEUED] * 4
    assert await desk.store.write(endpoints.drain("we_1")) is None
    assert await desk.store.write(endpoints.enable("we_1", 410))
    assert not await desk.store.write(endpoints.enable("we_1", 411))
    assert await desk.store.read(endpoints.draining()) == ["we_1"]
    assert await desk.store.write(endpoints.drain("we_1")) == 4


async def test_the_queue_is_taken_oldest_first_under_new_ids(desk: Any) -> None:
    """A drain takes one after the other until none is left, which ends it."""
    await desk.store.write(endpoints.create(HOOK))
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 95))
    await desk.done("a")
    await desk.store.write(endpoints.enable("we_1", 400))
    first = await desk.store.write(deliveries.take("we_1", "id-1", 900))
    second = await desk.store.write(deliveries.take("we_1", "id-2", 900))
    assert [(due.type, due.id) for due in (first, second)] == [
        (EventType.STARTED, "id-1"),
        (EventType.COMPLETED, "id-2"),
    ]
    assert (await desk.store.read(deliveries.due(800, ROOM))).due == ()
    assert await desk.store.write(deliveries.take("we_1", "id-3", 900)) is None
    assert await desk.store.read(endpoints.draining()) == []


async def test_a_drain_stops_with_its_endpoint(desk: Any) -> None:
    """Nothing more is taken for an endpoint that was disabled in the middle of its drain."""
    await desk.store.write(endpoints.create(HOOK))
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 95))
    await desk.done("a")
    await desk.store.write(endpoints.enable("we_1", 400))
    await desk.store.write(deliveries.take("we_1", "id-1", 900))
    await desk.store.write(endpoints.disable("we_1", Why.GONE, 410))
    assert await desk.store.write(deliveries.take("we_1", "id-2", 900)) is None
    assert await states(desk) == [DeliveryState.QUEUED] * 2


async def test_a_secret_is_counted(desk: Any) -> None:
    """Each rotation goes on by one and keeps the one before for a while; secrets of the policy are not counted here."""
    await desk.store.write(endpoints.create(HOOK))
    assert await desk.store.write(endpoints.rotate("we_1", 5000, 400)) == 2
    found = await desk.store.read(endpoints.find("we_1"))
    assert (found.version, found.previous_until) == (2, 5000)
    await desk.store.write(endpoints.sync([of_policy(None, "https://ops.test/", USUAL, 400)], 900, 400))
    [config] = [each for each in await desk.store.read(endpoints.list_()) if each.source is Source.CONFIG]
    assert await desk.store.write(endpoints.rotate(config.id, 5000, 400)) is None


async def test_what_waits_goes_with_the_endpoint(desk: Any) -> None:
    """Deleted, an endpoint is not found, its deliveries are over, and nothing is owed to it any more."""
    await desk.store.write(endpoints.create(HOOK))
    await desk.done("a")
    assert await desk.store.write(endpoints.delete("we_1", 400))
    assert not await desk.store.write(endpoints.delete("we_1", 401))
    assert await desk.store.read(endpoints.find("we_1")) is None
    await desk.done("b")
    rows = await desk.store.report(deliveries.page("we_1", 50))
    assert [(row.state, row.error) for row in rows] == [(DeliveryState.FAILED, "endpoint_deleted")] * 2


async def test_the_policy_has_its_endpoints_as_it_says(desk: Any) -> None:
    """Reading the policy anew adds, changes and takes away its own endpoints, and leaves the others alone."""
    await desk.store.write(endpoints.create(HOOK))
    one, two = (of_policy(None, f"https://{name}.test/", USUAL, 400) for name in ("one", "two"))
    await desk.store.write(endpoints.sync([one, two], 900, 400))
    await desk.store.write(endpoints.disable(one.id, Why.FAILURES, 410))
    await desk.store.write(endpoints.sync([of_policy(None, "https://one.test/", OFFERED, 420)], 900, 420))
    found = {each.id: each for each in await desk.store.read(endpoints.list_())}
    assert set(found) == {"we_1", one.id}
    assert (found[one.id].account, found[one.id].events, found[one.id].why) == (EVERY, OFFERED, Why.FAILURES)
    await desk.store.write(endpoints.sync([two], 900, 430))
    assert {each.id for each in await desk.store.read(endpoints.list_())} == {"we_1", two.id}


async def test_a_test_is_for_one_endpoint_alone(desk: Any) -> None:
    """A test is owed to its endpoint whatever that listens to, and not while it is disabled."""
    await desk.store.write(endpoints.create(HOOK))
    await desk.store.write(endpoints.create(Endpoint("we_2", "acme", Source.API, "https://two.test/", OFFERED, 90)))
    event = "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69"
    sent = await desk.store.write(endpoints.test("we_1", event, 400))
    found = await desk.store.read(deliveries.due(1000, ROOM))
    assert [(due.id, due.type, due.endpoint) for due in found.due] == [(sent, EventType.TEST, "we_1")]
    await desk.store.write(endpoints.disable("we_1", Why.OWNER, 410))
    assert await desk.store.write(endpoints.test("we_1", event, 420)) is None


def sealed(secret: str, name: str = "one") -> Endpoint:
    """An endpoint of the policy with a secret, as if it was sealed."""
    return replace(of_policy(None, f"https://{name}.test/", USUAL, 400), sealed=secret)


async def signing(desk: Any, now: int) -> tuple[str | None, int | None]:
    """What a delivery to the endpoint of the policy would be signed with beside its own secret, and until when."""
    [found] = (await desk.store.read(deliveries.due(now, ROOM))).due
    return found.previous, found.previous_until


async def test_a_secret_replaced_in_the_policy_is_kept_for_a_while(desk: Any) -> None:
    """Whoever reads the policy later still knows the secret it had, until that one's time is over; the same again changes nothing."""
    for at, secret in ((400, "old"), (410, "old")):
        await desk.store.write(endpoints.sync([sealed(secret)], at + 900, at))
    await desk.accept("a")
    await desk.store.write(generations.fail("a", {}, 420))
    assert await signing(desk, 1000) == (None, None)
    for at in (430, 440):
        await desk.store.write(endpoints.sync([sealed("new")], at + 900, at))
    assert await signing(desk, 1000) == ("old", 1330)
    await desk.store.write(endpoints.forget_secrets(1329))
    assert await signing(desk, 1000) == ("old", 1330)
    await desk.store.write(endpoints.forget_secrets(1330))
    assert (await signing(desk, 1000))[0] is None


async def test_a_dropped_endpoint_leaves_no_secret(desk: Any) -> None:
    """What the policy names no more is forgotten at once, and nothing of it signs when it is named again."""
    await desk.store.write(endpoints.sync([sealed("old")], 900, 400))
    await desk.store.write(endpoints.sync([sealed("new")], 900, 410))
    await desk.store.write(endpoints.sync([], 900, 420))
    with desk.raw() as connection:
        assert [tuple(row) for row in connection.execute("SELECT sealed, previous FROM endpoint")] == [(None, None)]
    await desk.store.write(endpoints.sync([sealed("third")], 900, 430))
    await desk.accept("a")
    await desk.store.write(generations.fail("a", {}, 440))
    assert (await signing(desk, 1000))[0] is None
