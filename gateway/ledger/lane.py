"""A queue of programs that run in batches: one transaction a batch.

The cost of a store call is the way to the engine and the disk's sync, not the statements. Whatever arrives while a batch is
running becomes the next one, so that both are shared under load and nobody waits for company without it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from gateway import log
from gateway.ledger.program import Apart, Many, Program, StoreBroken, StoreError, StoreFailed, Wish, Work

T = TypeVar("T")

Observer: TypeAlias = Callable[[int, float], None]

# Programs per transaction: far beyond what arrives during one sync, and short enough that a batch ends in milliseconds.
LARGEST_BATCH = 256


@dataclass(frozen=True, slots=True)
class Done:
    """What a program returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Undone:
    """Why nothing of a program was kept."""

    error: Exception


Outcome: TypeAlias = Done | Undone
Run: TypeAlias = Callable[[Sequence[Work[Any]]], Awaitable[Sequence[Outcome]]]


class Lane:
    """One queue. `failed` is set, and further work refused, once the store cannot be trusted."""

    def __init__(self, run: Run, failed: asyncio.Event, observe: Observer | None = None) -> None:
        """Run each batch by `run`; `observe` hears of each how many programs it had, and how many seconds it took."""
        self.observe = observe
        self._run = run
        self._failed = failed
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many programs wait for a batch."""
        return len(self._waiting)

    async def submit(self, work: Work[T]) -> T:
        """Do a work in one of the next batches. A caller who is cancelled gives up the answer, not the work."""
        if self._closed:
            raise StoreFailed("the store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    def check(self) -> None:
        """StoreFailed when no more work is taken."""
        if self._closed or self._failed.is_set():
            raise StoreFailed(
                "the store is closed" if self._closed else "the store failed before and takes no more work"
            )

    async def close(self) -> None:
        """Take nothing more and finish what waits."""
        self._closed = True
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), LARGEST_BATCH)
                await self._batch([self._waiting.popleft() for _ in range(size)])
        finally:
            self._task = None
            while self._waiting:
                _tell(self._waiting.popleft()[1], Undone(StoreFailed("the store stopped before the work was done")))

    async def _batch(self, batch: Sequence[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        stopped = StoreFailed("the store stopped during the work; whether it was kept is known after a restart")
        outcomes: Sequence[Outcome] = [Undone(stopped)] * len(batch)
        try:
            if self._failed.is_set():
                outcomes = [Undone(StoreBroken("the store failed before and takes no more work"))] * len(batch)
                return
            loop = asyncio.get_running_loop()
            started = loop.time()
            outcomes = await self._run([work for work, _ in batch])
            if self.observe is not None:
                self.observe(len(batch), loop.time() - started)
        finally:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Undone) and isinstance(outcome.error, StoreBroken):
                    self._failed.set()
                _tell(future, outcome)


def _tell(future: asyncio.Future[Any], outcome: Outcome) -> None:
    if future.done():
        return
    match outcome:
        case Done(value):
            future.set_result(value)
        case Undone(error):
            future.set_exception(error)


class Crowds:
    """The works of a batch: those wished for by several are done together first, and then every other as a program of its own."""

    def __init__(self, works: Sequence[Work[Any]]) -> None:
        """Nothing is done yet."""
        self._works = works
        self._done: dict[int, Outcome] = {}

    @property
    def together(self) -> list[tuple[Program[Any], Sequence[int]]]:
        """What may be done together, each program with the places of its works in the batch."""
        crowds: dict[int, tuple[Many[Any, Any], dict[int, Any]]] = {}
        for place, work in enumerate(self._works):
            if isinstance(work, Wish):
                crowds.setdefault(id(work.many), (work.many, {}))[1][place] = work.item
        return [(many.together(list(items.values())), list(items)) for many, items in crowds.values()]

    def done(self, places: Sequence[int], outcome: Outcome) -> None:
        """Take down how it went together; what did not is done apart."""
        if isinstance(outcome, Done):
            told = zip(places, outcome.value, strict=True)
            self._done |= {place: Done(value) for place, value in told if not isinstance(value, Apart)}
        elif not isinstance(outcome.error, StoreError):
            log.event("together_broke", level="error", works=len(places), error=outcome.error)  # a defect, and no harm

    @property
    def apart(self) -> Mapping[int, Program[Any]]:
        """What is still to be done, by its place."""
        return {place: alone(work) for place, work in enumerate(self._works) if place not in self._done}

    def outcomes(self, apart: Mapping[int, Outcome]) -> list[Outcome]:
        """How everything went, in the order of the batch."""
        known = {**self._done, **apart}
        return [known[place] for place in range(len(self._works))]


def alone(work: Work[T]) -> Program[T]:
    """A work as a program of its own."""
    return work.many.apart(work.item) if isinstance(work, Wish) else work


def undone(
    works: Sequence[Work[Any]], kind: type[StoreFailed], why: str, cause: BaseException | None = None
) -> list[Outcome]:
    """Keep nothing of any of these, each with an error of its own."""
    outcomes: list[Outcome] = []
    for work in works:
        if not isinstance(work, Wish):
            work.close()
        error = kind(why)
        error.__cause__ = cause
        outcomes.append(Undone(error))
    return outcomes
