"""Liveness, readiness and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import app, settings
from gateway.front import NotListening
from gateway.ingress.callers import Scope
from gateway.ingress.operations import Check, Operations
from gateway.running import Running
from tests.gateway.ingress.house import House


@asynccontextmanager
async def apart(**checks: Check) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """An address of the operator's own, with these checks and one series."""
    application = web.Application()
    application.add_routes(Operations(checks, lambda _: (b"a_series 1\n", "text/plain; version=0.0.4"), 0.01).apart())
    async with TestClient(TestServer(application)) as client:
        yield client


@asynccontextmanager
async def served(folder: Path, policy: str) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    """A whole gateway with this in its policy."""
    (folder / "config.yaml").write_text(f"listen: 127.0.0.1:0\nstore: sqlite:gateway.db\n{policy}\n")
    async with app.running(settings.load(folder / "config.yaml", {}), {}) as running, aiohttp.ClientSession() as client:
        yield running, client


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_probes_are_answered_without_a_key(house: House, path: str) -> None:
    """A healthy gateway says ok, to HEAD as well."""
    answer = await house.ask("GET", path, headers={"Authorization": None})
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert (await house.ask("HEAD", path, headers={"Authorization": None})).status == 200


async def test_a_gateway_without_its_store_lives_and_is_not_ready(house: House) -> None:
    """S56: a store that takes nothing makes it unready, not dead; on the public address it is not said why."""
    await house.store.close()
    answer = await house.ask("GET", "/readyz")
    assert (answer.status, answer.body) == (503, b"not ready: store\n")
    answer = await house.ask("GET", "/readyz?verbose")
    assert answer.json == {"ready": False, "checks": {"store": "failed"}}
    assert (await house.ask("GET", "/livez")).status == 200


async def test_a_check_that_hangs_is_a_check_that_failed() -> None:
    """A probe is answered in time, whatever hangs; on the operator's own address it says why."""

    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    async def works() -> str | None:
        return None

    async with apart(slow=hangs, good=works) as client:
        response = await client.get("/readyz?verbose")
        checks = (await response.json())["checks"]
        assert (response.status, checks) == (503, {"slow": "no answer within 0.01 seconds", "good": "ok"})
        assert (await client.get("/livez")).status == 200


async def test_metrics_are_in_their_format() -> None:
    """The series come in the text format."""
    async with apart() as client:
        answer = await client.get("/metrics")
        assert (answer.status, await answer.read()) == (200, b"a_series 1\n")
        assert answer.headers["Content-Type"].startswith("text/plain; version=")


async def test_the_public_address_shows_metrics_to_keys_made_for_it(house: House) -> None:
    """S11, S56: without a key, and with one of full access, the metrics cannot be read; with their scope alone they can."""
    assert (await house.ask("GET", "/metrics", headers={"Authorization": None})).status == 401
    house.key = await house.new_key(preset="full_access")
    assert (await house.ask("GET", "/metrics")).status == 403
    house.key = await house.new_key(scopes=[Scope.METRICS_READ.value])
    assert (await house.ask("GET", "/metrics")).body == b"a_series 1\n"


async def test_metrics_on_an_address_of_their_own(tmp_path: Path) -> None:
    """S56: with an address of their own they are gone from the public one, and nothing but them and probes is served there."""
    async with served(tmp_path, "metrics: 127.0.0.1:0") as (running, client):
        for origin, path, status in (
            (running.origin, "/metrics", 404),
            (running.origin, "/readyz", 200),
            (running.apart, "/metrics", 200),
            (running.apart, "/readyz?verbose", 200),
            (running.apart, "/livez", 200),
            (running.apart, "/v1/status", 404),
            (running.apart, "/admin/v1", 404),
        ):
            async with client.get(origin + path) as answer:
                assert answer.status == status, (origin, path)
                assert answer.headers["Server"] == "tidegate"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with client.get(f"{running.apart}/metrics") as answer:
            assert "tidegate_build_info" in await answer.text()


@pytest.mark.parametrize(("policy", "status"), [("metrics: none", 404), ("", 401), ("auth: none", 200)])
async def test_who_may_read_them_on_the_public_address(tmp_path: Path, policy: str, status: int) -> None:
    """S56: nobody, or keys; and on a loopback address without keys whoever is on this machine."""
    async with served(tmp_path, policy) as (running, client), client.get(f"{running.origin}/metrics") as answer:
        assert (answer.status, running.apart) == (status, "")


async def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """Which of the two addresses cannot be had is said."""
    async with served(tmp_path, "metrics: 127.0.0.1:0") as (running, _):
        taken = running.apart.removeprefix("http://")
        (tmp_path / "other").mkdir()
        with pytest.raises(NotListening) as refused:
            async with served(tmp_path / "other", f"metrics: {taken}"):
                pass
        assert str(refused.value.address) == taken
