"""What a dialect is: it reads requests and words answers. What happens in between is the same for all of them.

The parts of the kit, each in a file of its own:

- `kit`         what a door is handed to be made with
- `reception`   takes a request in, once however often its client sends it; waits for the end; finds what is under way
- `repeats`     when a request is taken for an earlier one sent again
- `delivery`    what came of it: links a client can follow from where it is, and the bytes
- `wording`     one body for all errors of all doors
- `doors`       the one place that lists them, and where each is mounted

A door says which paths it answers as its clients write them, `/v1` included where they have it, and how it words an error. Mounts
are data: a provider's pack names the prefix that its own clients are pointed at, for no vendor's name stands here. At the root of
the gateway stand those paths that no other door could mean. Every handler is `(request, caller) -> answer`, as the native ones are,
and raises Refusal; behind each stands the guard with a scope, and callers send their key in any way that clients know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aiohttp import web

from gateway.ingress.callers import Caller, Handler, Scope
from gateway.ingress.refusal import Refusal
from gateway.providers.pack import DoorName as Name

__all__ = ["DOOR", "DOOR_OF", "NOBODY", "SPELLINGS", "Door", "Name", "Route", "Worded", "Words", "digest_of", "usual"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
NOBODY = Caller("", "", "", "", frozenset(), 0)  # who asks where no key is asked for


@dataclass(frozen=True, slots=True)
class Worded:
    """How a dialect says an error: status, words and headers of its own, members beside those of all doors, and the media type."""

    status: int
    type: str
    code: str | None
    error_type: str
    param: str | None = None  # the field that is wrong, where the error itself does not say
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    beside: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    media: str = "application/problem+json"


Words = Callable[[Refusal], Worded]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a door. `at_root` says that it stands without a prefix too; without a scope no key is asked for, and NOBODY asks.

    With `knows` it stands at the root alone, for the paths of which that is true. `described` is the path by which the document knows
    it, where another door has the same at the root.
    """

    method: str
    path: str
    scope: Scope | None
    handler: Handler
    at_root: bool = True
    knows: Callable[[str], bool] | None = None
    described: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """One front door. `own` are the first words of the root paths that are its own, for what no route of it answers."""

    name: Name
    routes: Sequence[Route]
    words: Words
    own: tuple[str, ...] = ()


DOOR: web.RequestKey[Door] = web.RequestKey("door", Door)
# Of an application: which door a request came in by, None for the native one.
DOOR_OF: web.AppKey[Callable[[web.Request], Door | None]] = web.AppKey("door_of", Callable)  # type: ignore[arg-type] # a form, no class
# Of an application, by method and path: the path a route of a door is described by, None for another spelling of one.
SPELLINGS: web.AppKey[Mapping[tuple[str, str], str | None]] = web.AppKey("spellings", Mapping)


def usual(refusal: Refusal) -> Worded:
    """Word an error as the table of errors has it, where a dialect has no words of its own."""
    code = refusal.code
    return Worded(code.status, code.type, code.code, code.type)


def digest_of(*parts: Any) -> str:
    """One text for everything a request asks for, the same for the same request; in hexadecimal. Parts are JSON values."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(canonical.encode()).hexdigest()
