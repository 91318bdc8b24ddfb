"""What surrounds every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.ingress.envelope import spelled
from gateway.ledger.program import StoreBroken, StoreBusy, StoreFailed, StoreFull
from tests.gateway.ingress.house import IMAGE, Answer, House, check_error

CREATE = f"/v1/generate/image/{IMAGE}"
BODY = {"generation_prompt": "x"}


async def test_a_success_has_its_envelope(house: House) -> None:
    """Status, request id, message, time and data, and the headers every answer has."""
    answer = await house.ask("GET", "/v1/status")
    assert set(answer.json) == {"status", "request_id", "message", "timestamp", "data"}
    assert answer.json["status"] == "success"
    assert answer.json["timestamp"] == "2025-11-24T16:00:00.000Z"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert len(answer.json["request_id"]) == 30
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Server"] == "tidegate"
    assert answer.headers["Content-Type"].startswith("application/json")


# Method, path, body, status, code: one row for every refusal that a request alone can bring about.
REFUSALS: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/", None, 404, "BSE3003"),
    ("GET", "/v1", None, 404, "BSE3003"),
    ("GET", "/v1/none", None, 404, "BSE3003"),
    ("GET", "/v1/" + "x" * 3000, None, 404, "BSE3003"),
    ("GET", "/v1/content", None, 404, "BSE3003"),
    ("GET", CREATE, None, 405, "BSE3003"),
    ("PUT", CREATE, None, 405, "BSE3003"),
    ("POST", "/v1/content/list", None, 405, "BSE3003"),
    ("PATCH", "/v1/status", None, 405, "BSE3003"),
    ("GET", "/v1/broken", None, 500, "BSE5001"),
    ("GET", "/v1/content/none", None, 404, "BSE3001"),
    ("GET", "/v1/content/%00", None, 404, "BSE3001"),
    ("GET", "/v1/content/..%2f..%2fetc", None, 404, "BSE3001"),
    ("DELETE", "/v1/content/none", None, 404, "BSE3001"),
    ("DELETE", "/v1/content/list", None, 404, "BSE3001"),
    ("POST", "/v1/content/generation/cancel/none", None, 404, "BSE3001"),
    ("GET", "/v1/content/list?limit=0", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?limit=101", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?limit=-1", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?limit=", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?limit=1&limit=2", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?offset=-1", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?offset=99999999999999999999", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?offset=1.5", None, 400, "BSE2001"),
    ("GET", "/v1/content/list?offset=%D9%A1", None, 400, "BSE2001"),
    ("GET", "/v1/usage?days=0", None, 400, "BSE2001"),
    ("GET", "/v1/usage?days=91", None, 400, "BSE2001"),
    ("GET", "/v1/usage?days=x", None, 400, "BSE2001"),
    ("GET", "/v1/estimate/none/x", None, 404, "BSE2011"),
    ("GET", f"/v1/estimate/{IMAGE}?count=x", None, 400, "BSE2001"),
    ("GET", "/v1/outputs/x/0.png", None, 404, "BSE3004"),
    ("GET", "/v1/outputs/x/0.png?expires=1&signature=" + "0" * 64, None, 404, "BSE3004"),
    ("POST", CREATE, [], 400, "BSE2001"),
    ("POST", CREATE, "text", 400, "BSE2001"),
    ("POST", CREATE, {}, 400, "BSE2001"),
    ("POST", CREATE, {"generation_prompt": "x" * 200_000}, 413, "BSE2010"),
    ("POST", CREATE, None, 415, "BSE2013"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), REFUSALS, ids=range(len(REFUSALS)))
async def test_every_refusal_has_one_shape(
    house: House, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """Whoever refuses, router, handler or accident: the same envelope."""
    answer = await house.ask(method, path, body)
    check_error(answer)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert len(answer.body) < 1000


async def test_what_is_allowed_is_told(house: House) -> None:
    """A wrong method is answered with the right ones."""
    answer = await house.ask("PUT", CREATE)
    assert answer.headers["Allow"] == "POST"
    assert "POST" in answer.error["message"]


async def test_a_defect_tells_nothing(house: House) -> None:
    """An unhandled exception is an error with a request id, without a word of the exception, on a connection that lives."""
    answer = await house.ask("GET", "/v1/broken")
    assert b"secret" not in answer.body
    assert answer.json["request_id"] in answer.error["message"]
    assert (await house.ask("GET", "/v1/status")).status == 200


async def test_head_has_no_body(house: House) -> None:
    """HEAD is answered like GET, without the body."""
    answer = await house.ask("HEAD", "/v1/status")
    assert (answer.status, answer.body) == (200, b"")
    assert (await house.ask("HEAD", "/v1/none")).status == 404


SPELLINGS = ["/v1/status", "/v1/status/", "/v1/v1/status", "/v1/v1/status/"]


@pytest.mark.parametrize("path", SPELLINGS)
async def test_paths_are_taken_as_people_write_them(house: House, path: str) -> None:
    """A slash at the end and a doubled version change nothing, and nothing is redirected."""
    assert (await house.ask("GET", path)).data["account_id"] == "acme"
    await house.ask("GET", path)
    assert {counted.endpoint for counted in house.tallies.flush()} == {"GET /v1/status"}


@pytest.mark.parametrize("path", [f"{CREATE}/", f"/v1{CREATE}", f"/v1{CREATE}/"])
async def test_models_are_taken_as_people_write_them(house: House, path: str) -> None:
    """The same for the paths that end in a model."""
    assert (await house.ask("POST", path, BODY)).data["model_identifier"] == IMAGE


def test_no_path_is_spelled_twice(house: House) -> None:
    """The spellings of all routes are different from each other."""
    app = house.client.app
    assert app is not None
    paths = [(route.method, route.resource.canonical) for route in app.router.routes() if route.resource]
    assert len(set(paths)) == len(paths)
    assert spelled([]) == []


async def test_browsers_may_ask(house: House) -> None:
    """A preflight is answered for any origin, without credentials; answers show the headers clients read."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST", "Authorization": None}
    answer = await house.ask("OPTIONS", CREATE, headers=headers)
    assert answer.status == 204
    assert "idempotency-key" in answer.headers["Access-Control-Allow-Headers"]
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    answer = await house.ask("GET", "/v1/status", headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "retry-after" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in (await house.ask("GET", "/livez")).headers


async def test_answers_are_counted_by_account(house: House) -> None:
    """Each answer of a known account counts once, under its endpoint, status and code."""
    await house.create()
    await house.ask("GET", "/v1/content/none")
    await house.ask("GET", "/v1/content/none", headers={"Authorization": None})
    await house.ask("GET", "/v1/none")
    counted = {(each.endpoint, each.status, each.code): n for each, n in house.tallies.flush().items()}
    assert counted == {("POST /v1/generate/image", 200, ""): 1, ("GET /v1/content", 404, "BSE3001"): 1}
    assert house.tallies.flush() == {}


@pytest.mark.parametrize(
    ("error", "code", "retryable", "waits"),
    [
        (StoreBusy, "BSE5003", True, True),
        (StoreFull, "BSE5003", True, True),
        (StoreFailed, "BSE5002", True, True),
        (StoreBroken, "BSE5002", False, False),
    ],
)
async def test_trouble_of_the_store_is_unavailability(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    error: type[StoreFailed],
    code: str,
    retryable: bool,  # noqa: FBT001 - a row of the table
    waits: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """A store that fails is told as 503; only when nothing can have been kept may the client repeat by itself."""
    await house.ask("GET", "/v1/status")

    async def fails(_program: Any) -> None:
        raise error("the disk")

    monkeypatch.setattr(house.store, "write", fails)
    answer = await house.ask("POST", CREATE, BODY)
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (503, code, retryable)
    assert ("Retry-After" in answer.headers) == waits
    assert b"disk" not in answer.body


async def test_a_wait_is_told_as_clients_read_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry-After comes in whole seconds with the headers of a limit beside it, or the client library ignores it."""

    async def fails(_program: Any) -> None:
        raise StoreBusy("busy")

    monkeypatch.setattr(house.store, "write", fails)
    headers = (await house.ask("POST", CREATE, BODY)).headers
    assert int(headers["Retry-After"]) >= 1
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("1", "0")
    assert int(headers["X-RateLimit-Reset"]) == house.clock.now_ms() // 1000 + int(headers["Retry-After"])


@pytest.mark.parametrize(("headers", "retryable"), [({}, False), ({"Idempotency-Key": "k"}, True)])
async def test_a_defect_in_a_create_is_not_simply_repeated(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    retryable: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """What may have begun is repeated by clients only where a key makes that harmless."""

    async def breaks(_program: Any) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(house.store, "write", breaks)
    answer = await house.ask("POST", CREATE, BODY, headers=headers)
    assert (answer.status, answer.error["retryable"]) == (500, retryable)


async def test_request_ids_differ(house: House) -> None:
    """No two answers share a request id."""
    answers: list[Answer] = [await house.ask("GET", "/v1/status") for _ in range(5)]
    assert len({answer.json["request_id"] for answer in answers}) == 5
    assert json.loads(answers[0].body) == answers[0].json
