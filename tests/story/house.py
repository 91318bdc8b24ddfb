"""A whole gateway over HTTP, with the vendors played behind it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway import app, settings
from gateway.app import Running
from gateway.ledger import credits as ledger_credits
from gateway.ledger import generations
from gateway.ledger.database import Database
from gateway.simulators import Simulators


@dataclass
class House:
    """A gateway that serves, its far ends, and a client."""

    running: Running
    sims: Simulators
    client: aiohttp.ClientSession
    folder: Path

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Mapping[str, str], Any]:
        """Send a request; status, headers, JSON."""
        async with self.client.request(method, self.running.origin + path, **more) as answer:
            return answer.status, answer.headers, await answer.json()

    async def create(self, path: str, *, headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """Begin a generation by native field names without their prefix; the whole answer."""
        named = {f"generation_{name}": value for name, value in body.items()}
        return await self.ask("POST", f"/v1/generate/{path}", json=named, headers=headers)

    async def end(self, generation: str, seconds: float = 20) -> Mapping[str, Any]:
        """Read the record until the generation has ended."""
        for _ in range(int(seconds * 20)):
            _, _, said = await self.ask("GET", f"/v1/content/{generation}")
            if said["data"]["generation_status"] not in {"pending", "processing"}:
                return said["data"]
            await asyncio.sleep(0.05)
        raise AssertionError(f"{generation} did not end: {said['data']}")

    async def until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until something holds."""
        for _ in range(int(seconds * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it never came to hold")

    async def submitted(self, count: int, seconds: float = 10) -> None:
        """Wait until so many jobs are known at the providers, and the store knows them too."""
        store = self.running.served.store if self.running.served is not None else None
        assert store is not None
        for _ in range(int(seconds * 50)):
            found = [
                await store.read(generations.find_any(name, attempts=True))
                for _, name in await store.read(generations.live())
            ]
            if sum(each is not None and any(attempt.ref for attempt in each.attempts) for each in found) >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the jobs did not begin")

    async def balance(self) -> float:
        """What the account has left, with nothing held."""
        _, _, said = await self.ask("GET", "/v1/user/billing")
        return said["data"]["billing_credit_balance"]


@asynccontextmanager
async def house(
    folder: Path,
    chaos: Sequence[Mapping[str, Any]] = (),
    *,
    config: str = "",
    secrets: Mapping[str, str] | None = None,
    image: float = 0.05,
    video: float = 0.2,
    credits: float = 100,
    also: Mapping[str, str] = {},
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[House]:
    """Serve with every vendor played; `config` is added to the policy file, `also` to the variables; with `tls` it speaks that too."""
    sims = Simulators(chaos=chaos, image_seconds=image, video_seconds=video)
    await sims.start()
    providers = "".join(f"  {name}: {{base: {base}}}\n" for name, base in sims.bases.items())
    text = (
        "listen: 127.0.0.1:0\nstore: sqlite:story.db\nauth: none\ncredits: enforce\n"
        f"egress: {{allow: [127.0.0.0/8]}}\nproviders:\n{providers}{config}"
    )
    (folder / "config.yaml").write_text(text)
    environ = {**(sims.secrets if secrets is None else secrets), **also}
    if credits:
        await _fund(folder, credits)
    try:
        serving = app.running(settings.load(folder / "config.yaml", environ), environ, tls=tls)
        async with serving as running, aiohttp.ClientSession() as client:
            yield House(running, sims, client, folder)
    finally:
        await sims.close()


async def _fund(folder: Path, amount: float) -> None:
    store = await Database.open(folder / "story.db", now=lambda: 1)
    from gateway.ledger import accounts

    await store.write(accounts.ensure(app.LOCAL, app.LOCAL, 1))
    await store.write(ledger_credits.add(app.LOCAL, int(amount * 1_000_000), "opening", "", 1))
    await store.close()
