"""A restart with 10,000 generations under way: the seconds from the start of the process until it is ready, and what became of them.

The store is one that a gateway was killed over, each time anew. Beside it a start over an empty store, as the least a start can take.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, Of, alone, at_most, compared, void
from tests.bench.gateway import Gateway, gateway
from tests.bench.living import begin, counts, finish, live
from tests.bench.made import policy_of

NAME = "restart"
_LIVE = 10_000
_QUICK = 100
_READY = at_most(2, Of.OURS)
_NONE = at_most(0, Of.OURS)
_WAIT = 600  # seconds for all of them to end: they are taken up at 200 a second, and looked at with all others
_REST = 3.0  # seconds after which a process that has nothing to do is at rest


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds until it was ready, and bytes of its memory then."""

    seconds: float
    memory: int


def measure(bench: Bench) -> Iterator[Figure]:
    """Starts over both stores in turn; then all that was under way is let end, and counted."""
    many = _QUICK if bench.quick else _LIVE
    with (
        far_end(bench.scratch) as (far, _),
        gateway(bench, policy_of(far)) as empty,
        gateway(bench, policy_of(far)) as ours,
    ):
        time.sleep(_REST)
        yield alone(NAME, "memory at rest, empty store", [empty.process.pss() / 2**20], "MiB")
        begin(ours, far, many)
        bench.say(f"{many:,} under way")
        sent = counts(far)["jobs"]
        starts: list[_Start] = []
        least: list[_Start] = []
        for number in range(bench.rounds):
            least.append(_again(empty))
            starts.append(_again(ours))
            bench.say(
                f"round {number + 1} of {bench.rounds}: {starts[-1].seconds:.2f} s, empty {least[-1].seconds:.2f} s"
            )
        resumed = live(ours)
        what = f"ready after a SIGKILL with {many:,} under way"
        seconds, bare = [each.seconds for each in starts], [each.seconds for each in least]
        note = f"against an empty store; {starts[-1].memory / 2**20:.0f} MiB then"
        yield compared(NAME, what, seconds, bare, "s", _READY, note)
        yield alone(NAME, "not resumed", [many - resumed], "generations", _NONE)
        yield from _ended(bench, ours, far, many, sent)


def _again(gateway: Gateway) -> _Start:
    """Kill it and start it."""
    gateway.process.kill()
    return _Start(gateway.start(), gateway.process.pss())


def _ended(bench: Bench, ours: Gateway, far: str, many: int, sent: int) -> Iterator[Figure]:
    """Let all jobs end, and see what came of them."""
    finish(far)
    ends, begun = time.monotonic() + _WAIT, time.monotonic()
    while live(ours) and time.monotonic() < ends:
        time.sleep(0.5)
    bench.say(f"all ended after {time.monotonic() - begun:.0f} s")
    if left := live(ours):
        yield void(NAME, "submitted twice", f"{left} of {many} had not ended after {_WAIT} s", _NONE)
        return
    yield alone(NAME, "submitted twice", [counts(far)["jobs"] - sent], "jobs", _NONE)
    ours.command("doctor")  # which fails when a rule of the ledger does not hold
    ours.close()
    with closing(sqlite3.connect(ours.folder / "gateway.db")) as store:
        [done] = store.execute("SELECT COUNT(*) FROM generation WHERE state = 'succeeded'").fetchone()
    yield alone(NAME, "not done in the end", [many - done], "generations", _NONE)
