"""Callbacks of providers: they make us look, and nothing they say is believed."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress import envelope
from gateway.ingress.nudges import Nudges
from tests.clock import VirtualClock

NUDGES = Nudges(b"a secret of the tests", "https://gate.example/path/")
GENERATION = "0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11"


@dataclass
class Door:
    """The route, and what went through it."""

    client: TestClient[web.Request, web.Application]
    nudged: list[tuple[str, int]] = field(default_factory=list)

    async def post(self, path: str, data: bytes = b"{}") -> tuple[int, Any]:
        """Call back, and give status and answer without what differs between any two answers."""
        async with self.client.post(path, data=io.BytesIO(data)) as response:
            answer = await response.json()
            answer.pop("request_id", None)
            return response.status, answer


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """The route as the gateway serves it, with nobody behind it who knows the generation."""
    nudged: list[tuple[str, int]] = []

    def nudge(generation: str, attempt: int) -> bool:
        nudged.append((generation, attempt))
        return False

    app = web.Application(middlewares=[envelope.middleware(VirtualClock(), lambda _: None, os.urandom)])
    app.add_routes(envelope.spelled(NUDGES.routes(nudge)))
    async with TestClient(TestServer(app)) as client:
        yield Door(client, nudged)


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


@pytest.mark.parametrize("body", [b"", b"{", b'{"status": "succeeded", "output": "x"}', b"x" * (3 << 20)])
async def test_a_body_is_never_believed(door: Door, body: bytes):
    """Whatever comes with the callback, however long, it means the same."""
    assert await door.post(path_of(), body) == (200, {"status": "success"})
    assert door.nudged == [(GENERATION, 1)]


async def test_whoever_has_no_proof_learns_nothing(door: Door):
    """A forged proof, one of another attempt or generation, and numbers that are none are refused alike."""
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
    assert door.nudged == []


async def test_a_callback_is_a_post(door: Door):
    """Looking at the address does nothing."""
    async with door.client.get(path_of()) as response:
        assert response.status == 405
    assert door.nudged == []
