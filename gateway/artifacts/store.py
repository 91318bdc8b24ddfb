"""What a store of outputs is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.artifacts.fault import StorageFault
from gateway.artifacts.kinds import Kind


@dataclass(frozen=True, slots=True)
class Artifact:
    """One output that is safe: durable, complete, with the hash of its bytes.

    `index` counts a generation's outputs from 0. `uri` is the store's own name for it, not an address for callers. `size` is
    in bytes, `sha256` in lower-case hexadecimal, `type` a media type. `width` and `height` are known for pictures, where the
    header says them.
    """

    index: int
    uri: str
    sha256: str
    size: int
    type: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An output to be read: its size in bytes, its bytes from `start` up to `stop`, and its path where it is a local file."""

    size: int
    read: Callable[[int, int], AsyncGenerator[bytes, None]]
    path: Path | None = None


class Taken(Protocol):
    """An output that is here whole, while the store it is for is not to be had."""

    async def store(self) -> Artifact:
        """Try again, without the source; on return it survives a power cut. StorageFault when the store still fails."""
        ...

    async def discard(self) -> None:
        """Let go of the bytes; later calls do nothing."""
        ...


class Waiting(StorageFault):
    """The store failed, and what was taken waits for it: whoever catches this stores or discards `taken`."""

    def __init__(self, fault: StorageFault, taken: Taken) -> None:
        """Say what `fault` says."""
        super().__init__(str(fault), full=fault.full)
        self.taken = taken


class Store(Protocol):
    """Where outputs live. Every method but `name` may raise `StorageFault`."""

    @property
    def name(self) -> str:
        """What people may be told it is called; holds no path and no credential."""
        ...

    async def start(self) -> None:
        """Make ready, and clear away what a crash left unfinished."""
        ...

    async def write(
        self, generation: str, index: int, source: AsyncIterator[bytes], *, kind: Kind, limit: int
    ) -> Artifact:
        """Take all of `source`; on return it survives a power cut.

        The same bytes under the same index give the same artifact. Nothing is left behind when it is empty, not of that
        kind or more than `limit` bytes (`OutputFault`), when the source raises, or on cancellation before it was complete.
        A store that fails once all is taken may raise `Waiting`: the source, whose link may be over by then, is not needed again.
        """
        ...

    async def open(self, uri: str) -> Stored:
        """Find an output by the URI of its artifact; `NotStored` when there is none."""
        ...

    async def delete(self, generation: str) -> int:
        """Remove all outputs of a generation and say how many files there were."""
        ...

    async def probe(self) -> float:
        """Write, make durable and remove a small file; the seconds it took."""
        ...

    async def close(self) -> None:
        """Finish what is being written and let go of everything."""
        ...
