"""What a process told its files, read from a system call trace, and what of it a disk has after a power cut.

The trace is `strace -f -y -xx` of writes, syncs, renames and truncations. A write may be on the disk from the moment it is made; it
surely is once a sync of its file that began later has returned. In between each sector of 512 bytes is there or not, by dice.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"
SECTOR = 512

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_PATH = re.compile(r"(\d+)<(.*)>")


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes put into a file."""

    path: str
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """Bytes written where the file's own position is."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file cut to a length."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Rename:
    """A file given another name."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Sync:
    """A file or a folder made durable: all that was told it before `began`, an index into the events."""

    path: str
    began: int


@dataclass(frozen=True, slots=True)
class Said:
    """A line on standard output: what the process promised somebody."""

    text: str


Event = Write | Append | Truncate | Rename | Sync | Said


def has_strace() -> bool:
    """Whether system calls can be traced here."""
    return shutil.which("strace") is not None


def command(output: Path) -> list[str]:
    """The command to put before the one that is to be traced."""
    return ["strace", "-f", "-qq", "-y", "-xx", "-s", "4194304", "-o", str(output), "-e", f"trace={CALLS}"]


def read(trace: Path) -> list[Event]:
    """Every event of a trace, in the order they happened: a write when it began, a sync when it returned."""
    events: list[Event] = []
    begun: dict[str, tuple[str, int]] = {}
    with trace.open() as lines:
        for line in lines:
            if (found := _LINE.match(line.rstrip("\n"))) is None:
                continue
            task, said = found[1], found[2]
            if said.endswith("<unfinished ...>"):
                said = said.removesuffix("<unfinished ...>").rstrip()
                begun[task] = (said, len(events))
                if not said.startswith(("fsync", "fdatasync")):
                    events.extend(_events(said.rstrip(", ") + ") = 0", len(events)))
            elif said.startswith("<... "):
                whole, at = begun.pop(task, ("", 0))
                if whole.startswith(("fsync", "fdatasync")):
                    events.extend(_events(whole + said.partition("resumed>")[2], at))
            else:
                events.extend(_events(said, len(events)))
    return events


def _events(said: str, began: int) -> Iterator[Event]:
    call = _CALL.match(said)
    if call is None or int(call[3]) < 0:
        return
    name, arguments = call[1], call[2].split(", ")
    match name:
        case "pwrite64":
            offset = int(arguments[3]) if len(arguments) > 3 else 0
            yield Write(_path(arguments[0]), offset, _bytes(arguments[1]))
        case "write" if arguments[0].startswith("1<"):
            for line in _bytes(arguments[1]).decode().splitlines():
                yield Said(line)
        case "write":
            yield Append(_path(arguments[0]), _bytes(arguments[1]))
        case "fsync" | "fdatasync":
            yield Sync(_path(arguments[0]), began)
        case "ftruncate":
            yield Truncate(_path(arguments[0]), int(arguments[1]))
        case "rename" | "renameat" | "renameat2":
            names = [_bytes(each).decode() for each in arguments if each.startswith('"')]
            yield Rename(names[0], names[1])
        case _:
            pass  # what is removed is removed on purpose, and nothing here is named twice


def _path(argument: str) -> str:
    found = _PATH.match(argument)
    if found is None:
        return ""
    return _bytes(f'"{found[2]}"').decode() if found[2].startswith("\\x") else found[2]


def _bytes(quoted: str) -> bytes:
    return bytes.fromhex(quoted.strip('".').replace("\\x", ""))


@dataclass(slots=True)
class _File:
    """One file: what is durable, and what has been told since, with the event each was told at."""

    durable: bytearray = field(default_factory=bytearray)
    told: list[tuple[int, Write | Truncate]] = field(default_factory=list)
    size: int = 0  # where the next append goes


class Disk:
    """A disk that is told events one by one, and can be looked at as it would be after a cut."""

    def __init__(self, folder: Path) -> None:
        """Take what is told of files in this folder."""
        self._folder = str(folder) + "/"
        self._files: dict[str, _File] = {}
        self._names: dict[str, tuple[str, int | None]] = {}  # new name → the file, and the event at which it was given

    def take(self, number: int, event: Event) -> None:
        """Be told the next event."""
        match event:
            case Write(path, at, data):
                self._tell(number, path, Write(path, at, data), at + len(data))
            case Append(path, data) if path.startswith(self._folder):
                file = self._files.setdefault(path, _File())
                self._tell(number, path, Write(path, file.size, data), file.size + len(data))
            case Truncate(path, _):
                self._tell(number, path, event, 0)
            case Rename(old, new) if old in self._files:
                self._names[new] = (old, number)
            case Sync(path, began):
                self._sync(path, began)
            case _:
                pass

    def _tell(self, number: int, path: str, what: Write | Truncate, end: int) -> None:
        if path.startswith(self._folder):
            file = self._files.setdefault(path, _File())
            file.told.append((number, what))
            file.size = max(file.size, end)

    def _sync(self, path: str, began: int) -> None:
        if path in self._files:
            file = self._files[path]
            for number, what in file.told:
                if number < began:
                    _apply(file.durable, what)
            file.told = [(number, what) for number, what in file.told if number >= began]
        for new, (old, at) in self._names.items():
            if at is not None and at < began and new.rpartition("/")[0] == path:
                self._names[new] = (old, None)

    def after_cut(self, dice: random.Random) -> dict[str, bytes]:
        """The files as the next start finds them: what was synced, and by chance some of what was not."""
        survives = dice.choice((0.0, 0.5, 0.9, 1.0))
        found = {}
        for path, file in self._files.items():
            content = bytearray(file.durable)
            for _, what in file.told:
                _apply_some(content, what, dice, survives)
            found[path] = bytes(content)
        for new, (old, at) in self._names.items():
            if at is None or dice.random() < survives:
                found[new] = found[old]
        return found


def _apply(content: bytearray, what: Write | Truncate) -> None:
    if isinstance(what, Truncate):
        del content[what.size :]
        content.extend(bytes(what.size - len(content)))
        return
    content.extend(bytes(max(0, what.at - len(content))))
    content[what.at : what.at + len(what.data)] = what.data


def _apply_some(content: bytearray, what: Write | Truncate, dice: random.Random, survives: float) -> None:
    if isinstance(what, Truncate):
        if dice.random() < survives:
            _apply(content, what)
        return
    for start in range(0, len(what.data), SECTOR):
        if dice.random() < survives:
            _apply(content, Write(what.path, what.at + start, what.data[start : start + SECTOR]))


def promised(events: Iterable[Event]) -> list[str]:
    """What was said on standard output."""
    return [event.text for event in events if isinstance(event, Said)]


def cuts(events: Sequence[Event], count: int, dice: random.Random) -> list[int]:
    """Where to cut: half of them right behind a promise, half anywhere."""
    said = [number for number, event in enumerate(events) if isinstance(event, Said)]
    return sorted(
        dice.choice(said) + 1 if dice.random() < 0.5 else dice.randrange(1, len(events)) for _ in range(count)
    )
