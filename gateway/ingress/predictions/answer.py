"""A prediction as it is sent: with links to its outputs, or with the outputs in it where a client could not follow a link."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.generation import State
from gateway.ingress.delivery import Content, Delivery, encoded
from gateway.ingress.envelope import dress
from gateway.ingress.predictions.prediction import OUTPUT, Asked, prediction, shaped
from gateway.ingress.reception import Taken, headers
from gateway.ledger.records import Record

_LARGEST = (
    20 * 1024 * 1024
)  # bytes of an output that goes into an answer; a larger one goes as a link, whatever its scheme
_AT_ONCE = 128 * 1024  # bytes of an answer that is put together before it is sent: more is more memory than time


@dataclass(frozen=True, slots=True)
class _Whole:
    """An output that stands in the answer as an address holding it."""

    content: Content

    @property
    def size(self) -> int | None:
        """How many characters its base64 has, where that is known before."""
        size = self.content.size
        return None if size is None else -(-size // 3) * 4

    @property
    def head(self) -> bytes:
        """What stands before the base64."""
        return f"data:{self.content.type};base64,".encode()


class Answer:
    """Words the answers of this door."""

    def __init__(self, delivery: Delivery) -> None:
        """Hand over what `delivery` reads."""
        self._delivery = delivery

    async def one(
        self,
        request: web.Request,
        record: Record,
        *,
        status: int = 200,
        said: str | None = None,
        taken: Taken | None = None,
        more: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """One prediction; `said` is how far it is told to be, where that is not how far it is."""
        about = prediction(record, self._delivery.origin(request), status=said)
        head = {**headers(record, taken), **(more or {}), "Content-Type": "application/json"}
        async with AsyncExitStack() as stack:
            outputs = await self._outputs(stack, request, record)
            parts = list(_parts(record, about, outputs))
            length = _length(parts)
            if length is not None and length <= _AT_ONCE:
                whole = b"".join([piece async for piece in _pieces(parts)])
                return web.Response(status=status, body=whole, headers=head)
            response = web.StreamResponse(status=status, headers=head)
            response.content_length = length
            dress(request, response)
            await response.prepare(request)
            async for piece in _pieces(parts):
                await response.write(piece)
            await response.write_eof()
            return response

    def many(self, request: web.Request, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Predictions of a list: their outputs as links, which are short."""
        origin = self._delivery.origin(request)
        return [{**prediction(each, origin), OUTPUT: shaped(each, self._links(request, each))} for each in records]

    def _links(self, request: web.Request, record: Record) -> list[str]:
        if record.state is not State.SUCCEEDED or record.removed is not None:
            return []
        return self._delivery.addresses(request, record)

    async def _outputs(self, stack: AsyncExitStack, request: web.Request, record: Record) -> list[str | _Whole]:
        """The outputs: the clients take an address for a file where it is https or holds the file, and else for a text."""
        found: list[str | _Whole] = []
        for artifact, link in zip(record.artifacts, self._links(request, record), strict=False):
            is_small = artifact.size is not None and artifact.size <= _LARGEST
            if link.startswith("http://") and is_small:
                found.append(_Whole(await stack.enter_async_context(self._delivery.open(record, artifact))))
            else:
                found.append(link)
        return found


def _parts(record: Record, about: Mapping[str, Any], outputs: Sequence[str | _Whole]) -> list[bytes | _Whole]:
    """The whole object in pieces: texts, and outputs that stand between two of them."""
    text = json.dumps(about, separators=(",", ":"), allow_nan=False).encode()
    if not outputs:
        return [text[:-1] + b',"output":null}']
    is_list = len(outputs) > 1 or Asked.of(record).is_list
    parts: list[bytes | _Whole] = [text[:-1] + b',"output":' + (b"[" if is_list else b"")]
    for index, output in enumerate(outputs):
        parts.append(b"," if index else b"")
        parts += [json.dumps(output).encode()] if isinstance(output, str) else [b'"' + output.head, output, b'"']
    return [*parts, b"]}" if is_list else b"}"]


def _length(parts: Sequence[bytes | _Whole]) -> int | None:
    sizes = [len(part) if isinstance(part, bytes) else part.size for part in parts]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


async def _pieces(parts: Sequence[bytes | _Whole]) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            async for piece in encoded(part.content):
                yield piece
