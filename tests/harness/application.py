"""An application over HTTP that does what one should: a key per wish, and the same key again when no answer came."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from tests.harness.judge import Figures

REQUESTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("image/bytedance/seedream-4.5", {"generation_ratio": "16:9"}),
    ("image/bfl/flux-schnell", {"generation_ratio": "1:1", "generation_output_format": "png"}),
    ("image/bytedance/seedream-4.5", {"generation_input_file": ["https://example.com/a.jpg"]}),
    ("video/bytedance/seedance-1-pro", {"generation_duration": 5, "generation_resolution": "480p"}),
)


class Client:
    """One application, and what it knows of its wishes."""

    def __init__(self, origin: str, figures: Figures, dice: random.Random) -> None:
        self.origin = origin
        self._figures = figures
        self._dice = dice
        self.known: dict[str, str] = {}  # generation by key
        self.unanswered: dict[str, tuple[str, dict[str, Any]]] = {}

    async def wish(self, session: aiohttp.ClientSession, number: int) -> None:
        """Ask for something new."""
        path, extra = self._dice.choice(REQUESTS)
        await self.ask(session, f"wish-{number}", path, {"generation_prompt": f"seal number {number}", **extra})

    async def ask(self, session: aiohttp.ClientSession, key: str, path: str, body: dict[str, Any]) -> None:
        """Ask once; what gets no answer is remembered and asked again later."""
        try:
            async with session.post(
                f"{self.origin}/v1/generate/{path}",
                json=body,
                headers={"Idempotency-Key": key},
                timeout=aiohttp.ClientTimeout(total=10),
            ) as answer:
                said = await answer.json()
                if answer.status == 200:
                    self._figures.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                    earlier = self.known.setdefault(key, said["data"]["generation_id"])
                    if earlier != said["data"]["generation_id"]:
                        self._figures.lost += 1
                        self._figures.notes.append(f"{key}: {earlier} became {said['data']['generation_id']}")
                    self.unanswered.pop(key, None)
                elif not said["error"]["retryable"]:
                    self.unanswered.pop(key, None)
                    self._figures.notes.append(f"{key}: {answer.status} {said['error']}")
                else:
                    self.unanswered[key] = (path, body)
                if answer.status == 500:
                    self._figures.server_errors += 1
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            self.unanswered[key] = (path, body)


async def settle(session: aiohttp.ClientSession, origin: str, seconds: float = 120) -> None:
    """Wait until all have ended, at most so long: whoever judges sees what is stuck."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        async with session.get(origin + "/metrics") as answer:
            if "\ntidegate_generations_live 0.0\n" in await answer.text():
                return
        await asyncio.sleep(0.1)
