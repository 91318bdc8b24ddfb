"""Pictures handed over: as JSON, as server-sent events, as bytes. A large one passes through piece by piece."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web
from pybase64 import b64encode

from gateway import log
from gateway.artifacts.fault import OutputFault, StorageFault
from gateway.clock import Clock
from gateway.ingress.delivery import Content, Delivery
from gateway.ingress.envelope import dress
from gateway.ingress.images.wishes import Adjustment, Look, Wishes
from gateway.ingress.images.words import words
from gateway.ingress.reception import Taken, headers, told
from gateway.ingress.refusal import Refusal
from gateway.ledger.records import Artifact, Record, dump

_LARGEST_BOTH = 20 * 1024 * 1024  # bytes of one picture; a larger one goes as a link alone to who did not say which
_AT_ONCE = 128 * 1024  # bytes of an answer that is put together before it is sent: more is more memory than time
_ALIVE = 15.0  # seconds between signs of life on a stream: proxies close what is silent for a minute
_PIECE = 192 * 1024  # bytes turned into base64 at once; a multiple of 3
_NO_USAGE = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
}
_PARTS = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/svg+xml": "svg"}


class Event(StrEnum):
    """What the events of a stream are called."""

    GENERATION = "image_generation"
    EDIT = "image_edit"


@dataclass(frozen=True, slots=True)
class _Picture:
    """One output as JSON will hold it: its link, and its bytes as base64 at hand, or to be read."""

    url: str | None
    text: str | None = None
    content: Content | None = None

    @property
    def size(self) -> int | None:
        """Characters of its base64; None where that is not known before."""
        if self.text is not None:
            return len(self.text)
        if self.content is None:
            return 0
        return None if self.content.size is None else -(-self.content.size // 3) * 4


class Answer:
    """Words the answers of this door."""

    def __init__(self, delivery: Delivery, clock: Clock) -> None:
        """Hand over what `delivery` reads."""
        self._delivery = delivery
        self._clock = clock

    def wants_bytes(self, request: web.Request, wishes: Wishes) -> bool:
        """Whether the client asks for the picture itself; Refusal when it asks for more than one that way."""
        accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
        wants = any(each.startswith("image/") for each in accepted) and "application/json" not in accepted
        if wants and (wishes.stream or wishes.fields.get("count", 1) != 1):
            said = "an answer of bytes holds one picture: leave n and stream out, or accept application/json"
            raise Refusal("invalid_input", said, field="stream" if wishes.stream else "n")
        return wants

    async def file(self, request: web.Request, record: Record, taken: Taken) -> web.StreamResponse:
        """The picture itself."""
        async with self._delivery.open(record, record.artifacts[0]) as content:
            response = web.StreamResponse(headers={**headers(record, taken), "Content-Type": content.type})
            response.content_length = content.size
            return await _send(request, response, content.pieces)

    async def json(self, request: web.Request, record: Record, wishes: Wishes, taken: Taken) -> web.StreamResponse:
        """All pictures in one object."""
        async with AsyncExitStack() as stack:
            pictures = await self._pictures(stack, request, record, wishes.look)
            about = _about(record, wishes)
            own = {**told(record), "coalesced": taken.coalesced}
            own["adjustments"] = [*own["adjustments"], *_adjusted(record, wishes)]
            tail = {**about, "tidegate": own}
            ended = record.ended if record.ended is not None else self._clock.now_ms()
            head = {**headers(record, taken), "Content-Type": "application/json"}
            parts = list(_parts(f'{{"created":{ended // 1000},"data":[', pictures, f"],{dump(tail)[1:]}"))
            length = _length(parts)
            if length is not None and length <= _AT_ONCE:
                return web.Response(body=b"".join([piece async for piece in _pieces(parts)]), headers=head)
            response = web.StreamResponse(headers=head)
            response.content_length = length
            return await _send(request, response, _pieces(parts))

    async def events(
        self, request: web.Request, wishes: Wishes, taken: Taken, event: Event, end: Awaitable[Record]
    ) -> web.StreamResponse:
        """A stream that stays open until the end: signs of life, then one event for each picture, or one for an error."""
        kind = {"Content-Type": "text/event-stream; charset=utf-8", "X-Tidegate-Generation-Id": taken.generation}
        response = web.StreamResponse(headers={**kind, "X-Accel-Buffering": "no"})
        dress(request, response)
        waiting = asyncio.ensure_future(end)
        try:
            await response.prepare(request)
            while not (await asyncio.wait([waiting], timeout=_ALIVE))[0]:
                await response.write(b": keep-alive\n\n")
            await self._write_events(request, response, await waiting, wishes, event)
        except Refusal as refusal:
            await response.write(f"data: {dump(_error(refusal))}\n\n".encode())
        except ConnectionError:
            return response  # nobody is there any more
        finally:
            waiting.cancel()
        await response.write_eof()
        return response

    async def _write_events(
        self, request: web.Request, response: web.StreamResponse, record: Record, wishes: Wishes, event: Event
    ) -> None:
        async with AsyncExitStack() as stack:
            for picture in await self._pictures(stack, request, record, Look.B64):
                async for piece in _event(record, wishes, event, picture):
                    await response.write(piece)

    async def _pictures(
        self, stack: AsyncExitStack, request: web.Request, record: Record, look: Look | None
    ) -> list[_Picture]:
        """Every output of a generation, in the form that was asked for; in both where none was and both can be had."""
        link_of = self._delivery.linking(request, record)
        found = []
        for artifact in record.artifacts:
            text = self._delivery.inline(artifact)
            link = link_of(artifact) if look is not Look.B64 else None
            if look is Look.URL:
                found.append(_Picture(link))
            elif text is not None:
                found.append(_Picture(link, text))
            elif look is None and not _is_at_hand(artifact):
                found.append(_Picture(link))
            else:
                content = await stack.enter_async_context(self._delivery.open(record, artifact))
                found.append(_Picture(link, None, content))
        return found


def _is_at_hand(artifact: Artifact) -> bool:
    """Whether it is kept here, and not too large to be sent twice."""
    return artifact.size is not None and artifact.size <= _LARGEST_BOTH


def _about(record: Record, wishes: Wishes) -> dict[str, Any]:
    """What is known of the pictures, in that API's words."""
    first = record.artifacts[0]
    asked = {**record.plan.get("defaults", {}), **record.request}
    found: dict[str, Any] = {}
    if "background" in asked or "background" in wishes.fields:
        found["background"] = asked.get("background", "opaque")
    if first.type in _PARTS:
        found["output_format"] = _PARTS[first.type]
    if "quality" in asked:
        found["quality"] = asked["quality"]
    if first.width is not None and first.height is not None:
        found["size"] = f"{first.width}x{first.height}"
    return found


def _adjusted(record: Record, wishes: Wishes) -> Iterator[dict[str, str]]:
    """What was done otherwise than asked, the size of the pictures included."""
    first = record.artifacts[0]
    made = f"{first.width}x{first.height}" if first.width is not None and first.height is not None else None
    size = [Adjustment("size", wishes.size, made)] if wishes.size and made and made != wishes.size else []
    yield from ({**asdict(each), "action": "adjusted"} for each in [*wishes.adjusted, *size])


def _parts(head: str, pictures: Sequence[_Picture], tail: str) -> Iterator[str | _Picture]:
    """The whole object in pieces: texts, and pictures whose base64 stands between two of them."""
    text = head
    for index, picture in enumerate(pictures):
        text += "," if index else ""
        link = f'"url":{json.dumps(picture.url)}' if picture.url is not None else ""
        if picture.text is None and picture.content is None:
            text += f"{{{link}}}"
            continue
        yield f'{text}{{{link}{"," if link else ""}"b64_json":"'
        yield picture
        text = '"}'
    yield text + tail


def _length(parts: Sequence[str | _Picture]) -> int | None:
    sizes = [len(part.encode()) if isinstance(part, str) else part.size for part in parts]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


async def _pieces(parts: Sequence[str | _Picture]) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, str):
            yield part.encode()
        else:
            async for piece in _base64(part):
                yield piece


async def _base64(picture: _Picture) -> AsyncIterator[bytes]:
    """A picture's base64, piece by piece."""
    if picture.text is not None:
        for at in range(0, len(picture.text), _PIECE):
            yield picture.text[at : at + _PIECE].encode()
        return
    assert picture.content is not None
    rest = b""
    async for piece in picture.content.pieces:
        held = rest + piece
        whole = len(held) // 3 * 3
        for at in range(0, whole, _PIECE):
            yield b64encode(held[at : min(at + _PIECE, whole)])
        rest = held[whole:]
    if rest:
        yield b64encode(rest)


async def _event(record: Record, wishes: Wishes, event: Event, picture: _Picture) -> AsyncIterator[bytes]:
    """One picture of a stream."""
    name = f"{event.value}.completed"
    yield f'event: {name}\ndata: {{"type":"{name}","b64_json":"'.encode()
    async for piece in _base64(picture):
        yield piece
    ended = (record.ended or 0) // 1000
    usual = {"background": "opaque", "output_format": "png", "quality": "auto", "size": wishes.size or "auto"}
    own = told(record)
    own["adjustments"] = [*own["adjustments"], *_adjusted(record, wishes)]
    tail = {"created_at": ended, **usual, **_about(record, wishes), "usage": _NO_USAGE, "tidegate": own}
    yield f'",{dump(tail)[1:]}\n\n'.encode()


def _error(refusal: Refusal) -> dict[str, Any]:
    """An error after the head of the answer is out."""
    worded = words(refusal)
    told = {"message": refusal.message, "type": worded.type, "code": worded.code, "param": refusal.details.get("field")}
    return {"type": "error", "error": {**told, "details": refusal.details}}


async def _send(request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    dress(request, response)
    try:
        # Read before the status is said: what cannot be had is then told as that.
        first = await anext(pieces, b"")
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        return response  # nobody is there any more
    except (OutputFault, StorageFault) as fault:
        if not response.prepared:
            raise
        # The head is out, so a connection that ends early is the one way to say that this is not all.
        log.event("answer_cut_short", level="warning", reason=str(fault))
        if request.transport is not None:
            request.transport.abort()
    return response
