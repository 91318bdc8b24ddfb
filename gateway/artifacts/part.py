"""A file being written: hashed on the way, named when complete, gone otherwise.

Nothing here knows a loop; the methods are called from threads, one after another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

_STRETCH = 8 * 1024 * 1024  # bytes: a picture is synced as fast whole, and a film is not held up by many small writes


class Part:
    """An unfinished file in a folder of its own; opened at the first bytes.

    It is locked (flock) while it is open, which ends with the process: so `sweep` can tell a file that is being written from
    one that a dead process left. Methods raise OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self._file: int | None = None
        self._path: Path | None = None
        self._ended = False
        # A cancelled writer is discarded while its thread may still be at work.
        self._turn = threading.Lock()
        self._begun = 0  # bytes that the system was told to write out
        self.size = 0

    @property
    def sha256(self) -> str:
        """The hash of what was added so far, in lower-case hexadecimal."""
        return self._hash.hexdigest()

    @property
    def path(self) -> Path:
        """Where it lies while it is unfinished; FileNotFoundError before its first bytes."""
        if self._path is None:
            raise FileNotFoundError("the file was not begun")
        return self._path

    def add(self, *pieces: bytes) -> None:
        """Append bytes."""
        with self._turn:
            file = self._opened()
            for piece in pieces:
                self._hash.update(piece)
                self.size += len(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(file, rest) :]

    def sync_soon(self) -> None:
        """Have the system begin to write out what was added, in stretches, and do not wait: the sync at the end finds little left."""
        with self._turn:
            if sys.platform == "linux" and self.size - self._begun >= _STRETCH:
                # Of pages that are not written yet this drops none; it has them written.
                with suppress(OSError):  # it is advice, and the sync at the end is what counts
                    os.posix_fadvise(self._opened(), self._begun, self.size - self._begun, os.POSIX_FADV_DONTNEED)
                self._begun = self.size

    def sync(self) -> None:
        """Make the bytes durable, though not yet under a name."""
        with self._turn:
            os.fsync(self._opened())

    def keep(self, path: Path) -> None:
        """Give the file its name, replacing one of the same name; on return both survive a power cut."""
        with self._turn:
            file = self._opened()
            os.fsync(file)
            made = _make_folder(path.parent)
            assert self._path is not None
            self._path.replace(path)
            self._ended = True
            for folder in (path.parent, *made):
                sync_folder(folder)
            self._close()

    def discard(self) -> None:
        """Remove the file unless it was kept; later calls do nothing."""
        with self._turn:
            if self._path is not None and not self._ended:
                self._path.unlink(missing_ok=True)
            self._ended = True
            self._close()

    def _opened(self) -> int:
        if self._ended:
            raise FileNotFoundError("the file was discarded")
        if self._file is None:
            self._file, name = tempfile.mkstemp(dir=self._folder, prefix="part-")
            self._path = Path(name)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def sweep(folder: Path) -> int:
    """Remove the unfinished files that no live process is writing, and say how many there were."""
    swept = 0
    for path in folder.iterdir():
        try:
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # finished or swept by another a moment ago
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            swept += 1
        except BlockingIOError:
            continue
        finally:
            os.close(file)
    return swept


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder; gives the parents whose names changed, the nearest first."""
    changed: list[Path] = []
    missing = folder
    while not missing.exists():
        changed.append(missing.parent)
        missing = missing.parent
    folder.mkdir(parents=True, exist_ok=True)
    return changed
