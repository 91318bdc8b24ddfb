"""Routes, menus and acts → the whole document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.generation import Kind
from gateway.ingress.callers import Scope
from gateway.ingress.openapi import accounts, acts, bodies, calls, catalogs, fronts, hooks, models, parameters, records
from gateway.ingress.openapi.calls import CALLS, Call
from gateway.ingress.openapi.filmed import FILMED
from gateway.ingress.openapi.filmed import SCHEMAS as OF_FILMS
from gateway.ingress.openapi.fronts import FRONTS as OF_PICTURES
from gateway.ingress.openapi.predicted import PREDICTED
from gateway.ingress.openapi.queued import QUEUED
from gateway.ingress.openapi.refusals import ALWAYS, GUARDED, responses
from gateway.ingress.openapi.shapes import Schema, ref
from gateway.routing.menu import Menu

_NAME = re.compile(r"\{([a-z]+)(?::[^{}]*)?\}")
_ACT = "/admin/v1/{act}"
_MODEL = "{model}"

_ABOUT = """\
A self-hosted gateway for generative media: one request shape for every provider, durable jobs, exact credits.

Send an API key as `Authorization: Bearer bye_…`; beside each call stands the scope it needs. Begin a generation, then read it
until `generation_status` is `succeeded`, `failed` or `canceled`, or be told by webhook.

**Errors** have one shape everywhere. Branch on `type` and `retryable`, look up `code`. Where a wait makes sense, `Retry-After`
says how long; every answer carries an `X-Request-Id` for the log. What is no proper HTTP, or is too long or too slow, gets the
same shape with 400, 408, 413, 414, 415, 417 or 431 before any call is looked at; an unknown path answers
404, another method 405 with `Allow`.

**Also answered**: HEAD wherever GET is; the same paths with a slash at the end, and with `/v1` said twice; OPTIONS of a page of
another origin, for everything under `/v1`."""

_TAGS: Mapping[str, str] = MappingProxyType(
    {
        "Generations": "Begin them, follow them, fetch what they made.",
        "Models": "The same call for each model, with the fields that model takes and their limits.",
        "Account": "The key, the account, what was used and what is left.",
        "Library": "What is offered.",
        "Health": "How providers and the gateway's own parts are doing.",
        "Webhooks": "Who is told what became of the work.",
        fronts.TAG: "The same generations, asked for as clients of other APIs do: give them this address and a key of this gateway.",
        "Operator": "What the commands do, for keys with the scope `admin`. Every change is written into the audit.",
        "Operations": "For those who run the gateway.",
    }
)

# The calls of all doors.
FRONTS: Mapping[str, Call] = MappingProxyType({**OF_PICTURES, **FILMED, **PREDICTED, **QUEUED})


@dataclass(frozen=True, slots=True)
class Route:
    """One route as the router has it; without a scope no key is asked for. `known` is the path it is described by, if another."""

    method: str
    path: str
    scope: Scope | None
    known: str = ""


def document(
    routes: Iterable[Route],
    menus: Iterable[Menu],
    known_acts: Mapping[str, tuple[str, Iterable[str]]],
    *,
    version: str,
    server: str,
) -> dict[str, Any]:
    """The document for these routes; `known_acts` gives for each act its sentence and its arguments."""
    cards, used = list(menus), {"Begun": calls.plain({200: calls.BEGUN}, limited=True)["200"]}
    paths: dict[str, dict[str, Any]] = {}
    for route, path, call in _calls(routes, cards, known_acts):
        paths.setdefault(path, _shared(path))[route.method.lower()] = _operation(route, path, call, used)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidegate", "version": version, "description": _ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": says} for name, says in _TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "bearerFormat": "bye_…", "description": "An API key of this gateway."}
            },
            "headers": {**parameters.HEADERS, **fronts.HEADERS},
            "parameters": dict(parameters.SHARED),
            "responses": dict(sorted(used.items())),
            "schemas": _schemas(cards),
        },
    }  # fmt: skip


def undescribed(routes: Iterable[Route]) -> list[str]:
    """The routes that the document leaves out, because nobody wrote about them."""
    found = [f"{route.method} {written(route.known or route.path)}" for route in routes]
    return [each for each in found if each not in CALLS and each not in FRONTS and each != f"POST {_ACT}"]


def written(path: str) -> str:
    """A path of the router as the document writes it: a model is named by two words, and no pattern stands in a name."""
    return _NAME.sub(r"{\1}", path).replace(_MODEL, "{lab}/{model}")


def _calls(
    routes: Iterable[Route], cards: list[Menu], known_acts: Mapping[str, tuple[str, Iterable[str]]]
) -> Iterator[tuple[Route, str, Call]]:
    """Every call there is that somebody wrote about."""
    for route in routes:
        path = written(route.path)
        if path == _ACT:
            for act, (says, takes) in known_acts.items():
                yield route, acts.path(act), calls.of_act(says, acts.arguments(act, takes))
        elif (call := _call(route)) is not None:
            yield route, path, call
            yield from _of_models(route, path, cards)


def _call(route: Route) -> Call | None:
    name = f"{route.method} {written(route.known or route.path)}"
    return CALLS.get(name) or FRONTS.get(name)


def _of_models(route: Route, path: str, cards: list[Menu]) -> Iterator[tuple[Route, str, Call]]:
    for kind in Kind:
        if route.method == "POST" and path == f"{models.prefix(kind)}{{lab}}/{{model}}":
            for card in cards:
                if card.kind is kind:
                    yield route, models.prefix(kind) + card.model, calls.of_model(kind, card.model, _name(card.model))


def _shared(path: str) -> dict[str, Any]:
    names = _NAME.findall(path)
    return {"parameters": [parameters.IN_PATH[name] for name in names]} if names else {}


def _operation(route: Route, path: str, call: Call, used: dict[str, Any]) -> dict[str, Any]:
    """One operation; the responses it refers to are noted in `used`."""
    cases = () if call.refused else (*(GUARDED if route.scope is not None else ALWAYS), *call.cases)
    said: dict[str, Any] = dict(calls.plain(call.answers, limited=route.scope is not None))
    said |= {str(status): ref(name, "responses") for status, name in call.known.items()}
    for status, (name, response) in responses(cases).items():
        if str(status) in said:  # readiness is told in words of its own
            continue
        used[name] = response
        said[str(status)] = ref(name, "responses")
    for status in call.refused:
        used[f"Problem.{status}"] = fronts.problem(status)
        said[str(status)] = ref(f"Problem.{status}", "responses")
    made: dict[str, Any] = {
        "operationId": _operation_id(route.method, path),
        "tags": [call.tag],
        "summary": call.says,
        "responses": dict(sorted(said.items())),
    }
    if route.scope is not None:
        made["security"] = [{"key": [route.scope.value]}]
        made["description"] = f"Needs the scope `{route.scope.value}`."
    else:
        made["security"] = []
    if call.parameters:
        made["parameters"] = list(call.parameters)
    if call.body is not None:
        content = {media: {"schema": schema} for media, schema in {"application/json": call.body, **call.forms}.items()}
        made["requestBody"] = {"required": not call.optional, "content": content}
    return made


def _operation_id(method: str, path: str) -> str:
    return f"{method.lower()}{re.sub(r'[^A-Za-z0-9.-]+', '_', path)}".rstrip("_")


def _name(model: str) -> str:
    return "Request." + re.sub(r"[^A-Za-z0-9._-]", ".", model)


def _schemas(cards: list[Menu]) -> dict[str, Schema]:
    return {
        "ImageRequest": bodies.general(Kind.IMAGE, cards),
        "VideoRequest": bodies.general(Kind.VIDEO, cards),
        **records.SCHEMAS,
        **accounts.SCHEMAS,
        **catalogs.SCHEMAS,
        **hooks.SCHEMAS,
        **fronts.SCHEMAS,
        **OF_FILMS,
        "Readiness": calls.READINESS,
        **{_name(card.model): models.request(card) for card in cards},
    }
