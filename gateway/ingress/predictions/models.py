"""Models and their versions, with the parameters of each, from memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.generation import Type, Value
from gateway.ingress.callers import Caller
from gateway.ingress.images.models import may_use
from gateway.ingress.kit import Kit
from gateway.ingress.predictions import wishes as reading
from gateway.ingress.refusal import Refusal
from gateway.providers.pack import Answers
from gateway.providers.parameters import Parameter, parameters
from gateway.providers.reverse import Named, version_of
from gateway.routing.menu import Dish

# When a version came to be is not known here, and the clients need a time and a builder that is not of the first years.
_SINCE = "2025-01-01T00:00:00.000000Z"
_BUILDER = "0.15.0"
_INPUT = (reading.INPUT,)
_TYPES: Mapping[Type, Mapping[str, Any]] = {
    Type.TEXT: {"type": "string"},
    Type.INTEGER: {"type": "integer"},
    Type.NUMBER: {"type": "number"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.URL: {"type": "string", "format": "uri"},
    Type.URLS: {"type": "array", "items": {"type": "string", "format": "uri"}},
}


class Models:
    """Answers for models and versions."""

    def __init__(self, kit: Kit, speaks: str | None) -> None:
        """Tell of the models in force; `speaks` is the provider in whose spelling their parameters are told."""
        self._kit = kit
        self._reception = kit.reception
        self._speaks = speaks

    async def one(self, request: web.Request, caller: Caller) -> web.Response:
        """One model with its version."""
        return web.json_response(self._model(request, self._named(request, caller)))

    async def page(self, request: web.Request, caller: Caller) -> web.Response:
        """Every model that the key may use, on one page."""
        spellings, menus = self._reception.spellings, self._reception.menus
        names = (reading.named(spellings, model, self._speaks) for model in menus if may_use(caller, model))
        results = [{**self._model(request, named), "latest_version": None} for named in names]
        return web.json_response({"previous": None, "next": None, "results": results})

    async def versions(self, request: web.Request, caller: Caller) -> web.Response:
        """The versions of a model: there is one."""
        return web.json_response(
            {"previous": None, "next": None, "results": [self._version(self._named(request, caller))]}
        )

    async def version(self, request: web.Request, caller: Caller) -> web.Response:
        """One version of a model."""
        version = self._version(self._named(request, caller))
        if version["id"] != request.match_info["version"]:
            said = f"there is no such version here; the model has one, {version['id']}, or name it without a version"
            raise Refusal("model_not_found", said)
        return web.json_response(version)

    async def deployment(self, request: web.Request, caller: Caller) -> web.Response:
        """A deployment, which here is the model of that name."""
        named = self._named(request, caller)
        owner, _, name = named.name.partition("/")
        version = version_of(named.name)
        release = {
            "number": 1,
            "model": named.name,
            "version": version,
            "created_at": _SINCE,
            "created_by": {"type": "organization", "username": owner, "name": owner, "github_url": None},
            "configuration": {"hardware": "any", "min_instances": 0, "max_instances": 0},
        }
        return web.json_response({"owner": owner, "name": name, "current_release": release})

    def _named(self, request: web.Request, caller: Caller) -> Named:
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        named = reading.named(self._reception.spellings, name, self._speaks)
        if not may_use(caller, named.model):
            raise Refusal("model_not_found", f"there is no model {name[:200]!r} for this key")
        return named

    def _model(self, request: web.Request, named: Named) -> dict[str, Any]:
        owner, _, name = named.name.partition("/")
        menu = self._reception.menus[named.model]
        return {
            "url": f"{self._kit.delivery.origin(request)}/v1/models/{named.name}",
            "owner": owner,
            "name": name,
            "description": f"{named.model}, served by {', '.join(menu.providers)}",
            "visibility": "public",
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": 0,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": self._version(named),
        }

    def _version(self, named: Named) -> dict[str, Any]:
        own = next((each for each in named.spellings if each.provider == self._speaks), None)
        if own is not None:
            pack = self._kit.catalog().models[own.provider, own.model]
            spelled = {way[1]: each for way, each in parameters(pack).items() if way[:1] == _INPUT and len(way) == 2}
            inputs = {str(name): _of(each) for name, each in spelled.items()}
            needed = [str(name) for name, each in spelled.items() if each.is_needed]
        else:
            menu = self._reception.menus[named.model]
            inputs = {name: _of_dish(dish, menu.defaults.get(name)) for name, dish in menu.fields.items()}
            needed = [name for name, dish in menu.fields.items() if dish.needed]
        is_list = self._reception.spellings.answers(named) is Answers.LIST
        output: dict[str, Any] = {"type": "string", "format": "uri"}
        schemas = {
            "Input": {"type": "object", "title": "Input", "required": needed, "properties": _ordered(inputs)},
            "Output": {"type": "array", "items": output, "title": "Output"}
            if is_list
            else {**output, "title": "Output"},
        }
        return {
            "id": version_of(named.name),
            "created_at": _SINCE,
            "cog_version": _BUILDER,
            "openapi_schema": {
                "openapi": "3.0.2",
                "info": {"title": named.name, "version": version_of(named.name)},
                "paths": {},
                "components": {"schemas": schemas},
            },
        }


def _ordered(inputs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: {"title": name, **each, "x-order": index} for index, (name, each) in enumerate(inputs.items())}


def _of(parameter: Parameter) -> dict[str, Any]:
    usual = {"default": parameter.usual} if parameter.usual is not None else {}
    if parameter.type is not None:
        return {**_TYPES[parameter.type], **usual}
    return {**_enum(parameter.values), **usual}


def _of_dish(dish: Dish, usual: Value | None) -> dict[str, Any]:
    default = {"default": usual} if usual is not None else {}
    shape = _enum(list(dish.values)) if dish.values is not None else dict(_TYPES[dish.type])
    return {**shape, **default}


def _enum(values: list[Any]) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    found = {kinds[type(value)] for value in values if type(value) in kinds}
    return {**({"type": found.pop()} if len(found) == 1 else {}), "enum": values}
