"""Liveness, readiness and metrics: for those who run the gateway.

Probes ask for no key, so on the public address they say yes or no and no more. Metrics tell of everybody's traffic: there
they need a key made for it. An address of the operator's own, where nothing else is served, tells all of it without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ledger.database import Database
from gateway.ledger.program import Program, StoreError

_PATIENCE = 2.0  # seconds for a check; the usual probe gives up sooner or not much later

# What must hold for requests to be taken: None when it does, else why it does not.
Check = Callable[[], Awaitable[str | None]]

# What a scraper accepts → the metrics, and the type of that text.
Render = Callable[[str], tuple[bytes, str]]


class Operations:
    """Answers probes and scrapes."""

    def __init__(self, checks: Mapping[str, Check], render: Render, patience: float = _PATIENCE) -> None:
        """Be ready when every check says so within `patience` s; `render` writes the metrics."""
        self._patience = patience
        self._checks = checks
        self._render = render

    def routes(self) -> list[web.RouteDef]:
        """The probes, open to all who reach the address."""
        return [web.get("/livez", self.live), web.get("/readyz", self.ready), web.get("/healthz", self.ready)]

    def guarded(self, guard: Guard) -> list[web.RouteDef]:
        """The metrics, for keys that may read them."""

        async def metrics(request: web.Request, _caller: Caller) -> web.Response:
            return await self.metrics(request)

        return [web.get("/metrics", guard(Scope.METRICS_READ, metrics))]

    def apart(self) -> list[web.RouteDef]:
        """All of it, for an address of its own; readiness says why."""
        return [
            web.get("/livez", self.live),
            web.get("/readyz", self.explained),
            web.get("/healthz", self.explained),
            web.get("/metrics", self.metrics),
        ]

    async def live(self, _request: web.Request) -> web.Response:
        """Whoever reads this answer knows that the loop runs."""
        return web.Response(text="ok\n")

    async def ready(self, request: web.Request) -> web.Response:
        """Whether requests can be taken; with `?verbose`, check by check. Why not is for the log: it may name a path."""
        said = {name: "failed" if trouble else None for name, trouble in (await self._ask_all()).items()}
        return _readiness(request, said)

    async def explained(self, request: web.Request) -> web.Response:
        """The same; with `?verbose`, each check that failed says why."""
        return _readiness(request, await self._ask_all())

    async def _ask_all(self) -> dict[str, str | None]:
        answers = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
        return dict(zip(self._checks, answers, strict=True))

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._patience):
                return await check()
        except TimeoutError:
            return f"no answer within {self._patience:g} seconds"

    async def metrics(self, request: web.Request) -> web.Response:
        """Every series, written beside the loop: with many labels that takes a while."""
        text, content_type = await asyncio.to_thread(self._render, ",".join(request.headers.getall("Accept", [])))
        return web.Response(body=text, headers={"Content-Type": content_type, "Vary": "Accept"})


def _readiness(request: web.Request, said: Mapping[str, str | None]) -> web.Response:
    troubled = [name for name, trouble in said.items() if trouble]
    status = 503 if troubled else 200
    if "verbose" in request.query:
        checks = {name: trouble or "ok" for name, trouble in said.items()}
        return web.json_response({"ready": not troubled, "checks": checks}, status=status)
    return web.Response(text=f"not ready: {', '.join(troubled)}\n" if troubled else "ok\n", status=status)


def writable(store: Database) -> Check:
    """A check that the store takes changes."""

    async def check() -> str | None:
        try:
            await store.write(_nothing)
        except StoreError as error:
            return str(error)
        return None

    return check


def _nothing() -> Program[None]:
    yield from ()
