"""Generations that are live and rest: as a restart takes them up, each looked at once, and none of them in the store."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass, replace
from types import CoroutineType

from gateway.attempts.job import from_record
from gateway.ledger import generations
from gateway.ledger.records import Record
from tests.shape import asking
from tests.shape.serving import Served

_AT_ONCE = 500  # looks at the far end
_ACCOUNTS = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """What one generation keeps while it rests: bytes, and how many coroutines wait in one another."""

    size: float
    coroutines: float


def kept(served: Served, count: int) -> Kept:
    """Begin so many more, and say what each of them keeps."""
    before = _coroutines()
    tracemalloc.start()
    try:
        begin(served, count)
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Kept(size / count, (_coroutines() - before) / count)


def _coroutines() -> int:
    return sum(isinstance(each, CoroutineType) for each in gc.get_objects())


def begin(served: Served, count: int) -> None:
    """Have so many more live: they rest at their provider, and a tenth of as many wait for their turn to be taken up."""
    with served.line as line:
        name = asking.create(served, line)
    record = served.do(served.store.read(generations.find_any(name, attempts=True)))
    assert record is not None
    begun = served.runs.live
    asleep = served.sleeping
    for first in range(0, count, _AT_ONCE):
        last = min(count, first + _AT_ONCE)
        served.do(_take_up(served, record, range(first, last)))
        served.until(lambda last=last: served.sleeping >= asleep + last)
    waiting = [(f"account-{number % _ACCOUNTS}", f"{record.id}-{number}-waits") for number in range(count // 10)]
    served.do(_wait(served, waiting))
    assert served.runs.live >= begun + count


async def _take_up(served: Served, record: Record, numbers: range) -> None:
    [attempt] = record.attempts
    for number in numbers:
        same = replace(attempt, id=attempt.id + 1_000_000 + number)
        another = replace(record, id=f"{record.id}-{number}", account=f"account-{number % _ACCOUNTS}", attempts=(same,))
        served.runs._go(from_record(another), same)


async def _wait(served: Served, generations: list[tuple[str, str]]) -> None:
    served.runs.take_up(generations, spread=1e9)
