"""Files made to hurt: refused by their first bytes, or kept as bytes that nobody here opens."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from gateway.artifacts.disk import Disk
from gateway.artifacts.fault import OutputFault
from gateway.artifacts.keep import keep
from gateway.artifacts.kinds import Kind, identify, measure
from gateway.artifacts.store import Artifact
from gateway.egress import Policy
from tests.gateway.artifacts.far import Far
from tests.gateway.artifacts.oddities import FILMS, NOT_MEDIA, TOO_MANY_PIXELS, UNREAD
from tests.house.tree import imported, sources

MIB = 1 << 20
Keep = Callable[[bytes, Kind], Awaitable[Artifact]]


@pytest.fixture
async def kept(session: aiohttp.ClientSession, policy: Policy, far: Far, tmp_path: Path) -> AsyncIterator[Keep]:
    """Fetch a file that is declared as a picture, and store it."""
    disk = Disk(tmp_path)
    await disk.start()

    async def act(body: bytes, kind: Kind) -> Artifact:
        url = far.serve("/a", body, "Content-Type: image/png")
        return await keep(session, disk, "gen", 0, url, kind=kind, limit=100 * MIB, deadline=5, policy=policy)

    yield act
    await disk.close()


def stored(root: Path) -> list[bytes]:
    """What is in the folder."""
    return [path.read_bytes() for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", TOO_MANY_PIXELS)
async def test_what_would_unfold_is_refused(kept: Keep, tmp_path: Path, name: str) -> None:
    """S57: a picture that says it has more pixels than a reader should have to hold is refused for good, and not stored."""
    with pytest.raises(OutputFault, match="pixels") as caught:
        await kept(TOO_MANY_PIXELS[name], "image")
    assert (caught.value.kind, caught.value.retryable) == ("not_media", False)
    assert stored(tmp_path) == []


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_what_only_pretends_is_refused(kept: Keep, tmp_path: Path, kind: Kind) -> None:
    """S57, S58: pictures no browser knows, pages, scripts, documents and programs are stored as nothing."""
    for name, body in NOT_MEDIA.items():
        with pytest.raises(OutputFault) as caught:
            await kept(body, kind)
        assert caught.value.kind == "not_media", name
    assert stored(tmp_path) == []


@pytest.mark.parametrize("name", UNREAD)
async def test_what_is_odd_inside_is_kept_unread(kept: Keep, tmp_path: Path, name: str) -> None:
    """S57, S58: what begins as a picture is kept byte for byte as that, whatever follows, and is no film."""
    body, type_, size = UNREAD[name]
    with pytest.raises(OutputFault, match="where a kind of video was expected"):
        await kept(body, "video")
    artifact = await kept(body, "image")
    assert (artifact.type, artifact.width, artifact.height) == (type_, *(size or (None, None)))
    assert stored(tmp_path) == [body]


@pytest.mark.parametrize("name", FILMS)
async def test_films_are_kept_unread(kept: Keep, tmp_path: Path, name: str) -> None:
    """S57: a film that is cut short or lies about its parts is kept as the bytes it is."""
    body, type_ = FILMS[name]
    artifact = await kept(body, "video")
    assert (artifact.type, stored(tmp_path)) == (type_, [body])


def test_no_header_costs_memory_or_time() -> None:
    """S57: whatever a file says of itself, looking at it takes no memory worth the name and no time that others would notice."""
    heads = [
        *TOO_MANY_PIXELS.values(),
        *NOT_MEDIA.values(),
        *(body for body, *_ in (*UNREAD.values(), *FILMS.values())),
    ]
    tracemalloc.start()
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for head in heads:
            media = identify(head)
            if media is not None:
                measure(media, head)
        spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MIB
    assert spent < 0.5  # all of them together, traced


async def test_memory_stays_flat_while_odd_files_pass(kept: Keep) -> None:
    """S57: the 400 million pixels, the 10,000 frames and the film that lies leave the process as large as it was."""
    tracemalloc.start()
    try:
        for _ in range(3):
            with pytest.raises(OutputFault):
                await kept(TOO_MANY_PIXELS["png bomb"], "image")
            await kept(UNREAD["gif of 10,000 frames"][0], "image")
            await kept(FILMS["film that claims 16 EB"][0], "video")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


def test_nothing_here_can_decode() -> None:
    """S57: no module that takes files in imports a decoder or starts a program, so no limits on a child that parses are due."""
    decoders = {"PIL", "cv2", "imageio", "av", "numpy", "zlib", "gzip", "bz2", "lzma", "zipfile", "subprocess", "xml"}
    found = [
        f"{source.path}: {name}"
        for folder in ("artifacts", "attempts", "providers", "webhooks")
        for source in sources(f"gateway/{folder}")
        for _, name in imported(source.module)
        if name.partition(".")[0] in decoders
    ]
    assert found == []
