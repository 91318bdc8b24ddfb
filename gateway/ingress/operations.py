"""Liveness, readiness and metrics: for those who run the gateway. No key is asked for, and nothing here tells of callers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.ledger.database import Database
from gateway.ledger.program import Program, StoreError

_PATIENCE = 2.0  # seconds for a check; the usual probe gives up sooner or not much later

# What must hold for requests to be taken: None when it does, else why it does not.
Check = Callable[[], Awaitable[str | None]]


class Operations:
    """Answers probes and scrapes."""

    def __init__(
        self, checks: Mapping[str, Check], render: Callable[[], bytes] | None, patience: float = _PATIENCE
    ) -> None:
        """Be ready when every check says so within `patience` s; `render` writes the metrics, None serves none."""
        self._patience = patience
        self._checks = checks
        self._render = render

    def routes(self) -> list[web.RouteDef]:
        """The routes, open to all who reach the address."""
        metrics = [web.get("/metrics", self.metrics)] if self._render else []
        return [
            web.get("/livez", self.live),
            web.get("/readyz", self.ready),
            web.get("/healthz", self.ready),
            *metrics,
        ]

    async def live(self, _request: web.Request) -> web.Response:
        """Whoever reads this answer knows that the loop runs."""
        return web.Response(text="ok\n")

    async def ready(self, request: web.Request) -> web.Response:
        """Whether requests can be taken; with `?verbose`, check by check."""
        said = dict(
            zip(self._checks, await asyncio.gather(*(self._ask(check) for check in self._checks.values())), strict=True)
        )
        status = 503 if any(said.values()) else 200
        if "verbose" in request.query:
            checks = {name: trouble or "ok" for name, trouble in said.items()}
            return web.json_response({"ready": status == 200, "checks": checks}, status=status)
        troubled = [name for name, trouble in said.items() if trouble]
        return web.Response(text="ok\n" if not troubled else f"not ready: {', '.join(troubled)}\n", status=status)

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._patience):
                return await check()
        except TimeoutError:
            return f"no answer within {self._patience:g} seconds"

    async def metrics(self, _request: web.Request) -> web.Response:
        """Every series, written beside the loop: with many labels that takes a while."""
        assert self._render is not None, "the route is there only with something to render"
        text = await asyncio.to_thread(self._render)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


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
