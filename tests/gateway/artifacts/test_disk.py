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
from gateway.artifacts.fault import NotStored, OutputFault, StorageFault
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


async def test_an_output_is_read_back(disk: Disk, png: bytes) -> None:
    """A stored output is opened by its URI: its size, its path, and any stretch of its bytes."""
    artifact = await disk.write("gen_1", 0, said(png), kind="image", limit=LIMIT)
    stored = await disk.open(artifact.uri)
    assert stored.path is not None
    assert (stored.size, stored.path.read_bytes()) == (len(png), png)
    assert b"".join([chunk async for chunk in stored.read(3, 20)]) == png[3:20]


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


async def test_the_same_output_twice_is_one_file(disk: Disk, root: Path, png: bytes) -> None:
    """Writing the same bytes again, even at once, gives the same artifact and one file."""
    writes = (disk.write("gen", 0, said(png), kind="image", limit=LIMIT) for _ in range(4))
    assert len(set(await asyncio.gather(*writes))) == 1
    assert len(files(root)) == 1


async def test_a_late_other_output_replaces_nothing(disk: Disk, png: bytes) -> None:
    """Other bytes under the same index are a file of their own; the first stays readable."""
    first = await disk.write("gen", 0, said(png), kind="image", limit=LIMIT)
    second = await disk.write("gen", 0, said(png, b"!"), kind="image", limit=LIMIT)
    assert first.uri != second.uri
    assert (await disk.open(first.uri)).size == len(png)


@pytest.mark.parametrize(
    ("rest", "limit", "kind"),
    [((b"x" * 100,), 99, "too_large"), ((b"x" * 600_000,) * 9, 5_000_000, "too_large"), ((), 10, "too_large")],
)
async def test_the_limit_holds_while_writing(
    disk: Disk, root: Path, png: bytes, rest: tuple[bytes, ...], limit: int, kind: str
) -> None:
    """A byte more than the limit, early or late, is refused and leaves nothing."""
    with pytest.raises(OutputFault, match=f"more than {limit} bytes") as caught:
        await disk.write("gen", 0, said(png, *rest), kind="image", limit=limit)
    assert caught.value.kind == kind
    assert files(root) == []


async def test_exactly_the_limit_is_taken(disk: Disk, png: bytes) -> None:
    """An output as large as the limit is stored."""
    assert (await disk.write("gen", 0, said(png), kind="image", limit=len(png))).size == len(png)


@pytest.mark.parametrize("padding", [0, 3_000_000])
async def test_a_broken_source_leaves_nothing(disk: Disk, root: Path, png: bytes, padding: int) -> None:
    """When the source breaks, early or in the middle, its error comes through and no file is left."""
    with pytest.raises(OutputFault, match="cut"):
        await disk.write("gen", 0, broken(png, bytes(padding)), kind="image", limit=LIMIT)
    assert files(root) == []


async def test_other_media_leaves_nothing(disk: Disk, root: Path, png: bytes) -> None:
    """Nothing is written of what is not of the expected kind, nor of an empty source."""
    for source, kind in ((said(b"<html>"), "image"), (said(png), "video"), (said(), "image")):
        with pytest.raises(OutputFault):
            await disk.write("gen", 0, source, kind=kind, limit=LIMIT)
    assert files(root) == []


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


async def test_cancellation_leaves_nothing(disk: Disk, root: Path, png: bytes) -> None:
    """A write that is cancelled in the middle removes what it had written."""
    reached = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield png + bytes(2_000_000)
        yield bytes(2_000_000)
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(disk.write("gen", 0, hanging(), kind="image", limit=LIMIT))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(root) == []


async def test_leftovers_are_swept_at_the_start(disk: Disk, root: Path, png: bytes) -> None:
    """A start removes unfinished files of a dead process and no finished ones."""
    artifact = await disk.write("gen", 0, said(png), kind="image", limit=LIMIT)
    (root / ".parts" / "part-dead").write_bytes(png)
    async with opened(root) as again:
        assert (await again.open(artifact.uri)).size == len(png)
    assert len(files(root)) == 1


async def test_deleting_removes_a_generation(disk: Disk, root: Path, png: bytes) -> None:
    """Deletion takes all outputs of one generation, counts them, and may be repeated."""
    for generation, index in (("one", 0), ("one", 1), ("two", 0)):
        kept = await disk.write(generation, index, said(png), kind="image", limit=LIMIT)
    assert await disk.delete("one") == 2
    assert await disk.delete("one") == 0
    assert files(root) == [kept.uri.removeprefix("file:")]


@pytest.mark.parametrize("generation", ["", ".", "..", "../x", "a/b", "a\0", ".parts", "a" * 129, "é", "a b", "-a"])
async def test_no_other_name_reaches_the_disk(disk: Disk, root: Path, png: bytes, generation: str) -> None:
    """An id that could name another place is refused before anything is touched."""
    with pytest.raises(ValueError, match="generation's id"):
        await disk.write(generation, 0, said(png), kind="image", limit=LIMIT)
    with pytest.raises(ValueError, match="generation's id"):
        await disk.delete(generation)
    assert files(root) == []


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "",
            "file:",
            "file:../../etc/passwd",
            "file:/etc/passwd",
            "file:///etc/passwd",
            "http://example.com/",
            "file:.parts/x/y",
        ),
        *("file:aa/gen/../../secret", "file:aa/gen/0-0123456789abcdef.png", "file:aa/../0-0123456789abcdef.png"),
        "file:" + hashlib.sha256(b"gen").hexdigest()[:2] + "/gen/0-0123456789abcdef.png",
    ],
)
async def test_unknown_names_are_not_stored(disk: Disk, uri: str) -> None:
    """S61: a URI that was never given out, traversal included, is not stored; one answer for all of them."""
    with pytest.raises(NotStored, match="no output is stored"):
        await disk.open(uri)


async def test_the_probe_takes_time_and_leaves_nothing(disk: Disk, root: Path) -> None:
    """A probe says how long a durable write took, and leaves no file."""
    assert 0 < await disk.probe() < 30
    assert files(root) == []


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
