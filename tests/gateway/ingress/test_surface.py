"""What every answer looks like from outside, whoever asks for whatever: its headers, and what is never in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import web

from gateway.ingress.callers import Scope
from tests.gateway.ingress.house import IMAGE, House
from tests.gateway.ingress.test_scopes import filled, plain, routes
from tests.gateway.ingress.walls import Heard, Seen, tell, walled

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
APART = {
    "/livez": "text/plain",
    "/readyz": "text/plain",
    "/healthz": "text/plain",
    "/metrics": "text/plain",
    "/docs": "text/html",
}
PLAIN_HEADER = re.compile(r"[A-Za-z0-9-]+: [ -~]*")


@pytest.fixture
async def open_to_one(house: House) -> House:
    """A house whose usual key may do everything."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    return house


def app_of(house: House) -> web.Application:
    """The application behind a house's door."""
    assert house.client.app is not None
    return house.client.app


async def test_every_answer_has_its_headers(open_to_one: House) -> None:
    """S54: on every route, by every method, refused or not: its type, nothing to sniff, no version, and no copy in a cache."""
    named = dict.fromkeys(plain(*route).partition(" ")[2] for route in routes(open_to_one))
    for path in (*map(filled, named), "/v1/none", "/", "/favicon.ico"):
        for method in METHODS:
            for key in ({}, {"Authorization": None}):
                answer = await open_to_one.ask(method, path, headers=key)
                asked = (method, path, answer.status)
                assert answer.headers["X-Content-Type-Options"] == "nosniff", asked
                assert answer.headers["Server"] == "tidegate", asked
                assert re.fullmatch(r"req_[A-Za-z0-9_-]{26}", answer.headers["X-Request-Id"]), asked
                assert "X-Powered-By" not in answer.headers
                if path.startswith(("/v1", "/admin")) or answer.status >= 400:
                    assert answer.headers["Cache-Control"] == "no-store", asked
                usual = "application/json" if answer.status >= 400 else APART.get(path, "application/json")
                if answer.status != 204 and not (answer.status == 503 and path in APART):
                    assert answer.headers["Content-Type"].startswith(usual), asked


async def test_a_stored_output_is_kept_from_pages(house: House) -> None:
    """S54, S59: a file is sent as what it is, in a sandbox, and only the one who asked may keep it; what is not there is an error."""
    generation = await house.create()
    await house.succeed(generation)
    [link] = (await house.ask("GET", f"/v1/content/{generation}")).data["generation_output_file"]
    path = link[link.index("/v1/") :]
    for method in ("GET", "HEAD"):
        answer = await house.ask(method, path, headers={"Authorization": None})
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "tidegate"
        assert answer.headers["Cache-Control"].startswith("private")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    missing = await house.ask("GET", path[:-1], headers={"Authorization": None})
    assert (missing.status, missing.headers["Cache-Control"]) == (404, "no-store")
    assert missing.error["code"] == "BSE3004"


def unbroken(heard: Heard) -> list[str]:
    """The header lines of all answers, each of them one line of plain characters under a name that is there once."""
    lines = [
        line
        for block in heard.raw.split(b"HTTP/1.1 ")[1:]
        for line in block.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")[1:]
    ]
    assert all(PLAIN_HEADER.fullmatch(line) for line in lines), lines
    return lines


NAMES = (
    "X-Request-Id",
    "Idempotency-Key",
    "X-Tidegate-Tag",
    "Prefer",
    "Origin",
    "Access-Control-Request-Method",
    "Range",
)
NAMES += (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "Forwarded",
    "Referer",
    "User-Agent",
    "If-None-Match",
)
VALUES = (
    b"a\r\nX-Injected: 1",
    b"a\nX-Injected: 1",
    b"a\rX-Injected: 1",
    b"a\x00b",
    b"a\x7fb",
    b"a\x0b",
    b"\xff\xfe",
    b"\xc2\x85x",
)
PATHS = (
    "/v1/%0d%0aX-Injected:%201",
    "/v1/content/%0d%0aX-Injected:%201",
    "/v1/outputs/x/0.png%0d%0aX-Injected:%201?exp=1&sig=%0d%0aX-Injected:%201",
    "/v1/outputs/%0d%0aX-Injected:%201/0.png",
    "/v1/webhooks/%00%7f%0d%0aX-Injected:%201",
    "/v1/library/models?x=%0d%0aX-Injected:%201",
    f"/v1/estimate/{IMAGE}%0d%0aX-Injected:%201",
    "/v1/%E2%80%A8%C2%85X-Injected:%201",
    "/admin/v1/%0d%0aX-Injected:%201",
)


async def test_nothing_sent_breaks_out_of_a_header(open_to_one: House) -> None:
    """S50: whatever is sent in a header is refused or harmless: no answer has a header that it put there, nor its request's id."""
    head = f"POST /v1/generate/image/{IMAGE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {open_to_one.key}\r\nContent-Type: application/json\r\n"
    async with walled(app_of(open_to_one)) as port:
        for name in NAMES:
            for value in VALUES:
                sent = (
                    head.encode()
                    + name.encode()
                    + b": "
                    + value
                    + b"\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
                )
                heard = await tell(port, sent, within=5)
                assert heard.answers, (name, value)
                assert all(status < 500 for status in heard.statuses), (name, value)
                lines = unbroken(heard)
                assert not any(line.lower().startswith("x-injected") for line in lines), (name, value)
                assert all(line.startswith("X-Request-Id: req_") for line in lines if line.startswith("X-Request-Id"))


async def test_nothing_in_an_address_breaks_out_of_a_header(open_to_one: House) -> None:
    """S50: line breaks and control characters written into an address come back in no header, and break nothing."""
    async with walled(app_of(open_to_one)) as port:
        for path in PATHS:
            for method in METHODS:
                key = f"Authorization: Bearer {open_to_one.key}\r\nConnection: close\r\n\r\n"
                heard = await tell(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{key}".encode(), within=5)
                assert int(heard.raw.split()[1]) < 500, (method, path)
                assert not any(line.startswith("X-Injected") for line in unbroken(heard)), (method, path)


async def test_what_breaks_is_told_by_its_id_alone(open_to_one: House) -> None:
    """S55: a handler that raises is a 500 in the envelope with nothing of the exception, and the line serves the next request."""
    key = f"Host: x\r\nAuthorization: Bearer {open_to_one.key}\r\n\r\n"
    async with walled(app_of(open_to_one)) as port:
        heard = await tell(port, f"GET /v1/broken HTTP/1.1\r\n{key}GET /v1/status HTTP/1.1\r\n{key}".encode())
    assert heard.statuses == [500, 200]
    assert not heard.closed
    _, headers, said = heard.answers[0]
    assert said["error"]["code"] == "BSE5001"
    assert said["request_id"] == headers["x-request-id"]
    assert said["request_id"] in said["error"]["message"]
    for secret in (b"nobody may read", b"RuntimeError", b"Traceback", b".py"):
        assert secret not in heard.raw


async def test_what_breaks_outside_of_every_handler_is_told_alike() -> None:
    """S55: where no middleware stands between, the walls give the same answer, and close the line."""
    app = web.Application()

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("a secret that nobody may read")

    async def late(_request: web.Request) -> web.Response:
        raise TimeoutError("a secret that nobody may read")

    app.router.add_get("/broken", broken)
    app.router.add_get("/late", late)
    seen = Seen()
    async with walled(app, seen=seen) as port:
        for path in ("/broken", "/late"):
            heard = await tell(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert (heard.statuses, heard.closed) == ([500], True)
            assert heard.answers[0][2]["error"]["code"] == "BSE5001"
            assert b"nobody may read" not in heard.raw
            assert b"aiohttp" not in heard.raw
    assert [each.status for each in seen.answered] == [500, 500]


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    """S55: when what is sent fails in its middle the line is closed before the end that was announced."""
    app = web.Application()

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"x" * 50)
        raise RuntimeError("the disk is gone")

    app.router.add_get("/half", half)
    async with walled(app) as port:
        heard = await tell(port, b"GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.closed
    assert heard.raw.endswith(b"\r\n\r\n" + b"x" * 50)
