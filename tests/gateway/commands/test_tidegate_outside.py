"""What a command sees of a gateway from outside: odd answers, files, attempts told as they end."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.clock import SystemClock
from gateway.commands.client import Lost, Told, exit_of, reached
from gateway.commands.exits import Exit
from gateway.commands.journey import Journey, TooLong
from gateway.commands.saving import save
from gateway.commands.terminal import Style, printable, table
from tests.gateway.commands.shell import names

Serve = Callable[..., Any]


@pytest.fixture
async def far() -> AsyncIterator[Serve]:
    """Start a server that gives scripted answers, one a call, the last again and again."""
    servers: list[TestServer] = []

    async def start(*answers: web.Response | Mapping[str, Any]) -> str:
        left = list(answers)

        async def answer(_request: web.Request) -> web.Response:
            found = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(found, web.Response):
                return web.Response(status=found.status, body=found.body, content_type=found.content_type)
            return web.json_response(found)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        await server.close()


def _record(status: str, *attempts: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"generation_status": status, "generation_attempts": list(attempts)}}


_OPEN = {"provider": "acme", "state": "submitted", "started_at": "2026-11-25T15:00:00.000Z", "ended_at": None}
_FAILED = {**_OPEN, "ended_at": "2026-11-25T15:00:01.500Z", "error": {"type": "provider_error", "message": "no\x1b[2J"}}
_DONE = {**_OPEN, "provider": "other", "state": "done", "ended_at": "2026-11-25T15:00:02.000Z"}


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>", content_type="text/html"),
        web.Response(status=502, body=b""),
        web.json_response(["a"]),
        web.json_response({"status": "success"}),
        web.json_response({"status": "error", "error": "no"}),
    ],
)
async def test_what_is_no_gateway_is_said_to_be_none(far: Serve, answer: web.Response) -> None:
    """An answer of another form is never taken for a gateway's."""
    async with reached(await far(answer), None) as gateway:
        with pytest.raises(Lost, match="is no gateway"):
            await gateway.read("x")


async def test_refusal_keeps_its_error(far: Serve) -> None:
    """The error object of an answer is what the caller gets to judge by."""
    error = {"code": "BSE1004", "type": "insufficient_credits", "message": "no credits"}
    async with reached(await far({"status": "error", "error": error}), None) as gateway:
        with pytest.raises(Told) as told:
            await gateway.read("x")
    assert exit_of(told.value.error) is Exit.BUDGET


@pytest.mark.parametrize(
    ("code", "type_", "expected"),
    [
        ("BSE1002", "authentication_failed", Exit.AUTH),
        ("BSE1003", "insufficient_permissions", Exit.AUTH),
        ("BSE1009", "concurrency_limit_exceeded", Exit.BUDGET),
        ("BSE2001", "invalid_input", Exit.USAGE),
        ("BSE2006", "content_policy_violation", Exit.FAILURE),
        ("BSE3001", "generation_not_found", Exit.FAILURE),
        ("BSE4005", "provider_content_rejected", Exit.FAILURE),
        ("BSE4006", "all_providers_failed", Exit.PROVIDERS),
        ("BSE5001", "internal_error", Exit.FAILURE),
        ("", "", Exit.FAILURE),
    ],
)
def test_exit_code_follows_the_error(code: str, type_: str, expected: Exit) -> None:
    """The family of a code decides, and within it what the error is about."""
    assert exit_of({"code": code, "type": type_}) is expected


async def test_each_attempt_is_told_once_when_it_ended(far: Serve) -> None:
    """Attempts are printed in order as they end, without anything that moves the cursor."""
    out = io.StringIO()
    url = await far(
        _record("processing", _OPEN), _record("processing", _FAILED, _OPEN), _record("succeeded", _FAILED, _DONE)
    )
    async with reached(url, None) as gateway:
        record = await Journey(out, Style(out, {}), SystemClock()).follow(gateway, "x", 10)
    first, second = out.getvalue().splitlines()
    assert record["generation_status"] == "succeeded"
    assert first.split()[:5] == ["1", "✗", "acme", "1.5", "s"]
    assert second.split()[:3] == ["2", "✓", "other"]
    assert "\x1b" not in out.getvalue()


async def test_waiting_ends_when_the_time_is_over(far: Serve) -> None:
    """A generation that goes on longer than we wait is not an error of the gateway."""
    async with reached(await far(_record("processing")), None) as gateway:
        with pytest.raises(TooLong):
            await Journey(io.StringIO(), Style(io.StringIO(), {}), SystemClock()).follow(gateway, "x", 0.05)


async def test_output_inside_its_link_is_saved(tmp_path: Path) -> None:
    """A data: link needs no connection; its media type names the ending."""
    async with reached("http://127.0.0.1:9", None) as gateway:
        [path] = await save(gateway, ["data:image/png;base64,iVBORw=="], tmp_path, "picture")
    assert path == tmp_path / "picture.png"
    assert path.read_bytes() == b"\x89PNG"


async def test_output_that_is_gone_leaves_no_file(far: Serve, tmp_path: Path) -> None:
    """A link that leads nowhere is said to, and nothing is left lying."""
    url = await far(web.Response(status=404))
    async with reached(url, None) as gateway:
        with pytest.raises(Lost, match="HTTP 404"):
            await save(gateway, [f"{url}/x.png"], tmp_path, "picture")
    assert names(tmp_path) == []


def test_text_from_elsewhere_stays_on_its_line() -> None:
    """Control characters become blanks, long texts are cut."""
    assert printable("a\x1b[31mb\nc") == "a [31mb c"
    assert len(printable(json.dumps("x" * 500))) == 200


def test_table_is_as_wide_as_it_has_to_be() -> None:
    """Columns line up, and no line ends in blanks."""
    assert table(["id", "name"], [["1", "first"], ["22", ""]]) == "id  name\n1   first\n22"
