"""TLS on the port of everybody else: the same walls stand around it, and what is said through it is whole."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from gateway.commands import selfsigned
from gateway.ingress.entrance import Terms
from gateway.ingress.watch import ANSWER, HEAD, LEAVING
from tests.clock import VirtualClock
from tests.gateway.ingress.test_connection import LARGE, PLAIN, is_open, line, passed, small
from tests.gateway.ingress.walls import LOOPBACK, Seen, application, hear, tell, walled
from tests.gateway.webhooks.receiver import until

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # how a client begins


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> selfsigned.Files:
    """A certificate of this machine's."""
    return selfsigned.prepare(tmp_path_factory.mktemp("tls"), (), dt.datetime.now(dt.UTC))


@pytest.fixture
def terms(files: selfsigned.Files) -> Terms:
    """The terms of a port that speaks TLS too."""
    return Terms(tls=files.context())


@pytest.fixture
def trusting(files: selfsigned.Files) -> ssl.SSLContext:
    """What a client trusts that was told of the certificate."""
    return ssl.create_default_context(cafile=str(files.authority))


@asynccontextmanager
async def sealed(
    port: int, trusting: ssl.SSLContext, before: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A line over which TLS is spoken, after what goes `before` it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(before)
    await writer.start_tls(trusting, server_hostname="localhost")
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_both_are_served_on_one_port(terms: Terms, trusting: ssl.SSLContext) -> None:
    """Who speaks TLS is served, and so is who does not; a handler can tell them apart."""
    app = application(Seen())

    async def scheme(request: web.Request) -> web.Response:
        return web.Response(text=request.scheme)

    app.add_routes([web.get("/v1/scheme", scheme)])
    async with walled(app, terms=terms) as port, aiohttp.ClientSession() as session:
        for said, context in (("http", None), ("https", trusting), ("http", None)):
            async with session.get(f"{said}://localhost:{port}/v1/scheme", ssl=context or True) as answer:
                assert await answer.text() == said


async def test_without_it_nobody_is_served_so() -> None:
    """A port that was given no certificate takes TLS for what it is to it: no request."""
    async with walled(application(Seen())) as port:
        heard = await tell(port, HELLO + bytes(600))
        assert heard.statuses == [400]


async def test_a_large_answer_is_whole(terms: Terms, trusting: ssl.SSLContext) -> None:
    """Twenty megabytes come through to the byte, and many requests over one line."""
    async with walled(application(Seen()), terms=terms) as port, aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(f"https://localhost:{port}/v1/large", ssl=trusting) as answer:
                assert len(await answer.read()) == 20_000_000


async def test_a_large_body_is_whole(terms: Terms, trusting: ssl.SSLContext) -> None:
    """A body in many records is read as one."""
    seen = Seen()
    async with walled(application(seen), terms=terms) as port, aiohttp.ClientSession() as session:
        sent = {f"name{n}": "x" * 1000 for n in range(90)}
        async with session.post(f"https://localhost:{port}/v1/take", json=sent, ssl=trusting) as answer:
            assert answer.status == 200
    assert seen.ran == ["read 90"]


async def test_its_end_is_said(terms: Terms, trusting: ssl.SSLContext) -> None:
    """A line that the gateway closes ends as TLS ends: its reader can tell that nothing was cut off."""
    async with walled(application(Seen()), terms=terms) as port, sealed(port, trusting) as (reader, writer):
        writer.write(PLAIN.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        heard = await hear(reader, within=2)
        assert heard.closed
        assert heard.statuses == [200]
        said: ssl.SSLObject = writer.get_extra_info("ssl_object")
        assert said.version() == "TLSv1.3"


async def test_what_cannot_be_read_is_answered(terms: Terms, trusting: ssl.SSLContext) -> None:
    """The walls answer through TLS as they do without: to what is no request, and then the line ends."""
    async with walled(application(Seen()), terms=terms) as port, sealed(port, trusting) as (reader, writer):
        writer.write(b"nonsense\r\n\r\n")
        heard = await hear(reader, within=2)
        assert heard.statuses == [405]
        assert heard.closed


@pytest.mark.parametrize("pieces", [(HELLO + b"\xff" * 600,), (b"\x16\x03", b"\x01\x00\x02\xff\xff" * 100)])
async def test_what_is_no_handshake_ends_the_line(terms: Terms, pieces: tuple[bytes, ...]) -> None:
    """Bytes that only begin like TLS are told so, in its own way, and the line ends."""
    async with walled(application(Seen()), terms=terms) as port:
        heard = await tell(port, *pieces, within=LEAVING + 1)
        assert heard.closed
        assert heard.raw.startswith(b"\x15") or not heard.raw


async def test_a_handshake_that_drips_is_closed(terms: Terms) -> None:
    """S43: the handshake is part of the time a head may take; bytes now and then buy no more of it."""
    clock = VirtualClock()
    async with walled(application(Seen()), clock=clock, terms=terms) as port, line(port) as (reader, writer):
        writer.write(HELLO[:3])
        await passed(clock, HEAD - 0.5)
        writer.write(HELLO[3:5])
        assert await is_open(reader)
        await passed(clock, 0.75)
        assert not await is_open(reader)


async def test_a_head_that_drips_in_it_is_closed(terms: Terms, trusting: ssl.SSLContext) -> None:
    """S43: and so is who is done with the handshake and takes its time after it."""
    clock = VirtualClock()
    async with (
        walled(application(Seen()), clock=clock, terms=terms) as port,
        sealed(port, trusting) as (reader, writer),
    ):
        writer.write(PLAIN[:10])
        await passed(clock, HEAD + 0.5)
        heard = await hear(reader, within=1)
        assert heard.statuses == [408]


async def test_who_does_not_read_is_cut_off(terms: Terms, trusting: ssl.SSLContext) -> None:
    """S43: an answer that is not taken is given up after the same time."""
    clock, seen = VirtualClock(), Seen()
    async with walled(application(seen), clock=clock, terms=terms) as port:
        sock = small(port)
        sock.setblocking(True)  # noqa: FBT003 - the method takes it so
        with await asyncio.to_thread(trusting.wrap_socket, sock, server_hostname="localhost") as reads_nothing:
            await asyncio.to_thread(reads_nothing.send, LARGE)
            await until(lambda: bool(seen.lines))
            [line] = seen.lines
            assert not line.is_closing()
            await passed(clock, ANSWER + 0.5)
            assert line.is_closing()


async def test_a_balancer_speaks_before_it(files: selfsigned.Files, trusting: ssl.SSLContext) -> None:
    """The PROXY protocol comes in the plain, as balancers that pass TLS on send it, and names the client all the same."""
    terms = Terms(tls=files.context(), trusted=LOOPBACK, preambles=True)
    named = b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"
    async with walled(application(Seen()), terms=terms) as port, sealed(port, trusting, named) as (reader, writer):
        writer.write(PLAIN)
        heard = await hear(reader)
        assert heard.answers[0][2]["data"]["remote"] == "203.0.113.9"


async def test_who_has_enough_lines_gets_no_handshake(files: selfsigned.Files) -> None:
    """An address that has as many connections as one may have is closed before anything is computed for it."""
    terms = Terms(tls=files.context(), trusted=LOOPBACK, preambles=True, most=1)
    named = b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"
    async with walled(application(Seen()), terms=terms) as port, line(port) as (_, writer):
        writer.write(named + HELLO)
        await asyncio.sleep(0.05)
        heard = await tell(port, named + HELLO, within=LEAVING + 1)
        assert heard.closed
        assert not heard.raw.startswith(b"\x16")
