"""/openapi.json and /docs: what may be asked here, for programs and for people.

Made anew when the packs are, by a thread beside the loop: with many models that takes a while.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway import __version__, log
from gateway.ingress.admin import ACTS
from gateway.ingress.callers import Guard
from gateway.ingress.dialect import SPELLINGS
from gateway.ingress.openapi import page
from gateway.ingress.openapi.document import Route, document, undescribed
from gateway.routing.menu import Menu

_VERSION = "/v1"
_LIKE_THIS = {
    "Cache-Control": "no-cache",  # it may be kept, and is asked about each time
    "Vary": "Accept-Encoding",
}
_INERT = {
    "Content-Security-Policy": (
        f"sandbox; default-src 'none'; style-src '{page.STYLE_HASH}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}

_UNWANTED = re.compile(r"q=0(\.0*)?")

Menus = Callable[[], Mapping[str, Menu]]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it is sent: plain, packed, and the tag by which it is known."""

    plain: bytes
    packed: bytes
    tag: str

    @classmethod
    def of(cls, written: str) -> _Text:
        """Pack a text; the tag is weak, for both forms go by it."""
        plain = written.encode()
        return cls(plain, gzip.compress(plain, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')


class Reference:
    """Answers with the document of an application's routes and of the models there are."""

    def __init__(self, application: web.Application, guard: Guard, menus: Menus, server: str) -> None:
        """Tell of the routes of `application`, by the scopes `guard` asks for; `server` is where they are reached."""
        self._application = application
        self._guard = guard
        self._menus = menus
        self._server = server
        self._made: tuple[Mapping[str, Menu], _Text, _Text] | None = None
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The two routes, open to all who reach the address."""
        return [web.get("/openapi.json", self.json), web.get("/docs", self.page)]

    async def json(self, request: web.Request) -> web.Response:
        """The document."""
        text, _ = await self._texts()
        return _answer(request, text, "application/json", {})

    async def page(self, request: web.Request) -> web.Response:
        """The document as a page."""
        _, text = await self._texts()
        return _answer(request, text, "text/html", _INERT)

    async def _texts(self) -> tuple[_Text, _Text]:
        async with self._making:
            menus = self._menus()
            if self._made is None or self._made[0] is not menus:
                self._made = (menus, *await asyncio.to_thread(self._make, menus))
            return self._made[1:]

    def _make(self, menus: Mapping[str, Menu]) -> tuple[_Text, _Text]:
        known = {name: (_sentence(name, act), takes) for name, (act, takes) in ACTS.items()}
        routes = list(served(self._application, self._guard))
        if lacking := undescribed(routes):
            log.event("routes_undescribed", level="error", routes=lacking)
        made = document(routes, menus.values(), known, version=__version__, server=self._server)
        return _Text.of(json.dumps(made, ensure_ascii=False, separators=(",", ":"))), _Text.of(page.html(made))


def served(application: web.Application, guard: Guard) -> Iterator[Route]:
    """Every route of an application under its one name, whatever else it is spelled like."""
    routes = [
        (each.method, each.resource.canonical, each.handler) for each in application.router.routes() if each.resource
    ]
    spellings = application.get(SPELLINGS, {})
    known = {(method, path) for method, path, _ in routes if spellings.get((method, path), path) is not None}
    for method, path, handler in routes:
        plain = spellings.get((method, path), path)
        if plain is None:
            continue
        again = (method, path.removeprefix(_VERSION)) if path.startswith(f"{_VERSION}/") else None
        if method != "HEAD" and again not in known and (path == "/" or not path.endswith("/")):
            yield Route(method, path, guard.scopes.get(handler), plain)


def _sentence(name: str, act: Callable[..., Any]) -> str:
    """What an act is for, as its function says."""
    said = (inspect.getdoc(act) or f"{name}.").partition("\n")[0]
    return said.removesuffix(".")


def _answer(request: web.Request, text: _Text, kind: str, more: Mapping[str, str]) -> web.Response:
    headers = {**_LIKE_THIS, **more, "ETag": text.tag}
    if _is_known(request, text.tag):
        return web.Response(status=304, headers=headers)
    if _takes_packed(request):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=text.packed, headers=headers, content_type=kind, charset="utf-8")
    return web.Response(body=text.plain, headers=headers, content_type=kind, charset="utf-8")


def _takes_packed(request: web.Request) -> bool:
    """Whether the client names the packed form, and not as one it does not want."""
    sent = ",".join(request.headers.getall("Accept-Encoding", [])).lower().replace(" ", "")
    wishes = [wish.partition(";") for wish in sent.split(",")]
    return any(coding == "gzip" and _UNWANTED.fullmatch(weight) is None for coding, _, weight in wishes)


def _is_known(request: web.Request, tag: str) -> bool:
    """Whether the client has it already; tags are compared weakly, as RFC 9110 has it for this header."""
    sent = ",".join(request.headers.getall("If-None-Match", []))
    known = {each.strip().removeprefix("W/") for each in sent.split(",")}
    return "*" in known or tag.removeprefix("W/") in known
