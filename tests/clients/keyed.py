"""A gateway that asks for keys, with the vendors played behind it, and one key made as an operator makes it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import app, settings
from gateway.clock import SystemClock
from gateway.ingress import admin
from gateway.ledger.database import Database
from gateway.simulators import Simulators
from gateway.state import peppers
from tests.gateway.ingress.house import RECEIVERS


@dataclass(frozen=True)
class Keyed:
    """Where it is, and a key that opens it."""

    origin: str
    key: str


@asynccontextmanager
async def keyed(folder: Path, *, config: str = "", **terms: Any) -> AsyncIterator[Keyed]:
    """Serve; `terms` are of the key, as `keys.create` takes them."""
    sims = Simulators(image_seconds=0.05)
    await sims.start()
    bases = "".join(f"  {name}: {{base: {base}}}\n" for name, base in sims.bases.items())
    text = f"listen: 127.0.0.1:0\nstore: sqlite:a.db\negress: {{allow: [127.0.0.0/8]}}\nproviders:\n{bases}{config}"
    (folder / "config.yaml").write_text(text)
    told = settings.load(folder / "config.yaml", sims.secrets)
    store = await Database.open(folder / "a.db", now=lambda: time.time_ns() // 1_000_000)

    async def act(name: str, /, **given: Any) -> dict[str, Any]:
        return await admin.act(store, peppers(told)[0], SystemClock(), name, given, receivers=RECEIVERS)

    await act("accounts.create", account="studio")
    await act("credits.add", account="studio", amount="100")
    made = await act("keys.create", account="studio", **terms)
    await store.close()
    try:
        async with app.running(told, sims.secrets) as running:
            yield Keyed(running.origin, made["key"])
    finally:
        await sims.close()
