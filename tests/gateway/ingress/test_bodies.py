"""What is sent as a body, on every route that takes one: it is read, or it is refused by name; nothing else happens."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData

from gateway.ingress.admin import ACTS
from gateway.ingress.body import LARGEST_BODY
from gateway.ingress.callers import Scope
from tests.gateway.ingress.house import IMAGE, VIDEO, House
from tests.gateway.ingress.test_scopes import filled, plain, routes
from tests.gateway.ingress.walls import tell, walled

AS_JSON = {"Content-Type": "application/json"}
READ = {
    "POST /v1/generate/image/{model}": f"/v1/generate/image/{IMAGE}",
    "POST /v1/generate/video/{model}": f"/v1/generate/video/{VIDEO}",
    "POST /v1/webhooks": "/v1/webhooks",
    "PATCH /v1/webhooks/{id}": "/v1/webhooks/{webhook}",
    "POST /admin/v1/{act}": "/admin/v1/accounts/create",
}
# What changes something and needs no more than its path.
UNREAD = {
    "POST /v1/content/generation/cancel/{id}",
    "POST /v1/webhooks/{id}/rotate",
    "POST /v1/webhooks/{id}/test",
    "POST /v1/webhooks/{id}/drain",
    "POST /v1/webhooks/{id}/deliveries/{delivery}/replay",
}
NASTY = {
    "101 levels": b'{"a":' + b"[" * 101 + b"]" * 101 + b"}",
    "99,000 levels": b"[" * 99_000,
    "99,000 levels of objects": b'{"a":' * 16_000,
    "NaN": b'{"generation_prompt": "x", "generation_duration": NaN}',
    "Infinity": b'{"generation_prompt": "x", "generation_duration": -Infinity}',
    "1e999": b'{"generation_prompt": "x", "generation_duration": 1e999}',
    "two to the 63rd": b'{"generation_prompt": "x", "generation_duration": 9223372036854775808}',
    "5,000 digits": b'{"generation_prompt": "x", "generation_duration": ' + b"9" * 5000 + b"}",
    "half a pair": b'{"generation_prompt": "\\ud800", "account": "\\udfff"}',
    "NUL": b'{"generation_prompt": "a\\u0000b"}',
    "NUL in an account": b'{"account": "a\\u0000b"}',
    "NUL as a name": b'{"\\u0000": 1}',
    "the same name twice": b'{"generation_prompt": "x", "generation_prompt": "y"}',
    "a byte order mark": b'\xef\xbb\xbf{"generation_prompt": "x"}',
    "UTF-16": '{"generation_prompt": "x"}'.encode("utf-16"),
    "UTF-32": '{"generation_prompt": "x"}'.encode("utf-32-le"),
    "latin-1": '{"generation_prompt": "é"}'.encode("latin-1"),
    "true for a number": b'{"generation_prompt": "x", "generation_output_number": true, "limit": true}',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "nothing": b"",
    "a newline in a text": b'{"generation_prompt": "\n"}',
    "two values": b"{} {}",
    "a name of machinery": b'{"__proto__": {"is_admin": true}}',
    "a number for a text": b'{"generation_prompt": 5, "webhook_url": 5, "account": 5}',
    "lists for texts": b'{"generation_prompt": ["x"], "webhook_url": ["x"], "account": ["x"]}',
    "null for texts": b'{"generation_prompt": null, "webhook_url": null, "account": null}',
    "5,000 names": json.dumps({f"name{n}": n for n in range(5_000)}).encode(),
}


@pytest.fixture
async def open_to_one(house: House) -> House:
    """A house whose usual key may do everything."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    return house


async def places(house: House) -> dict[str, str]:
    """Every route that reads a body, with a path that names something there is."""
    made = await house.ask("POST", "/v1/webhooks", {"webhook_url": "https://hooks.example.com/x"})
    webhook = made.data["webhook_id"]
    return {route: path.replace("{webhook}", webhook) for route, path in READ.items()}


async def untouched(house: House) -> str:
    """All that a request could have begun or changed."""
    accounts, hooks = await house.act("accounts.list"), await house.ask("GET", "/v1/webhooks")
    return json.dumps([accounts, hooks.data, [job.id for job in house.jobs.started]])


def test_every_route_is_known(open_to_one: House) -> None:
    """S48: a route that changes something reads its body strictly or not at all; a new one has to be put here."""
    changing = {plain(*route) for route in routes(open_to_one) if route[0] not in {"GET", "DELETE"}}
    assert changing == set(READ) | UNREAD


async def test_a_nasty_body_is_refused_everywhere(open_to_one: House) -> None:
    """S48: on every route that reads JSON whatever readers could differ about is 400 or 422, and nothing is begun."""
    where = await places(open_to_one)
    before = await untouched(open_to_one)
    for route, path in where.items():
        for name, data in NASTY.items():
            answer = await open_to_one.ask(route.partition(" ")[0], path, headers=AS_JSON, data=data)
            assert answer.status in {400, 422}, (route, name, answer.json)
            assert len(answer.error["message"]) < 600
    assert await untouched(open_to_one) == before


KINDS = (True, 5, -1, 1.5, 2**53 - 1, "x" * 3000, "a\nb", "\x7f", "💥", [], ["x"] * 200, {}, {"a": []}, None)


async def test_no_act_breaks_on_values_of_another_kind(open_to_one: House) -> None:
    """S48: whatever kind of value an act is given for what it takes, it is done or refused, never broken."""
    for act, (_, takes) in ACTS.items():
        for value in KINDS if takes else ():
            given = dict.fromkeys(takes, value)
            answer = await open_to_one.ask("POST", f"/admin/v1/{act.replace('.', '/')}", given)
            assert answer.status in {200, 400, 404}, (act, value, answer.json)


@pytest.mark.parametrize("data", [NASTY["99,000 levels"], b"x" * 500_000], ids=range(2))
async def test_a_body_nobody_reads_changes_nothing(open_to_one: House, data: bytes) -> None:
    """S48: where no body is read whatever is sent as one makes no difference."""
    for method, path in routes(open_to_one):
        if (plain(method, path) in UNREAD or method in {"GET", "DELETE"}) and "/broken" not in path:
            answer = await open_to_one.ask(method, filled(path), headers=AS_JSON, data=data)
            assert answer.status in {200, 404, 409}, (method, path)


def padded(size: int) -> bytes:
    """A body of so many bytes that every route takes for what is in it."""
    sent = b'{"generation_prompt": "x"}'
    return sent.ljust(size)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """The same in pieces, so that its length is not told."""
    for at in range(0, len(data), 10_000):
        yield data[at : at + 10_000]


@pytest.mark.parametrize("chunked", [False, True])
async def test_the_limit_is_exact_everywhere(open_to_one: House, chunked: bool) -> None:  # noqa: FBT001 - a row of the table
    """S46: on every route that reads one a body of the limit is read, and one byte more is 413."""
    for route, path in (await places(open_to_one)).items():
        for size, too_large in ((LARGEST_BODY, False), (LARGEST_BODY + 1, True), (3_000_000, True)):
            data = pieces(padded(size)) if chunked else io.BytesIO(padded(size))
            answer = await open_to_one.ask(route.partition(" ")[0], path, headers=AS_JSON, data=data)
            assert (answer.status == 413) == too_large, (route, size, answer.json)
            assert not too_large or answer.error["code"] == "BSE2010"


async def test_a_body_without_end_is_cut(open_to_one: House) -> None:
    """S46: chunks that never end are answered 413 with no more taken than the limit and what is on its way, and the line ends."""
    app = open_to_one.client.app
    assert app is not None
    head = (
        f"POST {READ['POST /v1/webhooks']} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {open_to_one.key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    async with walled(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode())
        sent = 0
        while sent < 400 and not writer.is_closing():
            writer.write(chunk)
            sent += 1
            await asyncio.sleep(0.001)
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.close()
    assert not (await open_to_one.ask("GET", "/v1/webhooks")).data["webhooks"]


ZIPPED = {
    "gzip": gzip.compress(padded(100)),
    "deflate": zlib.compress(padded(100)),
    "br": padded(100),
    "zstd": padded(100),
    "identity, gzip": padded(100),
    "x-unknown": padded(100),
}


async def test_nothing_is_unpacked_anywhere(open_to_one: House) -> None:
    """S47: a coded body is 415 on every route, those that read none included."""
    wheres = [(route.partition(" ")[0], path) for route, path in (await places(open_to_one)).items()]
    wheres += [tuple(filled(route).split(" ")) for route in UNREAD]
    for method, path in wheres:
        for coding, data in ZIPPED.items():
            headers = {**AS_JSON, "Content-Encoding": coding}
            answer = await open_to_one.ask(method, path, headers=headers, data=data)
            assert (answer.status, answer.error["code"]) == (415, "BSE2013"), (method, path, coding)


async def test_two_codings_are_no_none(open_to_one: House) -> None:
    """S47: a second header that says gzip is not hidden behind one that says identity."""
    app = open_to_one.client.app
    assert app is not None
    head = (
        f"POST /v1/generate/image/{IMAGE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {open_to_one.key}\r\n"
        "Content-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    )
    async with walled(app) as port:
        assert (await tell(port, head.encode())).statuses == [415]


def form(parts: int) -> FormData:
    """A form with so many parts, one of them a file whose name leads out of every folder."""
    made = FormData()
    made.add_field("_charset_", "utf-7")
    made.add_field("file", b"x", filename="../../../../tmp/tidegate-escaped", content_type="image/png")
    for n in range(parts):
        made.add_field(f"part{n}", "x")
    return made


TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/json; charset=utf-16",
    "application/json; charset=utf-7",
    "text/json",
    "application/json, text/plain",
    "multipart/form-data",
    "application/octet-stream",
    "",
    ";",
    "💥".encode().decode("latin-1"),
]


async def test_only_json_is_read_anywhere(open_to_one: House) -> None:
    """S49: every other type is 415 on every route that reads a body, and so are forms of any size; no file is written."""
    for route, path in (await places(open_to_one)).items():
        method = route.partition(" ")[0]
        for sent in TYPES:
            answer = await open_to_one.ask(
                method, path, headers={"Content-Type": sent}, data=b'{"generation_prompt": "x"}'
            )
            assert (answer.status, answer.error["code"]) == (415, "BSE2013"), (route, sent)
        for parts in (2, 1_000):
            answer = await open_to_one.ask(method, path, data=form(parts))
            assert (answer.status, answer.error["code"]) in {(415, "BSE2013"), (413, "BSE2010")}, (route, parts)


async def test_a_body_without_a_type_is_refused(open_to_one: House) -> None:
    """S49: where nothing is said of the type none is guessed."""
    app = open_to_one.client.app
    assert app is not None
    async with walled(app) as port:
        for route, path in (await places(open_to_one)).items():
            head = (
                f"{route.partition(' ')[0]} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {open_to_one.key}\r\n"
            )
            assert (await tell(port, f"{head}Content-Length: 2\r\n\r\n{{}}".encode(), within=0.1)).statuses == [415]
