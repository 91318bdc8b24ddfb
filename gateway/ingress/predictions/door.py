"""The door of predictions, put together."""

from __future__ import annotations

from aiohttp import web

from gateway.ingress.callers import Caller, Scope
from gateway.ingress.dialect import Door, Name, Route
from gateway.ingress.kit import Kit
from gateway.ingress.predictions.answer import Answer
from gateway.ingress.predictions.create import Create
from gateway.ingress.predictions.files import Files
from gateway.ingress.predictions.follow import Follow
from gateway.ingress.predictions.hook import Hook
from gateway.ingress.predictions.models import Models
from gateway.ingress.predictions.words import words

_MODEL = "/v1/models/{owner}/{name}"
_ONE = "/v1/predictions/{id}"


def door(kit: Kit) -> Door:
    """Open it."""
    providers = kit.catalog().providers.values()
    speaks = next((each.id for each in providers if Name.PREDICTIONS in each.doors), None)
    answer, hook = Answer(kit.delivery), Hook(kit.hooks)
    create, follow = Create(kit, answer, speaks), Follow(kit, answer)
    models, files = Models(kit, speaks), Files(kit.clock)
    kit.hooks.dialects[Name.PREDICTIONS] = hook.tell
    write, read, stop, shelf = (
        Scope.GENERATION_WRITE,
        Scope.GENERATION_READ,
        Scope.GENERATION_DELETE,
        Scope.LIBRARY_READ,
    )
    return Door(
        Name.PREDICTIONS,
        (
            Route("POST", "/v1/predictions", write, create.by_version),
            Route("GET", "/v1/predictions", read, follow.page),
            Route("GET", _ONE, read, follow.one),
            Route("POST", f"{_ONE}/cancel", stop, follow.cancel),
            Route("POST", f"{_MODEL}/predictions", write, create.by_model),
            Route("GET", _MODEL, shelf, models.one),
            Route("GET", f"{_MODEL}/versions", shelf, models.versions),
            Route("GET", f"{_MODEL}/versions/{{version}}", shelf, models.version),
            Route("GET", "/v1/models", shelf, models.page, at_root=False, described="/models"),
            Route("GET", "/v1/deployments/{owner}/{name}", shelf, models.deployment),
            Route("POST", "/v1/deployments/{owner}/{name}/predictions", write, create.by_deployment),
            Route("GET", "/v1/account", shelf, _account),
            Route("GET", "/v1/webhooks/default/secret", write, hook.secret),
            # At the root other doors have files too.
            Route("POST", "/v1/files", write, files.create),
            Route("GET", "/v1/files", read, files.page, at_root=False),
            Route("GET", "/v1/files/{id}", read, files.one, at_root=False),
            Route("DELETE", "/v1/files/{id}", write, files.delete, at_root=False),
        ),
        words,
        own=("predictions", "deployments"),
    )


async def _account(_request: web.Request, caller: Caller) -> web.Response:
    """Whose key it is: clients try a connection out with it."""
    account = {"type": "organization", "username": caller.account, "name": caller.account, "github_url": None}
    return web.json_response(account)
