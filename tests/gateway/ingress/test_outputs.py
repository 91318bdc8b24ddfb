"""Stored files by signed link."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.artifacts.fault import StorageFault
from gateway.artifacts.links import sign
from gateway.artifacts.store import Stored
from gateway.ingress.outputs import Links, Outputs, served_as
from gateway.ledger import generations
from gateway.ledger.records import Artifact
from tests.clock import VirtualClock
from tests.gateway.ingress.house import PNG, SECRET, Answer, House, alone


async def linked(house: House) -> str:
    """A stored output's address, without the origin."""
    generation = await house.create()
    await house.succeed(generation)
    [link] = (await house.ask("GET", f"/v1/content/{generation}")).data["generation_output_file"]
    return "/v1" + str(link).partition("/v1")[2]


async def fetch(house: House, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask without a key."""
    return await house.ask(method, path, headers={"Authorization": None, **headers})


async def test_a_link_opens_its_file(house: House) -> None:
    """S59: whoever holds the link gets the bytes, as what they are and so that a browser runs nothing in them."""
    answer = await fetch(house, await linked(house))
    assert (answer.status, answer.body) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == 'inline; filename="0.png"'
    policy = answer.headers["Content-Security-Policy"].split("; ")
    # A browser shows a picture or a film in a page of its own making, whose style and source are let in; scripts are not.
    assert policy == [
        "sandbox",
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "style-src 'unsafe-inline'",
    ]
    assert (
        answer.headers["Access-Control-Allow-Origin"] == "*"
    )  # that page has no origin, and asks for a film from there
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.headers["ETag"]


async def test_a_file_brings_its_hash(house: House) -> None:
    """Whoever loads a file, whole or in parts, can tell that it is the one that was stored."""
    path = await linked(house)
    expected = f"sha-256=:{base64.b64encode(hashlib.sha256(PNG).digest()).decode()}:"
    for headers in ({}, {"Range": "bytes=1-3"}):
        assert (await fetch(house, path, **headers)).headers["Repr-Digest"] == expected


async def test_a_part_of_a_file(house: House) -> None:
    """A range is answered with the part, one beyond the end is refused, and HEAD tells the size."""
    path = await linked(house)
    part = await fetch(house, path, Range="bytes=1-3")
    assert (part.status, part.body) == (206, PNG[1:4])
    assert (await fetch(house, path, Range="bytes=9999-")).status == 416
    head = await fetch(house, path, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(PNG)))


async def test_an_unchanged_file_is_not_sent_again(house: House) -> None:
    """Who has the file already is told so."""
    path = await linked(house)
    tag = (await fetch(house, path)).headers["ETag"]
    assert (await fetch(house, path, **{"If-None-Match": tag})).status == 304


async def test_every_bad_link_gets_the_same_answer(house: House) -> None:
    """S60: unsigned, forged, moved and expired links cannot be told apart."""
    path = await linked(house)
    bare, _, query = path.partition("?")
    bad = [
        bare,
        f"{bare}?{query}&x=1",
        f"{bare}?{query.replace('signature=', 'signature=0')[:-1]}",
        f"{bare.replace('/0.png', '/1.png')}?{query}",
        f"{bare.replace('/0.png', '/0.jpg')}?{query}",
        f"/v1/outputs/../../etc/passwd?{query}",
        f"/v1/outputs/x%2f..%2fy/0.png?{query}",
    ]
    answers = [await fetch(house, each) for each in bad]
    said = [(answer.status, answer.error) for answer in answers]
    assert all(answer.status == 404 for answer in answers)
    assert all(each == said[0] for each in said[:5])
    assert said[0][1]["code"] == "BSE3004"
    await house.clock.advance(3601)
    expired = await fetch(house, path)
    assert (expired.status, expired.error) == said[0]


async def test_a_link_ends_with_its_file(house: House) -> None:
    """A file that was removed, or whose generation was deleted, is not there any more."""
    path = await linked(house)
    generation = path.split("/")[3]
    await house.store.write(generations.remove_files(generation, house.clock.now_ms()))
    assert (await fetch(house, path)).error["code"] == "BSE3004"
    path = await linked(house)
    await house.ask("DELETE", f"/v1/content/{path.split('/')[3]}")
    assert (await fetch(house, path)).error["code"] == "BSE3004"


async def test_a_file_that_vanished_is_not_there(house: House) -> None:
    """A file the disk has lost is answered like one that never was."""
    path = await linked(house)
    await house.artifacts.delete(path.split("/")[3])
    assert (await fetch(house, path)).error["code"] == "BSE3004"


@pytest.mark.parametrize("at", range(-64, 0, 7))
async def test_a_changed_signature_opens_nothing(house: House, at: int) -> None:
    """S60: one character of the signature changed, or put in another case, and there is no such output."""
    path = await linked(house)
    at += len(path)
    for other in ("0" if path[at] != "0" else "1", path[at].upper() if path[at].isalpha() else "x", ""):
        assert (await fetch(house, path[:at] + other + path[at + 1 :])).status == 404


async def test_a_link_says_nothing_for_another_account(house: House) -> None:
    """S60: a link of one generation opens none of another account, whatever key comes with it."""
    mine = await linked(house)
    await house.act("accounts.create", account="other")
    key = (await house.act("keys.create", account="other", name="theirs"))["key"]
    other = await house.create()
    await house.succeed(other)
    moved = mine.replace(mine.split("/")[3], other)
    for headers in ({"Authorization": None}, {"Authorization": f"Bearer {key}"}, {}):
        assert (await house.ask("GET", moved, headers=headers)).status == 404


@pytest.mark.parametrize("type_", ["text/html", "image/svg+xml", "application/pdf", "application/javascript", None, ""])
def test_what_is_no_picture_or_film_is_saved_and_not_opened(type_: str | None) -> None:
    """S59: whatever else a record may say a file is, browsers are told that it is bytes to be saved."""
    headers = served_as(Artifact(0, "file:x", None, None, type_, None, None), "0.bin")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == 'attachment; filename="0.bin"'
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_names_are_ours_alone(house: House) -> None:
    """S61: whatever a request and a path hold, files are named by generation, place and hash, and served by such names."""
    odd = "../../etc/passwd\x01 " + "x" * 500
    generation = await house.create(body={"generation_prompt": odd})
    await house.succeed(generation)
    row = await house.store.read(generations.find_any(generation))
    assert row is not None
    [artifact] = row.artifacts
    assert re.fullmatch(rf"file:[0-9a-f]{{2}}/{generation}/0-[0-9a-f]{{16}}\.png", artifact.uri)
    for name in (
        "..%2f..%2fetc%2fpasswd",
        "0.png%00.html",
        "00.png",
        "-0.png",
        "0.PNG",
        "x" * 1000,
        "0.png%0d%0aX: y",
        "%2e%2e",
    ):
        query = sign(SECRET, f"/v1/outputs/{generation}/{unquote(name)}", 10**11)
        assert (await fetch(house, f"/v1/outputs/{generation}/{name}?{query}")).status == 404
        query = sign(SECRET, f"/v1/outputs/{unquote(name)}/0.png", 10**11)
        assert (await fetch(house, f"/v1/outputs/{name}/0.png?{query}")).status == 404


LENGTH = len(PNG)
MANY = ",".join(f"{each}-{each}" for each in range(1000))


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        *(
            ("bytes=0-", 206, PNG),
            ("bytes=0-0", 206, PNG[:1]),
            ("bytes=-1", 206, PNG[-1:]),
            ("bytes=2-4", 206, PNG[2:5]),
        ),
        *((f"bytes={LENGTH - 1}-", 206, PNG[-1:]), (f"bytes=0-{10**22}", 206, PNG), ("bytes=-99999", 206, PNG)),
        *(("-1", 416, b""), ("bytes=5-1", 416, b""), ("bytes=-0", 416, b""), (f"bytes={LENGTH}-", 416, b"")),
        *(("bytes=-", 416, b""), ("bytes=a-b", 416, b""), ("bytes=1-2-3", 416, b""), ("lines=0-1", 416, b"")),
        *(("bytes=0-1,3-4", 416, b""), (f"bytes={MANY}", 416, b""), ("bytes=" + "0-0," * 1000, 416, b"")),
    ],
    ids=lambda value: value[:16] if isinstance(value, str) else "",
)
async def test_a_range_is_answered_exactly(house: House, asked: str, status: int, part: bytes) -> None:
    """S62: one stretch gives that part, what holds no byte or cannot be read none, and many at once are not served."""
    answer = await fetch(house, await linked(house), Range=asked)
    assert (answer.status, answer.body) == (status, part)
    said = answer.headers["Content-Range"]
    if status == 416:
        assert said == f"bytes */{LENGTH}"
    else:
        first, _, last = said.removeprefix("bytes ").partition("/")[0].partition("-")
        assert PNG[int(first) : int(last) + 1] == part
        assert answer.headers["Content-Length"] == str(len(part))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


class Elsewhere:
    """A store of outputs that has no local files."""

    async def open(self, _uri: str) -> Stored:
        """Find any output: five bytes."""

        async def read(start: int, stop: int) -> AsyncIterator[bytes]:
            yield b"bytes"[start:stop]

        return Stored(size=5, read=read)


class Failing:
    """A store of outputs that fails."""

    async def open(self, _uri: str) -> Stored:
        """Fail."""
        raise StorageFault("input/output error")


@pytest.mark.parametrize("artifacts", [Elsewhere(), Failing()], ids=["elsewhere", "failing"])
async def test_a_store_without_local_files(house: House, artifacts: Any) -> None:
    """Bytes that lie elsewhere are passed through; a store that fails is told as an error."""
    path = await linked(house)
    routes = Outputs(Links(SECRET, 3_600_000, None, house.clock), house.store, artifacts).routes()
    answer = await alone(routes, path)
    if isinstance(artifacts, Failing):
        assert answer.error["code"] == "BSE5002"
    else:
        assert (answer.status, answer.body) == (200, b"bytes")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def request(**fields: Any) -> Any:
    """What a link looks at in a request."""
    return SimpleNamespace(**{"scheme": "http", "host": "gw:8080", **fields})


def made(public_url: str | None, uri: str = "file:ab/g1/0-x.png", type_: str | None = "image/png") -> str:
    """A link of a gateway with that public address."""
    links = Links(SECRET, 60_000, public_url, VirtualClock())
    return links.on(request())("g1", Artifact(0, uri, None, None, type_, None, None))


@pytest.mark.parametrize(
    ("public_url", "begins"),
    [
        (None, "http://gw:8080/v1/outputs/g1/0.png?"),
        ("https://media.example", "https://media.example/v1/outputs/g1/0.png?"),
        ("https://example.com/gate/", "https://example.com/gate/v1/outputs/g1/0.png?"),
    ],
)
def test_links_are_absolute(public_url: str | None, begins: str) -> None:
    """Links begin with the public address, or with where the request was sent to."""
    assert made(public_url).startswith(begins)


@pytest.mark.parametrize("uri", ["https://cdn.example/x.png?sig=1", "data:image/png;base64,AA=="])
def test_what_is_kept_elsewhere_is_given_as_it_is(uri: str) -> None:
    """A provider's link and bytes within the link need no link of ours."""
    assert made(None, uri) == uri


def test_links_open_for_their_life() -> None:
    """A link opens its own path until its time is over."""
    clock = VirtualClock()
    links = Links(SECRET, 60_000, None, clock)
    path, _, query = links.on(request())("g1", Artifact(0, "file:x", None, None, "image/png", None, None)).partition(
        "?"
    )
    path = "/v1" + path.partition("/v1")[2]
    assert links.opens(path, query)
    assert not links.opens(path.replace("g1", "g2"), query)


def test_links_may_lead_straight_to_the_store() -> None:
    """Where the store's own links are wanted they are what callers get, for as long as ours work; what it does not keep has ours."""

    def straight(uri: str, life: int) -> str | None:
        return f"https://bucket.example/{uri.removeprefix('s3:')}?for={life}" if uri.startswith("s3:") else None

    link = Links(SECRET, 60_000, None, VirtualClock(), straight=straight).on(request())
    assert link("g1", Artifact(0, "s3:g1/0-x.png", None, None, "image/png", None, None)) == (
        "https://bucket.example/g1/0-x.png?for=60"
    )
    for uri in ("file:ab/g1/0-x.png", "https://cdn.example/x.png"):
        assert "bucket.example" not in link("g1", Artifact(0, uri, None, None, "image/png", None, None))
