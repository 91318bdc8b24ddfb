"""Batches: shared commits, separate fates."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from typing import Any

import aiosqlite
import pytest

from gateway.ledger import accounts
from gateway.ledger.database import Database
from gateway.ledger.lane import LARGEST_BATCH
from gateway.ledger.program import (
    ConstraintBroken,
    Program,
    StoreBroken,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
    ask,
    one,
)
from gateway.ledger.sqlite import translate


@pytest.fixture
def engine() -> str:
    """What is asked here is about a file."""
    return "file"


def writer(store: Database) -> aiosqlite.Connection:
    """The store's writing connection."""
    return store._engine._writing


async def names(store: Database) -> list[str]:
    return [account.id for account in await store.read(accounts.list_())]


async def test_the_hop_runs_a_function_on_the_connections_thread() -> None:
    """The private method the batches lean on: one function, on the one thread, its result or its error given back."""
    async with aiosqlite.connect(":memory:") as connection:
        threads = [await connection._execute(threading.get_ident) for _ in range(2)]
        assert len(set(threads)) == 1
        assert threads[0] != threading.get_ident()
        assert await connection._execute(lambda: connection._conn.execute("SELECT 7").fetchone()) == (7,)
        with pytest.raises(ZeroDivisionError):
            await connection._execute(lambda: 1 / 0)


async def test_what_arrives_together_is_committed_together(store: Database) -> None:
    """A burst of 300 programs costs a handful of commits, not 300; each batch is told to the observer."""
    statements: list[str] = []
    batches: list[tuple[int, float]] = []
    store.observe = lambda size, seconds: batches.append((size, seconds))
    await writer(store).set_trace_callback(statements.append)
    await asyncio.gather(*(store.write(accounts.create(f"a{n}", "", n)) for n in range(300)))
    await writer(store).set_trace_callback(None)
    assert statements.count("COMMIT") == len(batches) <= 3
    assert [size for size, _ in batches][:2] == [LARGEST_BATCH, 300 - LARGEST_BATCH]
    assert all(seconds > 0 for _, seconds in batches)


async def test_one_failing_program_spares_its_neighbours(store: Database) -> None:
    """Whether a rule refuses or the program itself gives up: it alone is undone, and its caller alone is told."""

    def gives_up() -> Program[None]:
        yield from accounts.create("half", "", 1)
        raise LookupError("changed my mind")

    def refused() -> Program[None]:
        yield from accounts.create("other", "", 1)
        yield from ask("account_release", account="a", amount=1)

    answers = await asyncio.gather(
        store.write(accounts.create("a", "", 1)),
        store.write(gives_up),
        store.write(refused),
        store.write(accounts.create("b", "", 2)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [bool, LookupError, ConstraintBroken, bool]
    assert await names(store) == ["a", "b"]


@pytest.mark.parametrize("value", [2**63, "\ud800"])
async def test_a_value_that_cannot_be_stored_is_refused(store: Database, value: Any) -> None:
    """A number beyond 64 bits and half a surrogate pair are refused as any broken rule, and the store goes on."""
    with pytest.raises(ConstraintBroken, match="cannot be stored"):
        await store.write(one("account_find", id=value))
    assert await store.write(accounts.create("a", "", 1))


async def test_a_caller_who_leaves_does_not_stop_the_work(store: Database) -> None:
    """Cancelling whoever waits neither undoes the work nor hurts the rest of the batch."""
    leaving = asyncio.create_task(store.write(accounts.create("a", "", 1)))
    failing = asyncio.create_task(store.write(ask("account_release", account="@source", amount=1)))
    staying = asyncio.create_task(store.write(accounts.create("b", "", 2)))
    await asyncio.sleep(0)
    leaving.cancel()
    failing.cancel()
    assert await staying is True
    assert leaving.cancelled()
    assert await names(store) == ["a", "b"]


async def test_what_is_acknowledged_is_seen(store: Database) -> None:
    """A reader sees a write the moment it is acknowledged, every time."""
    for n in range(50):
        await store.write(accounts.create(f"a{n}", "", n))
        assert await store.read(accounts.find(f"a{n}")) is not None
        assert await store.report(accounts.find(f"a{n}")) is not None


async def test_readers_only_read(store: Database) -> None:
    """A program that writes is refused on the reading connections, and the store is none the worse."""
    for lane in (store.read, store.report):
        with pytest.raises(StoreError, match="readonly"):
            await lane(accounts.create("a", "", 1))
    assert not store.failed.is_set()
    assert await names(store) == []


async def test_a_long_report_keeps_no_reader_waiting(store: Database) -> None:
    """Reads go on while a report is still running."""
    begun, release = threading.Event(), threading.Event()

    def long() -> Program[int]:
        rows = yield from ask("accounts_all")
        begun.set()
        release.wait(5)
        return len(rows)

    report = asyncio.create_task(store.report(long))
    await asyncio.sleep(0)
    assert await asyncio.to_thread(begun.wait, 5)
    assert await names(store) == []
    assert not report.done()
    release.set()
    assert await report == 0


async def test_a_locked_file_is_busy_and_heals(store: Database) -> None:
    """While another tool holds the lock callers are told that the store is busy; afterwards all is well."""
    await writer(store).execute_fetchall("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked"):
        await store.write(accounts.create("a", "", 1))
    other.execute("ROLLBACK")
    other.close()
    assert await store.write(accounts.create("a", "", 1)) is True


async def test_a_full_disk_fails_the_whole_batch_and_heals(store: Database) -> None:
    """When there is no room everybody in the batch is told, nothing is kept, and the store goes on once there is room."""
    [(pages,)] = await writer(store).execute_fetchall("PRAGMA page_count")
    await writer(store).execute_fetchall(f"PRAGMA max_page_count = {pages}")
    burst = [store.write(accounts.create("small", "", 1)), store.write(accounts.create("large", "x" * 50_000, 2))]
    answers = await asyncio.gather(*burst, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreFull, StoreFull]
    assert answers[0] is not answers[1]
    assert await names(store) == []
    await writer(store).execute_fetchall(f"PRAGMA max_page_count = {pages + 1000}")
    assert await store.write(accounts.create("large", "x" * 50_000, 2)) is True
    assert not store.failed.is_set()


async def test_after_a_disk_error_nothing_more_is_written(store: Database) -> None:
    """An input/output error fails the batch, sets the mark by which the process ends, and refuses all that follows."""
    await store.write(accounts.create("kept", "", 1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel now refuses every write beyond the first page, as a failing disk would.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StoreBroken, match="has to end"):
            await store.write(accounts.create("lost", "", 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.failed.is_set()
    with pytest.raises(StoreBroken, match="no more"):
        await store.write(accounts.create("later", "", 3))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, StoreBusy),
        (6, StoreBusy),
        (13, StoreFull),
        (10 | 4 << 8, StoreBroken),
        (11, StoreBroken),
        (7, StoreFailed),
        (1, StoreError),
    ],
)
def test_the_engines_errors_have_one_meaning_each(code: int, kind: type[StoreError]) -> None:
    """Result codes are told apart by their primary part, extended ones included."""
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    assert type(translate(error, "doing")) is kind
