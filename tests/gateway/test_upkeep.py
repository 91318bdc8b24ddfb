"""Upkeep: counts written down, files and records removed when they have been kept long enough."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway import metrics
from gateway.ingress.account import Tallies
from gateway.ingress.envelope import Answered
from gateway.ledger import checks, credits, deliveries, endpoints, generations
from gateway.ledger.deliveries import Attempted, Room
from gateway.ledger.endpoints import of_policy
from gateway.ledger.events import EventType
from gateway.ledger.usage import DAY, report
from gateway.providers.catalog import Catalog
from gateway.upkeep import Ages, Upkeep
from tests.gateway.ingress.house import ACCOUNT, House, catalog, opened

HOUR = 60 * 60
AGES = Ages(outputs=DAY, records=30 * DAY, usage=365 * DAY)
PACKS: Catalog = catalog()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The front rooms, on a clock that is moved."""
    async with opened(tmp_path, PACKS) as made:
        yield made


def upkeep(house: House, tallies: Tallies | None = None) -> Upkeep:
    """Upkeep of the house."""
    return Upkeep(house.store, house.artifacts, tallies or house.tallies, None, house.clock, AGES)


def text_of(house: House) -> str:
    """Everything that the store's file holds about generations and attempts."""
    with closing(sqlite3.connect(house.store.path)) as connection:
        tables = ("generation", "attempt", "idempotency", "event")
        return repr([connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables])


def files(house: House) -> int:
    """How many files are stored."""
    return sum(path.is_file() for path in house.artifacts._root.rglob("*.png"))


async def test_files_go_first_and_the_record_stays(house: House) -> None:
    """After a day the files are gone and the record says so; not an hour before."""
    made = await house.create()
    await house.succeed(made, files=2)
    await house.clock.advance(23 * HOUR)
    await upkeep(house).sweep()
    assert files(house) == 2
    await house.clock.advance(2 * HOUR)
    await upkeep(house).sweep()
    assert files(house) == 0
    record = await house.store.read(generations.find(ACCOUNT, made))
    assert record is not None
    assert record.removed is not None


async def test_a_record_is_deleted_when_its_time_is_over(house: House) -> None:
    """After thirty days nothing of what was asked is left, and what was paid is."""
    body = {"generation_prompt": "a seal nobody may know of"}
    made = await house.create(body=body, headers={"Idempotency-Key": "one"})
    await house.succeed(made)
    lost = await house.create(body=body)
    await house.fail(lost)
    before = await house.store.read(credits.show(ACCOUNT))
    await house.clock.advance(29 * 24 * HOUR)
    await upkeep(house).sweep()
    await upkeep(house).expire()
    assert "nobody may know" in text_of(house)
    await house.clock.advance(2 * 24 * HOUR)
    await upkeep(house).expire()
    assert "nobody may know" not in text_of(house)
    assert await house.store.read(generations.find(ACCOUNT, made)) is None
    assert await house.store.read(generations.page(ACCOUNT, 10, 0)) == ([], 0)
    assert await house.store.read(credits.show(ACCOUNT)) == before
    [paid, _] = await house.store.read(credits.entries(ACCOUNT))
    assert paid.reference == made
    assert (await house.store.report(report(ACCOUNT, 0))).generations == 2
    assert await house.store.report(checks.run_checks(house.clock.now_ms(), 0)) == []


async def test_what_has_not_ended_never_expires(house: House) -> None:
    """Age alone deletes nothing that is still under way."""
    made = await house.create()
    await house.clock.advance(40 * 24 * HOUR)
    await upkeep(house).expire()
    assert await house.store.read(generations.find(ACCOUNT, made)) is not None


async def test_a_record_takes_its_files_with_it(tmp_path: Path) -> None:
    """Where files are kept longer than records, they go with the record all the same."""
    async with opened(tmp_path, PACKS) as house:
        await house.succeed(await house.create())
        await house.clock.advance(2 * HOUR)
        keeper = Upkeep(house.store, house.artifacts, house.tallies, None, house.clock, Ages(DAY, HOUR * 1000, DAY))
        await keeper.expire()
        assert files(house) == 0


async def test_many_go_in_small_batches(house: House) -> None:
    """However many are due, each write takes a few of them, and in the end all are gone."""
    for _ in range(7):
        await house.fail(await house.create())
    now = house.clock.now_ms()
    gone = [len(await house.store.write(generations.expire(now + 1, now, limit=3))) for _ in range(4)]
    assert gone == [3, 3, 1, 0]


async def test_what_was_told_goes_with_the_records(house: House) -> None:
    """After thirty days nothing is left of events that were told; one that is still owed stays until it is not."""
    now = house.clock.now_ms
    hook = of_policy(None, "https://hooks.test/", [EventType.FAILED], now())
    await house.store.write(endpoints.sync([hook], now(), now()))
    for _ in range(2):
        await house.fail(await house.create())
    [told, owed] = (await house.store.read(deliveries.due(now(), Room(9, 9, {}, {})))).due
    await house.store.write(deliveries.attempted(told, Attempted(now(), now(), arrived=True, status=204), 9))
    left = []
    for days in (29, 2, 30):
        await house.clock.advance(days * 24 * HOUR)
        await upkeep(house).expire()
        left.append([each.id for each in await house.store.report(deliveries.page(told.endpoint, 9))])
        assert await house.store.report(checks.run_checks(now(), 0)) == []
        if days == 2:
            await house.store.write(deliveries.attempted(owed, Attempted(now(), now(), arrived=False), 9))
    assert left == [[owed.id, told.id], [owed.id], [owed.id]]
    await house.clock.advance(2 * 24 * HOUR)
    await upkeep(house).expire()
    assert await house.store.report(deliveries.page(told.endpoint, 9)) == []


async def test_counts_go_after_a_year(house: House) -> None:
    """Counts of requests are forgotten by the day, when they are older than they are kept."""
    tallies = Tallies()
    for days in (0, 364, 366):
        at = house.clock.now_ms() - days * DAY
        tallies.count(Answered(ACCOUNT, "generate", 200, "", 0.1, at))
    await upkeep(house, tallies).flush()
    assert (await house.store.report(report(ACCOUNT, 0))).endpoints[0].total == 3
    await upkeep(house).expire()
    assert (await house.store.report(report(ACCOUNT, 0))).endpoints[0].total == 2


async def test_a_loop_that_is_late_is_measured(house: House) -> None:
    """Twice a second it is measured how late the loop comes to what is due."""

    class Late(type(house.clock)):  # type: ignore[misc] # the clock of the tests, whoever made it
        """A clock whose sleepers wake three seconds late."""

        async def sleep(self, seconds: float) -> None:
            """Wait, and three seconds more."""
            await super().sleep(seconds + 3)

    def measured() -> tuple[float, float]:
        [series] = metrics.LOOP_LAG.collect()
        found = {sample.name.rpartition("_")[2]: sample.value for sample in series.samples}
        return found["count"], found["sum"]

    clock = Late()
    keeper = Upkeep(house.store, house.artifacts, house.tallies, None, clock, AGES)
    before = measured()
    watching = asyncio.create_task(keeper.watch())
    await clock.advance(7)
    watching.cancel()
    assert tuple(after - was for after, was in zip(measured(), before, strict=True)) == (2, 6)
