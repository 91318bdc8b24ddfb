"""One request alone, many at once, and one beside many that are live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from tests.bench.load import Load, apply
from tests.shape import asking
from tests.shape.counting import Seen, counting
from tests.shape.serving import Served

_WARM, _WINDOWS, _REQUESTS = 10, 3, 8
_TIMED = 100
_AT_ONCE, _MANY = 64, 192

Asked: TypeAlias = Mapping[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What one request is: the figures, and how often each function is called."""

    figures: Mapping[str, float]
    functions: Mapping[str, float]


@contextmanager
def asked(served: Served, far: str) -> Iterator[Asked]:
    """The requests by their names. Its time passes here for the only time, for one generation to end."""
    ended = asking.ended(served, far)
    with served.line as line:
        yield {
            "picture": lambda: asking.picture(line),
            "create": lambda: asking.create(served, line),
            "record": lambda: asking.record(line, ended),
        }


def alone(served: Served, requests: Asked) -> dict[str, Shape]:
    """Each request, one after the other."""
    return {name: _counted(served, ask) for name, ask in requests.items()}


def _counted(served: Served, ask: Callable[[], object]) -> Shape:
    """The least of some windows: a timer of the library's may fall into one."""
    for _ in range(_WARM):
        ask()
    windows: list[Seen] = []
    for _ in range(_WINDOWS):
        with counting(served) as seen:
            for _ in range(_REQUESTS):
                ask()
        windows.append(seen)
    least = min(windows, key=lambda each: each.figures(_REQUESTS)["calls"])
    return Shape(least.figures(_REQUESTS), least.functions(_REQUESTS))


def together(served: Served) -> dict[str, dict[str, float]]:
    """The figures of the store for a request of which many connections ask at once."""
    return {
        "picture": _together(served, "/v1/images/generations", asking.PICTURE, '"b64_json"'),
        "create": _together(served, asking.CREATE_AT, asking.CREATE, '"generation_initialized":true'),
    }


def _together(served: Served, path: str, body: str, holds: str) -> dict[str, float]:
    load = Load(
        served.origin + path, _AT_ONCE, count=_MANY, method="POST", body=body, headers=served.sends, holds=holds
    )
    with counting(served, loop=False) as seen:
        told = apply(load)
        served.until(lambda: served.rests)
    assert not told.errors, told
    return seen.figures(_MANY)


def seconds(served: Served, requests: Asked) -> dict[str, float]:
    """What each request takes of the loop's thread, in seconds of a processor."""
    return {name: _timed(served, ask) for name, ask in requests.items()}


def _timed(served: Served, ask: Callable[[], object]) -> float:
    before = served.do(_spent())
    for _ in range(_TIMED):
        ask()
    return (served.do(_spent()) - before) / _TIMED


async def _spent() -> float:
    return time.thread_time()
