"""One POST: what is sent, how the answer is read, and where it does not go."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from svix.webhooks import Webhook as Svix

from gateway.egress import Policy
from gateway.webhooks import post, sign
from gateway.webhooks.post import Post
from gateway.webhooks.schedule import Answered, Unanswered
from gateway.webhooks.sign import Secrets
from tests.gateway.webhooks.receiver import Receiver, hang, receiving

HOME = Policy.parse(["127.0.0.0/8"])


class Leads(AbstractResolver):
    """Leads every name to one address, and counts how often it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the address."""
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=self.address, port=port, family=family or socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who receives."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def send() -> AsyncIterator[Post]:
    """A door that opens to this machine."""
    async with post.opened(HOME) as made:
        yield made


@pytest.mark.parametrize(
    "told",
    ["", "é海豹😀", "\r\n\t\0", "x" * 100_000, {"b": 1, "a": [None, True, 1.5, ""]}],
    ids=["nothing", "other scripts", "invisible", "long", "nested"],
)
async def test_the_body_sent_is_the_body_signed(receiver: Receiver, send: Post, told: Any) -> None:
    """S75: what a receiver reads off its line is to the byte what was signed, and verifies with the headers it came with."""
    secret = Secrets(b"a key of the tests").derived("we_1", 1)
    for body in (
        json.dumps({"told": told}).encode(),
        json.dumps({"told": told}, ensure_ascii=False, indent=1).encode(),
    ):
        headers = sign.headers(
            (secret,), delivery="d-1", event="webhook.test", happened="now", now=time.time_ns() // 10**6, body=body
        )
        assert await send(f"{receiver.origin}/x", body, headers, 5) == Answered(204)
        got = receiver.got[-1]
        assert got.body == body
        assert got.headers["Content-Length"] == str(len(body))
        assert {"Transfer-Encoding", "Content-Encoding"}.isdisjoint(got.headers)
        standardwebhooks.Webhook(secret).verify(got.body, got.headers)
        Svix(secret).verify(got.body, got.headers)


async def test_bytes_arrive_as_they_were_signed(receiver: Receiver, send: Post) -> None:
    """Body and headers arrive as they were handed over."""
    body = b'{"a":"\xc3\xa9"}'
    assert await send(
        f"{receiver.origin}/x", body, {"webhook-id": "1", "Content-Type": "application/json"}, 5
    ) == Answered(204)
    [got] = receiver.got
    assert (got.body, got.headers["webhook-id"], got.headers["Content-Type"]) == (body, "1", "application/json")
    assert "Cookie" not in got.headers


async def test_a_redirect_is_not_followed(receiver: Receiver, send: Post) -> None:
    """S30: its status is the answer, and nobody else is asked."""
    receiver.does["/x"] = web.Response(status=307, headers={"Location": f"{receiver.origin}/other"})
    assert await send(f"{receiver.origin}/x", b"{}", {}, 5) == Answered(307)
    assert [each.path for each in receiver.got] == ["/x"]


async def test_patience_is_read(receiver: Receiver, send: Post) -> None:
    """A Retry-After comes with the answer."""
    receiver.does["/x"] = web.Response(status=429, headers={"Retry-After": "77"})
    assert await send(f"{receiver.origin}/x", b"{}", {}, 5) == Answered(429, "77")


async def test_a_receiver_that_hangs_is_left(receiver: Receiver, send: Post) -> None:
    """Without an answer in time it is a timeout."""
    receiver.does["/x"] = hang
    assert await send(f"{receiver.origin}/x", b"{}", {}, 0.05) == Unanswered("timeout")


async def test_an_endless_answer_is_not_read(receiver: Receiver, send: Post) -> None:
    """Of a body without end 64 KiB are read, then the line is closed; the status counts."""
    written = 0

    async def stream(request: web.Request) -> web.StreamResponse:
        nonlocal written
        answer = web.StreamResponse(status=200)
        await answer.prepare(request)
        while True:  # until the line is closed
            await answer.write(b"x" * 65536)
            written += 65536

    receiver.does["/x"] = stream
    assert await send(f"{receiver.origin}/x", b"{}", {}, 5) == Answered(200)
    assert written < 16 * 2**20


async def test_an_answer_that_drips_ends_in_time(receiver: Receiver, send: Post) -> None:
    """The time is for all of it, not for each piece."""

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=200)
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(b"x")
            await asyncio.sleep(0.02)
        return answer

    receiver.does["/x"] = drip
    assert await send(f"{receiver.origin}/x", b"{}", {}, 0.1) == Unanswered("timeout")


async def test_an_address_inside_is_never_dialled(receiver: Receiver) -> None:
    """S39: a name that leads inside is refused when it is dialled, and the word for it tells nothing of where it led."""
    names = Leads("127.0.0.1")
    async with post.opened(Policy(), resolver=names) as send:
        assert await send("https://hooks.example.com/", b"{}", {}, 5) == Unanswered("blocked_address")
        assert await send(f"{receiver.origin}/x", b"{}", {}, 5) == Unanswered("refused_address")
    assert (names.asked, receiver.got) == (1, [])


async def test_plain_http_stays_inside() -> None:
    """S34: where networks are opened, plain HTTP to a name goes there and nowhere else."""
    async with post.opened(HOME, resolver=Leads("93.184.216.34")) as send:
        for url in ("http://app.example.com:9000/", "http://app.example.com/", "https://app.example.com:8443/"):
            assert await send(url, b"{}", {}, 5) == Unanswered("blocked_address")


async def test_a_name_inside_is_dialled_where_that_is_allowed(receiver: Receiver) -> None:
    """A name that leads into an opened network is dialled there."""
    async with post.opened(HOME, resolver=Leads("127.0.0.1")) as send:
        port = receiver.origin.rpartition(":")[2]
        assert await send(f"http://app.internal:{port}/x", b"{}", {}, 5) == Answered(204)


async def test_the_gateway_itself_is_not_told(receiver: Receiver) -> None:
    """S38: its own address is refused even inside an opened network."""
    async with post.opened(HOME, (receiver.origin,)) as send:
        assert await send(f"{receiver.origin}/x", b"{}", {}, 5) == Unanswered("refused_address")


async def asked(send: Post, scheme: str, answer: bytes) -> Any:
    """What comes of asking somebody who answers the first line with these bytes and closes."""

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(16)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(far, "127.0.0.1", 0)
    try:
        return await send(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/", b"{}", {}, 5)
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        ("http", b"", {"broken_off"}),
        ("http", b"no http at all\r\n\r\n", {"unreadable_answer", "broken_off"}),
        ("https", b"plain\n", {"bad_certificate", "unreachable"}),
    ],
)
async def test_what_is_no_receiver(send: Post, scheme: str, answer: bytes, words: set[str]) -> None:
    """A line that breaks off, an answer that is no HTTP and a far end without TLS each have a word."""
    found = await asked(send, scheme, answer)
    assert isinstance(found, Unanswered)
    assert found.reason in words


async def test_nobody_there(send: Post) -> None:
    """A port nobody listens on cannot be reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert await send(f"http://127.0.0.1:{port}/", b"{}", {}, 5) == Unanswered("unreachable")


async def test_names_are_asked_of_the_system() -> None:
    """Without another resolver the system's is asked; a name that is not there is said so."""
    async with post.opened(Policy()) as send:
        assert await send("https://nobody.invalid/", b"{}", {}, 10) == Unanswered("unknown_host")
