"""The OpenAPI document: it says what the router, the guard, the menus and the table of errors say."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway import ingress
from gateway.clock import SystemClock
from gateway.ingress.admin import ACTS
from gateway.ingress.callers import Scope
from gateway.ingress.nudges import Nudges
from gateway.ingress.openapi import acts
from gateway.ingress.openapi.calls import CALLS
from gateway.ingress.openapi.document import Route, document, undescribed, written
from gateway.ingress.refusal import CODES
from gateway.ingress.weigh import World
from gateway.providers.catalog import Catalog
from tests.gateway.ingress.house import IMAGE, VIDEO, House, world
from tests.gateway.ingress.test_scopes import TABLE, filled

_METHODS = {"get", "post", "patch", "put", "delete"}
_OF_TESTS = "GET /v1/broken"


@pytest.fixture
async def told(house: House) -> dict[str, Any]:
    """The document as it is served."""
    answer = await house.ask("GET", "/openapi.json", headers={"Authorization": None})
    assert answer.status == 200
    return dict(answer.json)


@pytest.fixture(scope="module")
def small(packs: Catalog) -> dict[str, Any]:
    """A document with two models: its checker takes its time with each."""
    known: World = world(packs)
    plain = [call.replace("{lab}/{model}", "{model:.+}").split(" ", 1) for call in CALLS]
    routes = [Route(method, path, TABLE.get(f"{method} {path}")) for method, path in plain]
    routes.append(Route("POST", "/admin/v1/{act:.+}", Scope.ADMIN))
    given = {name: ("A sentence", takes) for name, (_, takes) in ACTS.items()}
    return document(routes, [known.menus[IMAGE], known.menus[VIDEO]], given, version="1", server="/")


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of everything in a document."""
    for path, item in told["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield method.upper(), path, operation


def test_it_is_what_it_says(small: dict[str, Any]) -> None:
    """The document is OpenAPI 3.1 by the specification's own schema, every reference leads somewhere, no id is there twice."""
    assert [error.message for error in OpenAPIV31SpecValidator(small).iter_errors()] == []


async def test_every_schema_is_one(told: dict[str, Any]) -> None:
    """Each schema of the whole document, every model's among them, is a schema, and takes its own examples."""
    schemas = _local(told["components"]["schemas"])
    Draft202012Validator.check_schema({"$defs": schemas})
    examples = 0
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            examples += 1
            wrong = list(Draft202012Validator({**schema, "$defs": schemas}).iter_errors(example))
            assert wrong == [], name
    assert examples > 50


async def test_every_route_is_in_it_and_the_reverse(house: House, told: dict[str, Any]) -> None:
    """S08: the document holds exactly the routes of the router, each with the scope that opens it."""
    needed = {f"{method} {path}": operation["security"] for method, path, operation in operations(told)}
    table = {call: [{"key": [scope.value]}] if scope else [] for call, scope in TABLE.items() if call != _OF_TESTS}
    admin = table.pop("POST /admin/v1/{act}")
    table |= {f"POST {acts.path(name)}": admin for name in ACTS}
    routes = {call.replace("{model}", "{lab}/{model}"): scopes for call, scopes in table.items()}
    models = {call: scopes for call, scopes in needed.items() if call.split(" ")[1].count("/") == 5 and "{" not in call}
    assert {call: scopes for call, scopes in needed.items() if call not in models} == routes
    of_kind = {f"POST /v1/generate/{card.kind.value}/{card.model}" for card in house.intake.world.menus.values()}
    assert set(models) == of_kind


async def test_every_path_of_it_leads_to_its_route(house: House, told: dict[str, Any]) -> None:
    """S08: with no key at all each path of the document is met by the guard or by its open route, never by nothing."""
    for method, path, operation in operations(told):
        answer = await house.ask(
            method, filled(path.replace("{lab}/{model}", "none/such")), headers={"Authorization": None}
        )
        if operation["security"]:
            assert answer.status == 401, (method, path)
        else:
            assert answer.status in {200, 404}, (method, path)
        assert str(answer.status) in operation["responses"], (method, path)


def test_every_call_that_is_written_about_is_a_route(small: dict[str, Any]) -> None:
    """Nothing is described that no route could be, those of providers that call back among them."""
    nudge = Nudges(b"x", "https://gateway.example").routes(lambda *_: True, SystemClock().sleep)[0]
    known = {call.replace("{lab}/{model}", "{model}") for call in CALLS}
    assert known == (set(TABLE) - {_OF_TESTS, "POST /admin/v1/{act}"}) | {f"{nudge.method} {nudge.path}"}
    assert written("/v1/generate/image/{model:.+}") in small["paths"]


def test_what_nobody_wrote_about_is_told() -> None:
    """A route without a description is left out of the document, and named, so that the log can say so."""
    routes = [Route("GET", "/v1/status", Scope.ACCOUNT_READ), Route("PUT", "/v1/{secret:.+}", None)]
    assert undescribed(routes) == ["PUT /v1/{secret}"]
    assert list(document(routes, [], {}, version="1", server="/")["paths"]) == ["/v1/status"]


def test_every_error_that_can_be_is_in_it(small: dict[str, Any]) -> None:
    """Each error the front rooms raise is an answer of some route, with its status, code and type."""
    answered: set[tuple[str, str]] = set()
    for response in small["components"]["responses"].values():
        for media in response["content"].values():
            narrowed = media["schema"]["properties"].get("error", {"allOf": [0, {}]})["allOf"][1].get("properties", {})
            answered |= (
                {(code, type_) for code in narrowed["code"]["enum"] for type_ in narrowed["type"]["enum"]}
                if narrowed
                else set()
            )
    raised = set(_raised(Path(ingress.__file__).parent))
    assert len(raised) > 20
    before = {405, 414, 417, 431}  # told before any route is looked at; the introduction has them
    missing = {
        name
        for name in raised
        if CODES[name].status not in before and (CODES[name].code, CODES[name].type) not in answered
    }
    assert missing == set()


def test_arguments_of_acts_are_known() -> None:
    """Every argument of every act has a schema of its own, and what an act needs is an argument of it."""
    for name, (_, takes) in ACTS.items():
        schema = acts.arguments(name, takes)
        assert all(schema["properties"].values()), name
        assert set(schema.get("required", ())) <= set(takes), name


async def test_a_model_has_its_own_limits(house: House, told: dict[str, Any]) -> None:
    """What the document says a model takes is what it takes: each listed value and bound is accepted, the next one refused."""
    schema = told["components"]["schemas"][f"Request.{VIDEO.replace('/', '.')}"]
    assert schema["additionalProperties"] is False
    durations = schema["properties"]["generation_duration"]["enum"]
    for duration, status in (
        (durations[0], 200),
        (durations[-1], 200),
        (durations[-1] + 1, 400),
        (durations[0] - 1, 400),
    ):
        body = {"generation_prompt": "x", "generation_duration": duration}
        assert Draft202012Validator(schema).is_valid(body) == (status == 200)
        assert (await house.ask("POST", f"/v1/generate/video/{VIDEO}", body)).status == status, duration


def test_no_price_and_no_provider_state_is_told(small: dict[str, Any]) -> None:
    """What anybody may read holds no price, no address of a provider and nothing of whose credential is set."""
    text = json.dumps(small["components"]["schemas"][f"Request.{IMAGE.replace('/', '.')}"])
    assert not re.search(r"price|credential|https?://(?!example\.com)", text)


def _local(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose references lead to its own definitions."""
    return json.loads(json.dumps(schema).replace("#/components/schemas/", "#/$defs/"))


def _raised(folder: Path) -> Iterator[str]:
    """Every row of the table of errors that a file of a folder names in a Refusal."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and first.value in CODES:
                    yield str(first.value)
