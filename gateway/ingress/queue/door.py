"""The doors of queued and of waiting requests, put together."""

from __future__ import annotations

from gateway.ingress.callers import Scope
from gateway.ingress.dialect import Door, Name, Route
from gateway.ingress.kit import Kit
from gateway.ingress.queue import names, wishes
from gateway.ingress.queue.again import Again
from gateway.ingress.queue.create import Create
from gateway.ingress.queue.files import Files
from gateway.ingress.queue.follow import Follow
from gateway.ingress.queue.hook import Hook
from gateway.ingress.queue.proxy import Proxy
from gateway.ingress.queue.words import words

# Clients name a request under no more of its model's name than its first words, and other people under all of it.
_REQUEST = "/{app:(?!v1/)[^/]+(?:/[^/]+)*}/requests/{id:[^/]+}"
_MODEL, _WAITED = "/{app:.+}", "/{endpoint:.+}"
_PROXY = "/proxy"
_FILE = "/files/{token}"
_KEYS = "/.well-known/jwks.json"


def doors(kit: Kit) -> tuple[Door, Door]:
    """Open them."""
    known = names.of(kit.catalog().providers)
    again = Again()
    files = Files(kit, known.waiting)
    create, follow, hook = Create(kit, known, again, files), Follow(kit, known, again), Hook(kit.hooks, known)
    proxy = Proxy(create, follow, files, known)
    kit.hooks.dialects[wishes.DIALECT] = hook
    write, read, end = Scope.GENERATION_WRITE, Scope.GENERATION_READ, Scope.GENERATION_DELETE
    queue = Door(
        Name.QUEUE,
        (
            Route("GET", _KEYS, None, hook.keys),
            Route("GET", f"{_REQUEST}/status/stream", read, follow.stream),
            Route("GET", f"{_REQUEST}/status", read, follow.status),
            Route("GET", _REQUEST, read, follow.result),
            Route("PUT", f"{_REQUEST}/cancel", end, follow.cancel),
            Route("POST", _MODEL, write, create.submit, at_root=False),
            Route("POST", "/{named:.+}", write, create.either, knows=lambda path: _names_a_model(kit, known, path)),
        ),
        words(known),
    )
    waiting = Door(
        Name.RUNS,
        (
            Route("POST", _PROXY, write, proxy.begin, at_root=False),
            Route("GET", _PROXY, read, proxy.look, at_root=False),
            Route("PUT", _PROXY, end, proxy.end, at_root=False),
            Route("PUT", _FILE, None, files.put, at_root=False),
            Route("GET", _FILE, None, files.get, at_root=False),
            Route("POST", _WAITED, write, create.run, at_root=False),
        ),
        words(known),
    )
    return queue, waiting


def _names_a_model(kit: Kit, known: names.Names, path: str) -> bool:
    """Whether a path of the root is the name of a model, with an owner before it, and so can mean nothing else."""
    name = path.strip("/")
    return "/" in name and kit.reception.spellings.find(name, known.speaks) is not None
