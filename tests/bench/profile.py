"""Where the processor goes in one synchronous image call: by stage on the loop's thread, and by thread.

64 connections keep the gateway busy. Stacks are taken from outside (`sampler`), and sorted into stages (`stages`). What a thread costs
is the kernel's count over the same seconds, so the stages of the loop add up to what it used, divided by the calls that were answered.
A second look asks who holds the interpreter's lock, for which threads wait as they do for a processor.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, alone, skipped, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.load import Load, Told, apply
from tests.bench.sampler import Stack, Unsampled, stacks, threads
from tests.bench.stages import SAYS, Stage, is_in, is_resting, stage

_NAME = "profile"
_CONNECTIONS, _FEW_CONNECTIONS = 64, 8
_RATE = 200  # stacks a second; the process stands still for a millisecond while each is taken
_LEAD = 1.0  # seconds of load before what is measured
_TAILS = (
    0.25,
    1.0,
    3.0,
)  # and after it, in lengths of it: stacks take longer than they are asked for where the machine is busy
_WARM = 500  # calls before anything is measured
_UNIT = "µs CPU/call"
_SMALLEST = 0.01  # of all: threads that cost less are told together
_SHOWN = 3  # places within a stage that are named


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at the busy process: stacks, and the microseconds of processor each thread used for each call answered."""

    stacks: Sequence[Stack]
    costs: Mapping[int, float]
    told: Told

    @property
    def whole(self) -> float:
        """Microseconds of all threads."""
        return sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class _Stand:
    """What is looked at."""

    bench: Bench
    far: str
    ours: Gateway

    @property
    def connections(self) -> int:
        """That ask at once."""
        return _FEW_CONNECTIONS if self.bench.quick else _CONNECTIONS

    def ask(self, *, seconds: float = 0.0, count: int = 0) -> Told:
        """Keep all connections busy for so long."""
        body = json.dumps({"model": "openai/gpt-image-2", "prompt": "a baby seal plays in the Arctic"})
        url = f"{self.ours.origin}/v1/images/generations"
        asked = Load(
            url, self.connections, seconds, count, method="POST", body=body, headers=self.ours.sends, holds="b64_json"
        )
        return apply(asked)

    def answered(self) -> int:
        """Calls the far end has answered, each for one of ours."""
        with urllib.request.urlopen(f"{self.far}/_counts") as answer:
            return sum(count for path, count in json.load(answer).items() if path.endswith("/images/generations"))

    def look(self, output: str = "", *, holding: bool = False) -> _Seen:
        """Take stacks while it is busy; without `output` only the seconds pass. Unsampled when they cannot be taken."""
        for longer in _TAILS:
            seen = self._look(output, longer * self.bench.seconds + _LEAD, holding=holding)
            if seen is not None:
                return seen
        raise Unsampled("the machine is too busy for it")

    def _look(self, output: str, tail: float, *, holding: bool) -> _Seen | None:
        """The same beside a load that goes on for `tail` seconds; None when that was not long enough."""
        seconds = max(int(self.bench.seconds), 1)
        pid, found = self.ours.process.pid, list[Stack]()
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(self.ask, seconds=_LEAD + seconds + tail)
            time.sleep(_LEAD)
            before, counted = threads(pid), self.answered()
            if output:
                found += stacks(pid, seconds, _RATE, self.bench.scratch / output, holding=holding)
            else:
                time.sleep(seconds)
            after, calls = threads(pid), self.answered() - counted
            if asking.done():
                return None
            told = asking.result()
        costs = {number: (spent - before.get(number, 0.0)) * 1e6 / max(calls, 1) for number, spent in after.items()}
        return _Seen(found, costs, told)


def measure(bench: Bench) -> Iterator[Figure]:
    """Microseconds of processor a call; a profile has no goal."""
    with far_end(bench.scratch) as (far, _), gateway(bench, policy(far)) as ours:
        stand = _Stand(bench, far, ours)
        warm, plain = stand.ask(count=16 if bench.quick else _WARM), stand.look()
        bench.say(f"{_NAME}: nobody looks: {plain.told}")
        try:
            if bench.quick:
                raise Unsampled("a quick run installs nothing")  # noqa: TRY301 - said as any other reason is
            seen = stand.look("stacks")
            bench.say(f"{_NAME}: while stacks are taken: {seen.told}")
            lock = stand.look("holders", holding=True)
        except Unsampled as error:
            yield _total(stand, plain, None) if not plain.told.errors else void(_NAME, "all threads", str(plain.told))
            yield skipped(_NAME, "by stage", str(error))
            return
    if wrong := [each for each in (warm, plain.told, seen.told, lock.told) if each.errors]:
        yield void(_NAME, "by stage", str(wrong[0]))
        return
    yield _total(stand, plain, seen)
    yield from _by_thread(seen, lock, ours.process.pid)
    yield from _by_stage(seen, ours.process.pid)


def policy(far: str) -> str:
    """Everything as it is shipped, but for the outputs: they are in the answers."""
    return "outputs: {store: none}\n" + providers(openai=f"{far}/small/v1")


def _total(stand: _Stand, plain: _Seen, seen: _Seen | None) -> Figure:
    beside = (
        f"; {seen.whole:,.0f} while stacks are taken, which is what the stages add up to" if seen is not None else ""
    )
    return alone(_NAME, "all threads", [plain.whole], _UNIT, note=f"{stand.connections} connections{beside}")


def _by_thread(seen: _Seen, lock: _Seen, main: int) -> Iterator[Figure]:
    names = _names(seen.stacks, main)
    holders = Counter[str]()
    for stack in lock.stacks:
        holders[_names(lock.stacks, main).get(stack.thread, "others")] += stack.samples
    costs: dict[str, float] = {}
    for number, cost in seen.costs.items():
        name = names.get(number, "others") if cost >= _SMALLEST * seen.whole else "others"
        costs[name] = costs.get(name, 0.0) + cost
    for name, cost in sorted(costs.items(), key=lambda each: -each[1]):
        held = f"holds the lock in {_share(holders[name], holders.total())} of the looks that found a holder"
        note = "; ".join([f"{_share(cost, seen.whole)} of all", held, *_store_of(seen.stacks, names, name)])
        yield alone(_NAME, f"thread: {name}", [cost], _UNIT, note=note)


def _by_stage(seen: _Seen, main: int) -> Iterator[Figure]:
    cost = seen.costs[main]
    samples, places = Counter[Stage](), {each: Counter[str]() for each in Stage}
    for stack in seen.stacks:
        if stack.thread == main:
            found, place = stage(stack)
            samples[found] += stack.samples
            places[found][place] += stack.samples
    for each in Stage:
        if share := samples[each] / max(samples.total(), 1):
            most = ", ".join(
                f"{place} {_share(count, samples[each])}" for place, count in places[each].most_common(_SHOWN)
            )
            note = f"{_share(samples[each], samples.total())}; {SAYS[each]}; most of it: {most}"
            yield alone(_NAME, f"stage: {each}", [share * cost], _UNIT, note=note)


def _names(found: Sequence[Stack], main: int) -> Mapping[int, str]:
    """Each thread by what it does, or by its own name where that cannot be seen."""
    names: dict[int, str] = {main: "loop"}
    for stack in found:
        if is_in(stack, "gateway/ledger/sqlite.py", "commit*"):
            names[stack.thread] = "store, writing"
        elif is_in(stack, "gateway/ledger/sqlite.py", "look"):
            names[stack.thread] = "store, reading"
        elif stack.thread not in names:
            names[stack.thread] = re.split(r" \(|_\d", stack.name)[0] or "others"
    return names


def _store_of(found: Sequence[Stack], names: Mapping[int, str], name: str) -> Iterator[str]:
    """What the writing thread is at over time."""
    if name != "store, writing":
        return
    at = Counter[str]()
    for stack in found:
        if names.get(stack.thread) == name:
            is_commit = bool(stack.frames) and stack.frames[-1].function == "commit"
            at["rests" if is_resting(stack) else "begins or commits" if is_commit else "runs programs"] += stack.samples
    yield "over time it " + ", ".join(f"{what} {_share(count, at.total())}" for what, count in at.most_common())


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole if whole else 0:.0f} %"
