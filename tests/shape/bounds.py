"""What one request may be at most, and what is said when it is more."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.shape.measuring import Shape

REQUESTS: Mapping[str, str] = {
    "picture": "POST /v1/images/generations, the picture in the answer and kept nowhere",
    "create": "POST /v1/generate/image/…, until the provider has the job and the store knows so",
    "record": "GET /v1/content/{id} of a generation that succeeded",
}

USUAL = Path(__file__).with_name("usual.json")  # how often each function was called when the bounds were taken
TAKEN_ON = (3, 11)  # the interpreter they were taken on
_ROOM = 1.02  # they are nearly always the same
_ROOM_ELSEWHERE = 1.15  # another interpreter's library is another
_CALLS = ("calls", "own calls", "calls in the store")
_SHOWN = 12
_RARE = 0.5  # calls for a request: what is called less often has to do with something else


@dataclass(frozen=True, slots=True)
class Bound:
    """The most of one figure for each of the requests, and what it stands for."""

    figure: str
    picture: int
    create: int
    record: int
    why: str

    def of(self, request: str) -> float:
        """The most for one of them, on this interpreter."""
        most: int = getattr(self, request)
        is_elsewhere = self.figure in _CALLS and sys.version_info[:2] != TAKEN_ON
        return most * _ROOM_ELSEWHERE if is_elsewhere else most


# Counted by `python -m tests.shape`, which prints these lines anew; a change that needs more says why it is worth that.
BOUNDS: Sequence[Bound] = (
    Bound(
        "calls", 1374, 1042, 339, "functions called on the thread of the loop, whoever's they are but the loop's own"
    ),
    Bound("own calls", 719, 540, 167, "those of them that are ours"),
    Bound("calls in the store", 275, 179, 73, "functions called on the threads of the store"),
    Bound("writes", 2, 2, 0, "programs and wishes that the store's writer is asked for"),
    Bound("commits", 2, 2, 0, "transactions that write, each a sync of the disk"),
    Bound("reads", 0, 0, 1, "programs that the store's reader is asked for"),
    Bound("statements", 23, 16, 5, "statements that reach the engine, those that begin and end a transaction too"),
    Bound("encodes", 16, 7, 1, "values written as JSON"),
    Bound("decodes", 2, 2, 6, "texts read as JSON"),
    Bound("tasks", 6, 6, 2, "tasks made, each several turns of the loop"),
    Bound("timers", 2, 1, 0, "timers set"),
    Bound("hops", 0, 0, 0, "works handed to threads beside the loop's and the store's"),
)

# What a request needs that 64 ask for at once, as a part of what it needs alone: a batch writes for all that are in it. That a job was
# taken is written for each by statements of its own, and half of a create is that.
SHARED: Mapping[str, float] = {"statements": 0.5, "commits": 0.25}

# What a generation keeps while it rests at its provider, beside 2,000 others: 6,660 bytes, 20,000 of them 5,310 each.
RESTING = 7_000 * (1 if sys.version_info[:2] == TAKEN_ON else _ROOM_ELSEWHERE)  # bytes
COROUTINES = 5.1  # that wait in one another: a frame each, of some 300 bytes

FLAT = 0.02  # by how much more calls a request may be beside many that are live than beside few


def broken(shapes: Mapping[str, Shape]) -> Iterator[str]:
    """Each bound that is not kept, with the functions that have grown most."""
    for request, shape in shapes.items():
        over = [
            f"{bound.figure} {shape.figures[bound.figure]:g}, at most {bound.of(request):g} ({bound.why})"
            for bound in BOUNDS
            if shape.figures[bound.figure] > bound.of(request)
        ]
        if over:
            yield f"{request}: {'; '.join(over)}. Called more often than usual: {_said(grown(shape, usual(request)))}"


def uneven(few: Mapping[str, Shape], many: Mapping[str, Shape]) -> Iterator[str]:
    """Each request that costs more beside many that are live, with the functions that are called more often."""
    for request, shape in many.items():
        before, after = few[request].figures["calls"], shape.figures["calls"]
        if after > before * (1 + FLAT):
            said = _said(grown(shape, few[request].functions))
            yield f"{request}: {after:g} calls beside many, {before:g} beside few. Called more often: {said}"


def grown(shape: Shape, before: Mapping[str, float]) -> dict[str, float]:
    """By how much functions are called more often than before, the most first."""
    more = {name: count - before.get(name, 0) for name, count in shape.functions.items()}
    return {name: more[name] for name in sorted(more, key=lambda each: -more[each]) if more[name] >= _RARE}


def usual(request: str) -> Mapping[str, float]:
    """How often each function was called for a request when the bounds were taken."""
    place = [*REQUESTS].index(request)
    known: Mapping[str, Mapping[str, Sequence[float]]] = json.loads(USUAL.read_text()) if USUAL.exists() else {}
    return {f"{file}:{name}": counts[place] for file, names in known.items() for name, counts in names.items()}


def keep(shapes: Mapping[str, Shape]) -> None:
    """Write down how often each function is called now: by files and names, for each of the requests in their order."""
    known: dict[str, dict[str, list[float]]] = {}
    for each in sorted({each for shape in shapes.values() for each in shape.functions}):
        file, _, name = each.partition(":")
        counts = [round(shapes[request].functions.get(each, 0), 1) for request in REQUESTS]
        if max(counts) >= _RARE:
            known.setdefault(file, {})[name] = counts
    said = ",\n".join(
        f"{json.dumps(file)}: {json.dumps(names, separators=(',', ':'))}" for file, names in known.items()
    )
    USUAL.write_text(f"{{\n{said}\n}}\n")


def lines(shapes: Mapping[str, Shape]) -> Iterator[str]:
    """The bounds as they would be taken now."""
    for bound in BOUNDS:
        room = _ROOM if bound.figure in _CALLS else 1.0
        most = (math.ceil(round(shape.figures[bound.figure] * room, 3)) for shape in shapes.values())
        yield f'    Bound("{bound.figure}", {", ".join(map(str, most))}, "{bound.why}"),'


def _said(functions: Mapping[str, float]) -> str:
    return ", ".join(f"{name} +{more:.3g}" for name, more in list(functions.items())[:_SHOWN]) or "none"
