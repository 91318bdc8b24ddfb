"""Who may do what: every scope against every route, and one account against another."""

from __future__ import annotations

import pytest

from gateway.generation import State
from gateway.ingress.callers import PRESETS, Scope
from tests.gateway.ingress.house import ACCOUNT, IMAGE, House

WRITE, READ, DELETE = Scope.GENERATION_WRITE, Scope.GENERATION_READ, Scope.GENERATION_DELETE
LIBRARY, HEALTH, OF_ACCOUNT, HOOKS = Scope.LIBRARY_READ, Scope.HEALTH_READ, Scope.ACCOUNT_READ, Scope.WEBHOOKS_WRITE

# Every route there is, without what only spells it in another way. None: no key is asked for.
TABLE: dict[str, Scope | None] = {
    "POST /v1/generate/image/{model}": WRITE,
    "POST /v1/generate/video/{model}": WRITE,
    "GET /v1/estimate/{model}": LIBRARY,
    "GET /v1/content/list": READ,
    "GET /v1/content/{id}": READ,
    "DELETE /v1/content/{id}": DELETE,
    "POST /v1/content/generation/cancel/{id}": DELETE,
    "GET /v1/status": OF_ACCOUNT,
    "GET /v1/usage": OF_ACCOUNT,
    "GET /v1/user/account": OF_ACCOUNT,
    "GET /v1/user/billing": OF_ACCOUNT,
    "GET /v1/health/inference/providers": HEALTH,
    "GET /v1/health/inference/models": HEALTH,
    "GET /v1/health/storage": HEALTH,
    "GET /v1/health/cache": HEALTH,
    "GET /v1/library/models": LIBRARY,
    "GET /v1/library/providers": LIBRARY,
    "GET /v1/webhooks": HOOKS,
    "POST /v1/webhooks": HOOKS,
    "GET /v1/webhooks/{id}": HOOKS,
    "PATCH /v1/webhooks/{id}": HOOKS,
    "DELETE /v1/webhooks/{id}": HOOKS,
    "POST /v1/webhooks/{id}/rotate": HOOKS,
    "POST /v1/webhooks/{id}/test": HOOKS,
    "POST /v1/webhooks/{id}/drain": HOOKS,
    "GET /v1/webhooks/{id}/deliveries": HOOKS,
    "POST /v1/webhooks/{id}/deliveries/{delivery}/replay": HOOKS,
    "GET /admin/v1": Scope.ADMIN,
    "POST /admin/v1/{act}": Scope.ADMIN,
    "GET /v1/broken": HEALTH,  # of the tests: it fails on purpose
    "GET /v1/outputs/{generation}/{file}": None,  # a signed link is its own credential
    "GET /openapi.json": None,
    "GET /docs": None,
    "GET /livez": None,
    "GET /readyz": None,
    "GET /healthz": None,
    "GET /metrics": Scope.METRICS_READ,
}


def routes(house: House) -> list[tuple[str, str]]:
    """Method and path of every route of the running application, each spelling on its own."""
    app = house.client.app
    assert app is not None
    found = {(each.method, each.resource.canonical) for each in app.router.routes() if each.resource is not None}
    return sorted((method, path) for method, path in found if method != "HEAD")


def plain(method: str, path: str) -> str:
    """The one name of a route, whichever way it is spelled."""
    bare = path.rstrip("/") or "/"
    return f"{method} {bare.removeprefix('/v1') if bare.startswith('/v1/v1/') else bare}"


def filled(path: str) -> str:
    """A path that the route takes and that names nothing there is."""
    path = path.replace("{model}", "none/such").replace("{act}", "none/such")
    return path.replace("{id}", "x").replace("{delivery}", "x").replace("{generation}", "x").replace("{file}", "x")


def test_every_route_is_in_the_table(house: House) -> None:
    """S08: a route nobody has thought about is a finding, and so is one that is gone."""
    assert {plain(*route) for route in routes(house)} == set(TABLE)


@pytest.mark.parametrize("scope", Scope)
async def test_a_scope_opens_its_routes_and_no_other(house: House, scope: Scope) -> None:
    """S08, S11: with one scope alone exactly its routes answer; all others refuse, and say what is missing."""
    house.key = await house.new_key(scopes=[scope.value])
    for method, path in routes(house):
        needed = TABLE[plain(method, path)]
        answer = await house.ask(method, filled(path))
        if needed is None:
            continue
        assert (answer.status == 403) == (needed is not scope), (method, path)
        if needed is not scope:
            assert answer.error["code"] == "BSE1003"
            assert needed.value in answer.error["message"]


async def test_without_a_key_nothing_opens(house: House) -> None:
    """S05, S08: every route of the table that needs a scope refuses whoever brings no key."""
    for method, path in routes(house):
        answer = await house.ask(method, filled(path), headers={"Authorization": None})
        if TABLE[plain(method, path)] is not None:
            assert (answer.status, answer.error["code"]) == (401, "BSE1001"), (method, path)


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/admin", "/admin", "/admin/keys/create", "/debug", "/v2/status", "/"])
async def test_an_unknown_route_is_not_there(house: House, path: str) -> None:
    """S08, S11: what has no route answers 404 whoever asks."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert (await house.ask(method, path)).status == 404


def test_no_preset_holds_what_is_apart() -> None:
    """S11: neither the operator's scopes nor the one for webhooks come with a preset, and full access has the six others."""
    apart = {Scope.ADMIN, Scope.METRICS_READ, Scope.WEBHOOKS_WRITE}
    assert all(apart.isdisjoint(scopes) for scopes in PRESETS.values())
    assert set(PRESETS["full_access"]) == set(Scope) - apart


async def test_a_narrow_preset_is_refused_where_it_should_be(house: House) -> None:
    """A key that generates can neither cancel nor read the account, as the native API has it."""
    house.key = await house.new_key(preset="generate_only")
    generation = await house.create()
    assert (await house.ask("GET", f"/v1/content/{generation}")).status == 200
    assert (await house.ask("GET", "/v1/status")).status == 403
    assert (await house.ask("POST", f"/v1/content/generation/cancel/{generation}")).status == 403
    assert await house.state(generation) is State.ACCEPTED


async def test_a_reader_holds_nothing(house: House) -> None:
    """S13: of two keys of one account the one that reads cannot begin, and nothing is held."""
    house.key = await house.new_key(preset="read_only")
    refused = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})
    assert refused.error["code"] == "BSE1003"
    assert (await house.ask("GET", "/v1/user/billing")).data["billing_credit_balance"] == 10
    assert house.jobs.started == []


MODELS = [
    (["bytedance/*"], 200),
    ([IMAGE], 200),
    (["none/*", IMAGE], 200),
    (["none/*"], 403),
    (["bytedance/seedream-4"], 403),
    ([], 200),
]


@pytest.mark.parametrize(("models", "status"), MODELS)
async def test_a_key_may_be_for_some_models(house: House, models: list[str], status: int) -> None:
    """A key with a list of models begins those alone; what it may not is refused before anything is looked at."""
    house.key = await house.new_key(models=models)
    for path in (f"/v1/generate/image/{IMAGE}", f"/v1/generate/image/{IMAGE}/", f"/v1/v1/generate/image/{IMAGE}"):
        answer = await house.ask("POST", path, {"generation_prompt": "x"})
        assert answer.status == status
        assert status == 200 or answer.error["code"] == "BSE1003"


async def test_a_model_has_one_name(house: House) -> None:
    """A list of models is held against the model that is meant, by whichever alias it is asked for."""
    house.key = await house.new_key(models=["bfl/*"])
    asked = await house.ask("POST", "/v1/generate/image/black-forest-labs/flux-schnell", {"generation_prompt": "x"})
    assert asked.status == 200, asked.json
    house.key = await house.new_key(models=["black-forest-labs/*"])
    asked = await house.ask("POST", "/v1/generate/image/black-forest-labs/flux-schnell", {"generation_prompt": "x"})
    assert asked.status == 403


async def test_what_is_anothers_is_like_nothing(house: House) -> None:
    """S09: for another account each id of the first answers exactly as an id that never was."""
    generation = await house.create(headers={"Idempotency-Key": "mine"})
    await house.succeed(generation)
    hook = (await house.act("webhooks.create", account=ACCOUNT, url="https://app.example.com/"))["id"]
    await house.act("accounts.create", account="other")
    scopes = [scope.value for scope in Scope if scope is not Scope.ADMIN]
    house.key = (await house.act("keys.create", account="other", scopes=scopes))["key"]
    nobody = "00000000-0000-4000-8000-000000000000"
    for method, path, mine, none in (
        ("GET", "/v1/content/{}", generation, nobody),
        ("DELETE", "/v1/content/{}", generation, nobody),
        ("POST", "/v1/content/generation/cancel/{}", generation, nobody),
        ("GET", "/v1/webhooks/{}", hook, "we_0"),
        ("DELETE", "/v1/webhooks/{}", hook, "we_0"),
        ("POST", "/v1/webhooks/{}/rotate", hook, "we_0"),
        ("GET", "/v1/webhooks/{}/deliveries", hook, "we_0"),
    ):
        answers = [await house.ask(method, path.format(each)) for each in (mine, none)]
        assert [each.status for each in answers] == [404, 404], path
        assert answers[0].error == answers[1].error
    assert await house.state(generation) is State.SUCCEEDED


async def test_an_idempotency_key_is_of_its_account(house: House) -> None:
    """S15: the same key of two accounts is two."""
    one = await house.create(headers={"Idempotency-Key": "same"})
    await house.act("accounts.create", account="other")
    await house.act("credits.add", account="other", amount=1)
    house.key = (await house.act("keys.create", account="other"))["key"]
    two = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "y"}, headers={"Idempotency-Key": "same"})  # fmt: skip
    assert two.status == 200
    assert two.data["generation_id"] != one


@pytest.mark.parametrize(
    "field", ["account_id", "price", "state", "is_admin", "generation_status", "generation_account"]
)
async def test_a_field_that_is_not_asked_for_is_refused(house: House, field: str) -> None:
    """S10: a body that says more than it may is refused whole."""
    refused = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x", field: "x"})
    assert refused.status in {400, 422}
    assert house.jobs.started == []
