"""The store that is a folder."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import resource
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.artifacts.disk import Disk
from gateway.artifacts.fault import StorageFault
from gateway.artifacts.store import Store
from tests.gateway.artifacts.kept import LIMIT, files, said


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Disk]:
    """A disk store, started and closed."""
    disk = Disk(root)
    await disk.start()
    yield disk
    await disk.close()


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    """A disk store in a folder that does not exist yet."""
    async with opened(tmp_path / "outputs") as store:
        yield store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the disk store."""
    return tmp_path / "outputs"


def test_a_disk_is_a_store(tmp_path: Path) -> None:
    """The folder has all that a store has; its name tells no path."""
    store: Store = Disk(tmp_path / "outputs")
    assert store.name == "outputs"


async def test_an_output_is_kept_with_its_facts(disk: Disk, root: Path, png: bytes) -> None:
    """S61: what was written is there byte for byte, under our name, with hash, size, type and measures."""
    artifact = await disk.write("gen_1", 2, said(png[:5], b"", png[5:]), kind="image", limit=LIMIT)
    digest = hashlib.sha256(png).hexdigest()
    shard = hashlib.sha256(b"gen_1").hexdigest()[:2]
    assert artifact.uri == f"file:{shard}/gen_1/2-{digest[:16]}.png"
    assert (artifact.sha256, artifact.size, artifact.type) == (digest, len(png), "image/png")
    assert (artifact.index, artifact.width, artifact.height) == (2, 31, 17)
    assert files(root) == [artifact.uri.removeprefix("file:")]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 1_500_000), max_size=5), st.integers(0, 2**32))
def test_bytes_in_are_bytes_out(png: bytes, sizes: list[int], seed: int) -> None:
    """However the bytes are cut, the file is their concatenation and the hash is its hash."""
    chunks = [png, *map(random.Random(seed).randbytes, sizes)]
    whole, folder = b"".join(chunks), Path(tempfile.mkdtemp())

    async def trip() -> tuple[str, int, bytes]:
        async with opened(folder) as disk:
            artifact = await disk.write("gen", 0, said(*chunks), kind="image", limit=LIMIT)
            stored = await disk.open(artifact.uri)
            return artifact.sha256, artifact.size, b"".join([chunk async for chunk in stored.read(0, stored.size)])

    assert asyncio.run(trip()) == (hashlib.sha256(whole).hexdigest(), len(whole), whole)
    shutil.rmtree(folder)


async def test_the_source_does_not_run_ahead(disk: Disk, png: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is stuck no more than three batches are held, so memory does not grow with the output."""
    write, unstuck, taken = os.write, threading.Event(), 0
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data) if unstuck.wait(10) else 0)

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 10:
            taken += 1
            yield png + bytes(1024 * 1024)
            await asyncio.sleep(0)

    task = asyncio.create_task(disk.write("gen", 0, counted(), kind="image", limit=LIMIT))
    await asyncio.sleep(0.05)
    assert taken == 3
    unstuck.set()
    assert (await task).size == 10 * (len(png) + 1024 * 1024)


async def test_leftovers_are_swept_at_the_start(disk: Disk, root: Path, png: bytes) -> None:
    """A start removes unfinished files of a dead process and no finished ones."""
    artifact = await disk.write("gen", 0, said(png), kind="image", limit=LIMIT)
    (root / ".parts" / "part-dead").write_bytes(png)
    async with opened(root) as again:
        assert (await again.open(artifact.uri)).size == len(png)
    assert len(files(root)) == 1


async def test_a_lost_folder_is_a_storage_fault(disk: Disk, root: Path, png: bytes) -> None:
    """When the folder goes away, writing and probing say so; it is not taken for the source's fault."""
    (root / ".parts").rmdir()
    with pytest.raises(StorageFault, match="no such file") as caught:
        await disk.write("gen", 0, said(png), kind="image", limit=LIMIT)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(StorageFault):
        await disk.probe()


async def test_an_unusable_place_is_told_at_the_start(tmp_path: Path) -> None:
    """A root that is a file is refused at the start."""
    (tmp_path / "outputs").write_bytes(b"")
    disk = Disk(tmp_path / "outputs")
    with pytest.raises(StorageFault, match="cannot be used"):
        await disk.start()
    await disk.close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the kernel refuse files beyond a size, in this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_failing_write_leaves_nothing(disk: Disk, root: Path, png: bytes) -> None:
    """When the kernel refuses to write on in the middle, the fault is the store's and no file is left."""
    with largest_file(1_500_000), pytest.raises(StorageFault, match=os.strerror(errno.EFBIG).lower()):
        await disk.write("gen", 0, said(png, *[bytes(1_000_000)] * 5), kind="image", limit=LIMIT)
    assert files(root) == []
