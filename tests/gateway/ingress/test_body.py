"""Bodies, read strictly."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.body import LARGEST_BODY, parse, read
from gateway.ingress.refusal import Refusal
from tests.gateway.ingress.house import IMAGE, House

PATH = f"/v1/generate/image/{IMAGE}"

REFUSED = [
    b"",
    b" \n",
    b"{",
    b"nonsense",
    b"[]",
    b'"text"',
    b"5",
    b"null",
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    b'{"a": "\xff"}',
    b'{"a": 1, "a": 2}',
    b'{"a": {"b": 1, "b": 1}}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": 9007199254740992}',
    b'{"a": 1e20}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"__proto__": {}}',
    b'{"a": {"constructor": 1}}',
    b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
    b'{"a": ' + b"[" * 50_000 + b"]" * 49_000 + b"}",
    b"[" * 99_000,
    b'{"a":' * 15_000,
    b'{"a": 1} {"b": 2}',
    b"{'a': 1}",
    b'{"a": 01}',
    b'{"a": "\n"}',
]


@pytest.mark.parametrize("raw", REFUSED, ids=range(len(REFUSED)))
def test_what_readers_could_differ_about_is_refused(raw: bytes) -> None:
    """A body that is no JSON object, or an ambiguous one, is refused with a sentence."""
    with pytest.raises(Refusal) as refused:
        parse(raw)
    assert refused.value.code.code == "BSE2001"
    assert 10 < len(refused.value.message) < 200


def test_what_is_in_order_is_read() -> None:
    """Plain JSON comes through as it is, characters beyond the basic plane and 31 levels included."""
    value = {"a": "é 🦭", "n": [1, -2.5, 2**53 - 1, True, None], "deep": json.loads("[" * 30 + "]" * 30)}
    assert parse(json.dumps(value).encode()) == value
    assert parse(b' {"a": "\\ud83e\\uddad"}\n') == {"a": "\U0001f9ad"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_is_read_or_refused(raw: bytes) -> None:
    """No bytes lead to another error than a refusal, and it never repeats the body back at length."""
    assert len(said_of(raw)) < 200


def said_of(raw: bytes) -> str:
    """What is said of a body; nothing when it is in order."""
    try:
        parse(raw)
    except Refusal as refusal:
        return refusal.message
    return ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_plain_objects_come_through(value: dict[str, Any]) -> None:
    """What a plain writer writes is read back as it was."""
    names = json.dumps(value)
    if not any(word in names for word in ("__proto__", "constructor", "prototype", "\\ud")):
        assert parse(json.dumps(value).encode()) == value


HEADERS = [
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/json; charset=utf-16"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ({"Content-Type": ""}, 415),
    ({"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
    ({"Content-Type": "application/json; charset=UTF-8"}, 200),
    ({"Content-Type": "APPLICATION/JSON"}, 200),
    ({"Content-Type": "application/json", "Content-Encoding": "identity"}, 200),
]


@pytest.mark.parametrize(("headers", "status"), HEADERS)
async def test_the_type_is_looked_at(house: House, headers: dict[str, str], status: int) -> None:
    """Only plain JSON in UTF-8 is read."""
    answer = await house.ask("POST", PATH, headers=headers, data=b'{"generation_prompt": "x"}')
    assert answer.status == status
    assert status == 200 or answer.error["code"] == "BSE2013"


async def test_a_compressed_body_is_refused(house: House) -> None:
    """A compressed body is not unpacked, so no small one can become a large one."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await house.ask("POST", PATH, headers=headers, data=gzip.compress(b'{"generation_prompt": "x"}'))
    assert (answer.status, answer.error["code"]) == (415, "BSE2013")


def padded(size: int) -> bytes:
    """A body of so many bytes."""
    return b'{"generation_prompt": "x"}'.ljust(size)


@pytest.mark.parametrize(("size", "status"), [(LARGEST_BODY, 200), (LARGEST_BODY + 1, 413), (3_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_has_a_largest_size(house: House, size: int, status: int, chunked: bool) -> None:  # noqa: FBT001 - a row of the table
    """The limit holds to the byte, whether or not the length is told beforehand."""

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, size, 10_000):
            yield padded(size)[at : at + 10_000]

    headers = {"Content-Type": "application/json"}
    answer = await house.ask("POST", PATH, headers=headers, data=pieces() if chunked else io.BytesIO(padded(size)))
    assert answer.status == status
    assert status == 200 or answer.error["code"] == "BSE2010"


async def test_a_body_that_never_ends_is_given_up() -> None:
    """A client that sends the beginning alone is told so when its time is over."""
    told: list[str] = []

    async def take(request: web.Request) -> web.Response:
        with pytest.raises(Refusal) as caught:
            await read(request, within=0.05)
        told.append(caught.value.code.code)
        return web.Response(status=408)

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        writer.write(head.encode())
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()
    assert told == ["BSE2017"]


async def test_a_body_that_breaks_off_begins_nothing(house: House) -> None:
    """A body cut short is never taken for a whole one."""
    _, writer = await asyncio.open_connection(house.client.host, house.client.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.key}\r\nContent-Type: application/json\r\n"
    writer.write(f'{head}Content-Length: 100\r\n\r\n{{"generation_prompt": "x"}}'.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    assert house.jobs.started == []
