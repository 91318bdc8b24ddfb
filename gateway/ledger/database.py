"""The store on SQLite: one writer with group commit, one process at a time, readers beside it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiosqlite

from gateway.generation import EDGES
from gateway.ledger.lane import Lane, Observer, Outcome, Runner, commit, look, lost, translate
from gateway.ledger.migrations import apply, known
from gateway.ledger.program import Program, StoreBroken, StoreError, StoreInUse, ask

T = TypeVar("T")

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


class Database:
    """The open store. `failed` is set when the disk or the file cannot be trusted: the process then has to end."""

    def __init__(
        self, path: Path, lock: int, writer: Lane, reader: Lane, reporter: Lane, failed: asyncio.Event
    ) -> None:
        self.path = path
        self.failed = failed
        self._lock = lock
        self._closed = False
        self._writer = writer
        self._reader = reader
        self._reporter = reporter

    @classmethod
    async def open(cls, path: str | Path, *, now: Callable[[], int]) -> Database:
        """Open the store, creating or migrating it if need be.

        StoreInUse when another process owns it, StoreUnknown when a newer version wrote it, StoreBroken when it is damaged.
        """
        path = await asyncio.to_thread(Path(path).absolute)
        lock = await asyncio.to_thread(_claim, path)
        opened: list[aiosqlite.Connection] = []
        try:
            writer = await _connect(opened, str(path), _WRITER)
            await writer._execute(_prepare, writer, now())  # type: ignore[no-untyped-call]  # noqa: SLF001 - as in `lane`
            link = f"file:{quote(str(path))}?mode=ro"
            reader = await _connect(opened, link, _READER)
            reporter = await _connect(opened, link, _READER)
            failed = asyncio.Event()
            self = cls(
                path,
                lock,
                Lane(writer, _at(path), failed),
                Lane(reader, look, failed),
                Lane(reporter, look, failed),
                failed,
            )
            await self.write(_edges())
        except BaseException as exc:
            for connection in reversed(opened):
                await connection.close()
            os.close(lock)
            if isinstance(exc, sqlite3.Error):
                raise _unopened(exc, path) from exc
            raise
        return self

    @property
    def observe(self) -> Observer | None:
        """Who is told of each committed batch: how many programs, and how many seconds from the hop to the commit."""
        return self._writer.observe

    @observe.setter
    def observe(self, observer: Observer | None) -> None:
        self._writer.observe = observer

    async def write(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """Run a program and give its result once it is on disk.

        What the program raises is raised here, and nothing of it is kept; its neighbours in the batch are not touched.
        ConstraintBroken when a rule of the schema refused, StoreFailed when the batch could not be committed.
        """
        return await self._writer.submit(program() if callable(program) else program)

    async def read(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """Run a program that only looks; it sees everything that was acknowledged before the call."""
        return await self._reader.submit(program() if callable(program) else program)

    async def report(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """The same for programs that go through much of the store: nobody who reads waits behind them."""
        return await self._reporter.submit(program() if callable(program) else program)

    async def fold(self) -> bool:
        """Bring the log home and empty it, so that what was deleted is in no file any more; False when readers are in the way."""
        return await self._writer.between(_fold)

    async def close(self) -> None:
        """Finish what waits, fold the log into the file and let go of the store; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._reporter.close()
            await self._reader.close()
            await self._writer.close()
        finally:
            os.close(self._lock)


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
    found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise StoreBroken(f"the store is damaged: {'; '.join(found)}; restore it from a backup")
    apply(connection, known(), now)


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

    def commit_there(connection: sqlite3.Connection, programs: Sequence[Program[Any]]) -> list[Outcome]:
        try:
            there = path.stat().st_ino
        except OSError:
            there = -1
        return commit(connection, programs) if there == opened else lost(programs, f"{path} is not the file it was")

    return commit_there


def _edges() -> Program[None]:
    # A generation is born from "new": its first transition needs an edge too.
    for a, b in sorted({("new", "accepted"), *((a.value, b.value) for a, b in EDGES)}):
        yield from ask("edge_add", a=a, b=b)
