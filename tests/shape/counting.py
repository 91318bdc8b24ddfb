"""Counts what one gateway does: on the thread of its loop, on those of its store, in the engine, and on the loop.

Python calls are counted as the interpreter tells of them: once for every call of a function and for every time that a coroutine
or generator is gone on with. What is written in C is not among them, nor are the loop's own functions, which are in C where it
serves in earnest, nor those that count.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from asyncio import base_events
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

from tests.shape.serving import Served, logging_alone

_OWN = str(Path(__file__).resolve().parent)
_ROOT = Path(__file__).resolve().parents[2]
_LOOP = base_events.BaseEventLoop
# What turns the loop: how often it turns is a matter of when another thread is done.
_TURNS = (
    "/asyncio/base_events.py",
    "/asyncio/events.py",
    "/asyncio/selector_events.py",
    "/asyncio/runners.py",
    "/selectors.py",
)
_TASKS, _TIMERS = {_LOOP.create_task.__code__}, {_LOOP.call_at.__code__}
_HOPS = {_LOOP.run_in_executor.__code__}
_ENCODES = {json.JSONEncoder.encode.__code__}
_DECODES = {json.JSONDecoder.raw_decode.__code__}  # what all other ways to decode a text end in
_WRITTEN = {
    "__init__": "()",
    "__eq__": ".__eq__",
    "__hash__": ".__hash__",
}  # what records have without its being in a file
_ENGINE, _STATES = (sqlite3.Connection, sqlite3.Cursor), {"execute", "executemany", "executescript"}
_PATIENCE = 10.0

Profile: TypeAlias = Callable[[FrameType, str, Any], None]


@dataclass
class Seen:
    """What was counted between two moments."""

    loop: Counter[CodeType] = field(default_factory=Counter)  # calls on the thread of the loop
    store: Counter[CodeType] = field(default_factory=Counter)  # and on those of the store
    statements: int = 0
    writes: int = 0  # programs and wishes
    commits: int = 0
    reads: int = 0

    def figures(self, requests: int) -> dict[str, float]:
        """Each of the figures for one request."""
        both = self.loop + self.store
        found = {
            "calls": _sum(self.loop, {code for code in self.loop if not _turns(code)}),
            "own calls": sum(count for code, count in self.loop.items() if _is_ours(code)),
            "calls in the store": self.store.total(),
            "writes": self.writes,
            "commits": self.commits,
            "reads": self.reads,
            "statements": self.statements,
            "encodes": _sum(both, _ENCODES),
            "decodes": _sum(both, _DECODES),
            "tasks": _sum(self.loop, _TASKS),
            "timers": _sum(self.loop, _TIMERS),
            "hops": _sum(self.loop, _HOPS),
        }
        return {name: count / requests for name, count in found.items()}

    def functions(self, requests: int) -> dict[str, float]:
        """How often each function is called for one request on all threads, most often first."""
        names, found = _made(), Counter[str]()
        for code, count in (self.loop + self.store).items():
            if not _turns(code):
                found[names.get(code) or name_of(code)] += count
        return {name: round(count / requests, 2) for name, count in found.most_common()}


def _sum(calls: Counter[CodeType], codes: set[CodeType]) -> int:
    return sum(calls[code] for code in codes)


def _turns(code: CodeType) -> bool:
    return code.co_filename.endswith(_TURNS)


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(f"{_ROOT}/gateway/")


def _made() -> Mapping[CodeType, str]:
    """What was written for our records, and has no file."""
    found: dict[CodeType, str] = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        for each in list(vars(module).values()) if name.startswith("gateway.") else ():
            for act, said in _WRITTEN.items() if isinstance(each, type) and each.__module__ == name else ():
                if isinstance(function := getattr(each, act), FunctionType):
                    found[function.__code__] = f"{name.replace('.', '/')}.py:{each.__qualname__}{said}"
    return found


def name_of(code: CodeType) -> str:
    """Where a function is, and what it is called: `gateway/clock.py:SteadyClock.now_ms`."""
    path = Path(code.co_filename)
    short = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
    return f"{short}:{code.co_qualname}"


@contextmanager
def counting(served: Served, *, loop: bool = True) -> Iterator[Seen]:
    """Count until the end of the block, the store's threads alone without the `loop`; nothing may be under way at either end."""
    seen = Seen()
    engine = served.store._engine

    def wrote(programs: int, _seconds: float) -> None:
        seen.writes += programs
        seen.commits += 1

    def read(programs: int, _seconds: float) -> None:
        seen.reads += programs

    def stated() -> None:
        seen.statements += 1

    with logging_alone(), _observing(engine.writer, wrote), _observing(engine.readers[0], read):
        for each in engine._connections:
            served.do(each._execute(sys.setprofile, _profile(seen.store, stated)))
        if loop:
            _there(served, _profile(seen.loop, stated))
        try:
            yield seen
        finally:
            _there(served, None)
            for each in engine._connections:
                served.do(each._execute(sys.setprofile, None))


@contextmanager
def _observing(lane: Any, observe: Callable[[int, float], None]) -> Iterator[None]:
    """Have somebody more hear of every batch of a lane."""
    usual = lane.observe

    def both(programs: int, seconds: float) -> None:
        observe(programs, seconds)
        if usual is not None:
            usual(programs, seconds)

    lane.observe = both
    try:
        yield
    finally:
        lane.observe = usual


def _there(served: Served, profile: Profile | None) -> None:
    """Set it on the thread of the loop, between two of its steps."""
    done = threading.Event()

    def run() -> None:
        sys.setprofile(profile)
        done.set()

    served.loop.call_soon_threadsafe(run)
    assert done.wait(_PATIENCE)


def _profile(calls: Counter[CodeType], stated: Callable[[], None]) -> Profile:
    def seen(frame: FrameType, event: str, what: Any) -> None:
        if event == "call":
            if not frame.f_code.co_filename.startswith(_OWN):
                calls[frame.f_code] += 1
        elif event == "c_call" and what.__name__ in _STATES and isinstance(what.__self__, _ENGINE):
            stated()

    return seen
