"""A gateway for clients that are programs of their own: what they meet there, and what its store knows afterwards."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sqlite3
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.commands.pointing import Place, clients, pointed
from gateway.providers import catalog
from tests.clients.between import Between, between
from tests.gateway.providers import acme
from tests.house.tree import ROOT
from tests.story.house import House, house

# What befalls a request is told by its prompt.
CHAOS = [
    {"call": "submit", "prompt": "*broken*", "do": "status", "status": 503},
    {"call": "submit", "prompt": "*forbidden*", "do": "refuse_content"},
]
# Whoever failed for one of them is asked first by the others all the same.
_ORDER = "routes: [{match: {model: '*'}, order: [byteplus]}]\n"
_LARGE = 12_500_000  # bytes of a picture


@dataclass
class Stage:
    """A gateway, a bad line to it, and a provider that draws large pictures from large ones."""

    at: House
    line: Between
    picture: Path
    sha256: str
    given: list[str]

    def pointing(self, client: str) -> dict[str, Any]:
        """What `tidegate env` says for a client, by the good way and by the bad line."""
        return {"at": pointing(client, self.at.running.origin), "line": pointing(client, self.line.origin)}

    def rows(self, sql: str) -> list[Any]:
        """Rows of the store."""
        with sqlite3.connect(self.at.folder / "story.db") as store:
            return store.execute(sql).fetchall()

    def by(self, prompt: str) -> list[tuple[str, str | None, int]]:
        """State, provider and number of entries in the ledger of each generation of a prompt."""
        return self.rows(
            "SELECT state, provider_used, (SELECT count(*) FROM entry JOIN txn ON txn.id = entry.txn WHERE txn.ref = generation.id"
            f" AND entry.account_id = 'local') FROM generation WHERE json_extract(request, '$.prompt') = '{prompt}'"
        )

    def holds(self, told: Mapping[str, Any]) -> bool:
        """Whether what a client has is to the byte what is kept."""
        assert "sha256" in told, told
        return bool(self.rows(f"SELECT 1 FROM artifact WHERE sha256 = '{told['sha256']}' AND bytes = {told['size']}"))

    def is_large(self, told: Mapping[str, Any]) -> bool:
        """Whether what a client has is to the byte the large picture."""
        assert "sha256" in told, told
        return bool(told["sha256"] == self.sha256)


def pointing(client: str, origin: str) -> dict[str, Any]:
    """What `tidegate env` says for a client of a gateway that asks for no key."""
    found = next(each for each in _clients() if each[1].id == client)
    made = pointed(*found, Place(origin, asks=False))
    return {"variables": dict(made.variables), "line": made.line}


@cache
def _clients() -> list[Any]:
    return clients(catalog.providers([ROOT / "providers.d"]))


@asynccontextmanager
async def stage(folder: Path, *, image: float = 0.1) -> AsyncIterator[Stage]:
    """Serve, with the vendors played and one more; the bad line gives up on the first two that come over it to be drawn."""
    large = _png(_LARGE)
    (folder / "large.png").write_bytes(large)
    takes = acme.bent("acme/acme/still.yaml", "images: {max: 2}", "images: {max: 2, as: [url, data]}")
    acme.write(folder / "packs", takes)
    async with _acme(large) as (origin, given):
        config = f"  acme: {{base: {origin}/v1}}\ncatalog: ['{ROOT / 'providers.d'}', packs]\n{_ORDER}"
        async with (
            house(folder, CHAOS, config=config, image=image, also={"ACME_KEY": "sk-acme"}) as at,
            between(at.running.origin) as line,
        ):
            yield Stage(at, line, folder / "large.png", hashlib.sha256(large).hexdigest(), given)


@asynccontextmanager
async def _acme(large: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """A provider whose every picture is the large one; the hashes of those it was given are kept."""
    given: list[str] = []

    async def draw(request: web.Request) -> web.Response:
        body = await request.json()
        first = body.get("first")
        if first is not None:
            given.append(hashlib.sha256(base64.b64decode(first.partition(",")[2])).hexdigest())
        return web.json_response({"images": [{"url": f"{origin}/large.png", "mime": "image/png"}]})

    async def picture(_request: web.Request) -> web.Response:
        return web.Response(body=large, content_type="image/png")

    application = web.Application(client_max_size=10 * len(large))
    application.router.add_post("/v1/pictures", draw)
    application.router.add_get("/large.png", picture)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield origin, given
    finally:
        await runner.cleanup()


async def told(*command: str | Path, environ: Mapping[str, str], seconds: float = 120) -> dict[str, Any]:
    """What a program tells: an object, in one line or in several."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, wrong = await asyncio.wait_for(process.communicate(), seconds)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, wrong.decode()[-3000:]
    found: dict[str, Any] = {}
    for line in said.splitlines():
        if line.startswith(b"{"):  # some of them talk besides
            found |= json.loads(line)
    return found


def _png(size: int) -> bytes:
    """A picture of so many bytes: one pixel, and a chunk nobody looks at, of which no part is like another."""
    pixel = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    kind, data = b"teXt", hashlib.shake_256(b"seal").digest(size)
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return pixel[:33] + chunk + pixel[33:]
