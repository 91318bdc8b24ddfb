"""The open store: programs in, results out, whatever engine lies beneath."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from gateway.generation import EDGES
from gateway.ledger.lane import Lane, Observer
from gateway.ledger.postgres import Server
from gateway.ledger.program import Program, Work, ask
from gateway.ledger.sqlite import File

T = TypeVar("T")


class Engine(Protocol):
    """What a store lies in, open."""

    writer: Lane
    readers: tuple[Lane, ...]
    reporter: Lane
    checker: Lane

    epoch: int | None
    address: str | None

    def is_writer(self, process: int) -> bool:
        """Whether the process of the server with this number writes for us."""

    async def fold(self) -> bool:
        """See to it that what was deleted is in no file any more; False when it has to be tried again."""

    async def close(self) -> None:
        """Let go of it; no program runs any more."""


class Database:
    """The open store. `failed` is set when it cannot be trusted any more: the process then has to end."""

    def __init__(self, engine: Engine, failed: asyncio.Event, path: Path | None = None) -> None:
        """Take over an open engine; `path` is the file where there is one."""
        self.path = path
        self.failed = failed
        self._engine = engine
        self._closed = False

    @classmethod
    async def open(cls, place: str | Path, *, now: Callable[[], int]) -> Database:
        """Open the store in a file, or in the database at a postgresql:// address, creating or migrating it if need be.

        StoreInUse when another process owns the file, StoreUnknown when a newer version wrote it, StoreBroken when it is
        damaged, StoreBusy when the server cannot be reached.
        """
        failed = asyncio.Event()
        if is_shared(place):
            self = cls(await Server.open(str(place), failed, now()), failed)
        else:
            path = await asyncio.to_thread(Path(place).absolute)
            self = cls(await File.open(path, failed, now()), failed, path)
        try:
            await self.write(edges())
        except BaseException:
            await self.close()
            raise
        return self

    @property
    def address(self) -> str | None:
        """Where a store lies that is shared, password and all; None for a file."""
        return self._engine.address

    @property
    def epoch(self) -> int | None:
        """The lease under which this process writes; None where there is none, as in a file."""
        return self._engine.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._engine.epoch = epoch

    def is_writer(self, process: int) -> bool:
        """Whether the process of the server with this number writes for us."""
        return self._engine.is_writer(process)

    @property
    def observe(self) -> Observer | None:
        """Who is told of each committed batch: how many programs, and how many seconds from the hop to the commit."""
        return self._engine.writer.observe

    @observe.setter
    def observe(self, observer: Observer | None) -> None:
        self._engine.writer.observe = observer

    async def write(self, work: Work[T] | Callable[[], Program[T]]) -> T:
        """Run a program, or do what is wished for, and give the result once it is on disk.

        What the program raises is raised here, and nothing of it is kept; its neighbours in the batch are not touched.
        ConstraintBroken when a rule of the schema refused, StoreFailed when the batch could not be committed.
        """
        return await self._engine.writer.submit(work() if callable(work) else work)

    async def read(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """Run a program that only looks; it sees everything that was acknowledged before the call."""
        lane = min(self._engine.readers, key=_waiting) if len(self._engine.readers) > 1 else self._engine.readers[0]
        return await lane.submit(program() if callable(program) else program)

    async def check(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """The same for programs that go through all of the store, which takes minutes of a large one: not even reports wait."""
        return await self._engine.checker.submit(program() if callable(program) else program)

    async def report(self, program: Program[T] | Callable[[], Program[T]]) -> T:
        """The same for programs that go through much of the store: nobody who reads waits behind them."""
        return await self._engine.reporter.submit(program() if callable(program) else program)

    async def fold(self) -> bool:
        """Bring the log home and empty it, so that what was deleted is in no file any more; False when readers are in the way."""
        return await self._engine.fold()

    async def close(self) -> None:
        """Finish what waits and let go of the store; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            for lane in (self._engine.checker, self._engine.reporter, *self._engine.readers, self._engine.writer):
                await lane.close()
        finally:
            await self._engine.close()


def is_shared(place: str | Path) -> bool:
    """Whether a store is one that several processes share."""
    return str(place).startswith(("postgresql://", "postgres://"))


def edges() -> Program[None]:
    """Write every legal step of a generation down."""
    # A generation is born from "new", with its first attempt or without: its first transition needs an edge too.
    for a, b in sorted({("new", "accepted"), ("new", "submitting"), *((a.value, b.value) for a, b in EDGES)}):
        yield from ask("edge_add", a=a, b=b)


def _waiting(lane: Lane) -> int:
    return lane.waiting
