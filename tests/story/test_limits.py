"""Limits of accounts and keys, on a gateway that asks for keys."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import app, settings
from gateway.__main__ import main
from gateway.ingress.keyform import mint

CONFIG = (
    "listen: 127.0.0.1:0\nstore: sqlite:limits.db\n"
    "limits: {requests: 5, wrong_keys: 3}\nproxies: {trusted: [127.0.0.0/8]}\n"
)


def _key(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(("keys", "create", "app", "-c", str(folder / "config.yaml"), "--json", *words), {}) == 0
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return str(made["key"])


async def _status(client: aiohttp.ClientSession, origin: str, key: str, **headers: str) -> tuple[int, Any]:
    sent = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with client.get(f"{origin}/v1/status", headers=sent) as answer:
        return answer.status, answer.headers


async def test_an_account_is_held_to_its_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five requests a minute are let through, the sixth is told when to come back; a reload raises the rate."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    key = await asyncio.to_thread(_key, tmp_path, capsys)
    async with (
        app.running(settings.load(tmp_path / "config.yaml", {}), {}) as running,
        aiohttp.ClientSession() as client,
    ):
        told = [await _status(client, running.origin, key) for _ in range(6)]
        assert [status for status, _ in told] == [200] * 5 + [429]
        assert told[0][1]["X-RateLimit-Limit"] == "5"
        assert 0 < int(told[5][1]["Retry-After"]) <= 60
        (tmp_path / "config.yaml").write_text(CONFIG.replace("requests: 5", "requests: 50"))
        await running.reload(settings.load(tmp_path / "config.yaml", {}), {})
        assert (await _status(client, running.origin, key))[1]["X-RateLimit-Limit"] == "50"


async def test_a_network_is_that_of_the_caller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Behind a trusted proxy the address it names counts: inside the key's networks it is let in, outside it is not."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    key = await asyncio.to_thread(_key, tmp_path, capsys, "--networks", "203.0.113.0/24")
    async with (
        app.running(settings.load(tmp_path / "config.yaml", {}), {}) as running,
        aiohttp.ClientSession() as client,
    ):
        assert (await _status(client, running.origin, key, X_Forwarded_For="203.0.113.9"))[0] == 200
        assert (await _status(client, running.origin, key, X_Forwarded_For="198.51.100.9"))[0] == 403
        assert (await _status(client, running.origin, key, X_Forwarded_For="203.0.113.9, 198.51.100.9"))[0] == 403
        assert (await _status(client, running.origin, key))[0] == 403


async def test_who_guesses_has_to_wait(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After three wrong keys the address is told to wait, by each of its proxies' callers alone; a right key goes on."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    key = await asyncio.to_thread(_key, tmp_path, capsys)
    async with (
        app.running(settings.load(tmp_path / "config.yaml", {}), {}) as running,
        aiohttp.ClientSession() as client,
    ):
        where = {"X_Forwarded_For": "203.0.113.9"}
        assert (await _status(client, running.origin, key, **where))[0] == 200
        wrong = mint(os.urandom)
        seen = [(await _status(client, running.origin, wrong, **where))[0] for _ in range(5)]
        assert (seen[0], seen[-1]) == (401, 429)
        assert (await _status(client, running.origin, wrong, X_Forwarded_For="198.51.100.9"))[0] == 401
        assert (await _status(client, running.origin, key, **where))[0] == 200
