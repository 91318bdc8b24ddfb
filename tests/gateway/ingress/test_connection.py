"""How long a connection may take over what, on real sockets and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.ingress.entrance import Terms
from gateway.ingress.watch import ANSWER, HEAD, SLOWEST
from tests.clock import VirtualClock
from tests.gateway.ingress.walls import LOOPBACK, Seen, application, hear, tell, walled

PLAIN = b"GET /v1/plain HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /v1/wait HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A line that is closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def passed(clock: VirtualClock, seconds: float) -> None:
    """Let what was sent arrive, the time pass, and what was done about it arrive too."""
    await asyncio.sleep(0.03)
    await clock.advance(seconds)
    await asyncio.sleep(0.03)


async def is_open(reader: asyncio.StreamReader) -> bool:
    """Whether a line is open, and nothing was said on it."""
    heard = await hear(reader, within=0.02)
    assert not heard.raw, heard.raw
    return not heard.closed


async def test_who_says_nothing_is_closed() -> None:
    """S43: a connection without a byte is closed when the time of a head is over, and not before."""
    clock = VirtualClock()
    async with walled(application(Seen()), clock=clock) as port, line(port) as (reader, _):
        await passed(clock, HEAD - 0.5)
        assert await is_open(reader)
        await passed(clock, 0.75)
        assert not await is_open(reader)


async def test_a_head_that_drips_is_closed() -> None:
    """S43: a byte now and then buys no time: the head has to be whole soon after its beginning, and its sender is told so."""
    clock, seen = VirtualClock(), Seen()
    async with walled(application(seen), clock=clock, seen=seen) as port, line(port) as (reader, writer):
        for byte in (b"GET /v1/pl", b"ain", b" HT"):
            writer.write(byte)
            await passed(clock, HEAD / 3 - 0.1)
        assert await is_open(reader)
        writer.write(b"T")
        await passed(clock, 0.6)
        heard = await hear(reader)
    assert heard.closed
    [(status, headers, said)] = heard.answers
    assert (status, said["error"]["code"], headers["connection"]) == (408, "BSE2017", "close")
    assert (headers["server"], headers["x-content-type-options"], headers["cache-control"]) == (
        "tidegate",
        "nosniff",
        "no-store",
    )
    assert [each.status for each in seen.answered] == [408]


async def test_the_next_head_has_its_own_time() -> None:
    """S43: on a line that was used before the time of a head begins with its first byte, and ends alike."""
    clock = VirtualClock()
    async with walled(application(Seen()), clock=clock) as port, line(port) as (reader, writer):
        writer.write(PLAIN)
        assert (await hear(reader, 0.1)).statuses == [200]
        await passed(clock, HEAD * 3)
        writer.write(PLAIN[:20])
        await passed(clock, HEAD - 0.5)
        assert await is_open(reader)
        writer.write(PLAIN[20:])
        assert (await hear(reader, 0.1)).statuses == [200]
        writer.write(PLAIN[:20])
        await passed(clock, HEAD + 0.5)
        heard = await hear(reader)
        assert (heard.statuses, heard.closed) == ([408], True)


async def test_a_line_without_requests_is_closed() -> None:
    """A line that is kept alive is closed after its own time, without a word, and each request begins that time again."""
    clock = VirtualClock()
    async with walled(application(Seen()), clock=clock, terms=Terms(idle=75)) as port, line(port) as (reader, writer):
        for _ in range(3):
            writer.write(PLAIN)
            assert (await hear(reader, 0.1)).statuses == [200]
            await passed(clock, 74)
        await passed(clock, 1.5)
        assert not await is_open(reader)


async def test_a_request_under_way_has_no_limit_here() -> None:
    """Whoever waits for an answer is not closed, however long that takes, and is served again after."""
    clock, seen = VirtualClock(), Seen()
    async with walled(application(seen), clock=clock, seen=seen) as port, line(port) as (reader, writer):
        writer.write(WAIT)
        await passed(clock, 600)
        assert await is_open(reader)
        seen.held.set()
        assert (await hear(reader, 0.1)).statuses == [200]
        writer.write(PLAIN)
        assert (await hear(reader, 0.1)).statuses == [200]


async def test_a_body_that_drips_is_told_and_the_line_ends() -> None:
    """S44: a body that is not there in time is answered 408, and its sender is given no more time for the rest."""
    head = b"POST /v1/hurry HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
    async with walled(application(Seen())) as port:
        heard = await tell(port, head, b" ", b" ", within=0.5)
    assert (heard.statuses, heard.closed) == ([408], True)
    assert heard.answers[0][2]["error"]["code"] == "BSE2017"


def small(port: int) -> socket.socket:
    """A socket that holds little of what it is sent."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    made.setblocking(False)  # noqa: FBT003 - the method takes it so
    return made


async def drained(sock: socket.socket, most: int) -> int:
    """Read what is there, up to so much; how much it was. ConnectionError when the line was cut."""
    taken = 0
    try:
        while taken < most and (piece := sock.recv(min(65536, most - taken))):
            taken += len(piece)
            await asyncio.sleep(0)
    except BlockingIOError:
        pass
    return taken


async def is_cut(sock: socket.socket) -> bool:
    """Whether the other side broke a line off before all was sent; what was on its way is read first."""
    with sock:
        for _ in range(100):
            try:
                await drained(sock, 1_000_000)
            except ConnectionResetError:
                return True
            await asyncio.sleep(0.01)
    return False


def with_file(folder: Path, seen: Seen) -> web.Application:
    """The usual routes, and one whose answer is a large file."""
    app = application(seen)
    (folder / "large.bin").write_bytes(bytes(20_000_000))

    async def file(request: web.Request) -> web.FileResponse:
        assert request.transport is not None
        seen.lines.append(request.transport)
        return web.FileResponse(folder / "large.bin")

    app.router.add_get("/v1/file", file)
    return app


@pytest.mark.parametrize("of_file", [False, True])
async def test_who_does_not_take_the_answer_is_cut_off(tmp_path: Path, of_file: bool) -> None:  # noqa: FBT001 - a row of the table
    """S44: a reader slower than a kilobyte a second is cut off within a minute or little more, and little waits for it in memory."""
    clock, seen = VirtualClock(), Seen()
    async with walled(with_file(tmp_path, seen), clock=clock) as port:
        sock = small(port)
        sock.send(LARGE.replace(b"large", b"file") if of_file else LARGE)
        await passed(clock, ANSWER - 5)
        assert seen.lines[0].get_write_buffer_size() < 512 * 1024
        assert await drained(sock, 1000) == 1000
        await passed(clock, 6)
        assert await is_cut(sock)


@pytest.mark.parametrize("of_file", [False, True])
async def test_who_takes_the_answer_slowly_is_left_alone(tmp_path: Path, of_file: bool) -> None:  # noqa: FBT001 - a row of the table
    """S44: a reader that keeps up the least rate gets all of a large answer, however many minutes that takes."""
    clock, seen = VirtualClock(), Seen()
    async with walled(with_file(tmp_path, seen), clock=clock) as port:
        sock = small(port)
        sock.send(LARGE.replace(b"large", b"file") if of_file else LARGE)
        taken = 0
        for _ in range(24):
            wanted = taken + int(SLOWEST * ANSWER / 2)
            while taken < wanted:
                taken += await drained(sock, wanted - taken)
                await asyncio.sleep(0.001)
            await passed(clock, ANSWER / 4)
        while taken < 20_000_000:
            taken += await drained(sock, 1_000_000)
            await asyncio.sleep(0)
        sock.close()


async def test_small_answers_that_nobody_takes_hold_no_line() -> None:
    """S44: many requests whose small answers are not read end like one whose answer is large."""
    clock, seen, app = VirtualClock(), Seen(), application(Seen())

    async def part(_request: web.Request) -> web.Response:
        seen.ran.append("part")
        return web.Response(body=bytes(50_000))

    app.router.add_get("/v1/part", part)
    async with walled(app, clock=clock) as port:
        sock = small(port)
        sock.send(PLAIN.replace(b"plain", b"part") * 400)
        await asyncio.sleep(0.1)
        assert len(seen.ran) < 300
        await passed(clock, ANSWER + 1)
        assert await is_cut(sock)
        assert len(seen.ran) < 300


PREAMBLE = "PROXY TCP4 {} 192.0.2.1 4711 443\r\n"
BALANCED = Terms(most=2, trusted=LOOPBACK, preambles=True)


async def test_an_address_has_so_many_connections() -> None:
    """One address too many is told so and closed; other addresses come in, and it does again when one of its own is gone."""
    seen = Seen()
    async with walled(application(seen), terms=BALANCED, seen=seen) as port:
        mine = PREAMBLE.format("203.0.113.9").encode() + PLAIN
        async with line(port) as (first, out_first), line(port) as (second, out_second):
            for reader, writer in ((first, out_first), (second, out_second)):
                writer.write(mine)
                assert (await hear(reader, 0.1)).statuses == [200]
            third = await tell(port, mine)
            assert (third.statuses, third.closed) == ([429], True)
            assert third.answers[0][1]["retry-after"] == "1"
            other = await tell(port, PREAMBLE.format("203.0.113.10").encode() + PLAIN)
            assert (other.statuses, other.closed) == ([200], False)
        await asyncio.sleep(0.05)
        again = await tell(port, mine)
        assert again.statuses == [200]


async def test_this_machine_has_any_number() -> None:
    """A sidecar's neighbours all come from one address, so loopback is not counted."""
    async with walled(application(Seen()), terms=Terms(most=1)) as port:
        answers = await asyncio.gather(*(tell(port, PLAIN, within=0.1) for _ in range(5)))
    assert [each.statuses for each in answers] == [[200]] * 5


async def test_a_balancer_names_the_client() -> None:
    """S24: with the PROXY protocol on the address it names is the caller's, in either version and in pieces; for itself it is its own."""
    seen = Seen()
    binary = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 0xBB])
    own = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
    async with walled(application(seen), terms=BALANCED, seen=seen) as port:
        text = PREAMBLE.format("203.0.113.9").encode()
        cases = [(text + PLAIN,), (text[:7], text[7:], PLAIN), (binary + PLAIN,), (binary[:14], binary[14:] + PLAIN)]
        for case in cases:
            heard = await tell(port, *case, within=0.1)
            assert heard.answers[0][2]["data"]["remote"] == "203.0.113.9"
        for case in (own + PLAIN, b"PROXY UNKNOWN\r\n" + PLAIN):
            heard = await tell(port, case, within=0.1)
            assert heard.answers[0][2]["data"]["remote"] == "127.0.0.1"


async def test_without_a_balancer_nobody_comes_in() -> None:
    """S24: with the PROXY protocol on a connection without it is closed without an answer, and so is one from anywhere else."""
    seen, clock = Seen(), VirtualClock()
    elsewhere = Terms(trusted=(), preambles=True)
    broken = [
        PLAIN,
        b"PROXY TCP4 nonsense\r\n" + PLAIN,
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n" + PLAIN * 3,
        b"\x16\x03\x01",
    ]
    async with walled(application(seen), terms=BALANCED, seen=seen, clock=clock) as port:
        for case in broken:
            heard = await tell(port, case)
            assert (heard.raw, heard.closed) == (b"", True)
        async with line(port) as (reader, writer):
            writer.write(b"PROXY TCP4 203.")
            await passed(clock, HEAD + 0.5)
            assert not await is_open(reader)
    async with walled(application(seen), terms=elsewhere, seen=seen) as port:
        heard = await tell(port, PREAMBLE.format("203.0.113.9").encode() + PLAIN)
        assert (heard.raw, heard.closed) == (b"", True)
    assert seen.ran == []


async def test_with_it_off_a_preamble_is_no_request() -> None:
    """S24: with the PROXY protocol off whoever sends it names nobody."""
    seen = Seen()
    async with walled(application(seen), seen=seen) as port:
        heard = await tell(port, PREAMBLE.format("203.0.113.9").encode() + PLAIN)
    assert heard.closed
    assert seen.ran == []
