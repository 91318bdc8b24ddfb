"""A store that is a folder: `<aa>/<generation>/<index>-<sha16>.<ext>` under its root.

`aa` spreads generations over 256 folders by a hash of their id. Finished files are never changed. All file work runs in a few
threads of the store's own, about a megabyte at a time: hashing and writing that much takes longer than the hop to a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import ParamSpec, TypeVar

from gateway.artifacts.batches import BATCH, batches
from gateway.artifacts.fault import NotStored, unusable
from gateway.artifacts.kinds import Kind, Media, admit, measure
from gateway.artifacts.part import Part, sweep, sync_folder
from gateway.artifacts.store import Artifact, Stored
from gateway.threads import Threads

_THREADS = 4  # a disk's queue is kept busy by few writers; more would only hold more memory
_PARTS = ".parts"  # unfinished files; no generation's folder can have this name
_GENERATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_URI = re.compile(
    r"file:([0-9a-f]{2})/([A-Za-z0-9][A-Za-z0-9_-]{0,127})/([0-9]{1,6}-[0-9a-f]{16}\.[a-z0-9]{1,5})", re.ASCII
)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Disk:
    """Outputs in a folder, which is made at the start if it is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = root / _PARTS
        self._threads = Threads(_THREADS, thread_name_prefix="outputs")

    @property
    def name(self) -> str:
        """The folder's own name, without the path to it."""
        return self._root.name or "outputs"

    async def start(self) -> None:
        """Make the folder and remove unfinished files of processes that are no more."""
        await self._run(_prepare, self._parts)

    async def write(
        self, generation: str, index: int, source: AsyncIterator[bytes], *, kind: Kind, limit: int
    ) -> Artifact:
        """Take all of `source`: see `Store.write`."""
        folder = self._root / _shard(generation) / generation
        async with aclosing(batches(source, limit)) as coming:
            held: Sequence[bytes] = await anext(coming, [])
            first = b"".join(held)
            media = admit(first, kind)
            size = measure(media, first)
            part = Part(self._parts)
            # One batch behind: what fits in one batch is then written, synced and named in a single hop.
            writing: asyncio.Future[None] | None = None
            try:
                async for batch in coming:
                    if writing is not None:
                        await writing
                    writing = asyncio.ensure_future(self._run(_add, part, held))
                    held = batch
                if writing is not None:
                    await writing
                name = await self._run(_finish, part, held, folder, index, media)
            except BaseException:
                await asyncio.shield(asyncio.ensure_future(self._drop(part, writing)))
                raise
        return Artifact(
            index=index,
            uri=f"file:{folder.parent.name}/{generation}/{name}",
            sha256=part.sha256,
            size=part.size,
            type=media.type,
            width=size.width if size else None,
            height=size.height if size else None,
        )

    async def open(self, uri: str) -> Stored:
        """Find an output: see `Store.open`. A URI that is not of our making is not stored either."""
        parts = _URI.fullmatch(uri)
        if parts is None:
            raise NotStored("no output is stored under this URI")
        path = self._root / parts[1] / parts[2] / parts[3]
        size = await self._run(_size, path)
        if size is None:
            raise NotStored("no output is stored under this URI")
        return Stored(size=size, path=path, read=lambda start, stop: self._read(path, start, stop))

    async def delete(self, generation: str) -> int:
        """Remove all outputs of a generation: see `Store.delete`."""
        return await self._run(_remove, self._root / _shard(generation) / generation)

    async def probe(self) -> float:
        """Write, sync and remove a small file; the seconds it took."""
        return await self._run(_probe, self._parts)

    async def close(self) -> None:
        """Wait for what the threads are doing, and end them."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as exc:
            raise unusable(exc, "the outputs' folder") from exc

    async def _drop(self, part: Part, writing: asyncio.Future[None] | None) -> None:
        if writing is not None:
            await asyncio.gather(writing, return_exceptions=True)  # the first failure is the one that is told
        await self._run(part.discard)

    async def _read(self, path: Path, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        for at in range(start, stop, BATCH):
            chunk = await self._run(_piece, path, at, min(BATCH, stop - at))
            yield chunk


def _shard(generation: str) -> str:
    if not _GENERATION.fullmatch(generation):
        raise ValueError("a generation's id is letters, digits, '_' and '-'; other ids cannot name a folder")
    return hashlib.sha256(generation.encode()).hexdigest()[:2]


def _prepare(parts: Path) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    sweep(parts)


def _add(part: Part, pieces: Sequence[bytes]) -> None:
    part.add(*pieces)
    part.sync_soon()


def _finish(part: Part, last: Sequence[bytes], folder: Path, index: int, media: Media) -> str:
    part.add(*last)
    name = f"{index}-{part.sha256[:16]}.{media.extension}"
    part.keep(folder / name)
    return name


def _size(path: Path) -> int | None:
    try:
        return path.stat(follow_symlinks=False).st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove(folder: Path) -> int:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return 0
    for path in paths:
        path.unlink(missing_ok=True)
    folder.rmdir()
    sync_folder(folder.parent)  # what its owner had deleted must not be back after a power cut
    return len(paths)


def _piece(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _probe(parts: Path) -> float:
    began = time.monotonic()
    part = Part(parts)
    try:
        part.add(b"probe")
        part.sync()
    finally:
        part.discard()
    return time.monotonic() - began
