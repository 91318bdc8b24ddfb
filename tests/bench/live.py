"""20,000 generations under way at once: the memory of each, how long reads take meanwhile, and what one more call costs.

Their jobs run at a far end that queues, none of them ends, and the gateway looks at them as often as it sees fit.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, Of, alone, at_most, compared, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.line import Line
from tests.bench.living import begin, counts
from tests.bench.load import Load, Told, apply

NAME = "live"
_LIVE = 20_000
_LIMITS = "limits: {live: 22500}\n"  # one account may have nine tenths of them, and there is to be room for the calls beside them
_FIRST = 300  # begun before memory is measured, so that what grows once has grown
_QUICK = 400
_PICTURE = {"model": "gpt-image-2", "prompt": "a baby seal plays in the Arctic", "n": 1, "size": "1024x1024"}
_CALLS = 100  # synchronous calls of a round
_READS = 4  # connections that read, each so often a second:
_PER_SECOND = 25


@dataclass(frozen=True, slots=True)
class _Seen:
    """A gateway at one moment: bytes of its memory, what its readers waited, the medians of synchronous calls in ms, its looks a second."""

    memory: int
    reads: Sequence[Told]
    calls: Sequence[float]
    looks: float
    busy: float  # cores


def measure(bench: Bench) -> Iterator[Figure]:
    """Memory, reads and calls, with a few under way and with many."""
    many = _QUICK if bench.quick else _LIVE
    first = _FIRST // 10 if bench.quick else _FIRST
    with far_end(bench.scratch) as (far, _):
        policy = _LIMITS + "log: {level: warning}\n" + providers(replicate=f"{far}/jobs", openai=f"{far}/small/v1")
        with gateway(bench, policy) as ours:
            begin(ours, far, first)
            few = _seen(bench, ours, far, "few")
            begun = time.monotonic()
            begin(ours, far, many - first)
            bench.say(f"{many:,} under way after {time.monotonic() - begun:.0f} s")
            most = _seen(bench, ours, far, f"{many:,}")
    each = (most.memory - few.memory) / (many - first) / 1024
    said = f"{few.memory / 2**20:.0f} MiB with {first}, {most.memory / 2**20:.0f} MiB with {many:,}"
    yield alone(NAME, f"memory of each of {many:,} under way", [each], "KiB", at_most(8, Of.OURS), said)
    what, goal = f"p99 of a read beside {many:,} under way", at_most(50, Of.OURS)
    wrong = [told for told in (*few.reads, *most.reads) if told.errors or not told.requests]
    if wrong:
        yield void(NAME, what, f"{wrong[0].errors} errors: {wrong[0].wrong[:1]}", goal)
    else:
        said = (
            f"{most.looks:.0f} looks a second, {most.busy:.2f} cores; beside {first} {few.looks:.0f} and {few.busy:.2f}"
        )
        ours_, theirs = ([told.p99 for told in seen.reads] for seen in (most, few))
        yield compared(NAME, what, ours_, theirs, "ms", goal, f"against {first} under way; {said}")
    what = f"a synchronous call beside {many:,} under way"
    yield compared(
        NAME, what, most.calls, few.calls, "ms", None, f"median of one connection, against {first} under way"
    )


def _seen(bench: Bench, ours: Gateway, far: str, words: str) -> _Seen:
    """Look at it for so many rounds."""
    asked, cpu, begun = counts(far).get("status", 0), ours.process.cpu(), time.monotonic()
    calls = [_called(ours) for _ in range(bench.rounds)]
    reads = [_read(bench, ours) for _ in range(bench.rounds)]
    seconds = time.monotonic() - begun
    looks, busy = (counts(far).get("status", 0) - asked) / seconds, (ours.process.cpu() - cpu) / seconds
    seen = _Seen(ours.process.pss(), reads, calls, looks, busy)
    bench.say(
        f"{words} under way: {reads[-1]}, a call {calls[-1]:.1f} ms, {looks:.0f} looks a second, {busy:.2f} cores"
    )
    return seen


def _called(ours: Gateway) -> float:
    """The median milliseconds of a synchronous call. RuntimeError when one fails."""
    waits = []
    with Line(ours.origin, ours.sends) as line:
        for _ in range(_CALLS):
            took, status, head, _ = line.ask("POST", "/v1/images/generations", json.dumps(_PICTURE))
            if status != 200 or b"b64_json" not in head:
                raise RuntimeError(f"a synchronous call was answered {status}: {head[:200]!r}")
            waits.append(took)
    return statistics.median(waits)


def _read(bench: Bench, ours: Gateway) -> Told:
    """Some readers at a moderate pace."""
    paths = _paths(ours)
    return apply(
        Load(
            url=ours.origin + paths[0],
            connections=_READS,
            seconds=max(1.0, bench.seconds),
            headers=ours.headers,
            paths=paths,
            holds='"status":"success"',
            every=1 / _PER_SECOND,
        )
    )


def _paths(ours: Gateway) -> Sequence[str]:
    """The newest 100 generations, one by one."""
    with Line(ours.origin, ours.headers) as line:
        ids: list[str] = []
        for offset in range(0, 100, 20):
            _, status, head, _ = line.ask("GET", f"/v1/content/list?limit=20&offset={offset}")
            if status != 200:
                raise RuntimeError(f"the list was answered {status}: {head[:200]!r}")
            ids += [each["generation_id"] for each in json.loads(head)["data"]["generations"]]
    return [f"/v1/content/{each}" for each in ids]
