"""What holds for every store of outputs, be it a folder or a bucket."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from gateway.artifacts.fault import NotStored, OutputFault
from tests.gateway.artifacts.kept import LIMIT, Kept, broken, said


async def test_an_output_is_read_back(kept: Kept, png: bytes) -> None:
    """A stored output is opened by its URI: its size, its path where it has one, and any stretch of its bytes."""
    artifact = await kept.store.write("gen_1", 0, said(png), kind="image", limit=LIMIT)
    stored = await kept.store.open(artifact.uri)
    assert stored.size == len(png)
    assert stored.path is None or stored.path.read_bytes() == png
    assert b"".join([chunk async for chunk in stored.read(0, stored.size)]) == png
    assert b"".join([chunk async for chunk in stored.read(3, 20)]) == png[3:20]


async def test_the_same_output_twice_is_one_file(kept: Kept, png: bytes) -> None:
    """Writing the same bytes again, even at once, gives the same artifact and one file."""
    writes = (kept.store.write("gen", 0, said(png), kind="image", limit=LIMIT) for _ in range(4))
    assert len(set(await asyncio.gather(*writes))) == 1
    assert len(await kept.listing()) == 1


async def test_a_late_other_output_replaces_nothing(kept: Kept, png: bytes) -> None:
    """Other bytes under the same index are a file of their own; the first stays readable."""
    first = await kept.store.write("gen", 0, said(png), kind="image", limit=LIMIT)
    second = await kept.store.write("gen", 0, said(png, b"!"), kind="image", limit=LIMIT)
    assert first.uri != second.uri
    assert (await kept.store.open(first.uri)).size == len(png)


@pytest.mark.parametrize(
    ("rest", "limit", "kind"),
    [((b"x" * 100,), 99, "too_large"), ((b"x" * 600_000,) * 9, 5_000_000, "too_large"), ((), 10, "too_large")],
)
async def test_the_limit_holds_while_writing(
    kept: Kept, png: bytes, rest: tuple[bytes, ...], limit: int, kind: str
) -> None:
    """A byte more than the limit, early or late, is refused and leaves nothing."""
    with pytest.raises(OutputFault, match=f"more than {limit} bytes") as caught:
        await kept.store.write("gen", 0, said(png, *rest), kind="image", limit=limit)
    assert caught.value.kind == kind
    assert await kept.listing() == []


async def test_exactly_the_limit_is_taken(kept: Kept, png: bytes) -> None:
    """An output as large as the limit is stored."""
    assert (await kept.store.write("gen", 0, said(png), kind="image", limit=len(png))).size == len(png)


@pytest.mark.parametrize("padding", [0, 3_000_000])
async def test_a_broken_source_leaves_nothing(kept: Kept, png: bytes, padding: int) -> None:
    """When the source breaks, early or in the middle, its error comes through and no file is left."""
    with pytest.raises(OutputFault, match="cut"):
        await kept.store.write("gen", 0, broken(png, bytes(padding)), kind="image", limit=LIMIT)
    assert await kept.listing() == []


async def test_other_media_leaves_nothing(kept: Kept, png: bytes) -> None:
    """Nothing is written of what is not of the expected kind, nor of an empty source."""
    for source, kind in ((said(b"<html>"), "image"), (said(png), "video"), (said(), "image")):
        with pytest.raises(OutputFault):
            await kept.store.write("gen", 0, source, kind=kind, limit=LIMIT)
    assert await kept.listing() == []


async def test_cancellation_leaves_nothing(kept: Kept, png: bytes) -> None:
    """A write that is cancelled in the middle removes what it had written."""
    reached = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield png + bytes(2_000_000)
        yield bytes(2_000_000)
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kept.store.write("gen", 0, hanging(), kind="image", limit=LIMIT))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await kept.listing() == []


async def test_deleting_removes_a_generation(kept: Kept, png: bytes) -> None:
    """Deletion takes all outputs of one generation, counts them, and may be repeated."""
    for generation, index in (("one", 0), ("one", 1), ("two", 0)):
        last = await kept.store.write(generation, index, said(png), kind="image", limit=LIMIT)
    assert await kept.store.delete("one") == 2
    assert await kept.store.delete("one") == 0
    assert await kept.listing() == [last.uri.partition(":")[2]]


@pytest.mark.parametrize("generation", ["", ".", "..", "../x", "a/b", "a\0", ".parts", "a" * 129, "é", "a b", "-a"])
async def test_no_other_name_reaches_a_store(kept: Kept, png: bytes, generation: str) -> None:
    """An id that could name another place is refused before anything is touched."""
    with pytest.raises(ValueError, match="generation's id"):
        await kept.store.write(generation, 0, said(png), kind="image", limit=LIMIT)
    with pytest.raises(ValueError, match="generation's id"):
        await kept.store.delete(generation)
    assert await kept.listing() == []


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
async def test_unknown_names_are_not_stored(kept: Kept, uri: str) -> None:
    """S61: a URI that was never given out, traversal included, is not stored; one answer for all of them."""
    with pytest.raises(NotStored, match="no output is stored"):
        await kept.store.open(uri)


async def test_the_probe_takes_time_and_leaves_nothing(kept: Kept) -> None:
    """A probe says how long a durable write took, and leaves no file."""
    assert 0 < await kept.store.probe() < 30
    assert await kept.listing() == []
