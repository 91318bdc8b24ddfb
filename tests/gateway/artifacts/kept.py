"""The stores that outputs may be kept in, opened for tests that hold for every one of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import obstore

from gateway.artifacts.access import Access, Place
from gateway.artifacts.bucket import Bucket
from gateway.artifacts.disk import Disk
from gateway.artifacts.fault import OutputFault
from gateway.artifacts.store import Store

LIMIT = 64 * 1024 * 1024


async def said(*chunks: bytes) -> AsyncIterator[bytes]:
    """A source of these chunks."""
    for chunk in chunks:
        yield chunk


async def broken(*chunks: bytes) -> AsyncIterator[bytes]:
    """A source that breaks after these chunks."""
    for chunk in chunks:
        yield chunk
    raise OutputFault("truncated", "cut", retryable=True)


def files(root: Path) -> list[str]:
    """Every file under a folder, unfinished ones too."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Kept:
    """A store, and what lies in it: the names of outputs as their URIs have them, and of anything else."""

    store: Store
    listing: Callable[[], Awaitable[list[str]]]


@asynccontextmanager
async def on_disk(folder: Path) -> AsyncIterator[Kept]:
    """A folder that does not exist yet."""
    disk = Disk(folder / "outputs")
    await disk.start()

    async def listing() -> list[str]:
        return files(folder / "outputs")

    yield Kept(disk, listing)
    await disk.close()


@asynccontextmanager
async def in_bucket(folder: Path, access: Access) -> AsyncIterator[Kept]:
    """A prefix of a bucket in which nothing lies yet."""
    bucket = Bucket(Place("outputs", uuid.uuid4().hex), access, folder / "spool")
    await bucket.start()

    async def listing() -> list[str]:
        there = [each["path"] async for page in obstore.list(bucket._store) for each in page]
        return sorted(there + files(folder / "spool"))

    yield Kept(bucket, listing)
    await bucket.close()


def bare(link: str) -> str:
    """A link without what makes it work."""
    return urlsplit(link)._replace(query="").geturl()
