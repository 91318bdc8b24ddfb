"""Callbacks of providers: they make us look, and nothing they say is believed.

S78 asks for signatures with a time; here the address is the credential, a proof of 128 bits for each attempt, and no time is in
it: what a call that is late or sent again can do is make us look.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress import envelope, nudges
from gateway.ingress.nudges import Nudges
from tests.clock import VirtualClock

NUDGES = Nudges(b"a secret of the tests", "https://gate.example/path/")
GENERATION = "0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11"


@dataclass
class Door:
    """The route, and what went through it."""

    client: TestClient[web.Request, web.Application]
    nudged: list[tuple[str, int]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    async def post(self, path: str, data: bytes = b"{}", **headers: str) -> tuple[int, Any]:
        """Call back, and give status and answer without what differs between any two answers."""
        async with self.client.post(path, data=io.BytesIO(data), headers=headers) as response:
            answer = await response.json()
            answer.pop("request_id", None)
            return response.status, answer


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """The route as the gateway serves it, with nobody behind it who knows the generation."""
    nudged: list[tuple[str, int]] = []
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    def nudge(generation: str, attempt: int) -> bool:
        nudged.append((generation, attempt))
        return False

    app = web.Application(middlewares=[envelope.middleware(VirtualClock(), lambda _: None, os.urandom)])
    app.add_routes(envelope.spelled(NUDGES.routes(nudge, sleep)))
    async with TestClient(TestServer(app)) as client:
        yield Door(client, nudged, waited)


def path_of(generation: str = GENERATION, attempt: int = 1) -> str:
    """Give the path of an address that was given out."""
    return urlsplit(NUDGES.address(generation, attempt)).path.removeprefix("/path")


def test_an_address_begins_where_callers_reach_us():
    """The address has the public origin, its path included, and names generation and attempt."""
    assert NUDGES.address(GENERATION, 2).startswith(f"https://gate.example/path/v1/nudges/{GENERATION}/2/")


def test_every_attempt_has_its_own_proof():
    """Proofs differ by generation, by attempt and by secret, and hold no sign that an address would escape."""
    others = [NUDGES.address(GENERATION, 2), NUDGES.address("another", 1)]
    others.append(Nudges(b"another secret", "https://gate.example").address(GENERATION, 1))
    proofs = {address.rpartition("/")[2] for address in [NUDGES.address(GENERATION, 1), *others]}
    assert len(proofs) == 4
    assert all(len(proof) == 22 and proof.replace("-", "").replace("_", "").isalnum() for proof in proofs)


async def test_a_callback_makes_us_look(door: Door):
    """An address that was given out is passed on, with or without a slash at its end; the answer tells nothing."""
    assert await door.post(path_of()) == (200, {"status": "success"})
    assert await door.post(f"{path_of(attempt=12)}/") == (200, {"status": "success"})
    assert door.nudged == [(GENERATION, 1), (GENERATION, 12)]


@pytest.mark.parametrize("kind", ["application/json", "text/html", "multipart/form-data", "image/png", "", "é", ";;;"])
@pytest.mark.parametrize("body", [b"", b"{", b'{"status": "succeeded", "output": "x"}', b"x" * (10 << 20)])
async def test_a_body_is_never_believed(door: Door, body: bytes, kind: str):
    """S78: whatever comes with the callback, however long and under whatever name, it means the same."""
    assert await door.post(path_of(), body, **{"Content-Type": kind}) == (200, {"status": "success"})
    assert door.nudged == [(GENERATION, 1)]


@pytest.mark.parametrize("body", [b"{}", b"x" * (10 << 20)])
async def test_a_body_opens_nothing(door: Door, body: bytes):
    """S78: without the proof ten megabytes are refused as nothing is, and are not waited for."""
    status, answer = await door.post(f"/v1/nudges/{GENERATION}/1/{'A' * 22}", body)
    assert (status, answer["error"]["type"], door.nudged) == (404, "not_found", [])


async def test_a_callback_may_come_again(door: Door):
    """S78: providers repeat their calls, up to ten times in two hours; each makes us look and none does more."""
    answers = [await door.post(path_of()) for _ in range(10)]
    assert answers == [(200, {"status": "success"})] * 10
    assert door.nudged == [(GENERATION, 1)] * 10
    assert door.waited == []


async def test_whoever_has_no_proof_learns_nothing(door: Door):
    """S78: a forged proof, one of another attempt, and numbers that are none are refused alike, each after the same wait."""
    proof = path_of().rpartition("/")[2]
    forged = [
        f"/v1/nudges/{GENERATION}/1/{'A' * 22}",
        f"/v1/nudges/{GENERATION}/1/{proof[:-1]}",
        f"/v1/nudges/{GENERATION}/1/{proof}%C3%A9",
        f"/v1/nudges/{GENERATION}/1/%ED%A0%80",
        f"/v1/nudges/{GENERATION}/2/{proof}",
        f"/v1/nudges/nobody/1/{proof}",
        f"/v1/nudges/{GENERATION}%C3%A9/1/{proof}",
        f"/v1/nudges/{GENERATION}/-1/{proof}",
        f"/v1/nudges/{GENERATION}/1e0/{proof}",
        f"/v1/nudges/{GENERATION}/%D9%A1/{proof}",
        f"/v1/nudges/{GENERATION}/{'1' * 5000}/{proof}",
    ]
    answers = [await door.post(path) for path in forged]
    assert {status for status, _ in answers} == {404}
    assert all(answer == answers[0] for answer in answers)
    assert door.waited == [1.0] * len(forged)
    assert door.nudged == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_callback_is_a_post(door: Door, method: str):
    """S78: looking at the address does nothing, and neither does anything else but a POST."""
    async with door.client.request(method, path_of()) as response:
        assert response.status == 405
    assert door.nudged == []


async def test_whoever_forges_waits_on_his_own_line(door: Door):
    """S79: while a forged call waits for its answer nobody else waits for him, and his next is not even looked at."""
    held, let_go = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        held.set()
        await let_go.wait()

    app = web.Application(middlewares=[envelope.middleware(VirtualClock(), lambda _: None, os.urandom)])
    app.add_routes(NUDGES.routes(lambda generation, attempt: door.nudged.append((generation, attempt)) or True, sleep))
    call = "HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    async with TestServer(app) as server, TestClient(server) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"POST /v1/nudges/{GENERATION}/1/{'A' * 22} {call}POST {path_of(attempt=2)} {call}".encode())
        await held.wait()
        assert (await client.post(path_of())).status == 200
        assert door.nudged == [(GENERATION, 1)]
        let_go.set()
        assert b" 404 " in await reader.readline()
        writer.close()


async def test_a_proof_takes_as_long_wherever_it_is_wrong():
    """S78: proofs are compared in constant time: in the source that is one function, and no other looks at them."""
    source = inspect.getsource(nudges)
    assert source.count("hmac.compare_digest(") == 1
    assert source.count('match_info["proof"]') == 1
    compared = "hmac.compare_digest(self._proof(generation, attempt).encode(), _bytes(request.match_info[%s]))"
    assert compared % '"proof"' in source
