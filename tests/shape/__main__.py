"""Counts and prints: every figure beside its bound, the bounds as they would be taken now, the functions called most often.

`python -m tests.shape`; with `--live N` also beside N that are live; with `--write` what is called is the usual from now on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.shape import bounds, living, measuring
from tests.shape.measuring import Shape
from tests.shape.serving import served

_SHOWN = 25


def main() -> int:
    """Count; 1 when a bound is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.shape", description=__doc__)
    parser.add_argument("--live", type=int, default=0, metavar="N", help="count also beside so many that are live")
    parser.add_argument("--write", action="store_true", help=f"write {bounds.USUAL.name}")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="shape-") as folder,
        served(Path(folder)) as (one, far),
        measuring.asked(one, far) as requests,
    ):
        shapes = measuring.alone(one, requests)
        _print(shapes)
        if given.write:
            bounds.keep(shapes)
        said = [*bounds.broken(shapes)]
        _say("\nof 64 at once: " + "; ".join(f"{name} {each}" for name, each in _shared(measuring.together(one))))
        if given.live:
            before = measuring.seconds(one, requests)
            living.begin(one, given.live)
            after, many = measuring.seconds(one, requests), measuring.alone(one, requests)
            for name, shape in many.items():
                few = shapes[name].figures["calls"]
                _say(
                    f"{name} beside {one.runs.live:,} live: {shape.figures['calls']:g} calls, beside few {few:g};"
                    f" {after[name] * 1e3:.2f} ms of the loop's thread, beside few {before[name] * 1e3:.2f} ms"
                )
            said += bounds.uneven(shapes, many)
    _say("\n".join(["", *said]))
    return 1 if said else 0


def _print(shapes: Mapping[str, Shape]) -> None:
    for name, shape in shapes.items():
        _say(f"\n{name}: {bounds.REQUESTS[name]}")
        _say(", ".join(f"{each.figure} {shape.figures[each.figure]:g} of {each.of(name):g}" for each in bounds.BOUNDS))
        ours = [(each, n) for each, n in shape.functions.items() if each.startswith("gateway/")]
        _say("\n".join(f"{n:8.1f}  {each}" for each, n in ours[:_SHOWN]))
    _say("\n" + "\n".join(bounds.lines(shapes)))


def _shared(figures: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str]]:
    shown = ("statements", "commits", "calls in the store")
    return [(name, ", ".join(f"{each} {found[each]:.2f}" for each in shown)) for name, found in figures.items()]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
