"""/v1/outputs: stored files by signed link, and the links themselves.

Whoever holds a link may read that one file, so no key is asked for. A link that is wrong, forged or over is answered like one
that never was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

from aiohttp import web
from pybase64 import b64decode, b64encode

from gateway.artifacts.fault import NotStored, StorageFault
from gateway.artifacts.kinds import ALL
from gateway.artifacts.links import output_path, sign, verify
from gateway.artifacts.store import Store, Stored
from gateway.clock import Clock
from gateway.ingress.record import Link
from gateway.ingress.refusal import Refusal
from gateway.ingress.streamed import streamed
from gateway.ledger import generations
from gateway.ledger.database import Database
from gateway.ledger.records import Artifact

_EXTENSIONS: Mapping[str, str] = MappingProxyType({media.type: media.extension for media in ALL})
# Nothing in a file runs or is sent anywhere. What a browser builds around a picture or a film to show it may load that file.
_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
_NOTHING = re.compile(
    r"bytes=-0+", re.ASCII | re.IGNORECASE
)  # a Range for the last no bytes, which there is no part of
_FILE = re.compile(r"(0|[1-9][0-9]{0,5})\.([a-z0-9]{1,5})", re.ASCII)
# An output that was not made ours is kept by the provider's link, or in the link itself.
_ELSEWHERE = ("http://", "https://", "data:")
_INLINE = "data:"

# The link of the store itself to what it keeps under a URI, good for so many seconds; None for what it does not keep.
Straight = Callable[[str, int], str | None]


class Links:
    """Makes the addresses under which callers read outputs, and tells which of them open."""

    def __init__(
        self, secret: bytes, life: int, public_url: str | None, clock: Clock, *, straight: Straight | None = None
    ) -> None:
        """Sign with `secret` for `life` ms; addresses begin with `public_url`, or else with what the request was sent to.

        Where there is `straight`, it gives the store's own links, and they go out in place of ours.
        """
        self._secret = secret
        self._life = life
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock
        self._straight = straight

    def origin(self, request: web.Request) -> str:
        """Where the client of this request reaches the gateway."""
        return self.base(f"{request.scheme}://{request.host}")

    def base(self, usual: str) -> str:
        """Where the gateway is reached: as the settings say, or else as is usual."""
        return self._public_url or usual

    def on(self, request: web.Request) -> Link:
        """Give what makes links for the answer to this request."""
        return self.at(f"{request.scheme}://{request.host}")

    def at(self, origin: str) -> Link:
        """Give what makes links for a message that is no answer; `origin` is where the gateway is reached if nobody said."""
        origin = self._public_url or origin
        expires = (self._clock.now_ms() + self._life) // 1000

        def link(generation: str, artifact: Artifact) -> str:
            if artifact.uri.startswith(_ELSEWHERE):
                return artifact.uri
            if self._straight is not None and (link := self._straight(artifact.uri, self._life // 1000)) is not None:
                return link
            path = output_path(generation, artifact.index, _EXTENSIONS.get(artifact.type or "", "bin"))
            return f"{origin}{path}?{sign(self._secret, path, expires)}"

        return link

    def own(self, request: web.Request, generation: str, artifact: Artifact) -> str:
        """A link to this gateway for an output whose bytes it has, in a store or in the record itself."""
        expires = (self._clock.now_ms() + self._life) // 1000
        path = output_path(generation, artifact.index, _EXTENSIONS.get(artifact.type or "", "bin"))
        return f"{self.origin(request)}{path}?{sign(self._secret, path, expires)}"

    def opens(self, path: str, query: str) -> bool:
        """Whether this query opens this path now."""
        return verify(self._secret, path, query, now_s=self._clock.now_ms() // 1000) is None


class Outputs:
    """Serves stored outputs."""

    def __init__(self, links: Links, store: Database, artifacts: Store | None) -> None:
        """Serve what `store` knows of from where `artifacts` keeps it; without one, what is in the records themselves."""
        self._links = links
        self._store = store
        self._artifacts = artifacts

    def routes(self) -> list[web.RouteDef]:
        """The one route; the link is the credential."""
        return [web.get("/v1/outputs/{generation}/{file}", self.read)]

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Send a file, or the part of it that a Range asks for."""
        generation, file = request.match_info["generation"], request.match_info["file"]
        parts = _FILE.fullmatch(file)
        if parts is None or not self._links.opens(f"/v1/outputs/{generation}/{file}", request.rel_url.raw_query_string):
            _not_found()
        row = await self._store.read(generations.find_any(generation))
        if row is None or row.removed is not None:
            _not_found()
        artifact = next((each for each in row.artifacts if each.index == int(parts[1])), None)
        if artifact is None or _EXTENSIONS.get(artifact.type or "", "bin") != parts[2]:
            _not_found()
        if artifact.uri.startswith(_INLINE):
            data = b64decode(artifact.uri.partition(",")[2])
            return web.Response(body=data, headers=served_as(artifact, file))
        if self._artifacts is None:
            _not_found()
        return await send(request, self._artifacts, artifact, file)


async def send(request: web.Request, artifacts: Store, artifact: Artifact, file: str) -> web.StreamResponse:
    """Send a stored output under the name of a file, or the part of it that a Range asks for; Refusal when it is not there."""
    try:
        stored = await artifacts.open(artifact.uri)
        return await _send(request, stored, artifact, served_as(artifact, file))
    except NotStored:
        _not_found()
    except StorageFault as exc:
        raise Refusal("storage_error", "the outputs' store failed", retry_after=2) from exc


def served_as(artifact: Artifact, file: str) -> dict[str, str]:
    """Give the headers under which a file is sent: shown when it is a picture, film or sound of a known type, else saved."""
    known = artifact.type in _EXTENSIONS
    return {
        "Content-Type": artifact.type if known and artifact.type else "application/octet-stream",
        "Content-Disposition": f'{"inline" if known else "attachment"}; filename="{file}"',
        "X-Content-Type-Options": "nosniff",  # also where the answer has begun before anyone else could add it
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
        # The bytes never change, but whoever shares a cache does not hold the link.
        "Cache-Control": "private, max-age=3600, immutable",
        **({"Repr-Digest": _digest(artifact.sha256)} if artifact.sha256 else {}),
    }


def _digest(sha256: str) -> str:
    """The hash of the whole file, as RFC 9530 writes it: whoever loads it can tell that it is whole, in one piece or in several."""
    return f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"


async def _send(
    request: web.Request, stored: Stored, artifact: Artifact, headers: Mapping[str, str]
) -> web.StreamResponse:
    if _NOTHING.fullmatch(request.headers.get("Range", "").strip()):
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{stored.size}"})
    if stored.path is not None and not request.secure:  # the system copies a file beside the TLS of a line
        return web.FileResponse(stored.path, headers=headers)
    # The hash of the bytes, or where there is none their name: neither is ever given to others.
    return await streamed(request, stored, headers, (artifact.sha256 or f"{artifact.index}")[:32])


def _not_found() -> NoReturn:
    raise Refusal(
        "output_not_found", "there is no such output, or its link is over; read the generation for a fresh one"
    )
