"""The predictions client of another vendor, pointed at a gateway."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import replicate

from tests.story.house import House, house

SEEDREAM = "bytedance/seedream-4.5"


@asynccontextmanager
async def client(origin: str, prefix: str = "") -> AsyncIterator[replicate.Client]:
    """The client, with nothing but another base address."""
    made = replicate.Client(api_token="bye_any", base_url=origin + prefix)
    made.poll_interval = 0.05
    try:
        yield made
    finally:
        await made._async_client.aclose()


@asynccontextmanager
async def asking(
    folder: Path, chaos: Sequence[Mapping[str, Any]] = (), **options: Any
) -> AsyncIterator[tuple[House, replicate.Client]]:
    """A gateway, and the client pointed at it."""
    async with house(folder, chaos, **options) as at, client(at.running.origin) as made:
        yield at, made


def count(at: House, table: str, where: str = "1=1") -> int:
    """Rows of the store."""
    with sqlite3.connect(at.folder / "story.db") as store:
        found: int = store.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        return found
