"""Generations that the gateway makes in earnest, of every kind: pictures and films, done, failed and canceled, and told to a webhook."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.far import far_end
from tests.bench.figure import Bench
from tests.bench.gateway import Gateway, gateway, providers

COUNT = 250
PICTURE, FILM = "image/bytedance/seedream-4.5", "video/bytedance/seedance-1-pro"
_SCOPES = (
    "generation:write,generation:read,generation:delete,account:read,health:read,library:read,webhooks:write,"
    "metrics:read,admin"
)
_EVENTS = ("generation.completed", "generation.failed")
_WAIT, _AGAIN = 60, 0.2  # seconds for all of it to end, and between looks whether it has


@dataclass(frozen=True, slots=True)
class Made:
    """The policy they were made under, the store they are in, a key that may do everything, and the webhook that was told."""

    policy: str
    store: Path
    key: str
    webhook: str


@contextmanager
def made(bench: Bench) -> Iterator[Made]:
    """Make some; the store is there for as long as the block runs, and nobody has it open."""
    with far_end(bench.scratch) as (origin, _):
        policy = policy_of(origin)
        with gateway(bench, policy) as ours:
            key = json.loads(ours.command("keys", "create", "all", "--scopes", _SCOPES, "--json"))["key"]
            webhook = asyncio.run(_make(ours, key, origin))
            ours.close()
            yield Made(policy, ours.folder / "gateway.db", key, webhook)


def policy_of(origin: str) -> str:
    """A policy whose one provider queues jobs at the far end."""
    return "log: {level: warning}\n" + providers(replicate=f"{origin}/jobs")


def wish(number: int) -> tuple[str, dict[str, Any]]:
    """The path and the body of one more generation: four pictures to a film, one in ten refused in the end."""
    word = "broken" if number % 10 == 3 else "fine"
    body: dict[str, Any] = {
        "generation_prompt": f"a {word} morning, number {number}: a seal plays in the arctic sea while its mother sleeps",
        "generation_ratio": "16:9",
    }
    if number % 5 == 0:
        return FILM, {**body, "generation_duration": 5, "generation_resolution": "480p"}
    return PICTURE, body


async def _make(ours: Gateway, key: str, far: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        asked = {"webhook_url": f"{far}/hook", "webhook_events": list(_EVENTS)}
        webhook: str = (await _told(session.post(f"{ours.origin}/v1/webhooks", json=asked)))["webhook_id"]
        await asyncio.gather(*(_one(session, ours.origin, number) for number in range(COUNT)))
        async with session.post(f"{far}/_finish", data=b"true") as answer:
            answer.raise_for_status()
        await _until(lambda: _is_over(session, ours.origin, webhook))
        return webhook


async def _one(session: aiohttp.ClientSession, origin: str, number: int) -> None:
    """Begin one; every twentieth is canceled while its job runs."""
    path, body = wish(number)
    headers = {"Idempotency-Key": f"made-{number}"}
    begun = await _told(session.post(f"{origin}/v1/generate/{path}", json=body, headers=headers))
    if number % 20 == 7:
        await _until(lambda: _has_begun(session, f"{origin}/v1/content/{begun['generation_id']}"))
        await _told(session.post(f"{origin}/v1/content/generation/cancel/{begun['generation_id']}"))


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until it is so. RuntimeError when it never is."""
    for _ in range(int(_WAIT / _AGAIN)):
        if await true():
            return
        await asyncio.sleep(_AGAIN)
    raise RuntimeError(f"the generations had not come that far after {_WAIT} s")


async def _has_begun(session: aiohttp.ClientSession, url: str) -> bool:
    return (await _told(session.get(url)))["generation_started_at"] is not None


async def _is_over(session: aiohttp.ClientSession, origin: str, webhook: str) -> bool:
    """Whether all have ended and nothing has to be told any more."""
    async with session.get(f"{origin}/metrics") as answer:
        if "\ntidegate_generations_live 0.0\n" not in await answer.text():
            return False
    last = await _told(session.get(f"{origin}/v1/webhooks/{webhook}/deliveries", params={"limit": 100}))
    return all(each["delivery_status"] == "delivered" for each in last["deliveries"])


async def _told(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        said = await answer.json()
        if answer.status != 200:
            raise RuntimeError(f"{answer.method} {answer.url}: {answer.status} {said}")
        data: dict[str, Any] = said["data"]
        return data
