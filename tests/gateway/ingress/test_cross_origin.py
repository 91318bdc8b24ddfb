"""What a page of another origin may do with a browser: ask the API with a key it knows, and nothing else."""

from __future__ import annotations

import pytest

from gateway.ingress.callers import Scope
from tests.gateway.ingress.house import House
from tests.gateway.ingress.test_scopes import filled, routes

_ORIGIN = {"Origin": "https://evil.example"}
_ASKS = {
    **_ORIGIN,
    "Access-Control-Request-Method": "DELETE",
    "Access-Control-Request-Headers": "authorization, x-evil",
}


async def test_no_answer_lets_a_browser_lend_its_credentials(house: House) -> None:
    """S53: on every route, refused or not, any origin may read under /v1 and none elsewhere; credentials are never allowed."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    for method, path in routes(house):
        for headers in (_ORIGIN, {**_ORIGIN, "Authorization": None, "Cookie": "session=1"}):
            answer = await house.ask(method, filled(path), headers=headers)
            allowed = answer.headers.getall("Access-Control-Allow-Origin", [])
            assert allowed == (["*"] if path.startswith("/v1/") else []), (method, path)
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "Set-Cookie" not in answer.headers


async def test_leave_is_given_for_the_api_alone(house: House) -> None:
    """S53: what a browser asks before it asks is answered under /v1 without a key, by a list that does not echo, and nowhere else."""
    for path in {path for _, path in routes(house)}:
        answer = await house.ask("OPTIONS", filled(path), headers={**_ASKS, "Authorization": None})
        if path.startswith("/v1/"):
            assert answer.status == 204
            assert "x-evil" not in answer.headers["Access-Control-Allow-Headers"]
            assert "evil" not in str(answer.headers)
        else:
            assert answer.status == 405, path
            assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("origin", ["null", "https://app.example.com", "*", "https://evil.example:99999"])
async def test_an_origin_is_never_echoed(house: House, origin: str) -> None:
    """S53: whatever origin is named, the answer is the same for all of them, and no cache has to keep them apart."""
    answer = await house.ask("GET", "/v1/status", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
