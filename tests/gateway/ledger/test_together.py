"""What many ask for at the same time: the same rows as one by one, in both engines, whatever the crowd is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.generation import State
from gateway.ledger import accounts, alerts, attempts, checks, endpoints, generations, spending
from gateway.ledger.accounts import Allowance
from gateway.ledger.callbacks import Callback
from gateway.ledger.credits import add
from gateway.ledger.database import Database
from gateway.ledger.events import EventType
from gateway.ledger.generations import Idempotency, KeyMismatch, Lately, Replay, ShortOfCredit
from gateway.ledger.together import Beginning, Begun, Delivery, Opening, Settled, begin, deliver
from tests.gateway.ledger.conftest import ACCOUNT, CREDIT, Desk, new, picture
from tests.gateway.ledger.test_endpoints import HOOK

OPENING = Opening("one", "x/y", 0, 40_000)
_VOLATILE = {
    "seq",
    "id",
    "generation",
    "txn",
    "event",
}  # numbers in order of writing; generations are told by their names


def beginning(name: str, *, opening: Opening | None = OPENING, key: str | None = None, **changes: Any) -> Beginning:
    """A generation that begins with its first attempt."""
    return Beginning(new(name, **changes), key, opening=opening)


def delivery(name: str, attempt: int, **changes: Any) -> Delivery:
    """Its outputs."""
    fields: dict[str, Any] = {"links": [{"url": "https://x.test/1"}], "artifacts": [picture()], "captured": CREDIT}
    return Delivery(name, attempt, **(fields | changes), at=300, provider="one")


async def crowd(store: Database, wishes: Sequence[Any]) -> list[Any]:
    """Want all of it at the same time."""
    return list(await asyncio.gather(*(store.write(each) for each in wishes), return_exceptions=True))


async def one_by_one(store: Database, wishes: Sequence[Any]) -> list[Any]:
    """Want it one after the other, each as a program of its own."""
    return [await store.write(each.many.apart(each.item)) for each in wishes]


def named(cursor: Any) -> list[dict[str, Any]]:
    """Rows of either engine by the names of their columns."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows(desk: Desk) -> dict[str, list[tuple[Any, ...]]]:
    """All that stands in the tables of work and money but the numbers of rows."""
    tables = ("generation", "attempt", "hold", "idempotency", "artifact", "txn", "account", "account_spend", "alert")
    with desk.raw() as connection:
        found = {}
        for table in tables:
            listed = named(connection.execute(f"SELECT * FROM {table}"))
            found[table] = sorted(
                tuple(
                    (name, str(value)) for name, value in row.items() if name not in _VOLATILE or isinstance(value, str)
                )
                for row in listed
            )
        entries = connection.execute("SELECT t.ref, e.account_id, e.delta FROM entry e JOIN txn t ON t.id = e.txn")
        found["entry"] = sorted(tuple(row.items()) for row in named(entries))
        return found


async def test_a_crowd_begins_and_is_delivered(desk: Desk) -> None:
    """Seven at once are accepted with their attempts, and their outputs delivered, as if each had come alone."""
    names = [f"g{number}" for number in range(7)]
    begun = await crowd(desk.store, [begin(beginning(name)) for name in names])
    assert all(isinstance(each, Begun) and each.attempt is not None for each in begun)
    found = [await desk.store.read(generations.find(ACCOUNT, name, attempts=True)) for name in names]
    assert [each.state for each in found if each] == [State.SUBMITTING] * 7
    assert [each.attempts[0].id for each in found if each] == [each.attempt for each in begun]
    told = await crowd(desk.store, [deliver(delivery(n, b.attempt)) for n, b in zip(names, begun, strict=True)])
    assert told == [True] * 7
    assert await desk.balance() == (3, 0)


@pytest.mark.parametrize("opening", [OPENING, None], ids=["opened", "accepted"])
async def test_a_crowd_leaves_the_rows_that_one_by_one_leaves(
    desk: Desk, opening: Opening | None, tmp_path: Any
) -> None:
    """Begun and delivered together or apart, every table holds the same but for the steps of the journal that were saved."""
    together = await crowd(desk.store, [begin(beginning(f"g{n}", opening=opening)) for n in range(4)])
    if opening is not None:
        await crowd(desk.store, [deliver(delivery(f"g{n}", each.attempt)) for n, each in enumerate(together)])
    other = await Database.open(tmp_path / "other.db", now=lambda: 1)
    try:
        await other.write(accounts.create(ACCOUNT, "Acme", 50))
        await other.write(add(ACCOUNT, 10 * CREDIT, "first", "", 60))
        apart = await one_by_one(other, [begin(beginning(f"g{n}", opening=opening)) for n in range(4)])
        if opening is not None:
            await one_by_one(other, [deliver(delivery(f"g{n}", each.attempt)) for n, each in enumerate(apart)])
        assert rows(desk) == rows(replace(desk, store=other, place=str(other.path)))
        assert await other.report(checks.run_checks(now=400, grace=0)) == []
    finally:
        await other.close()


async def test_an_account_that_runs_short_bears_what_it_can(desk: Desk) -> None:
    """Of twelve that cost a credit each, an account of ten bears ten, whatever came together; two are told what is left."""
    begun = await crowd(desk.store, [begin(beginning(f"g{n}")) for n in range(12)])
    assert sum(isinstance(each, Begun) for each in begun) == 10
    assert [each.available for each in begun if isinstance(each, ShortOfCredit)] == [0, 0]
    assert await desk.balance() == (10, 10)


async def test_who_runs_short_takes_nothing_from_others(desk: Desk) -> None:
    """One account without credits beside one that has them: the one is refused, the other's work begins."""
    await desk.store.write(accounts.create("poor", "Poor", 50))
    wishes = [begin(beginning("a", account="poor")), begin(beginning("b")), begin(beginning("c", account="nobody"))]
    poor, rich, nobody = await crowd(desk.store, wishes)
    assert isinstance(poor, ShortOfCredit)
    assert isinstance(rich, Begun)
    assert isinstance(nobody, ShortOfCredit)


async def test_the_same_key_twice_in_a_crowd_begins_once(desk: Desk) -> None:
    """Of three with one key, one begins, one with the same request replays it, and one with another request is refused."""
    key = Idempotency("k", "f1", '{"a":1}')
    wishes = [begin(beginning(name, idempotency=key)) for name in ("a", "b")]
    wishes.append(begin(beginning("c", idempotency=replace(key, fingerprint="f2"))))
    first, second, third = await crowd(desk.store, wishes)
    assert isinstance(first, Begun)
    assert second == Replay('{"a":1}', "a", State.SUBMITTING)
    assert third == KeyMismatch("a")
    again = await desk.store.write(begin(beginning("d", idempotency=key)))
    assert isinstance(again, Replay)


async def test_a_key_made_of_the_request_stands_for_the_latest(desk: Desk) -> None:
    """Equal requests that nobody sent again are as many generations, in a crowd too; one sent again finds the latest."""
    unmeant, meant = Lately(0, 0, 0), Lately(0, 10**15, 0)
    key = Idempotency("~k", "f", "{}", unmeant)
    begun = await crowd(desk.store, [begin(beginning(name, idempotency=key)) for name in ("a", "b")])
    assert all(isinstance(each, Begun) for each in begun)
    again = await desk.store.write(begin(beginning("c", idempotency=replace(key, lately=meant))))
    assert isinstance(again, Replay)


async def test_caps_hold_in_a_crowd(desk: Desk) -> None:
    """An account that may have two pictures under way has two of five that come at once."""
    usual = Allowance(images=2)
    begun = await crowd(desk.store, [begin(replace(beginning(f"g{n}"), usual=usual)) for n in range(5)])
    assert sum(isinstance(each, Begun) for each in begun) == 2
    assert sum(isinstance(each, spending.Busy) for each in begun) == 3


async def test_low_credit_is_told_of_once(desk: Desk) -> None:
    """A crowd that takes the balance below a threshold fires it."""
    await desk.store.write(alerts.set_(ACCOUNT, [6 * CREDIT]))
    await crowd(desk.store, [begin(beginning(f"g{n}")) for n in range(5)])
    [alert] = await desk.store.read(alerts.show(ACCOUNT))
    assert alert.fired == 100


async def test_whoever_is_told_hears_of_each(desk: Desk) -> None:
    """With an endpoint, or an address that came with the request, a crowd owes the same events as one by one."""
    await desk.store.write(endpoints.create(HOOK))
    wishes = [begin(beginning(name)) for name in ("a", "b")]
    wishes.append(begin(beginning("c", callback=Callback("native", "https://x.test/hook", (EventType.COMPLETED,)))))
    begun = await crowd(desk.store, wishes)
    await crowd(desk.store, [deliver(delivery(n, b.attempt)) for n, b in zip("abc", begun, strict=True)])
    with desk.raw() as connection:
        cursor = connection.execute(
            "SELECT g.id, v.type, COUNT(*) AS n FROM delivery d JOIN event v ON v.seq = d.event "
            "JOIN generation g ON g.seq = v.generation GROUP BY g.id, v.type"
        )
        told = {(row["id"], row["type"]): row["n"] for row in named(cursor)}
    assert told == {
        **{(name, f"generation.{word}"): 1 for name in "ab" for word in ("started", "completed")},
        ("c", "generation.started"): 1,
        ("c", "generation.completed"): 2,
    }


async def test_what_ended_meanwhile_is_not_delivered(desk: Desk) -> None:
    """Beside two that are waited for, one that was canceled and one that never was are told so and change nothing."""
    begun = await crowd(desk.store, [begin(beginning(name)) for name in "abc"])
    await desk.store.write(generations.cancel(ACCOUNT, "b", 250))
    wishes = [deliver(delivery(n, b.attempt)) for n, b in zip("abc", begun, strict=True)]
    assert await crowd(desk.store, [*wishes, deliver(delivery("x", 99))]) == [True, False, True, False]
    assert await desk.balance() == (8, 0)


async def test_what_breaks_a_rule_alone_breaks_nothing_of_the_others(desk: Desk) -> None:
    """One that captures more than its hold is refused; its neighbours of the same batch are delivered."""
    begun = await crowd(desk.store, [begin(beginning(name)) for name in "abc"])
    captured = {"b": 2 * CREDIT}
    wishes = [
        deliver(delivery(n, each.attempt, captured=captured.get(n, CREDIT)))
        for n, each in zip("abc", begun, strict=True)
    ]
    told = await crowd(desk.store, wishes)
    assert [told[0], told[2]] == [True, True]
    assert isinstance(told[1], Exception)
    assert await desk.balance() == (8, 1)


async def test_several_attempts_are_settled_apart(desk: Desk) -> None:
    """Where another attempt was made, the delivered one wins as it does alone."""
    begun = await desk.store.write(begin(beginning("a")))
    assert isinstance(begun, Begun)
    assert begun.attempt is not None
    second = await desk.open("a", 2, "two")
    assert await desk.store.write(deliver(delivery("a", second, others=True)))
    found = await desk.store.read(generations.find(ACCOUNT, "a", attempts=True))
    assert found is not None
    assert [each.won for each in found.attempts] == [False, True]


async def test_a_running_job_is_delivered(desk: Desk) -> None:
    """A job whose outputs need no fetching goes from running to its end, and keeps its reference."""
    begun = await crowd(desk.store, [begin(beginning(name)) for name in "ab"])
    for name, each in zip("ab", begun, strict=True):
        assert await desk.store.write(attempts.submitted(each.attempt, name, {"id": name}, 210)) is True
    assert await crowd(desk.store, [deliver(delivery(n, b.attempt)) for n, b in zip("ab", begun, strict=True)])
    found = await desk.store.read(generations.find(ACCOUNT, "a"))
    assert found is not None
    assert (found.prediction, found.started, found.ended) == ("a", 210, 300)


async def test_a_request_that_brings_files_is_written_alone(desk: Desk) -> None:
    """Large values are not carried through a statement for many, and are kept all the same."""
    large = {"prompt": "a seal", "image": "data:image/png;base64," + "A" * 100_000}
    begun = await crowd(desk.store, [begin(beginning("a", request=large)), begin(beginning("b"))])
    assert all(isinstance(each, Begun) for each in begun)
    found = await desk.store.read(generations.find(ACCOUNT, "a"))
    assert found is not None
    assert found.request == large


async def test_the_end_as_it_is_handed_over_is_the_end_as_it_is_read(desk: Desk) -> None:
    """Whoever waited gets the record without a look at the store, and it is the same to the last field."""
    item = beginning(
        "a", request={"prompt": "a seal", "images": ("https://x.test/1",)}, adjustments=[{"field": "size"}]
    )
    begun = await desk.store.write(begin(item))
    assert isinstance(begun, Begun)
    assert begun.attempt is not None
    last = delivery("a", begun.attempt, reported_cost=7)
    assert await desk.store.write(deliver(last))
    read = await desk.store.read(generations.find(ACCOUNT, "a", attempts=True))
    assert Settled(OPENING, last).record(item.new) == read
