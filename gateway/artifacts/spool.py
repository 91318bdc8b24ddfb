"""Outputs on their way to a store elsewhere: taken whole into files of our own, under no name until they are there.

Nothing here is synced: a crash loses it, and what was on its way is fetched again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from gateway.artifacts.batches import BATCH, batches
from gateway.artifacts.fault import unusable
from gateway.artifacts.kinds import Kind, Media, Size, admit, measure
from gateway.artifacts.part import Part, sweep
from gateway.threads import Threads

_THREADS = 4  # as many as write to a disk elsewhere in this folder

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Spooled:
    """An output that was taken whole: its bytes in a file, and what they are."""

    part: Part
    media: Media
    measures: Size | None


def usual_folder(environ: Mapping[str, str]) -> Path:
    """Where such files lie: with other temporary files, under a name that no other user of the machine takes."""
    return Path(environ.get("TMPDIR") or tempfile.gettempdir()) / f"tidegate-outputs-{os.geteuid()}"


class Spool:
    """A folder for what is on its way; processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = Threads(_THREADS, thread_name_prefix="spool")

    async def start(self) -> None:
        """Make the folder, for its owner alone, and remove what processes left that are no more."""
        await self._run(_prepare, self._folder)

    async def take(self, source: AsyncIterator[bytes], kind: Kind, limit: int) -> Spooled:
        """Take all of `source`; nothing is left of what is refused (OutputFault), breaks off or is cancelled."""
        async with aclosing(batches(source, limit)) as coming:
            pieces: Sequence[bytes] = await anext(coming, [])
            first = b"".join(pieces)
            media = admit(first, kind)
            part = Part(self._folder)
            try:
                await self._run(part.add, first)
                async for batch in coming:
                    await self._run(part.add, *batch)
            except BaseException:
                await asyncio.shield(asyncio.ensure_future(self.discard(part)))
                raise
        return Spooled(part, media, measure(media, first))

    async def read(self, part: Part) -> AsyncIterator[bytes]:
        """Give the bytes of a file that was taken whole."""
        for at in range(0, part.size, BATCH):
            yield await self._run(_piece, part.path, at)

    async def discard(self, part: Part) -> None:
        """Remove a file; later calls do nothing."""
        await self._run(part.discard)

    async def close(self) -> None:
        """Wait for what the threads are doing, and end them."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as exc:
            raise unusable(exc, "the folder for outputs on their way to the bucket", "; TMPDIR names another") from exc


def _piece(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(BATCH)


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        # Others may write where temporary files go: what they made in our name is not used.
        raise PermissionError(errno.EPERM, f"{folder.name} is not ours")
    sweep(folder)
