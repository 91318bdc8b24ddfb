"""What came of a generation, for a client of a door: links it can follow from where it is, and the bytes themselves."""

from __future__ import annotations

import binascii
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from pybase64 import b64decode, b64encode

from gateway.artifacts.fault import NotStored, OutputFault, StorageFault
from gateway.artifacts.fetch import fetch
from gateway.artifacts.keeper import Limits
from gateway.artifacts.store import Store
from gateway.egress import Policy
from gateway.generation import Kind
from gateway.ingress.outputs import Links
from gateway.ingress.refusal import Refusal
from gateway.ledger.records import Artifact, Record

_TIME = 600.0  # seconds to fetch what is not kept here
_INLINE = "data:"
_PIECE = 64 * 1024  # characters of base64 unpacked at once; a multiple of 4
_PART = 48 * 1024  # bytes turned into base64 at once; a multiple of 3


@dataclass(frozen=True, slots=True)
class Content:
    """One output to be read: its media type, its size in bytes where that is known before, its bytes from first to last."""

    type: str
    size: int | None
    pieces: AsyncIterator[bytes]


class Delivery:
    """Gives outputs to clients of doors, wherever the settings keep them."""

    def __init__(
        self, links: Links, artifacts: Store | None, session: aiohttp.ClientSession, policy: Policy, limits: Limits
    ) -> None:
        """Read from `artifacts`; without it what providers keep is fetched through `session` from where `policy` allows."""
        self._links = links
        self._artifacts = artifacts
        self._session = session
        self._policy = policy
        self._limits = limits

    def origin(self, request: web.Request) -> str:
        """Where the client of this request reaches the gateway."""
        return self._links.origin(request)

    def addresses(self, request: web.Request, record: Record) -> list[str]:
        """Where the client of this request reads each output: at this gateway, at its provider, or in a `data:` URI itself."""
        link = self._links.on(request)
        return [link(record.id, artifact) for artifact in record.artifacts]

    def linking(self, request: web.Request, record: Record) -> Callable[[Artifact], str]:
        """What gives the same for one output, but never the bytes themselves: those are read at this gateway too."""
        link = self._links.on(request)

        def linked(artifact: Artifact) -> str:
            if self.inline(artifact) is not None:
                return self._links.own(request, record.id, artifact)
            return link(record.id, artifact)

        return linked

    def keeps(self, artifact: Artifact) -> Store | None:
        """The store that keeps an output; None for one that its provider keeps, or that came inside an answer."""
        return None if artifact.uri.startswith((_INLINE, "http://", "https://")) else self._artifacts

    @staticmethod
    def inline(artifact: Artifact) -> str | None:
        """The bytes of an output in base64, where they are at hand in that form; None where they have to be read."""
        return artifact.uri.partition(",")[2] if artifact.uri.startswith(_INLINE) else None

    @asynccontextmanager
    async def open(self, record: Record, artifact: Artifact) -> AsyncIterator[Content]:
        """Open one output. Refusal where it cannot be had any more."""
        type_ = artifact.type or "application/octet-stream"
        inline = self.inline(artifact)
        try:
            if inline is not None:
                yield Content(type_, _size_of(inline), _each(_unpacked(inline)))
            elif self._artifacts is not None and not artifact.uri.startswith(("http://", "https://")):
                stored = await self._artifacts.open(artifact.uri)
                yield Content(type_, stored.size, stored.read(0, stored.size))
            else:
                limit = self._limits.image if record.kind is Kind.IMAGE else self._limits.video
                fetching = fetch(self._session, artifact.uri, limit=limit, deadline=_TIME, policy=self._policy)
                async with fetching as arriving:
                    yield Content(artifact.type or arriving.type or type_, arriving.size, arriving.body)
        except NotStored as error:
            raise _lost(record, "the output is not kept any more") from error
        except StorageFault as error:
            raise _lost(record, "the outputs' store failed; read the output by its link later") from error
        except (OutputFault, binascii.Error) as error:
            raise _lost(record, f"the output cannot be had from its provider: {error}") from error


async def encoded(content: Content) -> AsyncIterator[bytes]:
    """The base64 of an output, piece by piece; four characters for every three bytes, and nothing between them."""
    rest = b""
    async for piece in content.pieces:
        held = rest + piece
        whole = len(held) // 3 * 3
        for at in range(0, whole, _PART):
            yield b64encode(held[at : min(at + _PART, whole)])
        rest = held[whole:]
    if rest:
        yield b64encode(rest)


def _lost(record: Record, said: str) -> Refusal:
    """The work is done and paid for: sent again it would be paid for again, so no client is told to."""
    return Refusal("storage_error", said, details={"generation_id": record.id}, retryable=False)


def _size_of(text: str) -> int:
    return len(text) // 4 * 3 - text[-2:].count("=")


def _unpacked(text: str) -> Iterator[bytes]:
    for at in range(0, len(text), _PIECE):
        yield b64decode(text[at : at + _PIECE])


async def _each(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
