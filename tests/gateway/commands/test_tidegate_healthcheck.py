"""`tidegate healthcheck`: whether a gateway serves, told by an exit code."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.commands.exits import Exit
from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import Said, Shell, add, put


@pytest.fixture
async def unready() -> AsyncIterator[str]:
    """A gateway that lives and takes no requests."""

    async def live(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_request: web.Request) -> web.Response:
        return web.Response(text="not ready: store\n\x1b[2J", status=503)

    application = web.Application()
    application.add_routes([web.get("/livez", live), web.get("/readyz", ready)])
    async with TestServer(application) as server:
        yield f"http://127.0.0.1:{server.port}"


async def _asked(tidegate: Shell, *words: str) -> Said:
    """Run it beside the loop that answers."""
    return await asyncio.to_thread(tidegate, "healthcheck", *words)


async def test_a_gateway_that_serves(tidegate: Shell, site: Site) -> None:
    """Exit 0 and the answer, by URL as clients are told it and without a key."""
    for url in (site.running.origin, f"{site.running.origin}/v1", f"{site.running.origin}/"):
        assert await _asked(tidegate, url) == Said(Exit.OK, "ok\n", "")
    assert (await _asked(tidegate, site.running.origin, "--live")).code == Exit.OK


async def test_a_gateway_that_takes_no_requests(tidegate: Shell, unready: str) -> None:
    """Exit 1 with what it said, on one line; that it lives is another question."""
    said = await _asked(tidegate, unready)
    assert (said.code, said.out) == (Exit.FAILURE, "")
    assert said.err == f"tidegate: {unready}/readyz answers 503: not ready: store  [2J\n"
    assert (await _asked(tidegate, unready, "--live")).code == Exit.OK


async def test_the_policy_says_where(tidegate: Shell, site: Site, tmp_path: Path) -> None:
    """Without a URL the address is the policy's, every one of this machine being meant by 0.0.0.0; variables count."""
    port = site.running.origin.rpartition(":")[2]
    put(tmp_path / "config.yaml", f"listen: 0.0.0.0:{port}\n")
    assert (await _asked(tidegate)).code == Exit.OK
    put(tmp_path / "config.yaml", "listen: 127.0.0.1:${PORT}\n")
    assert (await asyncio.to_thread(tidegate, "healthcheck", env={"PORT": port})).code == Exit.OK


async def test_metrics_apart_are_where_probes_are_answered(tidegate: Shell, site: Site, tmp_path: Path) -> None:
    """An address that the metrics have for themselves is asked in place of the public one, which may be for proxies alone."""
    port = site.running.origin.rpartition(":")[2]
    put(tmp_path / "config.yaml", f"listen: 127.0.0.1:9\nmetrics: 127.0.0.1:{port}\n")
    assert (await _asked(tidegate)).code == Exit.OK


async def test_a_policy_gone_bad_is_not_the_gateways_end(tidegate: Shell, site: Site, tmp_path: Path) -> None:
    """A running gateway goes on with what it had when its file turns bad, so the check does too."""
    path = tmp_path / "config.yaml"
    put(path, f"listen: {site.running.origin.removeprefix('http://')}\nregoin: eu\nlimits: {{live: many}}\n")
    assert await _asked(tidegate) == Said(Exit.OK, "ok\n", "")
    add(path, "routes: [\n")
    said = await _asked(tidegate)
    assert "config.yaml:" in said.err
    assert "http://127.0.0.1:8080/readyz" in said.err or said.code == Exit.OK  # the default is asked


def test_nobody_there(tidegate: Shell) -> None:
    """Exit 1 and what to look at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = tidegate("healthcheck", f"http://127.0.0.1:{port}")
    assert said.code == Exit.FAILURE
    assert said.err == (
        f"tidegate: nobody answers at http://127.0.0.1:{port}/readyz: Connection refused;"
        " is the gateway running, and does it listen there?\n"
    )


def test_something_else_there(tidegate: Shell) -> None:
    """What answers in another language is no gateway, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(10)

        def mumble() -> None:
            line, _ = other.accept()
            with line:
                line.recv(1000)
                line.sendall(b"\x15\x03\x01\x00\x02\x02\x28")

        thread = threading.Thread(target=mumble)
        thread.start()
        said = tidegate("healthcheck", f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()
    assert said.code == Exit.FAILURE
    assert "is no gateway" in said.err


@pytest.mark.parametrize(
    "url", ["https://a", "a:1", "http://", "http://a:x", "http://a:99999", "http://a/readyz", "http://[::1"]
)
def test_what_is_no_gateways_url(tidegate: Shell, url: str) -> None:
    """Exit 2 with an example."""
    said = tidegate("healthcheck", url)
    assert said.code == Exit.USAGE
    assert "expected a URL such as http://127.0.0.1:8080" in said.err


def test_a_port_the_system_chooses(tidegate: Shell, policy_file: Path) -> None:
    """Port 0 in the policy cannot be asked; the URL can."""
    said = tidegate("healthcheck", "-c", str(policy_file))
    assert said.code == Exit.USAGE
    assert "name the gateway's URL" in said.err
