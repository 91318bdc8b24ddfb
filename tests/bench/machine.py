"""What a run was made on: figures of two machines say little beside each other, ratios say more."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.process import ROOT

_SYNCS = 50
_PAGE = 4096  # bytes of a page of the store


def machine(scratch: Path) -> Mapping[str, Any]:
    """The machine and the versions of what is measured."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": os.getloadavg()[0],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "aiohttp": version("aiohttp"),
        "uvloop": version("uvloop"),
        "commit": _commit(),
        "file_system": _file_system(scratch),
        "fsync_ms": round(_sync(scratch), 3),
    }


def line(told: Mapping[str, Any]) -> str:
    """The same in one line."""
    return (
        f"{told['cores']} cores of {told['cpu']}, {told['memory_gib']} GiB, load {told['load']:.2f}, Linux {told['kernel']}, "
        f"Python {told['python']}, SQLite {told['sqlite']}, aiohttp {told['aiohttp']}, uvloop {told['uvloop']}, "
        f"store on {told['file_system']}, one fsync {told['fsync_ms']} ms, commit {told['commit']}"
    )


def _cpu() -> str:
    try:
        for each in Path("/proc/cpuinfo").read_text().splitlines():
            if each.startswith("model name"):
                return each.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def _file_system(folder: Path) -> str:
    """The type of the file system a folder is on."""
    found, place = "unknown", ""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return found
    for each in mounts:
        _, point, kind, *_ = each.split()
        if folder.resolve().is_relative_to(point) and len(point) >= len(place):
            found, place = kind, point
    return found


def _sync(folder: Path) -> float:
    """Milliseconds of one fdatasync behind a page that was appended, as a commit does it; the median."""
    spans = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(os.urandom(_PAGE))
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            spans.append(time.perf_counter() - begun)
    return statistics.median(spans) * 1000


def _commit() -> str:
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()
