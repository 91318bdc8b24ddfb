"""Ids by the million: none comes twice, none follows from the one before, and every bit of each is as likely as its opposite.

Run alone: `python -m tests.harness.ids [--count 1000000]`. Prints one line of figures for each sort: how many bits are random, by how
many standard deviations the least even of them is off, and the same for what differs between one id and the next. Exits 1 when
an id comes twice, when one would have to be escaped in an address, when it has less than 120 random bits, or when a bit is off by
more than six.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import SystemRandom

from gateway.ingress import keyform
from gateway.ledger.events import _NAMES

_SAFE = re.compile(r"[0-9A-Za-z_-]+", re.ASCII)
_LEAST = 120  # bits
_MOST = 6.0  # standard deviations; beyond them comes one bit in five hundred million


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of id: how it is made, and its value as a number of so many bits."""

    name: str
    make: Callable[[], str]
    value: Callable[[str], int]
    bits: int


def _delivery() -> str:
    """The id of a delivery, which follows from that of its generation."""
    return str(uuid.uuid5(uuid.uuid5(_NAMES, f"{uuid.uuid4()}/generation.failed"), "we_1"))


def _base62(key: str) -> int:
    """The random part of a key, mixed so that its bits are even: the first characters are no power of two."""
    number = 0
    for char in key[4:37]:
        number = number * 62 + keyform._ALPHABET.index(char)
    return number


_ENTROPY = SystemRandom()
SORTS: Sequence[Sort] = (
    Sort("generation", lambda: str(uuid.uuid4()), lambda made: uuid.UUID(made).int, 128),
    Sort(
        "replay",
        lambda: str(uuid.UUID(int=_ENTROPY.getrandbits(128), version=4)),
        lambda made: uuid.UUID(made).int,
        128,
    ),
    Sort("delivery", _delivery, lambda made: uuid.UUID(made).int, 128),
    Sort("key_id", lambda: f"key_{os.urandom(16).hex()}", lambda made: int(made[4:], 16), 128),
    Sort("key", lambda: keyform.mint(os.urandom), _base62, 196),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of one sort."""

    name: str
    count: int
    twice: int
    unsafe: int
    bits: int
    uneven: float
    related: float

    def bad(self) -> bool:
        """Whether somebody could guess one."""
        return bool(self.twice or self.unsafe) or self.bits < _LEAST or max(self.uneven, self.related) > _MOST

    def line(self) -> str:
        """One line, as it goes into the results."""
        return (
            f"ids {self.name} count={self.count} twice={self.twice} unsafe={self.unsafe} bits={self.bits}"
            f" uneven={self.uneven:.2f} related={self.related:.2f}"
        )


def run(sort: Sort, count: int) -> Figures:
    """Make so many, and count."""
    made = [sort.make() for _ in range(count)]
    values = [sort.value(each) for each in made]
    # Bits that are always the same (the version of a UUID) are no random ones; of a key the topmost are not even.
    fixed = _all_alike(values)
    even = [bit for bit in range(sort.bits) if not fixed >> bit & 1 and (sort.bits != 196 or bit < 190)]
    steps = [one ^ other for one, other in pairwise(values)]
    return Figures(
        name=sort.name,
        count=count,
        twice=count - len(set(made)),
        unsafe=sum(_SAFE.fullmatch(each) is None for each in made),
        bits=len(even),
        uneven=_furthest(values, even, sort.bits),
        related=_furthest(steps, even, sort.bits),
    )


def _all_alike(values: Sequence[int]) -> int:
    """The bits that are the same in all."""
    differ = 0
    for each in values:
        differ |= each ^ values[0]
    return ~differ


def _furthest(values: Sequence[int], even: Sequence[int], bits: int) -> float:
    """By how many standard deviations the least even bit is off a half."""
    # All values side by side in one long number: a mask picks one bit of each, and the count of bits does the rest.
    size = (bits + 7) // 8
    whole = b"".join(each.to_bytes(size, "little") for each in values)
    furthest = 0.0
    for at in range(size):
        column = whole[at::size]
        counts = [column.count(value) for value in range(256)]
        for bit in range(8):
            if at * 8 + bit in even:
                ones = sum(count for value, count in enumerate(counts) if value >> bit & 1)
                furthest = max(furthest, abs(ones - len(values) / 2) / math.sqrt(len(values) / 4))
    return furthest


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="of each sort")
    asked = parser.parse_args()
    found = []
    for sort in SORTS:
        found.append(run(sort, asked.count))
        print(found[-1].line(), flush=True)
    return 1 if any(each.bad() for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
