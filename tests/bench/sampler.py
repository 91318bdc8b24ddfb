"""Stacks of a running process, many times a second, taken from outside by py-spy: the process runs as it always does.

What is sampled is whatever the threads are at, so a thread that rests gives samples too; what a thread costs comes from the kernel
(`threads`). py-spy is put into a cache of its own on first use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.environments import environment
from tests.bench.process import run

_PACKAGE = "py-spy==0.4.3"
_THREAD = re.compile(r"thread \((?:0x)?([0-9A-Fa-f]+)\)(?:: (.*))?")
_FRAME = re.compile(r"(.*) \((.*):(\d+)\)")


class Unsampled(Exception):  # noqa: N818 - named for what happened
    """Stacks cannot be taken here; says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One call: the function as it is named in its class, and its file."""

    function: str
    file: str


@dataclass(frozen=True, slots=True)
class Stack:
    """What a thread was at, the outermost call first, and how many samples found it there."""

    thread: int  # as the kernel counts them
    name: str
    frames: tuple[Frame, ...]
    samples: int


def stacks(pid: int, seconds: int, rate: int, output: Path, *, holding: bool = False) -> Sequence[Stack]:
    """Look `rate` times a second for so many seconds; with `holding` only at a thread that holds the interpreter's lock.

    Unsampled where py-spy cannot be had, or may not look.
    """
    try:
        tool = environment("py-spy", [_PACKAGE]) / "bin" / "py-spy"
        command = [str(tool), "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(rate), "--threads"]
        command += ["--full-filenames", "--format", "raw", "--output", str(output), *(["--gil"] if holding else [])]
        run(command, seconds=seconds + 120)
    except (OSError, RuntimeError) as error:
        raise Unsampled(f"py-spy: {str(error).strip().splitlines()[-1]}") from error
    return read(output.read_text())


def read(text: str) -> Sequence[Stack]:
    """Read what py-spy writes in its raw form, a stack a line."""
    return [found for line in text.splitlines() if (found := _stack(line)) is not None]


def _stack(line: str) -> Stack | None:
    """Read one line: `thread (12): name;outer (file:line);…;inner (file:line) count`."""
    text, _, count = line.rpartition(" ")
    first, *rest = text.split(";")
    thread = _THREAD.fullmatch(first)
    if thread is None:
        return None
    frames = tuple(Frame(found[1], found[2]) for each in rest if (found := _FRAME.fullmatch(each)) is not None)
    return Stack(int(thread[1]), thread[2] or "", frames, int(count))


def threads(pid: int) -> Mapping[int, float]:
    """Seconds of processor each thread of a process has used, by its number."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except FileNotFoundError:
            continue  # it has just ended
    return found
