"""The store in a SQLite file: one writer with group commit, one process at a time, readers beside it.

What it needs of the library that carries the connection to a thread of its own is one private method, which a test pins.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import aiosqlite

from gateway import log
from gateway.ledger.lane import Crowds, Done, Lane, Outcome, Run, Undone, alone, undone
from gateway.ledger.migrations import apply, known
from gateway.ledger.program import (
    ConstraintBroken,
    Program,
    Row,
    StoreBroken,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreInUse,
    Work,
)
from gateway.ledger.queries import statements

T = TypeVar("T")

Runner: TypeAlias = Callable[[sqlite3.Connection, Sequence[Work[Any]]], list[Outcome]]

# Of the SQLite this interpreter is linked with.
ENGINE_VERSION = sqlite3.sqlite_version_info

# A tool that holds the file is waited for as long as this, in seconds; then the caller is told that the store is busy.
BUSY_TIMEOUT = 5.0
_PATIENT = "PRAGMA busy_timeout = 5000"

# FULL: a power cut must not forget a paid job, and group commit makes it as fast as NORMAL under load.
_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what a caller deleted must not lie on in pages that are free; many builds leave it there
    "PRAGMA journal_size_limit = 67108864",  # the log is cut back to 64 MiB after a burst
)
_READER = ("PRAGMA query_only = ON",)
_AT_ONCE = 64 * 1024 * 1024  # bytes of a store that is looked through before it is opened: a fraction of a second

# Primary result codes that concern the one statement: SQL error, too big, constraint, mismatch, range, read-only.
_ONE_STATEMENT = frozenset({1, 8, 18, 19, 20, 25})
# Input/output error, malformed file, not a database: the file or the disk is not to be trusted.
_BROKEN = frozenset({10, 11, 26})


class File:
    """The open file: who writes, who reads, and the lock beside it."""

    epoch: int | None = None  # one process owns it: there is nobody to be told apart from
    address: str | None = None

    def __init__(
        self, path: Path, lock: int, connections: Sequence[aiosqlite.Connection], failed: asyncio.Event
    ) -> None:
        """Take over the connections, the writing one first."""
        self._writing, reading, reporting, self._checking = connections
        self._lock = lock
        self._connections = connections
        self._failed = failed
        self.writer = Lane(hop(self._writing, _at(path)), failed)
        self.readers: tuple[Lane, ...] = (Lane(hop(reading, look), failed),)
        self.reporter = Lane(hop(reporting, look), failed)
        self.checker = Lane(hop(self._checking, look), failed)
        is_large = path.stat().st_size > _AT_ONCE
        self._examining = asyncio.create_task(self._examine(), name="examine") if is_large else None

    @classmethod
    async def open(cls, path: Path, failed: asyncio.Event, now: int) -> File:
        """Open the file, creating or migrating it if need be; the errors are those of the store."""
        lock = await asyncio.to_thread(_claim, path)
        opened: list[aiosqlite.Connection] = []
        try:
            writer = await _connect(opened, str(path), _WRITER)
            await writer._execute(_prepare, writer, now)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as in `hop`
            link = f"file:{quote(str(path))}?mode=ro"
            reader = await _connect(opened, link, _READER)
            reporter = await _connect(opened, link, _READER)
            checker = await _connect(opened, link, _READER)
            return cls(path, lock, (writer, reader, reporter, checker), failed)
        except BaseException as exc:
            for connection in reversed(opened):
                await connection.close()
            os.close(lock)
            if isinstance(exc, sqlite3.Error):
                raise _unopened(exc, path) from exc
            raise

    def is_writer(self, _process: int) -> bool:
        """There is no server."""
        return False

    async def _examine(self) -> None:
        """Look through a store that was too large for that when it was opened; one that is damaged cannot be trusted any more."""
        try:
            found = await self._checking._execute(_examined, self._checking)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as in `hop`
        except sqlite3.OperationalError:
            return  # broken off by the end of the process
        if found:
            log.event("store_damaged", level="error", found=found, todo="restore it from a backup")
            self._failed.set()

    async def fold(self) -> bool:
        """Bring the log home and empty it; False when readers are in the way."""
        self.writer.check()
        try:
            done: bool = await self._writing._execute(lambda: _fold(self._writing._conn))  # type: ignore[no-untyped-call]  # noqa: SLF001 - as in `hop`
        except sqlite3.Error as exc:
            error = translate(exc, "between two batches")
            if isinstance(error, StoreBroken):
                self._failed.set()
            raise error from exc
        return done

    async def close(self) -> None:
        """Close the connections, the writing one last, and let go of the lock."""
        try:
            if self._examining is not None and not self._examining.done():
                await self._checking.interrupt()
                await self._examining
            for connection in reversed(self._connections):
                await connection.close()
        finally:
            os.close(self._lock)


def hop(connection: aiosqlite.Connection, run: Runner) -> Run:
    """Run batches on the connection's thread, each in one hop."""

    async def batch(works: Sequence[Work[Any]]) -> Sequence[Outcome]:
        # The public methods cost one hop per statement; this one runs a whole function on the connection's thread.
        outcomes: Sequence[Outcome] = await connection._execute(_work, connection, run, works)  # type: ignore[no-untyped-call]  # noqa: SLF001 - pinned by a test
        return outcomes

    return batch


def _work(connection: aiosqlite.Connection, run: Runner, works: Sequence[Work[Any]]) -> list[Outcome]:
    return run(connection._conn, works)  # noqa: SLF001 - on the connection's own thread


def _claim(path: Path) -> int:
    """Create folder and file for the owner alone, and take the lock beside the file; the kernel frees it with the process."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip()
        os.close(lock)
        if exc.errno not in {errno.EAGAIN, errno.EACCES}:
            raise StoreError(
                f"{path}.lock cannot be locked: {exc.strerror}; the store needs a local file system"
            ) from exc
        raise StoreInUse(
            f"the store {path} is in use by process {owner or 'unknown'}; stop that process, or name another store"
        ) from exc
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return lock


async def _connect(opened: list[aiosqlite.Connection], path: str, pragmas: tuple[str, ...]) -> aiosqlite.Connection:
    waiting = aiosqlite.connect(
        path, uri=path.startswith("file:"), isolation_level=None, cached_statements=512, timeout=BUSY_TIMEOUT
    )
    # A process that ends without closing must end: what it had acknowledged is on disk.
    waiting._thread.daemon = True  # noqa: SLF001 - there is no public way
    connection = await waiting
    opened.append(connection)
    connection.row_factory = sqlite3.Row
    for pragma in pragmas:
        await connection.execute_fetchall(pragma)
    return connection


def _prepare(writer: aiosqlite.Connection, now: int) -> None:
    connection: Any = writer._conn  # noqa: SLF001 - on the connection's own thread
    [mode] = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise StoreError(f"the store's journal is {mode}, not wal; its file system does not do what SQLite needs")
    # A gigabyte takes ten seconds: a large store is looked through while it serves.
    [size] = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    if size <= _AT_ONCE and (found := _examined(writer)):
        raise StoreBroken(f"the store is damaged: {'; '.join(found)}; restore it from a backup")
    apply(connection, known(), now)


def _examined(connection: aiosqlite.Connection) -> list[str]:
    found = [row[0] for row in connection._conn.execute("PRAGMA quick_check(3)")]  # noqa: SLF001 - on its own thread
    return [] if found == ["ok"] else found


def _fold(connection: sqlite3.Connection) -> bool:
    # Whoever reads now is not waited for: writers would wait as well, and it is tried again soon.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(_PATIENT)
    return not busy


def _unopened(exc: sqlite3.Error, path: Path) -> StoreError:
    found = translate(exc, f"opening {path}")
    return StoreBroken(f"the store {path} is damaged: {exc}; restore it from a backup") if isinstance(found, StoreBroken) else found  # fmt: skip


def _at(path: Path) -> Runner:
    """Commit to the file that was opened, as long as it is there: the engine writes on into one that was moved or removed."""
    opened = path.stat().st_ino

    def commit_there(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Outcome]:
        try:
            there = path.stat().st_ino
        except OSError:
            there = -1
        if there != opened:
            return undone(works, StoreBroken, f"{path} is not the file it was; the process has to end")
        return commit(connection, works)

    return commit_there


def commit(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Outcome]:
    """Do works in one transaction, each program in a savepoint of its own; if the transaction fails, it fails for all."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        crowds = Crowds(works)
        for program, places in crowds.together:
            crowds.done(places, _apart(connection, program))
        outcomes = crowds.outcomes({place: _apart(connection, program) for place, program in crowds.apart.items()})
        connection.execute("COMMIT")
    except (sqlite3.Error, StoreFailed) as exc:
        return _all_undone(connection, works, exc)
    return outcomes


def look(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Outcome]:
    """Do works that only read, all on one view of the store."""
    try:
        connection.execute("BEGIN")
        outcomes = [_outcome(connection, alone(work)) for work in works]
        connection.execute("COMMIT")
    except (sqlite3.Error, StoreFailed) as exc:
        return _all_undone(connection, works, exc)
    return outcomes


def _all_undone(connection: sqlite3.Connection, works: Sequence[Work[Any]], exc: Exception) -> list[Outcome]:
    cause = exc if isinstance(exc, StoreFailed) else translate(exc, "commit")
    kind = type(cause) if isinstance(cause, StoreFailed) else StoreFailed
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error as worse:
            kind, cause = StoreBroken, StoreBroken(f"{cause}; and the transaction could not be undone: {worse}")
    return undone(works, kind, str(cause), exc)


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
