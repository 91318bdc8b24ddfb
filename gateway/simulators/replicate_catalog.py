"""What Replicate tells about its models and the caller's account."""

from __future__ import annotations

from typing import Any

from gateway.simulators.checking import Field, Kind
from gateway.simulators.jobs import Jobs
from gateway.simulators.replicate_inputs import Model
from gateway.simulators.replicate_models import MODELS, version_of
from gateway.simulators.replicate_words import missing
from gateway.simulators.vendor import Ask, Reply


def account(_ask: Ask, _jobs: Jobs) -> Reply:
    """Tell whose key this is."""
    return Reply(200, {"type": "organization", "username": "simulated", "name": "Simulated", "github_url": None})


def about(ask: Ask, _jobs: Jobs) -> Reply:
    """Tell about one model, with the schema of its latest version."""
    name = _name(ask)
    if name not in MODELS:
        return missing()
    empty = dict.fromkeys(("github_url", "paper_url", "license_url", "cover_image_url", "default_example"))
    found = {
        "url": f"https://replicate.com/{name}",
        "owner": ask.params["owner"],
        "name": ask.params["name"],
        "description": "A simulated model",
        "visibility": "public",
        "run_count": 1,
        **empty,
        "latest_version": _version(name),
    }
    return Reply(200, found)


def versions(ask: Ask, _jobs: Jobs) -> Reply:
    """List a model's versions: there is always one."""
    name = _name(ask)
    if name not in MODELS:
        return missing()
    return Reply(200, {"next": None, "previous": None, "results": [_version(name)]})


def one_version(ask: Ask, _jobs: Jobs) -> Reply:
    """Tell about one version of a model."""
    name = _name(ask)
    if name not in MODELS or ask.params["version"] != version_of(name):
        return missing()
    return Reply(200, _version(name))


def _name(ask: Ask) -> str:
    return f"{ask.params['owner']}/{ask.params['name']}"


def _version(name: str) -> dict[str, Any]:
    return {
        "id": version_of(name),
        "created_at": "2026-01-01T00:00:00.000Z",
        "cog_version": "0.14.0",
        "openapi_schema": _schema(MODELS[name]),
    }


def _schema(model: Model) -> dict[str, Any]:
    properties = {
        name: {"title": name, "x-order": order, **_described(spec)}
        for order, (name, spec) in enumerate(model.inputs.items())
    }
    address = {"type": "string", "format": "uri"}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "components": {
            "schemas": {
                "Input": {
                    "title": "Input",
                    "type": "object",
                    "required": [name for name, spec in model.inputs.items() if spec.required],
                    "properties": properties,
                },
                "Output": {"title": "Output", **({"type": "array", "items": address} if model.is_list else address)},
            }
        },
    }


def _described(spec: Field) -> dict[str, Any]:
    if spec.kind is Kind.URL:
        return {"type": "string", "format": "uri"}
    found: dict[str, Any] = {"type": spec.kind.value}
    if spec.values:
        found["enum"] = list(spec.values)
    if spec.default is not None:
        found["default"] = spec.default
    if spec.item is not None:
        found["items"] = _described(spec.item)
    if spec.kind in (Kind.INTEGER, Kind.NUMBER):
        found |= {name: bound for name, bound in (("minimum", spec.least), ("maximum", spec.most)) if bound is not None}
    return found
