"""The line to a provider: a real server on this machine that answers, lies, stalls and hangs up."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from gateway.fault import Fault, FaultKind, Reach
from gateway.providers.classify import UNREADABLE, Media, Reply
from gateway.providers.pack import CallName, Encoding
from gateway.providers.render import Call, File
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Broken, Wire

SECRETS = Secrets({"ACME_KEY": "s3cret"}, ["ACME_KEY"])
AUTH = {"Authorization": "Bearer $secret.ACME_KEY"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def submit(url: str, body: object = None) -> Call:
    """Make a call that carries a body."""
    return Call(
        CallName.SUBMIT, "POST", url, AUTH, body if body is not None else {"prompt": "Grüße 海豹"}, hands_over=True
    )


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """Serve one answer for everything."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as running:
        yield str(running.make_url("/jobs"))


async def sent(call: Call, within: float = 2, longest: int = 1 << 20) -> Reply:
    """Send a call on a line of its own."""
    async with aiohttp.ClientSession() as session:
        return await Wire(session, SECRETS, 1, longest).send(call, within)


async def broken(call: Call, within: float = 2) -> Fault:
    """Send a call that gets no answer, and give the fault."""
    with pytest.raises(Broken) as raised:
        await sent(call, within)
    return raised.value.fault


async def test_a_call_arrives_as_it_was_rendered():
    """Method, path, credential and a JSON body in UTF-8 reach the provider."""
    seen: dict[str, object] = {}

    async def answer(request: web.Request) -> web.Response:
        raw = await request.read()
        seen.update(method=request.method, path=request.path, body=json.loads(raw), raw=raw)
        seen.update(auth=request.headers["Authorization"], type=request.headers["Content-Type"])
        return web.json_response({"id": "j1"}, status=201, headers={"X-Request-Id": "r1"})

    async with server(answer) as url:
        reply = await sent(submit(url))
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/jobs", {"prompt": "Grüße 海豹"})
    assert (seen["auth"], seen["type"]) == ("Bearer s3cret", "application/json")
    assert "海豹".encode() in bytes(seen["raw"])
    assert (reply.status, reply.body, reply.headers["x-request-id"]) == (201, {"id": "j1"}, "r1")


async def test_a_look_carries_no_body():
    """A later call sends nothing but its headers."""
    seen: list[tuple[bytes, bool]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((await request.read(), "Content-Type" in request.headers))
        return web.json_response({})

    async with server(answer) as url:
        await sent(Call(CallName.STATUS, "GET", url, AUTH))
    assert seen == [(b"", False)]


@pytest.mark.parametrize(
    "body",
    [b"<html>Bad gateway</html>", b"", b"{", b'{"a": "\xff"}', b"[" * 100_000, b"9" * 5000],
    ids=["html", "empty", "cut", "not-text", "deep", "digits"],
)
async def test_what_is_not_json_is_unreadable(body: bytes):
    """A body that is not JSON comes back marked as such, with its status."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async with server(answer) as url:
        reply = await sent(submit(url))
    assert (reply.status, reply.body) == (200, UNREADABLE)


async def test_json_is_read_whatever_it_is_called():
    """The type a provider gives its answer does not matter."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"[1]", content_type="text/plain", status=500)

    async with server(answer) as url:
        reply = await sent(submit(url))
    assert (reply.status, reply.body) == (500, [1])


async def test_an_endless_answer_is_cut():
    """An answer longer than any honest one is given up, not kept in memory."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 600)
        except ConnectionError:
            return response

    async with server(answer) as url:
        assert (await sent(submit(url), longest=1000)).body is UNREADABLE


@pytest.mark.parametrize(("hands_over", "read"), [(True, True), (False, False)])
async def test_only_an_answer_that_hands_over_outputs_may_be_long(hands_over: bool, read: bool):  # noqa: FBT001 - a column of a table
    """A megabyte is enough for a word; pictures in base64 are read where outputs are due."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"b64": "A" * (1 << 20)})

    async with server(answer) as url:
        reply = await sent(Call(CallName.STATUS, "GET", url, AUTH, hands_over=hands_over), longest=1 << 24)
    assert (reply.body is not UNREADABLE) is read


async def test_an_answer_may_repeat_what_it_was_sent():
    """Some queues answer with the whole request, pictures and all: the job's id stands beside it."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"id": "j1", "input": await request.json()})

    picture = {"image": "A" * (3 << 20), "prompt": "海" * (1 << 18)}
    async with server(answer) as url:
        reply = await sent(Call(CallName.SUBMIT, "POST", url, AUTH, picture), longest=1 << 24)
    assert reply.body["id"] == "j1"


async def test_an_answer_that_unfolds_is_not_read_to_its_end():
    """S57: what is packed counts by what it unfolds to, so that 100 MB of nothing take no more than any long answer."""
    packed = gzip.compress(bytes(100 << 20), 1)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"}, content_type="application/json")

    async with server(answer) as url:
        tracemalloc.start()
        try:
            assert (await sent(submit(url), longest=1 << 20)).body is UNREADABLE
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
        finally:
            tracemalloc.stop()


async def test_a_redirect_is_not_followed():
    """S31: a credential goes where the pack says; a redirect is an answer like any other."""
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with server(answer) as url:
        reply = await sent(submit(url))
    assert (reply.status, paths) == (307, ["/jobs"])


async def test_a_refused_port_means_unsent():
    """Where nobody listens, nothing can have begun."""
    fault = await broken(submit(f"http://127.0.0.1:{unused_port()}/jobs"))
    assert (fault.kind, fault.reach) == (FaultKind.PROVIDER_ERROR, Reach.UNSENT)
    assert "s3cret" not in fault.message


async def test_no_connection_in_time_means_unsent():
    """A connection that is not made in time has sent nothing."""

    class Stuck(aiohttp.TCPConnector):
        async def connect(self, *_: object, **__: object) -> aiohttp.connector.Connection:
            raise aiohttp.ConnectionTimeoutError("no connection")

    async with aiohttp.ClientSession(connector=Stuck()) as session:
        with pytest.raises(Broken) as raised:
            await Wire(session, SECRETS, 1).send(submit("http://acme.example/jobs"), 2)
    assert (raised.value.fault.kind, raised.value.fault.reach) == (FaultKind.TIMEOUT, Reach.UNSENT)


async def test_no_answer_in_time_is_unsure():
    """A provider that took the request and says nothing may be at work."""
    free = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await free.wait()
        return web.json_response({})

    async with server(answer) as url:
        fault = await broken(submit(url), within=0.05)
        free.set()
    assert (fault.kind, fault.reach, fault.message) == (FaultKind.TIMEOUT, Reach.UNSURE, "no answer within 0.05 s")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", b"what?\r\n\r\n"])
async def test_a_line_that_breaks_after_sending_is_unsure(said: bytes):
    """A connection that ends before a whole answer, or with none, leaves open whether a job began."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    raw = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with raw:
        port = raw.sockets[0].getsockname()[1]
        fault = await broken(submit(f"http://127.0.0.1:{port}/jobs"))
    assert (fault.kind, fault.reach) == (FaultKind.PROVIDER_ERROR, Reach.UNSURE)


async def test_a_multipart_body_is_read_as_it_was_meant():
    """Texts, numbers, truth values, repeated parts and files arrive as parts, each under its own name and type."""
    parts: list[tuple[str | None, str | None, str | None, bytes]] = []
    types: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        types.append(request.content_type)
        async for part in await request.multipart():
            assert isinstance(part, aiohttp.BodyPartReader)
            declared = part.headers.get("Content-Type", "").partition(";")[0]
            parts.append((part.name, part.filename, declared, bytes(await part.read())))
        return web.json_response({})

    files = [File(b"\x89PNG\r\n--x", "image/png", "images-1.png"), File(b"", "image/webp", "images-2.webp")]
    body = {"prompt": "Grüße 海豹", "n": 2, "hd": True, "tags": ["a", "b"], "image[]": files}
    async with server(answer) as url:
        await sent(Call(CallName.SUBMIT, "POST", url, AUTH, body, Encoding.MULTIPART))
    assert types == ["multipart/form-data"]
    texts = [("prompt", "Grüße 海豹".encode()), ("n", b"2"), ("hd", b"true"), ("tags", b"a"), ("tags", b"b")]
    assert parts == [
        *((name, None, "text/plain", value) for name, value in texts),
        ("image[]", "images-1.png", "image/png", b"\x89PNG\r\n--x"),
        ("image[]", "images-2.webp", "image/webp", b""),
    ]


async def test_the_name_of_a_part_is_sent_as_it_stands():
    """Brackets in a name are part of it: few servers undo an escape there."""
    seen: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.json_response({})

    body = {"image[]": [File(b"x", "image/png", "a.png")], "seed[]": 1}
    async with server(answer) as url:
        await sent(Call(CallName.SUBMIT, "POST", url, AUTH, body, Encoding.MULTIPART))
    assert b'name="image[]"; filename="a.png"' in seen[0]
    assert b'name="seed[]"' in seen[0]


async def test_a_form_without_files_is_multipart_too():
    """A provider that reads forms gets one, whether there is a file in it or not."""
    seen: list[tuple[str, object]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.content_type, (await request.post())["prompt"]))
        return web.json_response({})

    async with server(answer) as url:
        await sent(Call(CallName.SUBMIT, "POST", url, AUTH, {"prompt": "a seal"}, Encoding.MULTIPART))
    assert seen == [("multipart/form-data", "a seal")]


@pytest.mark.parametrize("declared", ["image/png", "video/mp4; codecs=avc1"])
async def test_an_answer_may_be_the_picture_itself(declared: str):
    """An answer that says it is a picture or a film is one, and its bytes are kept whatever they look like."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b'{"a": 1}', headers={"Content-Type": declared})

    async with server(answer) as url:
        reply = await sent(submit(url))
    assert reply.body == Media(b'{"a": 1}', declared.partition(";")[0])


async def test_a_secret_in_an_address_is_filled_in():
    """A credential that belongs into the path gets there, and an address is sent exactly as it is spelled."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.json_response({})

    async with server(answer) as url:
        await sent(Call(CallName.STATUS, "GET", f"{url}/$secret.ACME_KEY/a%2Fb?x=%7E", AUTH))
    assert seen == ["/jobs/s3cret/a%2Fb?x=%7E"]


@pytest.mark.parametrize("address", ["http://acme.example:80x/", "http://[::1/"])
async def test_a_malformed_address_means_unsent(address: str):
    """What is no address is not dialled."""
    fault = await broken(submit(address))
    assert (fault.kind, fault.reach) == (FaultKind.UNREADABLE, Reach.UNSENT)


@pytest.mark.parametrize("encoding", list(Encoding))
async def test_a_large_body_arrives_whole(encoding: Encoding):
    """Pictures of some megabytes arrive byte by byte, inside JSON and as parts."""
    seen: list[tuple[bool, object]] = []
    picture = bytes(range(256)) * (3 << 12)

    async def answer(request: web.Request) -> web.Response:
        found = (await request.json())["image"] if encoding is Encoding.JSON else (await request.post())["image"]
        whole = found.encode("latin-1") if isinstance(found, str) else found.file.read()
        seen.append((request.content_length is not None, whole == picture))
        return web.json_response({})

    part = picture.decode("latin-1") if encoding is Encoding.JSON else File(picture, "image/png", "a.png")
    async with server(answer) as url:
        await sent(Call(CallName.SUBMIT, "POST", url, AUTH, {"image": part}, encoding))
    assert seen == [(True, True)]
