"""/v1/models: what there is, from memory; many clients call it to try a connection out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web

from gateway.ingress import shelf
from gateway.ingress.callers import Caller
from gateway.ingress.kit import Kit
from gateway.ingress.refusal import Refusal
from gateway.routing.menu import Menu

_SINCE = (
    1735689600  # seconds; when a model came to be is not known, and the clients need a number: the first day of 2025
)


class Models:
    """Answers for models."""

    def __init__(self, kit: Kit) -> None:
        """Answer for those that `kit` offers."""
        self._reception = kit.reception

    async def page(self, _request: web.Request, caller: Caller) -> web.Response:
        """Every model that the key may use, on one page: that API has no more."""
        return _json(listing(self._reception.menus, caller))

    async def one(self, request: web.Request, caller: Caller) -> web.Response:
        """One model, by its name or an alias; the clients write its slash as `%2F`."""
        model = self._reception.name(request.match_info["named"])
        if model not in self._reception.menus or not may_use(caller, model):
            raise Refusal("model_not_found", f"there is no model {model[:200]!r}; GET /v1/models lists what there is")
        return _json(entry(self._reception.menus[model]))


def listing(menus: Mapping[str, Menu], caller: Caller) -> dict[str, Any]:
    """The list of those models that a key may use."""
    data = [entry(card) for card in menus.values() if may_use(caller, card.model)]
    ids = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {"object": "list", "data": data, **ids, "has_more": False}


def entry(card: Menu) -> dict[str, Any]:
    """One model of the list."""
    priced = shelf.pricing(card.prices())
    return {
        "id": card.model,
        "object": "model",
        "created": _SINCE,
        "owned_by": card.model.partition("/")[0],
        "kind": card.kind.value,
        "providers": list(card.providers),
        **({"pricing": priced} if priced is not None else {}),
    }


def may_use(caller: Caller, model: str) -> bool:
    """Whether a key is good for a model."""
    patterns = caller.caps.models
    return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


def _json(body: Mapping[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(body, separators=(",", ":")), content_type="application/json")
