"""/v1/webhooks: who is told what became of an account's work. The same acts as the operator's, held to the caller's account."""

from __future__ import annotations

import secrets as entropy
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.clock import Clock
from gateway.ingress import auditing, body, endpoints
from gateway.ingress.callers import Caller, Guard, Handler, Scope
from gateway.ingress.content import LARGEST_PAGE, USUAL_PAGE, whole
from gateway.ingress.desk import Act, AdminError, Desk, NotThere, Random, Receivers
from gateway.ingress.envelope import success
from gateway.ingress.refusal import Refusal
from gateway.ledger.database import Database

_PREFIX = "webhook_"
DEEPEST_OFFSET = 1_000_000
_NAMES: Mapping[Act, str] = {do: name for name, (do, _) in endpoints.ACTS.items()}


class Webhooks:
    """Answers for an account's endpoints; those of others are not there."""

    def __init__(
        self, store: Database, receivers: Receivers, clock: Clock, *, random: Random = entropy.token_bytes
    ) -> None:
        """Keep endpoints in `store`."""
        self._store = store
        self._receivers = receivers
        self._clock = clock
        self._random = random

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, all behind one scope."""

        def behind(handler: Handler) -> Any:
            return guard(Scope.WEBHOOKS_WRITE, handler)

        one = "/v1/webhooks/{id}"
        plain: tuple[tuple[str, str, Act, str], ...] = (
            ("POST", f"{one}/rotate", endpoints.rotate, "Webhook secret rotated"),
            ("POST", f"{one}/test", endpoints.test, "Webhook test sent"),
            ("POST", f"{one}/drain", endpoints.drain, "Webhook queue is being drained"),
            ("POST", f"{one}/deliveries/{{delivery}}/replay", endpoints.replay, "Webhook delivery replayed"),
            ("GET", one, endpoints.show, "Webhook retrieved"),
            ("DELETE", one, endpoints.delete, "Webhook deleted"),
        )
        return [
            web.get("/v1/webhooks", behind(self.list_)),
            web.post("/v1/webhooks", behind(self.create)),
            web.patch(one, behind(self.update)),
            web.get(f"{one}/deliveries", behind(self.deliveries)),
            *(web.route(method, path, behind(self._plain(act, said))) for method, path, act, said in plain),
        ]

    async def list_(self, request: web.Request, caller: Caller) -> web.Response:
        """Every endpoint of the account."""
        found = (await self._do(endpoints.list_, caller, {}))["webhooks"]
        data = {"webhooks": [_spelled(each) for each in found], "webhooks_total": len(found)}
        return success(request, "Webhooks retrieved", data)

    async def create(self, request: web.Request, caller: Caller) -> web.Response:
        """Make an endpoint; its secret is told this once."""
        given = _read(await body.read(request), "url", "events")
        return success(request, "Webhook created", _spelled(await self._do(endpoints.create, caller, given)))

    async def update(self, request: web.Request, caller: Caller) -> web.Response:
        """Change an endpoint, enable or disable it."""
        given = _read(await body.read(request), "url", "events", "enabled")
        one = {"id": request.match_info["id"]}
        enabled = given.pop("enabled", None)
        if enabled is not None and not isinstance(enabled, bool):
            raise Refusal("invalid_input", "webhook_enabled must be true or false", field="webhook_enabled")
        done = await self._do(endpoints.update if given else endpoints.show, caller, {**one, **given})
        if enabled is not None:
            done = await self._do(endpoints.enable if enabled else endpoints.disable, caller, one)
        return success(request, "Webhook updated", _spelled(done))

    async def deliveries(self, request: web.Request, caller: Caller) -> web.Response:
        """Some deliveries to an endpoint, newest first."""
        given = {
            "id": request.match_info["id"],
            "limit": whole(request, "limit", USUAL_PAGE, 1, LARGEST_PAGE),
            "offset": whole(request, "offset", 0, 0, DEEPEST_OFFSET),
        }
        done = await self._do(endpoints.page, caller, given)
        found = [
            {f"delivery_{name}" if name != "generation_id" else name: value for name, value in each.items()}
            for each in done["deliveries"]
        ]
        return success(request, "Webhook deliveries retrieved", {"webhook_id": done["id"], "deliveries": found})

    def _plain(self, act: Act, said: str) -> Handler:
        """A handler for an act that takes what its path holds and nothing else."""

        async def handle(request: web.Request, caller: Caller) -> web.Response:
            return success(request, said, _spelled(await self._do(act, caller, request.match_info)))

        return handle

    async def _do(self, act: Act, caller: Caller, given: Mapping[str, Any]) -> dict[str, Any]:
        desk = Desk(
            self._store,
            b"",
            self._receivers,
            self._random,
            self._clock.now_ms(),
            actor=caller.key_id,
            act=_NAMES[act],
            said=auditing.said(given),
        )
        try:
            return await act(desk, {**given, "account": caller.account})
        except NotThere as error:
            raise Refusal("not_found", "there is no such webhook or delivery in this account") from error
        except AdminError as error:
            raise Refusal("invalid_input", str(error)) from error


def _read(sent: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The fields of a body without their prefix; Refusal when one means nothing here."""
    known = [f"{_PREFIX}{name}" for name in names]
    unknown = next((name for name in sent if name not in known), None)
    if unknown is not None:
        raise Refusal("invalid_input", f"the body takes {', '.join(known)}; not {unknown[:60]!r}", field=unknown[:60])
    return {name.removeprefix(_PREFIX): value for name, value in sent.items()}


def _spelled(told: Mapping[str, Any]) -> dict[str, Any]:
    """An act's answer in the native spelling."""
    return {"account_id" if name == "account" else f"{_PREFIX}{name}": value for name, value in told.items()}
