"""Tags: how an app marks a request, so that a route may be for such requests alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiohttp import web

from gateway.ingress.refusal import Refusal

HEADER = "X-Tidegate-Tag"
TAG = re.compile(r"[a-z0-9_.-]{1,64}", re.ASCII)
MOST = 16  # tags of one request; every route is held against each


def of(request: web.Request) -> tuple[str, ...]:
    """The tags of a request, each once; Refusal for what cannot be one."""
    return parse(request.headers.getall(HEADER, []))


def parse(sent: Iterable[str]) -> tuple[str, ...]:
    """Read tags between commas, as a header carries them; Refusal for what cannot be one."""
    found = tuple(dict.fromkeys(part.strip(" \t") for written in sent for part in written.split(",")))
    if len(found) > MOST or not all(TAG.fullmatch(tag) for tag in found):
        said = f"{HEADER} holds up to {MOST} tags between commas, each of 1 to 64 small letters, digits, dots, - or _"
        raise Refusal("invalid_input", said)
    return found
