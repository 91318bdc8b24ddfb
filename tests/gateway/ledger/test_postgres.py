"""What only a store on a server can meet: a line that is cut, a fate that is unknown, another process that took over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from gateway.clock import SystemClock
from gateway.ledger import accounts, leases
from gateway.ledger.database import Database
from gateway.ledger.lease import held
from gateway.ledger.migrations import Migration, due, known
from gateway.ledger.program import Program, StoreBusy, StoreError, StoreLost, ask
from tests import postgres
from tests.gateway.ledger.conftest import new


@pytest.fixture
def engine() -> str:
    """What is asked here is about a server."""
    return "server"


class Line:
    """A line to the server that can be cut around a commit."""

    def __init__(self, where: str) -> None:
        parts = urlsplit(where)
        self._there = (parts.hostname or "", parts.port or 0)
        self._parts = parts
        self.cut = ""  # "before" or "after" the next commit reaches the server
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        """How the server is reached over it."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"tidegate@127.0.0.1:{port}"))

    async def start(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Take no more, and end those that are there."""
        assert self._server is not None
        self._server.close()
        for each in list(self._open):
            each.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection(*self._there)
        self._open |= {writer, far}
        deaf = False

        async def back() -> None:
            while data := await far_reader.read(65536):
                if not deaf:
                    writer.write(data)
            writer.close()

        returning = asyncio.create_task(back())
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.cut and b"COMMIT" in data:
                    deaf = True
                    if self.cut == "after":
                        far.write(data)
                        await far.drain()
                        await asyncio.sleep(0.15)  # it reaches the disk; its answer reaches nobody
                    self.cut = ""
                    break
                far.write(data)
        returning.cancel()
        for each in (writer, far):
            each.close()
            self._open.discard(each)


@asynccontextmanager
async def over_a_line(place: str) -> AsyncIterator[tuple[Line, Database]]:
    """A store reached over a line that can be cut."""
    line = Line(place)
    await line.start()
    store = await Database.open(line.address, now=lambda: 1)
    try:
        yield line, store
    finally:
        await store.close()
        await line.stop()


async def test_a_commit_whose_answer_is_lost_was_kept(place: str) -> None:
    """F72: the line dies behind a commit; its fate is asked for, and the work is acknowledged, once."""
    async with over_a_line(place) as (line, store):
        line.cut = "after"
        assert await store.write(accounts.create("a", "A", 1)) is True
        assert [row.id for row in await store.read(accounts.list_())] == ["a"]
        assert not store.failed.is_set()


async def test_a_commit_that_never_arrived_was_not_kept(place: str) -> None:
    """F72: the line dies before a commit; whoever asked is told so, and may ask again."""
    async with over_a_line(place) as (line, store):
        line.cut = "before"
        with pytest.raises(StoreBusy):
            await store.write(accounts.create("a", "A", 1))
        assert await store.write(accounts.create("a", "A", 1)) is True


async def test_who_was_taken_over_writes_nothing(place: str, store: Database) -> None:
    """F71: once its lease was taken away a process changes nothing any more, and knows that it has to end."""
    await store.write(accounts.create("acme", "A", 1))
    async with held(store, SystemClock(), "one", "1") as lease:
        other = await Database.open(place, now=lambda: 1)
        with postgres.connected(place) as connection:
            connection.execute("UPDATE replica SET until = 0")
        assert await other.write(leases.take_over(99)) == []
        with pytest.raises(StoreLost, match="took over"):
            await store.write(accounts.create("late", "L", 1))
        assert store.failed.is_set()
        assert [row.id for row in await other.read(accounts.list_())] == ["acme"]
        assert lease.epoch == 1
        await other.close()


async def test_what_a_dead_process_had_goes_to_one_of_the_others(desk: Any, place: str) -> None:
    """F70: generations of a lease that is over are taken over once, whoever asks at the same moment."""
    first = await desk.store.write(leases.join("dead", "1"))
    for n in range(30):
        assert await desk.accept(f"g{n}", owner=first, price=1000)
    with postgres.connected(place) as connection:
        connection.execute("UPDATE replica SET until = 0")
    others = [await Database.open(place, now=lambda: 1) for _ in range(2)]
    epochs = [await each.write(leases.join("alive", "1")) for each in others]
    taken = await asyncio.gather(
        *(each.write(leases.take_over(epoch)) for each, epoch in zip(others, epochs, strict=True))
    )
    assert sorted(name for part in taken for _, name in part) == sorted(f"g{n}" for n in range(30))
    assert not await desk.store.read(leases.are_orphans())
    for each in others:
        await each.close()


async def test_a_process_that_stops_in_its_turn_loses_it(place: str, store: Database) -> None:
    """Whoever is frozen while he holds the writers' lock is cut off by the server, and the others go on."""
    with suppress(psycopg.Error), postgres.connected(place) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = 500")
        connection.execute("BEGIN")
        connection.execute("SELECT enter(0)")
        assert await store.write(accounts.create("a", "A", 1)) is True


async def test_a_server_that_is_away_is_a_busy_store() -> None:
    """F74: while the server cannot be reached callers are told that the store is busy; when it is back all is well."""
    with postgres.own() as server:
        store = await Database.open(server.address(), now=lambda: 1)
        await asyncio.to_thread(server.kill)
        with pytest.raises(StoreBusy):
            await store.write(accounts.create("a", "A", 1))
        with pytest.raises(StoreBusy):
            await store.read(accounts.list_())
        await asyncio.to_thread(server.start)
        assert await store.write(accounts.create("a", "A", 1)) is True
        await store.close()


async def test_readers_change_nothing(store: Database) -> None:
    """A program that writes is refused on the connections that read."""
    with pytest.raises(StoreError, match="read-only"):
        await store.read(accounts.create("a", "A", 1))


async def test_a_program_that_gives_up_leaves_its_neighbours(store: Database) -> None:
    """One of a batch raises in its middle: nothing of it is kept, all of the others is."""

    def gives_up() -> Program[None]:
        yield from accounts.create("half", "", 1)
        raise LookupError("changed my mind")

    answers = await asyncio.gather(
        store.write(accounts.create("a", "", 1)),
        store.write(gives_up),
        store.write(ask("account_release", account="@source", amount=1)),
        store.write(accounts.create("b", "", 2)),
        return_exceptions=True,
    )
    assert [type(answer).__name__ for answer in answers] == ["bool", "LookupError", "ConstraintBroken", "bool"]
    assert [row.id for row in await store.read(accounts.list_())] == ["a", "b"]


def _columns(place: str) -> Iterator[tuple[str, str]]:
    with postgres.connected(place) as connection:
        sql = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        yield from ((row["table_name"], row["column_name"]) for row in connection.execute(sql).fetchall())


def test_both_engines_have_the_same_tables(place: str) -> None:
    """Every table and column of a file is on the server too, and the other way round; so are the numbers of the migrations."""
    import sqlite3

    from gateway.ledger.migrations import apply

    memory = sqlite3.connect(":memory:", isolation_level=None)
    memory.row_factory = sqlite3.Row
    apply(memory, known(), 1)
    tables = [row["name"] for row in memory.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    there = {(table, row["name"]) for table in tables for row in memory.execute(f"PRAGMA table_info({table})")}
    assert set(_columns(place)) == there
    assert [(each.version, each.name) for each in known("postgres")] == [(each.version, each.name) for each in known()]


def test_the_release_before_works_with_what_only_adds() -> None:
    """F67: a store with a newer migration that says it only adds is used as it is; one that does not say so is refused."""
    from gateway.ledger.migrations import Applied
    from gateway.ledger.program import StoreUnknown

    old = [Migration(1, "first", "CREATE TABLE a (x INTEGER);\n")]
    added = Migration(2, "added", "-- works with: 1\nALTER TABLE a ADD COLUMN y INTEGER;\n")
    first = Applied(1, old[0].checksum, 1)
    assert due([first, Applied(2, added.checksum, added.least)], old) == []
    with pytest.raises(StoreUnknown, match="version 2, this program knows 1"):
        due([first, Applied(2, "", 2)], old)
    with pytest.raises(StoreUnknown, match="version 2, this program knows 1"):
        due([first, Applied(2, "", None)], old)


def test_a_generation_has_an_owner_only_where_it_is_said() -> None:
    """A file has one process, which owns everything."""
    assert new("a").owner is None
