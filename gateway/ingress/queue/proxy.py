"""The same calls through one address: one of the clients sends each to a proxy and names the address it meant in a header.

That address is a name of a call and nothing else. It is never asked, nor anything it leads to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web

from gateway.ingress.callers import Caller
from gateway.ingress.queue.create import Create
from gateway.ingress.queue.files import Files
from gateway.ingress.queue.follow import Follow, checked
from gateway.ingress.queue.names import Names
from gateway.ingress.refusal import Refusal

_TARGET = "target-url"
_LONGEST = 4096
_UPLOAD = "storage/upload/initiate"
_REQUEST = re.compile(r"(?P<app>.+)/requests/(?P<id>[^/]+)(?P<rest>|/status|/status/stream|/cancel)", re.DOTALL)


class Host(StrEnum):
    """Which of that API's hosts an address meant: the first word of the host says it."""

    QUEUE = "queue"
    FILES = "rest"
    WAIT = ""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was meant, taken apart."""

    host: Host
    path: str
    query: Mapping[str, str]


def target(written: str | None, header: str) -> Target:
    """Take an address apart; Refusal for what is none."""
    try:
        parts = urlsplit(written or "")
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if written is None or len(written) > _LONGEST or parts.scheme not in {"https", "http"} or not host:
        said = f"send {header}: the address that the call would go to without this proxy"
        raise Refusal("invalid_input", said, field=header)
    first = host.partition(".")[0]
    found = next((each for each in Host if each.value == first), Host.WAIT)
    return Target(found, unquote(parts.path).strip("/"), dict(parse_qsl(parts.query, keep_blank_values=True)))


class Proxy:
    """Answers what was meant for other addresses."""

    def __init__(self, create: Create, follow: Follow, files: Files, names: Names) -> None:
        """Hand on to these."""
        self._files = files
        self._create = create
        self._follow = follow
        self._names = names

    async def begin(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """A call that begins something."""
        asked = self._target(request)
        match asked.host:
            case Host.QUEUE:
                return await self._create.queued(request, caller, asked.path, self._names.mount, asked.query)
            case Host.WAIT:
                return await self._create.waited(request, caller, asked.path)
            case Host.FILES if asked.path == _UPLOAD:
                return await self._files.begin(request, caller)
            case Host.FILES:
                raise _no_files()

    async def look(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """A call that reads something."""
        asked = self._target(request)
        found = _REQUEST.fullmatch(asked.path) if asked.host is Host.QUEUE else None
        if found is None:
            raise _unknown(asked)
        generation = checked(found["id"])
        match found["rest"]:
            case "":
                return await self._follow.fetched(request, caller, generation)
            case "/status":
                return await self._follow.told(request, caller, generation, asked.query)
            case "/status/stream":
                return await self._follow.streamed(request, caller, generation, asked.query)
            case _:
                raise _unknown(asked)

    async def end(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """A call that ends something."""
        asked = self._target(request)
        found = _REQUEST.fullmatch(asked.path) if asked.host is Host.QUEUE else None
        if found is None or found["rest"] != "/cancel":
            raise _unknown(asked)
        return await self._follow.canceled(request, caller, checked(found["id"]))

    def _target(self, request: web.Request) -> Target:
        header = self._names.header(_TARGET)
        if header is None:
            raise Refusal("not_found", "no provider's file says in which header its clients name what they mean")
        return target(request.headers.get(header), header)


def _unknown(asked: Target) -> Refusal:
    return Refusal("not_found", f"there is nothing here for {asked.host.value} /{asked.path[:100]}")


def _no_files() -> Refusal:
    said = (
        "of the calls about files only the one that begins an upload in one piece is answered here; give larger ones as"
        " public addresses"
    )
    return Refusal("invalid_input", said, field="file")
