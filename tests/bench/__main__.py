"""`python -m tests.bench`: run the workloads, tell how far it is on stderr, print the table on stdout."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.bench.figure import Bench, Figure, table, told, void
from tests.bench.machine import line, machine

WORKLOADS = ("calls", "creates", "reads", "live", "restart", "outputs", "fanout", "looks", "profile")
_STOPPED = 130  # what a shell gives for a command that Ctrl-C ended
_QUICK_ROUNDS, _QUICK_SECONDS = 1, 0.3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Benchmark the gateway against a bare aiohttp pass-through, nginx and other gateways, side by side.",
        epilog="Exits 1 when a goal was missed. What others install is kept under XDG_CACHE_HOME/tidegate-bench.",
    )
    parser.add_argument(
        "--only", action="append", choices=WORKLOADS, metavar="NAME", help="this workload; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="of one measurement within a round (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a smoke test: tiny, and no others but aiohttp")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write machine and figures there too")
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    return parser


def _figures(bench: Bench, name: str) -> Iterator[Figure]:
    """The figures of one workload; what fails ends that workload and not the others."""
    begun = time.monotonic()
    try:
        yield from importlib.import_module(f"tests.bench.{name}").measure(bench)
    except Exception as error:  # noqa: BLE001 - whatever it was, the others can still be measured, and it is told
        yield void(name, "all", f"{type(error).__name__}: {str(error)[:300]}")
    bench.say(f"{name} took {time.monotonic() - begun:.0f} s")


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C ends, which stops all that was started."""
    raise KeyboardInterrupt(number)


def _run(bench: Bench, names: Sequence[str], found: list[Figure]) -> None:
    """Run workloads, and put what they find where it stays when this is stopped."""
    for name in names:
        _say(f"== {name}")
        for figure in _figures(bench, name):
            found.append(figure)
            _say(table([figure]).splitlines()[-1])


def main() -> int:
    """Run from the command line."""
    asked = _parser().parse_args()
    names = [name for name in WORKLOADS if not asked.only or name in asked.only]
    if asked.list:
        for name in names:
            print(f"{name:10} {(importlib.import_module(f'tests.bench.{name}').__doc__ or '').splitlines()[0]}")
        return 0
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)  # a shell's background job would ignore it
    rounds, seconds = (_QUICK_ROUNDS, _QUICK_SECONDS) if asked.quick else (asked.rounds, asked.seconds)
    found: list[Figure] = []
    is_stopped = False
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as scratch:
        bench = Bench(rounds, seconds, asked.quick, Path(scratch), _say)
        ran_on = machine(bench.scratch)
        _say(line(ran_on))
        try:
            _run(bench, names, found)
        except KeyboardInterrupt:
            is_stopped = True
            _say("stopped; what was measured until then:")
    print(f"{line(ran_on)}; {rounds} rounds of {seconds:g} s\n\n{table(found)}")
    if asked.json:
        said = {**told(found, ran_on), "rounds": rounds, "seconds": seconds}
        asked.json.write_text(json.dumps(said, indent=1) + "\n")
    if is_stopped:
        return _STOPPED
    return 1 if any(figure.met is False for figure in found) else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
