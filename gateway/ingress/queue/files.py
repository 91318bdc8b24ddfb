"""Files handed over before a request: an address to send one to, and where it is read until the request that names it comes.

They are kept in memory, for an hour and by this process alone: the request that names one holds the file itself from then on.
"""

from __future__ import annotations

import asyncio
import re
import secrets as entropy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pybase64 import b64encode

from gateway.artifacts.kinds import identify
from gateway.ingress import body as bodies
from gateway.ingress import form as forms
from gateway.ingress.admission import memory, share
from gateway.ingress.callers import Caller
from gateway.ingress.kit import Kit
from gateway.ingress.refusal import Refusal

_HEAD = 1024  # bytes that say what a file is
_LIFE = 3600.0  # seconds from the beginning until the request that names it
_MOST = 1_000  # files announced and not named yet
_MOST_OF_ONE = 100  # of one account
_TOKEN = re.compile(r"(?P<origin>https?://[^/]+.*)/files/(?P<token>[0-9a-f]{32})")
_GONE = (
    "this file is not kept here, or not any more: files wait an hour for their request, in the process that took them"
)


@dataclass(slots=True)
class _File:
    account: str
    until: float
    data: bytes = b""
    type: str = ""


class Files:
    """Takes files, and puts them into the requests that name them."""

    def __init__(self, kit: Kit, mount: str) -> None:
        """Give addresses under `mount`."""
        self._clock = kit.clock
        self._origin = kit.delivery.origin
        self._mount = mount
        self._room = share(memory())  # bytes of all of them: as much as bodies may take
        self._files: dict[str, _File] = {}

    async def begin(self, request: web.Request, caller: Caller) -> web.Response:
        """Give an address to send a file to; it is that of the file too."""
        await bodies.read(request)  # the name and the type it is announced with; what it is its first bytes say
        self._forget()
        if sum(each.account == caller.account for each in self._files.values()) >= _MOST_OF_ONE:
            said = f"{_MOST_OF_ONE} files of this account are on their way or wait for their request; send that first"
            raise Refusal("rate_limit_exceeded", said, retry_after=60)
        while len(self._files) >= _MOST:
            del self._files[next(iter(self._files))]
        token = entropy.token_hex(16)
        self._files[token] = _File(caller.account, self._clock.monotonic() + _LIFE)
        here = f"{self._origin(request)}{self._mount}/files/{token}"
        return web.json_response({"upload_url": here, "file_url": here})

    async def put(self, request: web.Request, _caller: Caller) -> web.Response:
        """Take a file; its address is the credential."""
        file = self._named(request)
        data = await bodies.raw(request, within=forms.SLOWEST_FORM, most=forms.LARGEST_FILE)
        media = identify(data[:_HEAD])
        if media is None:
            raise Refusal("invalid_input", "the file is no picture or film of a known kind", field="file")
        held = sum(len(each.data) for each in self._files.values()) - len(file.data)
        if held + len(data) > self._room:
            raise Refusal("overloaded", "there is no memory left for this file; try again", retry_after=5)
        file.data, file.type = data, media.type
        return web.json_response({})

    async def get(self, request: web.Request, _caller: Caller) -> web.Response:
        """The file; its address is the credential."""
        file = self._named(request)
        if not file.data:
            raise Refusal("output_not_found", _GONE)
        return web.Response(body=file.data, content_type=file.type)

    async def into(self, request: web.Request, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body with the files that it names put into it."""
        base = f"{self._origin(request)}{self._mount}"
        return {name: await self._put_in(value, base, caller.account) for name, value in body.items()}

    async def _put_in(self, value: Any, base: str, account: str) -> Any:
        if isinstance(value, list):
            return [await self._put_in(each, base, account) for each in value]
        if not isinstance(value, str) or (found := _TOKEN.fullmatch(value)) is None or found["origin"] != base:
            return value
        file = self._known(found["token"])
        if file is None or file.account != account or not file.data:
            raise Refusal("invalid_input", _GONE, field="file")
        return await asyncio.to_thread(_inline, file)

    def _named(self, request: web.Request) -> _File:
        file = self._known(request.match_info["token"])
        if file is None:
            raise Refusal("output_not_found", _GONE)
        return file

    def _known(self, token: str) -> _File | None:
        self._forget()
        return self._files.get(token)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        for token in [token for token, each in self._files.items() if each.until <= now]:
            del self._files[token]


def _inline(file: _File) -> str:
    return f"data:{file.type};base64,{b64encode(file.data).decode()}"
