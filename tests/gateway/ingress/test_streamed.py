"""Outputs that are no local files are sent as local files are."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.artifacts.fault import StorageFault
from gateway.artifacts.store import Stored
from gateway.ingress import envelope
from gateway.ingress.refusal import Refusal
from gateway.ingress.streamed import streamed
from tests.clock import VirtualClock

BYTES = bytes(range(100))
TAG = "a-tag"
TOLD = ("Content-Range", "Content-Type", "Content-Disposition", "Accept-Ranges", "Content-Length")


class Far:
    """What a store elsewhere gives; it fails at a byte if it is told to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.asked: list[tuple[int, int]] = []

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Ten bytes at a time."""
        self.asked.append((start, stop))
        for at in range(start, stop, 10):
            if self.fails_at is not None and at >= self.fails_at:
                raise StorageFault("the bucket cannot be reached")
            yield BYTES[at : min(at + 10, stop)]


@asynccontextmanager
async def served(folder: Path, far: Far) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The same bytes at /near as a file and at /far as a stream."""
    (folder / "0.bin").write_bytes(BYTES)
    headers = {"Content-Type": "image/png", "Content-Disposition": "inline"}

    async def near(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / "0.bin", headers=headers)

    async def there(request: web.Request) -> web.StreamResponse:
        try:
            return await streamed(request, Stored(len(BYTES), far.read), headers, TAG)
        except StorageFault as fault:
            raise Refusal("storage_error", "the outputs' store failed") from fault

    around = envelope.middleware(VirtualClock(), lambda _: None, os.urandom)
    app = web.Application(middlewares=[around])
    app.add_routes([web.get("/near", near), web.get("/far", there)])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "wanted",
    [
        *(None, "bytes=0-0", "bytes=3-9", "bytes=95-", "bytes=95-200", "bytes=-7", "bytes=-500", "bytes=0-", "bytes=99-99"),
        *("bytes=100-", "bytes=9-3", "bytes=a-b", "bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=", "Bytes=1-2"),
    ],
)  # fmt: skip
async def test_a_stream_is_sent_as_a_file_is(tmp_path: Path, method: str, wanted: str | None) -> None:
    """Whole, in part or refused, status, length, range and bytes are those of a file."""
    headers = {"Range": wanted} if wanted is not None else {}
    found = {}
    async with served(tmp_path, Far()) as client:
        for path in ("/near", "/far"):
            async with client.request(method, path, headers=headers) as answer:
                told = {name: answer.headers.get(name) for name in TOLD} if answer.status != 416 else {}
                told["Content-Range"] = answer.headers.get("Content-Range")
                found[path] = (answer.status, told, await answer.read() if answer.status < 300 else b"")
    assert found["/far"] == found["/near"]


async def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    """A part costs a part; for what is known already, and for the head alone, nothing is read."""
    far = Far()
    async with served(tmp_path, far) as client:
        for headers, status in (
            ({"Range": "bytes=20-29"}, 206),
            ({"If-None-Match": f'"{TAG}"'}, 304),
            ({"If-None-Match": '"another"', "Range": "bytes=1-2"}, 206),
            ({"Range": "bytes=1-2", "If-Range": f'"{TAG}"'}, 206),
            ({"Range": "bytes=1-2", "If-Range": '"another"'}, 200),
        ):
            async with client.get("/far", headers=headers) as answer:
                assert (answer.status, answer.headers["ETag"]) == (status, f'"{TAG}"')
        async with client.head("/far") as answer:
            assert answer.status == 200
    assert far.asked == [(20, 30), (1, 3), (1, 3), (0, 100)]


async def test_a_store_that_is_down_is_told(tmp_path: Path) -> None:
    """Nothing is sent before the first bytes are there, so that the answer can still be an error."""
    async with served(tmp_path, Far(fails_at=0)) as client, client.get("/far") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (500, "BSE5002")


async def test_what_ends_early_is_seen_to(tmp_path: Path) -> None:
    """A store that fails on the way ends the connection: a part is never taken for the whole."""
    async with served(tmp_path, Far(fails_at=50)) as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.get("/far") as answer:
                await answer.read()
