"""The far end, the session that fetches from it, a picture, and the stores it may be kept in."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from gateway.artifacts.fetch import open_session
from gateway.egress import Policy
from tests.bucket import Service, bucket, shared_service
from tests.gateway.artifacts.far import Far
from tests.gateway.artifacts.kept import Kept, in_bucket, on_disk

__all__ = ["bucket", "shared_service"]


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    """The far end, listening."""
    found = Far()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


@pytest.fixture
def policy() -> Policy:
    """Loopback may be dialled, but just the one address the far end has."""
    return Policy.parse(["127.0.0.1"])


@pytest.fixture
async def session(policy: Policy) -> AsyncIterator[aiohttp.ClientSession]:
    """The session that fetches."""
    async with open_session(policy) as opened:
        yield opened


@pytest.fixture(scope="session")
def png() -> bytes:
    """A picture of 31 by 17 pixels."""
    with io.BytesIO() as file:
        Image.new("RGB", (31, 17), "teal").save(file, "PNG")
        return file.getvalue()


@pytest.fixture(params=["disk", "bucket"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    """A store of either kind, started and empty."""
    if request.param == "disk":
        async with on_disk(tmp_path) as opened:
            yield opened
        return
    service: Service = request.getfixturevalue("shared_service")
    async with in_bucket(tmp_path, service.access) as opened:
        yield opened
