"""A connection and the programs waiting for it, run in batches: one hop to its thread, one transaction, a batch.

The cost of a store call is the hop to the thread and the disk's sync, not the statements. Whatever arrives while a batch is
running becomes the next one, so that both are shared under load and nobody waits for company without it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import aiosqlite

from gateway.ledger.program import (
    ConstraintBroken,
    Program,
    Row,
    StoreBroken,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
)
from gateway.ledger.queries import statements

T = TypeVar("T")

Observer: TypeAlias = Callable[[int, float], None]

# Programs per transaction: far beyond what arrives during one sync, and short enough that a batch ends in milliseconds.
LARGEST_BATCH = 256

# Primary result codes that concern the one statement: SQL error, too big, constraint, mismatch, range, read-only.
_ONE_STATEMENT = frozenset({1, 8, 18, 19, 20, 25})
# Input/output error, malformed file, not a database: the file or the disk is not to be trusted.
_BROKEN = frozenset({10, 11, 26})


@dataclass(frozen=True, slots=True)
class Done:
    """What a program returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Undone:
    """Why nothing of a program was kept."""

    error: Exception


Outcome: TypeAlias = Done | Undone
Runner: TypeAlias = Callable[[sqlite3.Connection, Sequence[Program[Any]]], list[Outcome]]


class Lane:
    """One connection's queue. `failed` is set, and further work refused, once the disk or the file cannot be trusted."""

    def __init__(
        self, connection: aiosqlite.Connection, run: Runner, failed: asyncio.Event, observe: Observer | None = None
    ) -> None:
        self.observe = observe
        self._connection = connection
        self._run = run
        self._failed = failed
        self._waiting: deque[tuple[Program[Any], asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, program: Program[T]) -> T:
        """Run a program in one of the next batches. A caller who is cancelled gives up the answer, not the work."""
        if self._closed:
            raise StoreFailed("the store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((program, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    async def between(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the connection, between two batches and in no transaction."""
        if self._closed or self._failed.is_set():
            raise StoreFailed(
                "the store is closed" if self._closed else "the store failed before and takes no more work"
            )
        try:
            done: T = await self._connection._execute(lambda: work(self._connection._conn))  # type: ignore[no-untyped-call]  # noqa: SLF001 - as in `_batch`
        except sqlite3.Error as exc:
            error = translate(exc, "between two batches")
            if isinstance(error, StoreBroken):
                self._failed.set()
            raise error from exc
        return done

    async def close(self) -> None:
        """Take nothing more, finish what waits, close the connection."""
        self._closed = True
        if self._task is not None:
            await self._task
        await self._connection.close()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), LARGEST_BATCH)
                await self._batch([self._waiting.popleft() for _ in range(size)])
        finally:
            self._task = None
            while self._waiting:
                _tell(self._waiting.popleft()[1], Undone(StoreFailed("the store stopped before the work was done")))

    async def _batch(self, batch: Sequence[tuple[Program[Any], asyncio.Future[Any]]]) -> None:
        stopped = StoreFailed("the store stopped during the work; whether it was kept is known after a restart")
        outcomes: Sequence[Outcome] = [Undone(stopped)] * len(batch)
        try:
            if self._failed.is_set():
                outcomes = [Undone(StoreBroken("the store failed before and takes no more work"))] * len(batch)
                return
            loop = asyncio.get_running_loop()
            started = loop.time()
            # The public methods cost one hop per statement; this one runs a whole function on the connection's thread.
            outcomes = await self._connection._execute(self._work, [program for program, _ in batch])  # type: ignore[no-untyped-call]  # noqa: SLF001 - pinned by a test
            if self.observe is not None:
                self.observe(len(batch), loop.time() - started)
        finally:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Undone) and isinstance(outcome.error, StoreBroken):
                    self._failed.set()
                _tell(future, outcome)

    def _work(self, programs: Sequence[Program[Any]]) -> list[Outcome]:
        return self._run(self._connection._conn, programs)  # noqa: SLF001 - on the connection's own thread


def _tell(future: asyncio.Future[Any], outcome: Outcome) -> None:
    if future.done():
        return
    match outcome:
        case Done(value):
            future.set_result(value)
        case Undone(error):
            future.set_exception(error)


def commit(connection: sqlite3.Connection, programs: Sequence[Program[Any]]) -> list[Outcome]:
    """Run programs in one transaction, each in a savepoint of its own; if the transaction fails, it fails for all."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_apart(connection, program) for program in programs]
        connection.execute("COMMIT")
    except (sqlite3.Error, StoreFailed) as exc:
        return _all_undone(connection, programs, exc)
    return outcomes


def look(connection: sqlite3.Connection, programs: Sequence[Program[Any]]) -> list[Outcome]:
    """Run programs that only read, all on one view of the store."""
    try:
        connection.execute("BEGIN")
        outcomes = [_outcome(connection, program) for program in programs]
        connection.execute("COMMIT")
    except (sqlite3.Error, StoreFailed) as exc:
        return _all_undone(connection, programs, exc)
    return outcomes


def lost(programs: Sequence[Program[Any]], why: str) -> list[Outcome]:
    """Run nothing, for there is no store any more."""
    for program in programs:
        program.close()
    return [Undone(StoreBroken(f"{why}; the process has to end")) for _ in programs]


def _all_undone(connection: sqlite3.Connection, programs: Sequence[Program[Any]], exc: Exception) -> list[Outcome]:
    cause = exc if isinstance(exc, StoreFailed) else translate(exc, "commit")
    kind = type(cause) if isinstance(cause, StoreFailed) else StoreFailed
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error as worse:
            kind, cause = StoreBroken, StoreBroken(f"{cause}; and the transaction could not be undone: {worse}")
    undone: list[Outcome] = []
    for program in programs:
        program.close()
        error = kind(str(cause))
        error.__cause__ = exc
        undone.append(Undone(error))
    return undone


def _apart(connection: sqlite3.Connection, program: Program[Any]) -> Outcome:
    connection.execute("SAVEPOINT program")
    outcome = _outcome(connection, program)
    if isinstance(outcome, Undone):
        connection.execute("ROLLBACK TO program")
    connection.execute("RELEASE program")
    return outcome


def _outcome(connection: sqlite3.Connection, program: Program[Any]) -> Outcome:
    try:
        return Done(_result(connection, program))
    except StoreFailed:
        raise
    except Exception as exc:  # noqa: BLE001 - it is the program's own, and is raised where the program was handed in
        return Undone(exc)


def _result(connection: sqlite3.Connection, program: Program[Any]) -> Any:
    known = statements()
    rows: list[Row] | None = None
    try:
        while True:
            ask = next(program) if rows is None else program.send(rows)
            try:
                rows = connection.execute(known[ask.name].sql, ask.values).fetchall()
            except sqlite3.Error as exc:
                raise translate(exc, ask.name) from exc
            except (OverflowError, UnicodeEncodeError) as exc:
                raise ConstraintBroken(f"{ask.name}: a value cannot be stored: {exc}") from exc
    except StopIteration as end:
        return end.value
    finally:
        program.close()


def translate(exc: Exception, doing: str) -> StoreError:
    """Put the engine's error into our words, after its primary result code."""
    code = getattr(exc, "sqlite_errorcode", 1) & 0xFF
    message = f"{doing}: {exc}"
    if isinstance(exc, sqlite3.IntegrityError):
        return ConstraintBroken(message)
    if code in _BROKEN:
        return StoreBroken(f"{message}; the process has to end, and a restart will read what was really kept")
    if code in _ONE_STATEMENT:
        return StoreError(message)
    # 5 busy, 6 locked, 13 full
    return {5: StoreBusy, 6: StoreBusy, 13: StoreFull}.get(code, StoreFailed)(message)
