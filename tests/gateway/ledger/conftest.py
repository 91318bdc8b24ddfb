"""A real store on a real file, and a desk that does the usual errands on it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.generation import Kind
from gateway.ledger import accounts, attempts, checks, generations
from gateway.ledger.credits import add, show
from gateway.ledger.database import Database
from gateway.ledger.records import Artifact
from tests import postgres

# How either engine refuses what breaks a rule of the schema.
REFUSES = (sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.DataError)

ACCOUNT = "acme"
CREDIT = 1_000_000
FOREVER = 10**15


def new(name: str, **changes: Any) -> generations.NewGeneration:
    """A generation to accept: one credit, created at 100, of the account that has ten."""
    fields: dict[str, Any] = {
        "id": name,
        "account": ACCOUNT,
        "kind": Kind.IMAGE,
        "model": "lab/model",
        "request": {"prompt": "a seal"},
        "plan": {"steps": []},
        "order": ("one", "two"),
        "price": CREDIT,
        "created": 100,
        "deadline": FOREVER,
    }
    return generations.NewGeneration(**(fields | changes))


def picture(index: int = 0) -> Artifact:
    """An output as a store of files describes it."""
    return Artifact(index, f"file:ab/{index}.png", "c0ffee", 1234, "image/png", 640, 480)


@dataclass
class Desk:
    """What most tests need done first."""

    store: Database
    new: Callable[..., generations.NewGeneration]
    picture: Callable[..., Artifact]
    references: Iterator[int]
    place: str

    async def accept(self, name: str, **changes: Any) -> Any:
        """Accept a generation."""
        return await self.store.write(generations.accept(self.new(name, **changes)))

    async def open(self, name: str, n: int = 1, provider: str = "one") -> int:
        """Open an attempt of a live generation."""
        opened = await self.store.write(
            attempts.open_attempt(name, n, provider=provider, native="x/y", form=0, price=40_000, at=200)
        )
        assert opened is not None
        return opened

    async def storing(self, name: str, n: int = 1, provider: str = "one") -> int:
        """Bring an accepted generation to storing; gives the attempt."""
        attempt = await self.open(name, n, provider)
        ref = f"ref-{next(self.references)}"
        assert await self.store.write(attempts.submitted(attempt, ref, {"id": ref}, 210)) is True
        assert await self.store.write(attempts.storing(attempt, [{"url": "https://x.test/1"}], 220))
        return attempt

    async def succeed(self, name: str, attempt: int, captured: int = CREDIT) -> bool:
        """End a generation that is storing."""
        return await self.store.write(
            generations.succeed(name, attempt, [self.picture()], captured=captured, at=300, provider="one")
        )

    async def done(self, name: str, **changes: Any) -> int:
        """A generation from acceptance to success; gives the attempt."""
        await self.accept(name, **changes)
        attempt = await self.storing(name)
        assert await self.succeed(name, attempt)
        return attempt

    async def balance(self) -> tuple[int, int]:
        """What the account has and holds, in credits."""
        shown = await self.store.read(show(ACCOUNT))
        return shown.posted // CREDIT, shown.held // CREDIT

    async def findings(self) -> list[checks.Finding]:
        """What the ledger's checks find."""
        return await self.store.report(checks.run_checks(now=400, grace=0))

    @contextmanager
    def raw(self, *, careless: bool = False) -> Iterator[Any]:
        """A connection past the store; a careless one past the schema's rules too."""
        path = self.store.path
        with past(path, careless=careless) if path is not None else past_server(self.place, careless=careless) as found:
            yield found


@contextmanager
def past(path: Path, *, careless: bool) -> Iterator[sqlite3.Connection]:
    """A connection to a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if careless else 'ON'}")
        if careless:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            rules = "SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR name = 'attempt_won'"
            for kind, name in connection.execute(rules).fetchall():
                connection.execute(f"DROP {kind} {name}")
        yield connection


class Raw:
    """A connection to a server, asked in the way of the other engine."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str) -> Any:
        """Run a statement."""
        return self._connection.execute(sql)

    def executescript(self, sql: str) -> None:
        """Run several."""
        self._connection.execute(sql)


@contextmanager
def past_server(place: str, *, careless: bool) -> Iterator[Raw]:
    """A connection to a server."""
    with postgres.connected(place) as connection:
        if careless:
            connection.execute("SET session_replication_role = replica")
            rules = "SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
            for table, name in connection.execute(rules).fetchall():
                if "pg_" not in table and "information_schema" not in table:
                    connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            connection.execute("DROP INDEX attempt_won")
        yield Raw(connection)


@pytest.fixture(params=["file", "server"])
def engine(request: pytest.FixtureRequest) -> str:
    """What the store lies in: every test of the ledger is one of both, but for those about files."""
    found: str = request.param
    return found


@pytest.fixture
def place(engine: str, tmp_path: Path) -> Iterator[str]:
    """Where an empty store is to be."""
    if engine == "file":
        yield str(tmp_path / "store" / "tidegate.db")
        return
    with postgres.fresh(postgres.migrated()) as address:
        yield address


@pytest.fixture
async def store(place: str) -> AsyncIterator[Database]:
    """An empty store."""
    database = await Database.open(place, now=lambda: 1)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def careless_desk(store: Database, place: str) -> Desk:
    """A store whose only account has ten credits."""
    await store.write(accounts.create(ACCOUNT, "Acme", 50))
    await store.write(add(ACCOUNT, 10 * CREDIT, "first", "", 60))
    return Desk(store, new, picture, count(1), place)


@pytest.fixture
async def desk(careless_desk: Desk) -> AsyncIterator[Desk]:
    """The same, and at the end of the test the ledger's checks find nothing."""
    yield careless_desk
    assert await careless_desk.findings() == []
