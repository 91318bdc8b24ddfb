"""The walls around a whole gateway: it calls neither itself nor what is closed, goes past no proxy, and names no address inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.webhooks.receiver import receiving
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
# Its provider takes files as bytes, so that the gateway fetches them, and nobody else is asked.
KLEIN = "image/bfl/flux-2-klein-9b"
ALONE = "routes:\n  - {only: [cloudflare]}\n"
PUBLIC = "public_url: https://media.example.com/gate\n"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


async def failed(at: House, address: str) -> Any:
    """The error that a generation ends with which was given this address as its file, as the record tells it."""
    status, _, said = await at.create(KLEIN, prompt="a seal", input_file=[address])
    assert status == 200, said
    record = await at.end(said["data"]["generation_id"])
    assert record["generation_status"] == "failed"
    return json.dumps([record["error"], record["generation_attempts"]])


async def test_a_proxy_in_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: with a proxy in the environment, calls to providers, their outputs and webhooks still go the straight way."""
    async with receiving() as proxy, receiving() as receiver, house(tmp_path) as at:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.origin)
        url = f"{receiver.origin}/hook"
        assert (await at.ask("POST", "/v1/webhooks", json={"webhook_url": url}))[0] == 200
        _, _, said = await at.create(SEEDREAM, prompt="a seal")
        assert (await at.end(said["data"]["generation_id"]))["generation_status"] == "succeeded"
        await at.until(lambda: len(receiver.got) > 0)
        assert proxy.got == []


async def test_the_gateway_calls_neither_itself_nor_what_is_closed(tmp_path: Path) -> None:
    """S30, S38, S39: its own address is no endpoint and no file, a file that redirects inside is none; no address is told."""
    async with receiving() as far, house(tmp_path, config=ALONE + PUBLIC) as at:
        port = at.running.origin.rpartition(":")[2]
        hosts = (
            *("127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]"),
            at.running.origin[7:].rpartition(":")[0],
        )
        own = [f"http://{host}:{port}/x" for host in hosts]
        own += [f"https://{name}/v1/status" for name in ("media.example.com/gate", "MEDIA.example.com.:443//gate")]
        for url in own:
            status, _, said = await at.ask("POST", "/v1/webhooks", json={"webhook_url": url})
            assert (status, said["error"]["code"]) == (400, "BSE2001"), url
            assert "the gateway's own" in said["error"]["message"], url
        for path in ("/metrics", "/v1/user/billing"):
            assert "blocked_address" in (said := await failed(at, at.running.origin + path))
            assert "127.0.0" not in said
        for target in ("http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd"):
            far.does["/a"] = web.Response(status=302, headers={"Location": target})
            assert "blocked_address" in (said := await failed(at, f"{far.origin}/a"))
            assert not any(each in said for each in ("169.254", "10.0.0.1", "passwd"))
        assert len(far.got) == 3
        assert at.sims.jobs() == []
