"""The store of a simulated process: the real programs, statements and batches, on a database that lives in memory.

The file, as it were, is a `Memory` and outlives every crash; what a process has open is made by `opened`.
"""

from __future__ import annotations

import asyncio
import functools
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from gateway.generation import EDGES
from gateway.ledger import lane
from gateway.ledger.database import Database
from gateway.ledger.lane import Lane
from gateway.ledger.migrations import apply, known
from gateway.ledger.program import Program, ask
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
    run(memory, _edges())
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
    [outcome] = lane.commit(memory, [program])
    if isinstance(outcome, lane.Undone):
        raise outcome.error
    return outcome.value


def _edges() -> Program[None]:
    for a, b in sorted({("new", "accepted"), *((a.value, b.value) for a, b in EDGES)}):
        yield from ask("edge_add", a=a, b=b)


class _Connection:
    """What a lane needs of a connection: a batch takes a while, and the process may die before and after it."""

    def __init__(self, memory: Memory, crash: Crash, dice: random.Random, name: str) -> None:
        self._conn = memory
        self._crash = crash
        self._dice = dice
        self._name = name

    async def _execute(self, work: Callable[..., T], programs: list[Any]) -> T:
        self._crash.door(f"{self._name} before")
        await asyncio.sleep(self._dice.uniform(0.0005, 0.01))
        self._crash.door(f"{self._name} {'+'.join(program.__name__ for program in programs)}")
        outcome = work(programs)
        await asyncio.sleep(self._dice.uniform(0.0001, 0.003))
        self._crash.door(f"{self._name} after")
        return outcome

    async def close(self) -> None:
        """Nothing is to be closed."""


def opened(memory: Memory, crash: Crash, dice: random.Random) -> Database:
    """Open the store for one process."""
    failed = asyncio.Event()

    def lane_of(name: str, work: lane.Runner) -> Lane:
        connection: Any = _Connection(memory, crash, dice, name)
        return Lane(connection, work, failed)

    return Database(
        Path(":memory:"),
        -1,
        lane_of("commit", lane.commit),
        lane_of("read", lane.look),
        lane_of("report", lane.look),
        failed,
    )


def troubled(dice: random.Random, chance: float) -> Callable[[str], int | None]:
    """Now and then the file is locked by somebody else, or the disk is full."""

    def trouble(sql: str) -> int | None:
        if dice.random() >= chance:
            return None
        return _BUSY if sql == "BEGIN IMMEDIATE" else _FULL

    return trouble
