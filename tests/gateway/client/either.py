"""Both clients under one interface, so that each test holds for both."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gateway.client import AsyncClient, Client
from gateway.client.steps import Broken, Flow, Heard, Pause, Step

MODEL = "bytedance/seedream-4.5"
VIDEO = "bytedance/seedance-1-pro"


class Either:
    """One of the two clients, awaited; the one that blocks does so in a thread."""

    def __init__(self, client: Client | AsyncClient) -> None:
        """Speak through `client`."""
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Give a method of the client, awaitable."""
        method = getattr(self._client, name)
        if isinstance(self._client, AsyncClient):
            return method

        async def blocking(*given: Any, **named: Any) -> Any:
            return await asyncio.to_thread(method, *given, **named)

        return blocking

    async def close(self) -> None:
        """Close what is open."""
        if isinstance(self._client, AsyncClient):
            await self._client.close()


def drive(flow: Flow[Any], answers: list[Any], *, chance: float = 0.0) -> tuple[Any, list[Step]]:
    """Take a flow through its steps with scripted answers and a clock that its pauses move; what came of it, and the steps."""
    steps: list[Step] = []
    now = 0.0
    heard: Heard | None = None
    script = iter(answers)
    try:
        while True:
            step = next(flow) if heard is None else flow.send(heard)
            steps.append(step)
            reply = None
            match step:
                case Pause(seconds):
                    now += seconds
                case _ if type(step).__name__ in {"Send", "Fetch", "Write"}:
                    reply = next(script)
                case _:
                    pass
            heard = Heard(reply, now, chance)
    except StopIteration as end:
        return end.value, steps


def pauses(steps: list[Step]) -> list[float]:
    """The seconds that were waited."""
    return [round(step.seconds, 3) for step in steps if isinstance(step, Pause)]


LOST = Broken("connection reset", unsent=False)
REFUSED = Broken("connection refused", unsent=True)


def exists(path: Path) -> bool:
    """Whether a file is there."""
    return path.exists()


def listed(folder: Path) -> list[str]:
    """What lies in a folder, hidden files included."""
    return sorted(each.name for each in folder.iterdir())
