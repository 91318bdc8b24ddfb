"""What is no HTTP/1.1, or has two readings, over a raw line: one answer that says so, and the line is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from tests.gateway.ingress.walls import Heard, Seen, application, tell, walled

HOST = b"Host: gateway.test\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
GET = b"GET /v1/plain HTTP/1.1\r\n"
POST = b"POST /v1/take HTTP/1.1\r\n"
SECOND = b"GET /v1/second HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"

SMUGGLED = {
    "length and chunks": POST + JSON + b"Content-Length: 4\r\n" + CHUNKED + b"0\r\n\r\n",
    "chunks and length": POST + JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two hosts": GET + HOST + b"Host: other.test\r\n\r\n",
    "the same host twice": GET + HOST + HOST + b"\r\n",
    "no host": GET + b"\r\n",
    "two lengths": POST + JSON + b"Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}",
    "the same length twice": POST + JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + JSON + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + JSON + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + JSON + b"Content-Length: -2\r\n\r\n{}",
    "a length in hex": POST + JSON + b"Content-Length: 0x2\r\n\r\n{}",
    "a length beyond all": POST + JSON + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "lines without CR": b"GET /v1/plain HTTP/1.1\nHost: gateway.test\n\n",
    "a field without CR": GET + b"Host: gateway.test\nX: y\r\n\r\n",
    "a CR alone": GET + HOST + b"X: a\rb\r\n\r\n",
    "xchunked": POST + JSON + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked twice": POST + JSON + b"Transfer-Encoding: chunked\r\n" + CHUNKED + CHUNKS,
    "chunked, chunked": POST + JSON + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS,
    "chunked, then gzip": POST + JSON + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "gzip, then chunked": POST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "identity": POST + JSON + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    "chunked after a vertical tab": POST + JSON + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "chunked in HTTP/1.0": b"POST /v1/take HTTP/1.0\r\n" + JSON + CHUNKED + CHUNKS,
    "a space before the colon": GET + b"Host : gateway.test\r\n\r\n",
    "a space before that of chunked": POST + JSON + b"Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in a value": GET + HOST + b"X: a\x00b\r\n\r\n",
    "DEL in a value": GET + HOST + b"X: a\x7fb\r\n\r\n",
    "a control character in a value": GET + HOST + b"X: a\x01b\r\n\r\n",
    "a folded line": GET + HOST + b"X: a\r\n b\r\n\r\n",
    "a first line that is folded": GET + b" X: a\r\n" + HOST + b"\r\n",
    "a field without a name": GET + HOST + b": a\r\n\r\n",
    "a field without a colon": GET + HOST + b"abc\r\n\r\n",
    "a chunk's extension with LF": POST + JSON + CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond all": POST + JSON + CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk in 0x": POST + JSON + CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": POST + JSON + CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk with a space": POST + JSON + CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "chunks without CR": POST + JSON + CHUNKED + b"2\n{}\n0\n\n",
    "a chunk longer than it says": POST + JSON + CHUNKED + b"2\r\n{}XX\r\n0\r\n\r\n",
    "a length behind the chunks": POST + JSON + CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
    "a host with a space": GET + b"Host: a b\r\n\r\n",
    "a host with a path": GET + b"Host: gateway.test/x\r\n\r\n",
    "a host with a user": GET + b"Host: me@gateway.test\r\n\r\n",
    "a host of bytes": GET + b"Host: \xff\r\n\r\n",
    "NUL in the path": b"GET /v1/plain\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the path": b"GET /v1/\xff HTTP/1.1\r\n" + HOST + b"\r\n",
}
UNSPOKEN = {
    "HTTP/2.0": b"GET /v1/plain HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /v1/plain HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /v1/plain HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/3.0": b"GET /v1/plain HTTP/3.0\r\n" + HOST + b"\r\n",
    "HTTX/1.1": b"GET /v1/plain HTTX/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /v1/plain\r\n" + HOST + b"\r\n",
    "HTTP/2's own beginning": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "absolute form": b"GET http://gateway.test/v1/plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "absolute form to another host": b"GET http://other.test/v1/plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "the asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT other.test:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT to a path": b"CONNECT /v1/plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "TRACE": b"TRACE /v1/plain HTTP/1.1\r\n" + HOST + b"Authorization: Bearer echoed\r\n\r\n",
    "an unknown method": b"FOO /v1/plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in small letters": b"get /v1/plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "noise": b"\x00\x01\x02\r\n\r\n",
    "another expectation": POST + JSON + b"Expect: a-miracle\r\nContent-Length: 2\r\n\r\n{}",
}
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


def heard(loop: Callable[[], asyncio.AbstractEventLoop], *cases: tuple[bytes, ...]) -> tuple[list[Heard], Seen]:
    """Send each case on a line of its own, at the same time."""
    seen = Seen()

    async def run() -> list[Heard]:
        async with walled(application(seen), seen=seen) as port:
            return await asyncio.gather(*(tell(port, *case, within=1) for case in cases))

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run()), seen


def refused(answer: tuple[int, dict[str, str], Any]) -> None:
    """One answer is an error in the envelope, and ends the line."""
    status, headers, said = answer
    assert status in {400, 405, 417}
    assert said["status"] == "error"
    assert headers["x-request-id"] == said["request_id"]
    assert len(said["error"]["message"]) < 120
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert (headers["connection"], headers["server"]) == ("close", "tidegate")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


@LOOPS
def test_what_has_two_readings_is_refused(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """S41: every smuggled request gets one 400 and a closed line, and the request behind it never runs."""
    answers, seen = heard(loop, *((each + SECOND,) for each in SMUGGLED.values()))
    for name, one in zip(SMUGGLED, answers, strict=True):
        assert one.closed, name
        assert one.statuses == [400], name
        refused(one.answers[0])
    assert seen.ran == []
    assert {each.code for each in seen.answered} == {"BSE2001"}
    assert len(seen.answered) == len(SMUGGLED)


@LOOPS
def test_what_comes_in_pieces_is_refused_alike(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """S41: where the mistake is in a later packet than the head there is one answer too, and nothing behind it runs."""
    cases = {name: each.split(b"\r\n\r\n", 1) for name, each in SMUGGLED.items() if b"\r\n\r\n" in each}
    pieces = [(head + b"\r\n\r\n", *([rest] if rest else []), SECOND) for head, rest in cases.values()]
    answers, seen = heard(loop, *pieces)
    for name, one in zip(cases, answers, strict=True):
        assert one.closed, name
        assert one.statuses in ([400], [405]), name
    assert seen.ran == []


@LOOPS
def test_only_http_1_is_spoken_and_only_to_us(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """S42: other versions, forms for proxies, CONNECT and TRACE are refused; nothing of them is sent back."""
    answers, seen = heard(loop, *((each,) for each in UNSPOKEN.values()))
    for name, one in zip(UNSPOKEN, answers, strict=True):
        assert one.closed, name
        assert len(one.answers) == 1, name
        refused(one.answers[0])
        assert b"echoed" not in one.raw
        assert b"other.test" not in one.raw
        assert one.raw.startswith(b"HTTP/1.1 "), name
    assert seen.ran == []


def test_what_is_in_order_is_served() -> None:
    """The walls let through what a plain client sends: both versions, chunks with extensions and trailers, empty lines before."""
    cases = (
        (GET + HOST + b"\r\n",),
        (b"GET /v1/plain HTTP/1.0\r\n\r\n",),
        (b"\r\n" + GET + HOST + b"\r\n",),
        (GET + b"Host: [::1]:8080\r\n\r\n",),
        (GET + HOST + "X: Grüße\tund\r\n\r\n".encode(),),
        (POST + JSON + b"Content-Length: 2\r\n\r\n", b"{}"),
        (POST + JSON + CHUNKED + b"2;a=b\r\n", b"{}\r\n0\r\nX: y\r\n\r\n"),
    )
    answers, _ = heard(asyncio.new_event_loop, *cases)
    assert [one.statuses for one in answers] == [[200]] * len(cases)


async def test_a_request_behind_a_good_one_is_served() -> None:
    """S45: requests sent all at once are answered one by one, in order, and none is read long before its turn."""
    seen, many = Seen(), 1_000
    async with walled(application(seen), seen=seen) as port:
        one = await tell(port, SECOND * (many - 1) + GET + HOST + b"Connection: close\r\n\r\n", within=2)
    assert one.closed
    assert one.statuses == [200] * many
    assert seen.ran == ["GET /v1/second"] * (many - 1) + ["GET /v1/plain"]


async def test_a_100_is_sent_to_who_expects_it() -> None:
    """A client that waits for the word before it sends the body is given it."""
    async with walled(application(Seen())) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + JSON + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


LINE = 8190
HEADS = {
    "an address at the limit": (b"GET /v1/plain?%s HTTP/1.1\r\n" % (b"a" * (LINE - 10)) + HOST + b"\r\n", 200),
    "an address beyond it": (b"GET /v1/plain?%s HTTP/1.1\r\n" % (b"a" * (LINE - 9)) + HOST + b"\r\n", 414),
    "a header at the limit": (GET + HOST + b"X: %s\r\n\r\n" % (b"a" * (LINE - 3)), 200),
    "a header beyond it": (GET + HOST + b"X: %s\r\n\r\n" % (b"a" * (LINE - 2)), 431),
    "a long name and value": (GET + HOST + b"%s: %s\r\n\r\n" % (b"A" * 4000, b"a" * 4189), 431),
    "a name beyond it": (GET + HOST + b"%s: a\r\n\r\n" % (b"A" * LINE), 431),
    "128 headers": (GET + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(127)) + b"\r\n", 200),
    "129 headers": (GET + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(128)) + b"\r\n", 431),
}


async def test_a_head_has_a_largest_size() -> None:
    """S45: the limits of an address, of a header and of their number hold to the byte, and what is beyond is told which."""
    seen = Seen()
    async with walled(application(seen), seen=seen) as port:
        answers = await asyncio.gather(*(tell(port, sent + SECOND) for sent, _ in HEADS.values()))
    for (name, (_, status)), one in zip(HEADS.items(), answers, strict=True):
        assert one.statuses == ([200, 200] if status == 200 else [status]), name
        assert one.closed == (status != 200), name
    assert len(seen.ran) == 2 * sum(status == 200 for _, status in HEADS.values())


async def test_a_head_in_pieces_has_a_largest_size() -> None:
    """S45: a head that never ends is not gathered: after 64 KiB there is an answer, and the line is closed."""
    async with walled(application(Seen())) as port:
        pieces = [b"".join(b"X-%d: %s\r\n" % (n, b"a" * 8000) for n in range(at, at + 3)) for at in range(0, 12, 3)]
        one = await tell(port, GET + HOST, *pieces)
    assert one.closed
    assert one.statuses == [431]
