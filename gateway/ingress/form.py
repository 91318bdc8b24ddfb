"""A multipart body, read piece by piece and within limits: its texts and its files, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import BodyPartReader, ClientPayloadError, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.ingress.admission import ROOM
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import arrived

LARGEST_FILE = 20 * 1024 * 1024  # bytes; the least of what the providers that take files accept
LARGEST_FORM = 64 * 1024 * 1024  # bytes of all files together
SLOWEST_FORM = 120.0  # seconds for a whole body: the largest at 4 Mbit/s
_LONGEST_TEXT = 100_000  # bytes of one text, as much as a whole body of the native API
_MOST_PARTS = 100
_LONGEST_NAME = 100  # characters
_BROKEN = (ClientPayloadError, HttpProcessingError, web.PayloadAccessError, web.RequestPayloadError, ConnectionError)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent, under the name of its field."""

    field: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What a multipart body holds: each text under its field, and the files."""

    texts: tuple[tuple[str, str], ...]
    files: tuple[File, ...]


def is_form(request: web.Request) -> bool:
    """Whether the body of a request says that it is one."""
    return request.content_type == "multipart/form-data"


async def read(request: web.Request, *, within: float = SLOWEST_FORM) -> Form:
    """Read the body of a request; Refusal when it is no form, too large, or later than `within` s."""
    texts: list[tuple[str, str]] = []
    files: list[File] = []
    left = LARGEST_FORM
    take = request.get(ROOM) or _unheld
    try:
        async with asyncio.timeout(within):
            reader = await request.multipart()
            for _ in range(_MOST_PARTS + 1):
                part = await reader.next()
                if part is None:
                    break
                field = _field(part)
                assert isinstance(part, BodyPartReader)
                is_file = part.filename is not None
                most = min(LARGEST_FILE if is_file else _LONGEST_TEXT, left)
                data = await _content(part, most, field, take)
                left -= len(data)
                if is_file:
                    files.append(File(field, data))
                else:
                    texts.append((field, _text(field, data)))
            else:
                raise Refusal("invalid_input", f"the form has more than {_MOST_PARTS} parts")
    except TimeoutError as exc:
        raise Refusal("request_timeout", f"the body did not arrive within {within:g} seconds") from exc
    except _BROKEN as exc:
        raise Refusal("invalid_input", "the body broke off before its end") from exc
    except (ValueError, AssertionError, RuntimeError, LookupError) as exc:
        # The library tells so of boundaries, heads and codings that it cannot read.
        raise Refusal("invalid_input", "the body is no well-formed multipart/form-data") from exc
    await arrived(request)
    return Form(tuple(texts), tuple(files))


def _field(part: BodyPartReader | MultipartReader) -> str:
    if isinstance(part, MultipartReader):
        raise Refusal("invalid_input", "a form within a form is not accepted; send each file as a part of its own")
    if part.name is None or not 0 < len(part.name) <= _LONGEST_NAME:
        raise Refusal("invalid_input", f"each part of the form needs a name of at most {_LONGEST_NAME} characters")
    coding = part.headers.get("Content-Encoding", part.headers.get("Content-Transfer-Encoding", "binary")).lower()
    if coding not in {"binary", "8bit", "7bit", "identity"}:
        raise Refusal("unsupported_media_type", f"{part.name}: send the part as it is, without {coding[:40]}")
    return part.name


async def _content(part: BodyPartReader, most: int, field: str, take: Callable[[int], None]) -> bytes:
    gathered = bytearray()
    while piece := await part.read_chunk(64 * 1024):
        take(len(piece))
        gathered += piece
        if len(gathered) > most:
            raise Refusal("payload_too_large", f"{field} is larger than {most} bytes", field=field)
    return bytes(gathered)


def _text(field: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Refusal("invalid_input", f"{field} is not UTF-8", field=field) from exc


def _unheld(_size: int) -> None:
    """Nobody counts."""
