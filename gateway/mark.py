"""The mark beside a store's file: which file it was, and how far it had come. A store that is put back from a backup is behind it.

Nothing in a copy tells that it is one. So a gateway notes in the store, every second in which something was committed, a number
that grows, and then the same number beside it, with what tells this very file from every other on its disk. A store with a
smaller number, another file, or a number and no mark, is not what the last process left.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_GENERATION = 0x8008_7601  # FS_IOC_GETVERSION: the number of times a disk has given an inode out, where it counts


class Why(StrEnum):
    """How it is known that a store was put back."""

    ASKED = "asked"  # whoever started it says so
    UNMARKED = "unmarked"  # it was marked, and the mark is not there
    BEHIND = "behind"  # it recalls less than the mark does
    MOVED = "moved"  # it is another file


@dataclass(frozen=True, slots=True)
class Mark:
    """What lies beside a store: its file, how often it was noted that it was written to, and when that was, in ms."""

    file: str
    beats: int
    at: int


def judge(mark: Mark | None, file: str, beats: int | None, *, asked: bool) -> Why | None:
    """Tell whether a store that recalls so many `beats` is what the last process left; why not, if it is not."""
    if asked:
        return Why.ASKED
    if mark is None:
        return (
            None if beats is None else Why.UNMARKED
        )  # one that was never marked is new, or was written before there were any
    if mark.beats > (beats or 0):
        return Why.BEHIND
    return Why.MOVED if mark.file != file else None


def file_of(store: Path) -> str:
    """What tells a file from every other on its disk, also from one that has its number after it."""
    handle = os.open(store, os.O_RDONLY | os.O_CLOEXEC)
    try:
        number, given = os.fstat(handle).st_ino, array.array("l", [0])
        try:
            fcntl.ioctl(handle, _GENERATION, given)
        except OSError:
            return str(number)
        return f"{number}.{given[0] & 0xFFFFFFFF}"
    finally:
        os.close(handle)


def read(store: Path) -> Mark | None:
    """The mark beside a store; None where there is none, or none that can be read."""
    try:
        found: dict[str, Any] = json.loads(_beside(store).read_bytes())
        return Mark(str(found["file"]), int(found["beats"]), int(found["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(store: Path, mark: Mark) -> None:
    """Put another mark beside a store. It is not waited for the disk: one that a power cut takes is missing, and that is seen."""
    place = _beside(store)
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(mark), file)
    fresh.replace(place)


def _beside(store: Path) -> Path:
    return store.with_name(f"{store.name}.mark")
