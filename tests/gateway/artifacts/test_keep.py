"""One attempt at making one output ours, door and folder together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from gateway.artifacts.disk import Disk
from gateway.artifacts.fault import OutputFault
from gateway.artifacts.keep import keep
from gateway.artifacts.store import Artifact
from gateway.egress import Policy
from tests.gateway.artifacts.far import Far

Keep = partial[object]


@pytest.fixture
async def kept(session: aiohttp.ClientSession, policy: Policy, tmp_path: Path) -> AsyncIterator[Keep]:
    """The act with all but the address given, on a real folder."""
    disk = Disk(tmp_path)
    await disk.start()
    yield partial(keep, session, disk, "gen", 0, kind="image", limit=10_000_000, deadline=5, policy=policy)
    await disk.close()


def files(root: Path) -> list[Path]:
    """Every file under the folder."""
    return [path for path in root.rglob("*") if path.is_file()]


async def test_an_output_becomes_ours(kept: Keep, far: Far, tmp_path: Path, png: bytes) -> None:
    """What the far end gave is in the folder with its hash, under the type it has and not the one it was declared as."""
    big = png + bytes(5_000_000)
    artifact = await kept(far.serve("/x.html", big, "Content-Type: text/html"))
    assert isinstance(artifact, Artifact)
    assert (artifact.type, artifact.size, artifact.sha256) == ("image/png", len(big), hashlib.sha256(big).hexdigest())
    assert [path.read_bytes() for path in files(tmp_path)] == [big]


async def test_an_inline_output_becomes_ours(kept: Keep, png: bytes) -> None:
    """An output that is in the answer itself is stored the same way."""
    artifact = await kept("data:;base64," + base64.b64encode(png).decode())
    assert (artifact.size, artifact.width) == (len(png), 31)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><title>Gone</title>",
        b'{"detail": "expired"}',
        b"<svg onload='alert(1)'/>",
        b"%PDF-1.7",
        b"\x7fELF",
    ],
)
async def test_what_is_no_picture_is_not_stored(kept: Keep, far: Far, tmp_path: Path, body: bytes) -> None:
    """S58: a page, a document, a script or a program declared as a picture is refused, and nothing is stored."""
    with pytest.raises(OutputFault) as caught:
        await kept(far.serve("/a.png", body, "Content-Type: image/png"))
    assert (caught.value.kind, caught.value.retryable) == ("not_media", True)
    assert files(tmp_path) == []


async def test_a_cut_line_leaves_nothing(kept: Keep, far: Far, tmp_path: Path, png: bytes) -> None:
    """A download that ends early, after megabytes were written, leaves no file."""
    with pytest.raises(OutputFault) as caught:
        await kept(far.serve("/", png + bytes(3_000_000), length=4_000_000))
    assert (caught.value.kind, caught.value.retryable) == ("truncated", True)
    assert files(tmp_path) == []


async def test_an_empty_output_is_truncated(kept: Keep, far: Far) -> None:
    """An empty body is no output, whatever the status says."""
    with pytest.raises(OutputFault, match="empty"):
        await kept(far.serve("/", b""))


async def test_bad_inline_data_is_not_tried_again(kept: Keep) -> None:
    """Text that unpacks to no picture will do so every time: it is not retryable."""
    with pytest.raises(OutputFault) as caught:
        await kept("data:image/png,hello")
    assert (caught.value.kind, caught.value.retryable) == ("not_media", False)
