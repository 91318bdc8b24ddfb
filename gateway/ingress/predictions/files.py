"""Files handed over before a prediction.

Nothing is kept of them: the address that a file gets holds the file itself, and comes back in the input of the prediction. So there
is nothing to expire, to find on another replica or to be read by somebody else.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import NoReturn

from aiohttp import web
from pybase64 import b64encode

from gateway.artifacts.kinds import identify
from gateway.clock import Clock, iso
from gateway.ingress import form as forms
from gateway.ingress.callers import Caller
from gateway.ingress.refusal import Refusal

_FIELD, _ABOUT = "content", "metadata"
_HEAD = 1024  # bytes that say what a file is
_LARGE = 1024 * 1024  # bytes; more are converted beside the loop
_DAY = 24 * 60 * 60 * 1000  # ms; that API keeps files for a day


class Files:
    """Answers for files."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time by `clock`."""
        self._clock = clock

    async def create(self, request: web.Request, _caller: Caller) -> web.Response:
        """Take a file, and give the address to put into an input."""
        if not forms.is_form(request):
            raise Refusal("unsupported_media_type", f"send a file as multipart/form-data, under the name {_FIELD}")
        form = await forms.read(request)
        found = [each for each in form.files if each.field != _ABOUT]  # some clients send that as a file too
        file = found[0] if len(found) == 1 and found[0].field == _FIELD else None
        if file is None:
            raise Refusal("invalid_input", f"send one file, under the name {_FIELD}", field=_FIELD)
        media = identify(file.data[:_HEAD])
        if media is None:
            raise Refusal("invalid_input", f"{_FIELD} is no picture or film of a known kind", field=_FIELD)
        digest, address = (
            await asyncio.to_thread(_told, file.data, media.type)
            if len(file.data) > _LARGE
            else _told(file.data, media.type)
        )
        now = self._clock.now_ms()
        told = {
            "id": digest[:40],
            "name": file.field,
            "content_type": media.type,
            "size": len(file.data),
            "etag": digest,
            "checksums": {"sha256": digest},
            "metadata": {},
            "created_at": iso(now),
            "expires_at": iso(now + _DAY),
            "urls": {"get": address},
        }
        return web.json_response(told, status=201)

    async def one(self, _request: web.Request, _caller: Caller) -> NoReturn:
        """Nothing is kept."""
        raise Refusal("not_found", "files are not kept here: the address that was given for one holds it")

    async def page(self, _request: web.Request, _caller: Caller) -> web.Response:
        """No file is kept."""
        return web.json_response({"previous": None, "next": None, "results": []})

    async def delete(self, _request: web.Request, _caller: Caller) -> web.Response:
        """There is nothing left to delete."""
        return web.Response(status=204)


def _told(data: bytes, type_: str) -> tuple[str, str]:
    return hashlib.sha256(data).hexdigest(), f"data:{type_};base64,{b64encode(data).decode()}"
