"""Inputs: an address stays one where it may, and becomes what the provider takes where it may not."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.artifacts.fetch import open_session
from gateway.artifacts.source import Source
from gateway.attempts import inputs
from gateway.attempts.inputs import Inputs, Unusable
from gateway.attempts.room import Room
from gateway.egress import Policy
from gateway.fault import FaultKind, Reach
from gateway.generation import Type, Value
from gateway.offer import Form, Handing, Limits, Price, Unit
from gateway.providers.render import File

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WEBM = b"\x1a\x45\xdf\xa3" + bytes(70) + b"\x42\x82\x84webm"
DATA = f"data:image/png;base64,{b64encode(PNG).decode()}"
BASE64 = b64encode(PNG).decode()
FILE = File(PNG, "image/png", "images-1.png")
BODIES = {"/a.png": PNG, "/film": WEBM, "/page": b"<html></html>", "/empty": b"", "/large": PNG + bytes(20 << 20)}


@dataclass
class Far:
    """The far end: what was asked of it, and what prepares inputs from it."""

    origin: str
    asked: list[str] = field(default_factory=list)

    async def prepare(self, ways: tuple[Handing, ...], *addresses: str) -> list[object]:
        """Prepare a list of files as a form would, and give what is handed over."""
        values: dict[str, Value] = {"prompt": "x", "images": addresses}
        async with open_session(Policy.parse(["127.0.0.1"])) as session:
            source = Source(session, Policy.parse(["127.0.0.1"]))
            prepared = await Inputs(source).prepare(form(images=Limits(Type.URLS, takes=ways)), values)
        assert prepared["prompt"] == "x"
        assert isinstance(prepared["images"], tuple)
        return list(prepared["images"])


def form(**takes: Limits) -> Form:
    """Make a form that takes these fields."""
    price = Price(Unit.IMAGE, (), {(): 1})
    return Form("acme", frozenset(), frozenset(), {"prompt": Limits(Type.TEXT), **takes}, (), frozenset(), {}, price)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    """A server on this machine with pictures, a film and other things."""
    found = Far("")

    async def answer(request: web.Request) -> web.Response:
        found.asked.append(request.path)
        body = BODIES.get(request.path)
        return web.Response(body=body) if body is not None else web.Response(status=404)

    app = web.Application()
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = answer
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app) as server:
        found.origin = str(server.make_url("")).rstrip("/")
        yield found


@pytest.mark.parametrize(
    ("ways", "handed"),
    [
        ((Handing.URL,), None),
        ((Handing.URL, Handing.DATA), None),
        ((Handing.DATA, Handing.URL), None),
        ((Handing.DATA,), DATA),
        ((Handing.BASE64,), BASE64),
        ((Handing.FILE,), FILE),
        ((Handing.BASE64, Handing.FILE), BASE64),
    ],
)
async def test_an_address_becomes_what_is_taken(far: Far, ways: tuple[Handing, ...], handed: object):
    """An address is handed on where one is taken and not even looked at, else its file goes in the way preferred."""
    address = f"{far.origin}/a.png"
    assert await far.prepare(ways, address) == [address if handed is None else handed]
    assert far.asked == ([] if handed is None else ["/a.png"])


@pytest.mark.parametrize(
    ("ways", "handed"),
    [
        ((Handing.DATA,), DATA),
        ((Handing.URL, Handing.DATA), DATA),
        ((Handing.URL, Handing.BASE64), BASE64),
        ((Handing.URL, Handing.FILE), FILE),
        ((Handing.BASE64, Handing.DATA), DATA),
    ],
)
async def test_data_becomes_what_is_taken(far: Far, ways: tuple[Handing, ...], handed: object):
    """Bytes in place of an address are handed on where they are taken as they are, else unpacked; nothing is fetched."""
    assert await far.prepare(ways, DATA) == [handed]
    assert far.asked == []


async def test_files_keep_their_order(far: Far):
    """Of several files each is converted by itself, in the order of the request, and named by its place and kind."""
    handed = await far.prepare((Handing.FILE,), f"{far.origin}/film", DATA)
    assert handed == [File(WEBM, "video/webm", "images-1.webm"), File(PNG, "image/png", "images-2.png")]


async def test_one_file_is_one_value(far: Far):
    """A field that holds a single file stays a single value, and what is not given is not made up."""
    async with open_session(Policy.parse(["127.0.0.1"])) as session:
        prepare = Inputs(Source(session, Policy.parse(["127.0.0.1"]))).prepare
        takes = form(video=Limits(Type.URL, takes=(Handing.BASE64,)), images=Limits(Type.URLS, takes=(Handing.DATA,)))
        prepared = await prepare(takes, {"video": f"{far.origin}/film"})
    assert prepared == {"video": b64encode(WEBM).decode()}


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/none", "its address says that nothing is there"),
        ("/page", "is neither a picture nor a film of a known kind"),
        ("/empty", "is neither a picture nor a film of a known kind"),
        ("/large", "it has more than 20 MiB"),
        ("http://169.254.169.254/latest", "its address may not be called from here (blocked_address)"),
        ("data:image/png;base64,%%%", "what its address answers cannot be used"),
        ("data:image/png;base64", "what its address answers cannot be used"),
        ("data:text/html,<p>", "is neither a picture nor a film of a known kind"),
    ],
)
async def test_what_cannot_be_handed_over_is_told(far: Far, address: str, why: str):
    """S39, S57: a file that cannot be had, or is none, is the caller's fault, named by field and place; nothing was sent."""
    with pytest.raises(Unusable) as raised:
        await far.prepare((Handing.FILE,), DATA, f"{far.origin}{address}" if address[0] == "/" else address)
    fault = raised.value.fault
    assert (fault.kind, fault.reach) == (FaultKind.INPUT_UNREADABLE, Reach.UNSENT)
    assert fault.message.startswith("images: file 2 ")
    assert fault.message.endswith(why)


async def test_data_is_not_handed_to_who_takes_addresses_only(far: Far):
    """A plan that was made when the provider took data does not break when it no longer does."""
    with pytest.raises(Unusable, match="images: this provider takes public addresses only"):
        await far.prepare((Handing.URL,), DATA)


@pytest.mark.parametrize(
    ("ways", "address", "word"),
    [
        ((Handing.URL,), "https://acme.example/a", "https://acme.example/a"),
        ((Handing.URL,), DATA, DATA),
        ((Handing.DATA,), "https://acme.example/a", "<data of https://acme.example/a>"),
        ((Handing.URL, Handing.BASE64), DATA, "<base64 of the data given>"),
        (
            (Handing.FILE,),
            "https://acme.example/a",
            File(b"", "application/octet-stream", "<https://acme.example/a>"),
        ),
    ],
)
def test_for_people_a_word_stands_for_a_file(ways: tuple[Handing, ...], address: str, word: object):
    """What would be fetched and converted is shown as a word, in lists and alone."""
    takes = form(images=Limits(Type.URLS, takes=ways), video=Limits(Type.URL, takes=ways))
    values: dict[str, Value] = {"prompt": "x", "images": (address,), "video": address}
    assert inputs.shown(takes, values) == {"prompt": "x", "images": (word,), "video": word}


async def test_files_wait_for_room_in_memory(far: Far):
    """S57: room is held for every file that would be fetched, at its most, and given back down to what came; others need none."""
    room = Room(10**9)
    takes = form(images=Limits(Type.URLS, takes=(Handing.DATA,)), video=Limits(Type.URL, takes=(Handing.URL,)))
    values: dict[str, Value] = {"prompt": "x", "images": (f"{far.origin}/a.png", DATA), "video": f"{far.origin}/film"}
    async with open_session(Policy.parse(["127.0.0.1"])) as session:
        prepare = Inputs(Source(session, Policy.parse(["127.0.0.1"])), room)
        async with prepare.room("acme", takes, values) as share:
            assert room.held == 3 * (20 << 20)  # one file, as it came, as text and in the body
            await prepare.prepare(takes, values, share)
            assert room.held == 3 * (len("x") + 2 * len(DATA) + len(f"{far.origin}/film"))
    assert room.held == 0


async def test_without_files_there_is_no_wait(far: Far):
    """A request whose files stay where they are, or that has none, waits for nobody."""
    room = Room(0)
    takes = form(images=Limits(Type.URLS, takes=(Handing.URL,)))
    async with open_session(Policy()) as session, asyncio.timeout(1):
        for values in ({"images": (f"{far.origin}/a.png",)}, {}):
            async with Inputs(Source(session, Policy()), room).room("acme", takes, values):
                assert room.held == 0
