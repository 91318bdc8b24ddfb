"""Liveness, readiness and metrics."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress.operations import Operations
from tests.gateway.ingress.house import House


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_probes_are_answered_without_a_key(house: House, path: str) -> None:
    """A healthy gateway says ok, to HEAD as well."""
    answer = await house.ask("GET", path, headers={"Authorization": None})
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert (await house.ask("HEAD", path, headers={"Authorization": None})).status == 200


async def test_a_gateway_without_its_store_lives_and_is_not_ready(house: House) -> None:
    """A store that takes nothing makes it unready, not dead; asked for more, it says which check failed and why."""
    await house.store.close()
    answer = await house.ask("GET", "/readyz")
    assert (answer.status, answer.body) == (503, b"not ready: store\n")
    answer = await house.ask("GET", "/readyz?verbose")
    assert answer.json == {"ready": False, "checks": {"store": "the store is closed"}}
    assert (await house.ask("GET", "/livez")).status == 200


async def test_a_check_that_hangs_is_a_check_that_failed() -> None:
    """A probe is answered in time, whatever hangs."""

    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    async def works() -> str | None:
        return None

    app = web.Application()
    app.add_routes(Operations({"slow": hangs, "good": works}, None, 0.01).routes())
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/readyz?verbose")
        checks = (await response.json())["checks"]
        assert (response.status, checks) == (503, {"slow": "no answer within 0.01 seconds", "good": "ok"})
        assert (await client.get("/metrics")).status == 404


async def test_metrics_are_in_their_format(house: House) -> None:
    """The series come in the text format, without a key."""
    answer = await house.ask("GET", "/metrics", headers={"Authorization": None})
    assert (answer.status, answer.body) == (200, b"a_series 1\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
