"""Rounds that alternate, so that a machine that grows slow or busy does so for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tests.bench.figure import Bench

T = TypeVar("T")


def alternating(bench: Bench, ways: Mapping[str, Callable[[], T]]) -> Mapping[str, Sequence[T]]:
    """Each way once a round, `bench.rounds` times; every other round goes the other way round."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(bench.rounds):
        names = list(ways)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(ways[name]())
            bench.say(f"round {number + 1} of {bench.rounds}: {name}: {found[name][-1]}")
    return found
