"""A JSON body, read strictly: what two readers could understand differently is refused.

The limits keep a body cheap: 100 KB, 32 levels, numbers that every JSON reader holds exactly. Whatever comes in, the answer
is a value or a Refusal that says what to change.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.ingress.admission import ROOM
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import arrived

LARGEST_BODY = 100_000  # bytes, the limit of the native API
_LARGE = 1024 * 1024  # bytes; more are read beside the loop
SLOWEST_BODY = 30.0  # seconds for a whole body; a client that needs longer sends a byte now and then
_DEEPEST = 32  # levels; the requests of the API need two
_LARGEST_NUMBER = 2**53 - 1  # beyond it readers that hold numbers as doubles disagree about the value
_LONGEST_DIGITS = 400  # digits of an integer that are converted at all; the conversion's time grows with their square
_SURROGATE = re.compile("[\ud800-\udfff]")
_BROKEN = (ClientPayloadError, HttpProcessingError, web.PayloadAccessError, web.RequestPayloadError, ConnectionError)
# Names by which an object of a JavaScript reader reaches its own machinery.
_FORBIDDEN = frozenset({"__proto__", "constructor", "prototype"})


async def read(request: web.Request, *, within: float = SLOWEST_BODY, most: int = LARGEST_BODY) -> dict[str, Any]:
    """Read the body of a request as a JSON object; Refusal when it is none, ambiguous, over `most` bytes, or later than `within` s."""
    _check_headers(request, most)
    raw = await _collect(request, within, most)
    await arrived(request)
    return parse(raw) if len(raw) <= _LARGE else await asyncio.to_thread(parse, raw)


async def raw(request: web.Request, *, within: float, most: int) -> bytes:
    """Read the body of a request as it is; Refusal when it is packed, over `most` bytes, or later than `within` s."""
    check_coding(request)
    if (request.content_length or 0) > most:
        raise _too_large(most)
    return await _collect(request, within, most)


def parse(raw: bytes) -> dict[str, Any]:
    """Read bytes as one JSON object; Refusal when they are anything else."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _refused("the body begins with a byte order mark; send plain UTF-8 without one")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _refused(f"the body is not UTF-8 (byte {exc.start})") from exc
    if not text.strip():
        raise _refused("the body is empty; send a JSON object")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as exc:
        raise _refused(f"the body is not valid JSON at line {exc.lineno}, column {exc.colno}") from exc
    except RecursionError as exc:
        raise _too_deep() from exc
    if not isinstance(value, dict):
        raise _refused("the body must be a JSON object, such as {…}")
    _walk(value)
    if "\\u0000" in text:
        _check_nul(value)
    return value


def check_coding(request: web.Request) -> None:
    """Refusal for a compressed body: what is small on the line may be large in memory."""
    if any(coding.strip().lower() != "identity" for coding in request.headers.getall("Content-Encoding", [])):
        raise Refusal("unsupported_media_type", "a compressed body is not accepted; send it without Content-Encoding")


def _check_headers(request: web.Request, most: int) -> None:
    check_coding(request)
    if request.content_type != "application/json":
        raise Refusal("unsupported_media_type", "the body must be JSON: send Content-Type: application/json")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Refusal("unsupported_media_type", "the body must be UTF-8: leave the charset out, or send charset=utf-8")
    if (request.content_length or 0) > most:
        raise _too_large(most)


async def _collect(request: web.Request, within: float, most: int) -> bytes:
    """Take the body as it comes, never more than the limit and one piece of it."""
    gathered = bytearray()
    take = request.get(ROOM)
    content = request.content
    if content.is_eof() and content.exception() is None and content.total_bytes <= most:
        piece = content.read_nowait()  # it came with its head, as nearly all do: there is nothing to wait for
        if take is not None:
            take(len(piece))
        return piece
    try:
        async with asyncio.timeout(within):
            async for piece in request.content.iter_any():
                if take is not None:
                    take(len(piece))
                gathered += piece
                if len(gathered) > most:
                    raise _too_large(most)
    except TimeoutError as exc:
        raise Refusal("request_timeout", f"the body did not arrive within {within:g} seconds") from exc
    except _BROKEN as exc:
        raise _refused("the body broke off before its end") from exc
    return bytes(gathered)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise _refused(f"the field {_short(twice)} is there twice; send it once")
    if not _FORBIDDEN.isdisjoint(found):
        raise _refused("the names __proto__, constructor and prototype are not accepted as fields")
    return found


def _constant(written: str) -> float:
    raise _refused(f"{written} is not a JSON number")


def _float(written: str) -> float:
    value = float(written)
    if not math.isfinite(value) or abs(value) > _LARGEST_NUMBER:
        raise _too_far()
    return value


def _integer(written: str) -> int:
    if len(written) > _LONGEST_DIGITS or abs(value := int(written)) > _LARGEST_NUMBER:
        raise _too_far()
    return value


def _walk(value: Any) -> None:
    """Look at every level and text; a stack of our own, so that no depth can exhaust the interpreter's."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        children: Iterable[Any]
        match item:
            case str():
                if not item.isascii() and _SURROGATE.search(item):
                    raise _refused("a text holds half a surrogate pair, such as \\ud800; that is no character")
                continue
            case dict():
                children = [*item, *item.values()]
            case list():
                children = item
            case _:
                continue
        if depth > _DEEPEST:
            raise _too_deep()
        waiting += [(child, depth + 1) for child in children if isinstance(child, str | dict | list)]


def _check_nul(value: dict[str, Any]) -> None:
    """Refusal for the one character that most databases cannot keep; a backslash before its escape makes it another text."""
    field = next(
        (name for name, item in value.items() if "\\u0000" in json.dumps([name, item]).replace("\\\\", "")), None
    )
    if field is not None:
        said = f"{_short(field)} holds the character \\u0000; leave it out"
        raise Refusal("invalid_input", said, field=field if field.isprintable() and len(field) <= 60 else None)


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _refused(said: str) -> Refusal:
    return Refusal("invalid_input", said)


def _too_large(most: int) -> Refusal:
    return Refusal("payload_too_large", f"the body is larger than {most} bytes")


def _too_deep() -> Refusal:
    return _refused(f"the body is nested more than {_DEEPEST} levels deep")


def _too_far() -> Refusal:
    return _refused(f"a number is beyond {_LARGEST_NUMBER}, the largest that every JSON reader holds exactly")
