"""The store in PostgreSQL: several processes over one database, each with one writer of grouped commits and readers beside it.

Writers take turns, whichever process they are in: a transaction that writes holds one lock of the whole database from its begin
to its commit. So a program sees what the one before it left, as in a file with one writer, and none is written to withstand
races that the other engine does not have. What that costs is said in the measurements; what it buys is that money is counted by
the same text on both.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway import log
from gateway.clock import SystemClock
from gateway.ledger.lane import Crowds, Done, Lane, Outcome, Undone, undone
from gateway.ledger.program import (
    Ask,
    ConstraintBroken,
    Program,
    Row,
    StoreBroken,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreLost,
    Work,
)
from gateway.ledger.queries import numbered, statements
from gateway.ledger.upgrade import upgrade

Sleep = Callable[[float], Awaitable[None]]

_SECRET = 12  # characters from which on a password is no word that a log is full of
_READERS = 4  # connections: reads of a few statements each, and the server does them side by side
_CONNECT = 5.0  # seconds to reach the server, and for a statement that only asks how things stand
_GOODBYE = 1.0  # seconds for the server to say goodbye; what was acknowledged is on its disk
_AGAIN = 0.25  # seconds between tries to reach it
# How long a caller waits for a server that is away or for the others' turn before being told that the store is busy, in seconds.
_PATIENCE = 5.0
# How long the fate of a commit may stay unknown, in seconds: the server restarts in less, and nobody is told a guess meanwhile.
_UNKNOWN = 60.0
# Of the server, for the connection that writes. A process that is stopped in its turn must not stop the others: it loses it.
_WRITER = {
    "idle_in_transaction_session_timeout": "5000",
    "lock_timeout": "5000",
    "statement_timeout": "30000",
    "application_name": "tidegate writer",
}
_READER = {"default_transaction_read_only": "on", "statement_timeout": "60000", "application_name": "tidegate reader"}
# What the server's codes mean, by their beginning; the first that fits counts.
_MEANS: tuple[tuple[str, type[StoreError]], ...] = (
    ("TG001", StoreLost),  # the lease was taken away: raised by the schema
    ("22", ConstraintBroken),  # a value that cannot be stored
    ("54", ConstraintBroken),
    ("23", ConstraintBroken),
    ("08", StoreBusy),  # the connection
    ("57P", StoreBusy),  # a server that stops or starts
    ("53300", StoreBusy),  # too many clients
    ("25006", StoreBusy),  # one that only stands by
    ("25P03", StoreBusy),  # we were too slow in our turn, and it is somebody else's
    ("55P03", StoreBusy),  # a turn that did not come in time
    ("40", StoreBusy),
    ("57014", StoreBusy),
    ("53", StoreFull),
)
_BEYOND: Mapping[type[StoreError], str] = {StoreLost: "; it has to end, and begins anew after a restart"}


def driver() -> Any:
    """The library that speaks to the server; StoreError with what to do when it is not installed."""
    try:
        return importlib.import_module("asyncpg")
    except ImportError as error:
        raise StoreError("a store in PostgreSQL needs asyncpg: pip install 'tidegate[postgres]'") from error


class Server:
    """The open database."""

    def __init__(self, address: str, failed: asyncio.Event, sleep: Sleep | None = None) -> None:
        """Connect to `address`, a postgresql:// URL, as soon as something is asked; `sleep` waits for so many seconds."""
        self.address: str | None = address
        self.epoch: int | None = None  # of the lease under which this process writes; none for a tool
        self._sleep = sleep = sleep or SystemClock().sleep
        self._writing = Connection(address, _WRITER, sleep)
        reading = [Connection(address, _READER, sleep) for _ in range(_READERS)]
        reporting = Connection(address, _READER, sleep)
        self._connections = [self._writing, *reading, reporting]
        self.writer = Lane(self._commit, failed)
        self.readers = tuple(Lane(each.look, failed) for each in reading)
        self.reporter = Lane(reporting.look, failed)
        self.checker = self.reporter

    @classmethod
    async def open(cls, address: str, failed: asyncio.Event, now: int) -> Server:
        """Reach the database and bring it to this version; the errors are those of the store."""
        self = cls(address, failed)
        if len(password := unquote(urlsplit(address).password or "")) >= _SECRET:
            log.register(password)
        try:
            connection = await self._writing.ready()
            await upgrade(connection, now)
        except BaseException as exc:
            await self.close()
            if (found := translate(exc, "opening the database")) is not None:
                raise found from exc
            raise
        return self

    def is_writer(self, process: int) -> bool:
        """Whether the process of the server with this number writes for us."""
        return self._writing.process == process

    async def fold(self) -> bool:
        """The server sees to its own log."""
        return True

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _commit(self, works: Sequence[Work[Any]]) -> Sequence[Outcome]:
        """Do works in one transaction, each program in a savepoint of its own; if the transaction fails, it fails for all."""
        try:
            connection = await self._writing.ready()
        except StoreFailed as exc:
            return undone(works, type(exc), str(exc), exc)
        number = None
        outcomes: list[Outcome] = []
        committing = False
        try:
            await connection.execute("BEGIN; SAVEPOINT program")
            number = await connection.fetchval("SELECT enter($1)", self.epoch or 0)
            outcomes = await _works(connection, works)
            committing = True
            await connection.execute("COMMIT")
        except Exception as exc:  # noqa: BLE001 - told apart by `_unkept`, which raises what is none of the server's
            return await self._unkept(connection, works, exc, outcomes if committing else None, number)
        return outcomes

    async def _unkept(
        self,
        connection: Any,
        works: Sequence[Work[Any]],
        exc: Exception,
        outcomes: Sequence[Outcome] | None,
        number: str | None,
    ) -> Sequence[Outcome]:
        """What to tell of a batch that was broken off; one that had been done asks for its fate first."""
        error = exc if isinstance(exc, StoreFailed) else translate(exc, "commit")
        if error is None:
            raise exc
        await self._writing.drop(connection)
        if outcomes is not None and number is not None and isinstance(error, StoreBusy):
            log.event("commit_unknown", level="warning", reason=str(exc))
            match await self._fate(number):
                case True:
                    return outcomes
                case None:
                    error = StoreBroken("whether the last changes were kept is not known; a restart reads what was")
                case False:
                    pass
        kind = type(error) if isinstance(error, StoreFailed) else StoreFailed
        return undone(works, kind, str(error), exc)

    async def _fate(self, number: str) -> bool | None:
        """Whether a transaction was committed; None when the server did not say in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _UNKNOWN
        while loop.time() < until:
            try:
                connection = await self._writing.ready()
                told = await connection.fetchval("SELECT pg_xact_status($1::TEXT::XID8)", number)
            except Exception as exc:
                if not isinstance(exc, StoreFailed) and not isinstance(translate(exc, ""), StoreBusy):
                    raise
                await self._sleep(_AGAIN)
                continue
            if told in {"committed", "aborted"}:
                return bool(told == "committed")
            await self._sleep(_AGAIN)  # the old connection's server process has yet to notice
        return None


class Connection:
    """One connection, made when it is needed and made again when it was lost."""

    def __init__(self, address: str, settings: Mapping[str, str], sleep: Sleep) -> None:
        """Connect to `address` with these settings of the server."""
        self._address = address
        self._sleep = sleep
        self._settings = settings
        self._open: Any = None

    @property
    def process(self) -> int | None:
        """The number of the server's process behind it."""
        return self._open.get_server_pid() if self._open is not None else None

    async def ready(self) -> Any:
        """Give the connection; StoreBusy when the server cannot be reached in time."""
        if self._open is not None and not self._open.is_closed():
            return self._open
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        while True:
            try:
                self._open = await _connect(self._address, self._settings)
            except Exception as exc:
                error = translate(exc, "connect")
                if error is None or not isinstance(error, StoreBusy):
                    raise error or exc from exc
                if loop.time() >= until:
                    raise StoreBusy(f"the database cannot be reached: {str(exc) or type(exc).__name__}") from exc
                await self._sleep(_AGAIN)
            else:
                return self._open

    async def drop(self, connection: Any) -> None:
        """Have done with a connection whose state is not known."""
        self._open = None
        connection.terminate()

    async def close(self) -> None:
        """Close it, in peace if the server still answers."""
        if self._open is not None:
            with suppress(Exception):
                await self._open.close(timeout=_GOODBYE)
            self._open = None

    async def look(self, works: Sequence[Work[Any]]) -> Sequence[Outcome]:
        """Run programs that only read, all on one view of the store."""
        try:
            connection = await self.ready()
        except StoreFailed as exc:
            return undone(works, type(exc), str(exc), exc)
        try:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SAVEPOINT program")
            outcomes = await _works(connection, works)
            await connection.execute("COMMIT")
        except Exception as exc:
            error = exc if isinstance(exc, StoreFailed) else translate(exc, "look")
            if error is None:
                raise
            await self.drop(connection)
            return undone(works, type(error) if isinstance(error, StoreFailed) else StoreFailed, str(error), exc)
        return outcomes


async def _connect(address: str, settings: Mapping[str, str]) -> Any:
    connection = await driver().connect(
        address, timeout=_CONNECT, server_settings=dict(settings), statement_cache_size=1024
    )
    if await connection.fetchval("SHOW synchronous_commit") in {"off", "local"}:
        await connection.execute("SET synchronous_commit = on")  # a crash must not forget a paid job
    return connection


async def _works(connection: Any, works: Sequence[Work[Any]]) -> list[Outcome]:
    """Do works one after the other, each program as if it were alone; the first way to the server is that of the begin."""
    crowds, first = Crowds(works), True
    for program, places in crowds.together:
        crowds.done(places, await _apart(connection, program, first=first))
        first = False
    apart: dict[int, Outcome] = {}
    for place, program in crowds.apart.items():
        apart[place] = await _apart(connection, program, first=first)
        first = False
    return crowds.outcomes(apart)


async def _apart(connection: Any, program: Program[Any], *, first: bool) -> Outcome:
    # One way to the server for both: the end of the one before and the begin of this one.
    if not first:
        await connection.execute("RELEASE program; SAVEPOINT program")
    try:
        return Done(await _result(connection, program))
    except StoreFailed:
        raise
    except Exception as exc:  # noqa: BLE001 - it is the program's own, and is raised where the program was handed in
        await connection.execute("ROLLBACK TO program")
        return Undone(exc)


async def _result(connection: Any, program: Program[Any]) -> Any:
    rows: list[Row] | None = None
    try:
        while True:
            ask = next(program) if rows is None else program.send(rows)
            rows = await _rows(connection, ask)
    except StopIteration as end:
        return end.value
    finally:
        program.close()


async def _rows(connection: Any, ask: Ask) -> list[Row]:
    sql, names = _text(ask.name)
    try:
        found: list[Row] = await connection.fetch(sql, *(ask.values[name] for name in names))
    except Exception as exc:
        error = translate(exc, ask.name)
        if error is None:
            raise
        raise error from exc
    return found


@cache
def _text(name: str) -> tuple[str, tuple[str, ...]]:
    return numbered(statements()[name])


def translate(exc: BaseException, doing: str) -> StoreError | None:
    """Put the server's error into our words, after its code; None for what is none of its errors."""
    if isinstance(exc, StoreError):
        return exc
    asyncpg = driver()
    said = str(exc) or type(exc).__name__
    if isinstance(exc, asyncpg.PostgresError):
        code = exc.sqlstate or "XX000"
        kind = next((kind for beginning, kind in _MEANS if code.startswith(beginning)), StoreError)
    elif isinstance(exc, asyncpg.InterfaceError) and isinstance(exc, ValueError):
        kind = ConstraintBroken  # what the driver finds before it asks: a value that no column can hold
    elif isinstance(exc, (OSError, TimeoutError, EOFError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        kind = StoreBusy
    else:
        return None
    return kind(f"{doing}: {said}{_BEYOND.get(kind, '')}")
