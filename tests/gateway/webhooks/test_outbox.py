"""What is owed arrives: once if it can, again if it must, and never at the others' cost."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from gateway.ledger import deliveries, endpoints
from gateway.ledger.deliveries import DeliveryState
from gateway.ledger.endpoints import Why
from gateway.ledger.events import EventType
from gateway.webhooks import sign
from gateway.webhooks.event import Words
from gateway.webhooks.schedule import Answered, Outcome, Unanswered
from tests.gateway.webhooks.office import DAY, OK, WAITS, Office, office
from tests.gateway.webhooks.receiver import until

DOWN = Unanswered("unreachable")
DELIVERED, FAILED, QUEUED = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.QUEUED


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    """An outbox that runs."""
    async with office(tmp_path) as made:
        yield made


def standard(sent: object, secret: str) -> bool:
    """Whether a delivery carries the signature of a secret."""
    headers, body = sent.headers, sent.body  # type: ignore[attr-defined] # a record of the office
    expected = sign.standard(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    return expected in headers["webhook-signature"].split()


async def test_what_is_owed_arrives(at: Office) -> None:
    """An event is posted signed soon after its commit, and its delivery is over."""
    url = await at.listen("a")
    generation = await at.fail()
    await at.go(0.1)
    [sent] = at.sent
    assert (sent.url, sent.data["generation_id"], sent.headers["X-BabySea-Event"]) == (
        url,
        generation,
        "generation.failed",
    )
    assert standard(sent, at.secrets.derived("we_a", 1))
    [row] = await at.log("a")
    assert (row.state, row.id, row.status) == (DELIVERED, sent.id, 204)


async def test_what_was_owed_before_the_start_arrives(at: Office) -> None:
    """Whatever waits in the store when the outbox starts is sent."""
    await at.listen("a")
    await at.outbox.stop()
    await at.fail()
    at.open()
    await at.go(0.1)
    assert len(at.sent) == 1


async def test_a_failure_is_tried_again_under_the_same_id(at: Office) -> None:
    """Attempts come by the schedule, a fifth off at most, with one id and a fresh time, until it is taken."""
    url = await at.listen("a")
    at.answers[url] = Answered(500)
    await at.fail()
    await at.go(30, 0.25)
    gaps = [later.at - sooner.at for sooner, later in zip(at.sent, at.sent[1:], strict=False)]
    assert all(0.8 * wait <= gap <= 1.2 * wait + 0.5 for gap, wait in zip(gaps, (1, 4, 16), strict=False))
    assert len(gaps) >= 3
    at.answers[url] = OK
    await at.go(60, 1)
    assert len({sent.id for sent in at.sent}) == 1
    assert len({sent.headers["webhook-timestamp"] for sent in at.sent}) == len(at.sent)
    [row] = await at.log("a")
    assert (row.state, row.attempts, row.error) == (DELIVERED, len(at.sent), None)


async def test_six_days_of_nobody(at: Office) -> None:
    """One event is tried ten times in 18 hours; what fails in a row disables, is queued, and is given up after three days."""
    at.answers[await at.listen("a")] = DOWN
    await at.fail()
    await at.go(120, 1)
    await at.go(DAY, 300)
    [row] = await at.log("a")
    assert (row.state, row.attempts, row.error) == (FAILED, len(WAITS), "unreachable")
    assert 0.8 * sum(WAITS) <= (row.attempted or 0) - row.created <= 1.2 * sum(WAITS) + 2_000_000
    await at.fail()
    await at.go(2 * DAY, 300)
    assert (await at.endpoint("a")).why is Why.FAILURES
    assert len(at.sent) == 15
    await at.fail()
    assert [each.state for each in await at.log("a")] == [FAILED, QUEUED, QUEUED]
    await at.go(3 * DAY + 1000, 600)
    assert [each.state for each in await at.log("a")] == [FAILED, DeliveryState.EXPIRED, DeliveryState.EXPIRED]
    assert len(at.sent) == 15


async def test_gone_disables(at: Office) -> None:
    """410 ends the delivery and the endpoint at once."""
    at.answers[await at.listen("a")] = Answered(410)
    await at.fail()
    await at.go(0.1)
    assert (await at.endpoint("a")).why is Why.GONE
    assert [each.state for each in await at.log("a")] == [FAILED]


async def test_a_burst_into_an_outage_disables_nobody(at: Office) -> None:
    """A hundred events that meet a receiver which restarts for some seconds all arrive after it, and it stays enabled."""
    url = await at.listen("a")
    at.answers[url] = DOWN
    for _ in range(100):
        await at.fail()
    await at.go(10, 0.5)
    assert (await at.endpoint("a")).is_active
    at.answers[url] = OK
    await at.go(120, 0.5)
    assert {each.state for each in await at.log("a")} == {DELIVERED}


async def test_a_queue_is_drained_in_order_one_by_one(at: Office) -> None:
    """Enabled again, an endpoint gets what it missed: oldest first, never two at once, under new ids."""
    url = await at.listen("a")
    await at.store.write(endpoints.disable("we_a", Why.OWNER, at.clock.now_ms()))
    missed = [await at.fail() for _ in range(5)]
    ids = {each.id for each in await at.log("a")}
    await at.go(1)
    assert at.sent == []
    await at.store.write(endpoints.enable("we_a", at.clock.now_ms()))
    await at.go(2, 0.1)
    assert [sent.data["generation_id"] for sent in at.sent] == missed
    assert at.most_at_once[url] == 1
    assert not ids & {sent.id for sent in at.sent}
    assert {each.state for each in await at.log("a")} == {DELIVERED}
    assert not (await at.endpoint("a")).draining


async def test_what_was_sent_and_not_written_down_is_sent_again(at: Office) -> None:
    """After a process that died in the middle, the next sends the same delivery under the same id."""
    at.answers[await at.listen("a")] = at.hang
    await at.fail()
    await at.clock.advance(0.1)
    await until(lambda: bool(at.sent))
    for task in [*at.outbox._tasks, at.outbox._looking]:
        task.cancel()
    await asyncio.sleep(0.01)
    at.answers.clear()
    at.open()
    await at.go(0.1)
    first, second = at.sent
    assert first.id == second.id
    assert [each.attempts for each in await at.log("a")] == [1]


async def test_both_secrets_sign_while_one_is_replaced(at: Office) -> None:
    """A rotation between two attempts: the receiver verifies with either secret, and after a day with the new one alone."""
    url = await at.listen("a")
    at.answers[url] = Answered(500)
    await at.fail()
    await at.go(0.1)
    now = at.clock.now_ms()
    await at.store.write(endpoints.rotate("we_a", now + sign.OVERLAP, now))
    at.answers[url] = OK
    await at.go(5, 0.5)
    old, new = at.secrets.derived("we_a", 1), at.secrets.derived("we_a", 2)
    assert [(standard(sent, old), standard(sent, new)) for sent in at.sent] == [(True, False), (True, True)]
    await at.go(DAY, DAY / 4)
    await at.fail()
    await at.go(0.1)
    assert (standard(at.sent[-1], old), standard(at.sent[-1], new)) == (False, True)


async def test_receivers_that_hang_cost_the_others_nothing(at: Office) -> None:
    """With half of all receivers hanging, the others have their events in less than two seconds."""
    names = [f"e{n}" for n in range(60)]
    urls = [await at.listen(name) for name in names]
    at.answers |= dict.fromkeys(urls[::2], at.hang)
    for _ in range(20):
        await at.fail()
    await at.go(2, 0.05)
    arrived = [len([sent for sent in at.sent if sent.url == url]) for url in urls[1::2]]
    assert arrived == [20] * 30


async def test_no_endpoint_gets_more_than_ten_at_once(at: Office) -> None:
    """What an endpoint is sent at once grows as it takes it, to ten and no further; the order is theirs to sort out."""
    url = await at.listen("a")

    async def slow() -> Outcome:
        await asyncio.sleep(0.005)
        return OK

    at.answers[url] = slow
    for _ in range(100):
        await at.fail()
    while len(at.sent) < 100:
        await at.clock.advance(0.05)
        await asyncio.sleep(0.005)
    await at.settle()
    assert 5 < at.most_at_once[url] <= 10
    assert len({sent.id for sent in at.sent}) == 100


async def test_memory_does_not_grow_with_what_is_owed(at: Office) -> None:
    """With ten thousand deliveries due no more than two hundred are taken, and memory stays as it is."""
    for n in range(250):
        at.answers[await at.listen(f"e{n}")] = at.hang
    for _ in range(40):
        await at.fail()
    tracemalloc.start()
    try:
        await at.go(0.5, 0.05)
        assert at.outbox.busy == 200
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert (await at.store.read(deliveries.due(0, at.outbox._windows.room(0)))).backlog == 10_000


async def test_a_defect_in_one_event_is_a_failure_like_another(at: Office) -> None:
    """An event that cannot be worded fails by the schedule, and the others arrive."""

    def broken(_generation: str, _artifact: object) -> str:
        raise AssertionError("no outputs here")

    def failure(record: object) -> tuple[str, str]:
        if record.id == "g1":  # type: ignore[attr-defined] # a record of the store
            raise LookupError
        return "no", "BSE1"

    await at.outbox.stop()
    at.words = Words(broken, failure)
    at.open()
    await at.listen("a")
    for _ in range(2):
        await at.fail()
    await at.go(20, 0.5)
    first, second = await at.log("a")
    assert (first.state, first.error) == (DeliveryState.PENDING, "internal_error")
    assert second.state is DELIVERED


async def test_a_replay_is_sent_under_its_own_id(at: Office) -> None:
    """What was told is told once more, with the same content."""
    await at.listen("a")
    await at.fail()
    await at.go(0.1)
    new = "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69"
    assert await at.store.write(deliveries.replay("we_a", at.sent[0].id, new, at.clock.now_ms()))
    await at.go(0.1)
    assert [sent.id for sent in at.sent[1:]] == [new]
    assert at.sent[0].data == at.sent[1].data


async def test_no_id_holds_a_dot(at: Office) -> None:
    """S76: whatever the endpoint is called, the id that is signed between dots is a UUID, for events, queued ones and tests."""
    await at.listen("a.b..c")
    for _ in range(20):
        await at.fail()
    await at.go(60, step=1)
    await at.store.write(endpoints.disable("we_a.b..c", Why.OWNER, at.clock.now_ms()))
    await at.fail()
    await at.store.write(endpoints.enable("we_a.b..c", at.clock.now_ms()))
    await at.store.write(endpoints.test("we_a.b..c", "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69", at.clock.now_ms()))
    await at.go(60, step=1)
    found = {sent.id for sent in at.sent}
    assert len(found) == 22
    assert all(str(UUID(each)) == each and "." not in each for each in found)


async def test_a_test_is_sent_whatever_is_wanted(at: Office) -> None:
    """A test arrives although only something else is wanted, with the signature of the native API."""
    await at.listen("a", hears=(EventType.LOW_BALANCE,))
    event = "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69"
    sent_id = await at.store.write(endpoints.test("we_a", event, at.clock.now_ms()))
    await at.go(0.1)
    [sent] = at.sent
    assert (sent.id, sent.data["account_id"]) == (sent_id, "acme")
    seconds = int(sent.headers["webhook-timestamp"])
    assert sent.headers["X-BabySea-Signature"] == sign.native(at.secrets.derived("we_a", 1), seconds, sent.body)


async def test_new_rules_count_at_once(at: Office) -> None:
    """Rules that are replaced while it runs hold for the next attempt."""
    at.answers[await at.listen("a")] = DOWN
    at.outbox.rules = at.outbox.rules.__class__((0,), 15_000, 2, 1000)
    await at.fail()
    await at.go(0.1)
    assert [each.state for each in await at.log("a")] == [FAILED]
    await at.fail()
    await at.go(0.1)
    assert (await at.endpoint("a")).why is Why.FAILURES
