"""The store of a simulated process: the real programs, statements and batches, on a database that lives in memory.

The file, as it were, is a `Memory` and outlives every crash; what a process has open is made by `opened`.
"""

from __future__ import annotations

import asyncio
import functools
import random
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gateway.ledger import sqlite
from gateway.ledger.database import Database, edges
from gateway.ledger.lane import Lane, Outcome, Undone
from gateway.ledger.migrations import apply, known
from gateway.ledger.program import Program, Wish, Work
from tests.harness.theatre import Crash
from tests.harness.virtual import EPOCH

T = TypeVar("T")

_BUSY, _FULL = 5, 13  # SQLite's primary result codes


class Memory(sqlite3.Connection):
    """A database in memory whose transactions may fail as those on a disk do: at their begin, or at their end."""

    trouble: Callable[[str], int | None] = staticmethod(lambda _: None)

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        """Run a statement; a begin or a commit may be refused first."""
        if sql in {"BEGIN IMMEDIATE", "COMMIT"} and (code := self.trouble(sql)) is not None:
            error = sqlite3.OperationalError("database is locked" if code == _BUSY else "database or disk is full")
            error.sqlite_errorcode = code
            raise error
        return super().execute(sql, *more)


@functools.cache
def _empty() -> bytes:
    """A store that was just made; making it takes a hundred times as long as copying it."""
    memory = _connect()
    apply(memory, known(), EPOCH)
    run(memory, edges())
    return memory.serialize()


def _connect() -> Memory:
    memory = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512, factory=Memory)
    memory.row_factory = sqlite3.Row
    memory.execute("PRAGMA foreign_keys = ON")
    return memory


def fresh() -> Memory:
    """A store nobody has used."""
    memory = _connect()
    memory.deserialize(_empty())
    return memory


def run(memory: Memory, program: Program[T]) -> T:
    """Run one program at once, for whoever stands outside of time."""
    [outcome] = sqlite.commit(memory, [program])
    if isinstance(outcome, Undone):
        raise outcome.error
    return outcome.value


def _named(work: Work[Any]) -> str:
    return work.many.apart.__name__.strip("_") if isinstance(work, Wish) else work.__name__


class _Shared:
    """The memory as one process has it open: a batch takes a while, and the process may die before and after it."""

    epoch: int | None = None
    address: str | None = None

    def __init__(self, memory: Memory, crash: Crash, dice: random.Random, failed: asyncio.Event) -> None:
        def lane_of(name: str, work: sqlite.Runner) -> Lane:
            async def run(works: Sequence[Work[Any]]) -> Sequence[Outcome]:
                crash.door(f"{name} before")
                await asyncio.sleep(dice.uniform(0.0005, 0.01))
                crash.door(f"{name} {'+'.join(map(_named, works))}")
                outcomes = work(memory, works)
                await asyncio.sleep(dice.uniform(0.0001, 0.003))
                crash.door(f"{name} after")
                return outcomes

            return Lane(run, failed)

        self.writer = lane_of("commit", sqlite.commit)
        self.readers = (lane_of("read", sqlite.look),)
        self.reporter = self.checker = lane_of("report", sqlite.look)

    def is_writer(self, _process: int) -> bool:
        """There is no server."""
        return False

    async def fold(self) -> bool:
        """There is no log."""
        return True

    async def close(self) -> None:
        """Nothing is to be closed."""


def opened(memory: Memory, crash: Crash, dice: random.Random) -> Database:
    """Open the store for one process."""
    failed = asyncio.Event()
    return Database(_Shared(memory, crash, dice, failed), failed)


def troubled(dice: random.Random, chance: float) -> Callable[[str], int | None]:
    """Now and then the file is locked by somebody else, or the disk is full."""

    def trouble(sql: str) -> int | None:
        if dice.random() >= chance:
            return None
        return _BUSY if sql == "BEGIN IMMEDIATE" else _FULL

    return trouble
