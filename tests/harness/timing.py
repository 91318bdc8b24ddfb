"""How long it takes to be refused: whoever measures it learns nothing of what was wrong.

Run alone: `python -m tests.harness.timing [--tries 10000]`. Keys that are wrong in every way there is, and calls back whose proof is
wrong in its first or in its last character, are tried one after the other in an order that is drawn anew each round, so that
whatever else the machine does meanwhile falls on all of them alike. Prints one line of figures each: the medians in µs, and the
part by which the slowest guess is above the fastest. Exits 1 where that is more than five parts in a hundred. Keys that were right
once are measured too and held to nothing: their rows are there to be read, and whoever sends one had it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from statistics import median
from types import SimpleNamespace
from typing import Any

from gateway.ingress.callers import Callers
from gateway.ingress.nudges import Nudges
from gateway.ingress.refusal import Refusal
from tests.gateway.ingress import house as houses
from tests.gateway.ingress.test_wrong_keys import Asking, wrong_keys

_MOST = 0.05  # by which medians may differ
_WARM = 50  # rounds before any is counted
_GUESSES = frozenset({"unknown", "same beginning", "first", "last", "all", "another"})
_NUDGES = Nudges(b"a secret of the tests", "https://gate.example")
_GENERATION = "0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11"

Try = Callable[[], Awaitable[None]]


async def measured(tries: Mapping[str, Try], times: int, seed: int) -> dict[str, float]:
    """Try everything so many times, each round in another order; the median of each in seconds."""
    taken: dict[str, list[float]] = {name: [] for name in tries}
    order, dice = list(tries), Random(seed)
    for turn in range(times + _WARM):
        dice.shuffle(order)
        for name in order:
            began = time.perf_counter()
            await tries[name]()
            spent = time.perf_counter() - began
            if turn >= _WARM:
                taken[name].append(spent)
    return {name: median(each) for name, each in taken.items()}


async def keys(times: int, seed: int, folder: Path) -> dict[str, float]:
    """The medians of keys that are wrong: revoked, expired, too early, unknown, and one that begins like a right one."""
    async with houses.opened(folder, houses.catalog()) as house:
        callers = Callers(house.store, houses.PEPPER, house.clock, guesses=None)
        wrong = await wrong_keys(house)

        def attempt(key: str) -> Try:
            request: Any = Asking(key)

            async def refused() -> None:
                try:
                    await callers.identify(request)
                except Refusal:
                    return
                raise AssertionError("a wrong key was taken")

            return refused

        return await measured({name: attempt(key) for name, key in wrong.items()}, times, seed)


async def proofs(times: int, seed: int) -> dict[str, float]:
    """The medians of calls back with a proof that is wrong in its first or its last character, or altogether, or another's."""

    async def no_time(_seconds: float) -> None:
        """Wait for nothing: what is measured is what comes before."""

    [route] = _NUDGES.routes(lambda _generation, _attempt: True, no_time)
    right = _NUDGES.address(_GENERATION, 1).rpartition("/")[2]
    other = _NUDGES.address(_GENERATION, 2).rpartition("/")[2]
    swapped = {True: "A", False: "B"}
    wrong = {
        "first": swapped[right[0] != "A"] + right[1:],
        "last": right[:-1] + swapped[right[-1] != "A"],
        "all": "".join(swapped[char != "A"] for char in right),
        "another": other,
    }

    def attempt(proof: str) -> Try:
        request: Any = SimpleNamespace(match_info={"generation": _GENERATION, "attempt": "1", "proof": proof})

        async def refused() -> None:
            try:
                await route.handler(request)
            except Refusal:
                return
            raise AssertionError("a wrong proof was taken")

        return refused

    return await measured({name: attempt(proof) for name, proof in wrong.items()}, times, seed)


def spread(medians: Mapping[str, float]) -> float:
    """By which part the slowest guess is above the fastest."""
    guesses = [each for name, each in medians.items() if name in _GUESSES]
    return max(guesses) / min(guesses) - 1


def line(what: str, medians: Mapping[str, float]) -> str:
    """One line, as it goes into the results."""
    told = " ".join(f"{name.replace(' ', '_')}_us={each * 1e6:.2f}" for name, each in medians.items())
    return f"timing {what} {told} spread={spread(medians):.3f}"


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=10_000, help="of each way to be wrong")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidegate-timing-") as folder:
        of_keys = asyncio.run(keys(asked.tries, asked.seed, Path(folder)))
    of_proofs = asyncio.run(proofs(asked.tries, asked.seed))
    print(line("keys", of_keys), flush=True)
    print(line("proofs", of_proofs), flush=True)
    return 1 if max(spread(of_keys), spread(of_proofs)) > _MOST else 0


if __name__ == "__main__":
    sys.exit(main())
