"""The allocator is told once, and then large blocks that come and go no longer cost a page fault for each of their pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.commands import allocator

_ROOT = Path(__file__).parents[3]
_COMING_AND_GOING = """
import resource, sys
from gateway.commands import allocator
told = allocator.tune({} if sys.argv[1] == "told" else {"GLIBC_TUNABLES": ""})
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(500):
    pieces = [bytes(250_000) for _ in range(3)]
    del pieces
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> tuple[bool, int]:
    command = [sys.executable, "-c", _COMING_AND_GOING, how]
    told, faults = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT).stdout.split()
    return told == "True", int(faults)


def test_blocks_that_come_and_go_cost_nothing_once_it_is_told() -> None:
    """What is freed is used again as it is; left alone, its pages are given back and cleared again each time."""
    is_told, faults = _faults("told")
    if not is_told:
        pytest.skip("another allocator than glibc's")
    assert faults < 5_000 < _faults("alone")[1]  # 500 rounds of 183 pages


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_operator_told_it_stands(name: str) -> None:
    """Whoever sets a variable of the allocator's own knows better."""
    assert allocator.tune({name: "1"}) is False
