"""/admin/v1: the operator's acts over HTTP, for keys with the scope `admin`; the audit names the key that did each."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.ingress import body
from gateway.ingress.admin import ACTS, Office
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.desk import AdminError, NotThere
from gateway.ingress.envelope import success
from gateway.ingress.refusal import Refusal


class Acts:
    """Does acts for whoever holds the scope, on every account."""

    def __init__(self, office: Office) -> None:
        """Do them with what is in this office."""
        self._office = office

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, all behind one scope. They are no part of the native API, and no page of another origin may ask."""
        return [
            web.get("/admin/v1", guard(Scope.ADMIN, self.list_)),
            web.post("/admin/v1/{act:.+}", guard(Scope.ADMIN, self.do)),
        ]

    async def list_(self, request: web.Request, _caller: Caller) -> web.Response:
        """Every act, with the arguments it takes."""
        acts = [
            {"act": name, "path": f"/admin/v1/{name.replace('.', '/')}", "arguments": list(takes)}
            for name, (_, takes) in ACTS.items()
        ]
        return success(request, "Acts retrieved", {"acts": acts})

    async def do(self, request: web.Request, caller: Caller) -> web.Response:
        """Do one act; its arguments are the body."""
        name = request.match_info["act"].rstrip("/").replace("/", ".")
        if name not in ACTS:
            raise Refusal("not_found", f"there is no act {name[:60]!r}; GET /admin/v1 lists them")
        given: dict[str, Any] = dict(await body.read(request)) if request.can_read_body else {}
        try:
            return success(request, "Done", await self._office.do(name, given, actor=caller.key_id))
        except NotThere as error:
            raise Refusal("not_found", str(error)) from error
        except AdminError as error:
            raise Refusal("invalid_input", str(error)) from error
