"""The parsers of addresses, pictures and signatures: where outputs are, what they are, and who may have them."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway import egress
from gateway.artifacts import fetch, kinds, links
from gateway.artifacts.fault import OutputFault
from gateway.log.redactor import Redactor
from gateway.webhooks import schedule, sign, target
from tests.harness import bent
from tests.harness.parsers import Parser

_POLICY = egress.Policy()
_OPEN = egress.Policy.parse(["127.0.0.0/8", "fd00::/8"])
_NOW = 1_795_305_600_000
_LIMIT = 1000  # bytes of an output
_ADDRESSES = (
    "https://cdn.example.com/a/b.png?sig=a%2Fb&x=1", "http://93.184.216.34:8080/x", "https://xn--bcher-kva.example/", "https://bücher.example/ü",
    "https://[2606:4700::1111]/", "http://127.0.0.1/", "http://[::ffff:10.0.0.1]/", "https://a.example:443/#frag", "https://a.example",
    "data:image/png;base64,iVBORw0KGgo=", "data:,plain%20text", "data:text/html,<b>", "/relative/x.png", "//other.example/x", "../up", "?q",
    "https://user:pass@a.example/", "http://2130706433/", "http://0x7f.1/", "https://a.example:99999/", "https://localhost/", "ftp://a.example/",
)  # fmt: skip
_OWN = ("http://127.0.0.1:8080", "https://gate.example/path")
_SECRETS = tuple(f"whsec_{base64.b64encode(bytes(range(size))).decode()}" for size in (1, 23, 24, 32, 64, 65))
_PATHS = (links.output_path("0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11", 0, "png"), links.output_path("gen", 12, "mp4"))
_KEY = b"a secret of the tests"
_WAITS = (
    "5",
    "120",
    "999999999",
    "Sun, 22 Nov 2026 00:00:05 GMT",
    "Sun, 22 Nov 2026 00:00:05 +0100",
    "Sunday, 22-Nov-26 00:00:05 GMT",
)
_LOGGED = (
    "POST https://api.example/v1?key=abcdef0123 HTTP/1.1 Authorization: Bearer sk-abcdefghijklmnop",
    '{"x-api-key": "abcdef", "token": "a\\"b"}', "{'x-api-key': 'abcdef'}",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg", "postgresql://user:secret@host/db", "https://https://https://a", 'secret="\\\\\\\\\\"', "key='",
)  # fmt: skip
_SECRET = "ä secret/of+the tests"
_REDACTOR = Redactor()
_REDACTOR.register(_SECRET)


class _Far:
    """A client session that dials nobody: it notes whom it would have asked, and answers with one redirect, then nothing."""

    def __init__(self, location: str | None) -> None:
        self.cookie_jar = aiohttp.DummyCookieJar()
        self.headers: dict[str, str] = {}
        self.auth = None
        self.trust_env = self.auto_decompress = False
        self.asked: list[URL] = []
        self._location = location

    async def get(self, url: URL, **_options: Any) -> _Came:
        """Note whom it is about."""
        self.asked.append(url)
        return _Came(self._location if len(self.asked) == 1 else None)


class _Came:
    """An answer without a body."""

    content_length = None

    def __init__(self, location: str | None) -> None:
        self.status = 200 if location is None else 302
        self.headers = CIMultiDict({"Location": location} if location is not None else {})
        self.content = self

    async def readany(self) -> bytes:
        """Its end."""
        return b""

    def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


def _output(dice: Random) -> tuple[str, str | None]:
    return bent.text(dice, _ADDRESSES), bent.header(dice, _ADDRESSES) if dice.random() < 0.3 else None


def _fetched(given: tuple[str, str | None]) -> tuple[bytes, list[URL]]:
    async def take() -> tuple[bytes, list[URL]]:
        far: Any = _Far(given[1])
        async with fetch.fetch(far, given[0], limit=_LIMIT, deadline=10, policy=_POLICY) as arriving:
            return b"".join([piece async for piece in arriving.body]), far.asked

    return asyncio.run(take())


def _unlike_an_output(_given: Any, found: tuple[bytes, list[URL]]) -> str | None:
    data, asked = found
    return next(filter(None, map(_unfit, asked)), None) or (f"{len(data)} bytes" if len(data) > _LIMIT else None)


def _unfit(url: URL) -> str | None:
    """Why an address must not be dialled, as the client that dials reads it."""
    if url.scheme not in {"http", "https"} or url.user is not None or not url.raw_host:
        return f"it would ask {url}"
    try:
        literal = ip_address(url.raw_host)
    except ValueError:
        return None
    return f"it would dial {literal}" if _POLICY.refusal(literal) else None


def _address(dice: Random) -> tuple[str, bool]:
    return bent.text(dice, _ADDRESSES), dice.random() < 0.3


def _checked(given: tuple[str, bool]) -> str:
    url, is_open = given
    policy = _OPEN if is_open else _POLICY
    target.check(url, policy, _OWN)
    target.is_inside(url)
    return url


def _unlike_an_endpoint(given: tuple[str, bool], url: str) -> str | None:
    """What is taken for an endpoint's address the client that posts reads the same way."""
    there, parts = URL(url), urlsplit(url)
    if there.scheme != parts.scheme.lower() or there.port != (parts.port or {"http": 80, "https": 443}[there.scheme]):
        return f"it is read as {there!r}"
    if parts.hostname and parts.hostname.isascii() and _plain(there.raw_host or "") != _plain(parts.hostname):
        return f"its host is {there.raw_host!r} to one and {parts.hostname!r} to the other"
    return None if given[1] else _unfit(there)


def _plain(host: str) -> str:
    """A host in the one spelling it is compared in."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host.rstrip(".")


def _picture(dice: Random) -> bytes:
    return bent.data(dice, _HEADS)


def _box(*brands: bytes) -> bytes:
    return (16 + 4 * len(brands) - 4).to_bytes(4, "big") + b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])


_HEADS = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x02\0\x08\x06\0\0\0", b"GIF89a\x10\0\x20\0", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(11) + b"\xff\xc0\0\x11\x08\x01\0\x02\0\x03",
    b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a\x10\0\x10\0", b"RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2f\x0f\xc0\x03\0", b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0",
    _box(b"avif", b"mif1") + b"\0\0\0\x14ispe\0\0\0\0\0\0\x04\0\0\0\x02\0" * 2, _box(b"isom", b"iso2", b"mp41") + b"\0\0\0\x08moov", _box(b"qt  "), _box(b"M4A "),
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", b"ID3\x04\0", b"RIFF\x24\0\0\0WAVEfmt ", b"<svg xmlns='x'>", b"%PDF-1.7", b"\x7fELF", b"<!DOCTYPE html>",
)  # fmt: skip


def _told(given: bytes) -> Any:
    media = kinds.identify(given)
    size = kinds.measure(media, given) if media is not None else None
    admitted = [
        kinds.admit(given, kind) for kind in ("image", "video", "audio") if media is not None and media.kind == kind
    ]
    return media, size, admitted


def _unlike_media(given: bytes, found: Any) -> str | None:
    media, size, admitted = found
    if media is not None and media not in kinds.ALL:
        return f"{media!r} is in no list"
    if size is not None and not (0 < size.width < 2**32 and 0 < size.height < 2**32):
        return f"a picture of {size}"
    if admitted and size is not None and size.width * size.height > kinds.MOST_PIXELS:
        return f"a picture of {size} is taken"
    return (
        "a page, a program or a drawing is media"
        if media is not None and given[:4] in {b"<svg", b"%PDF", b"\x7fELF", b"<!DO"}
        else None
    )


def _signed(dice: Random) -> tuple[str, str]:
    return bent.text(dice, _SECRETS), dice.choice(_PATHS)


def _secret(given: tuple[str, str]) -> str:
    return sign.check(given[0])


def _unlike_a_secret(_given: Any, secret: str) -> str | None:
    size = len(base64.b64decode(secret.removeprefix("whsec_")))
    sign.standard(secret, "id", 1, b"{}")
    sign.native(secret, 1, b"{}")
    return None if 24 <= size <= 64 else f"a secret of {size} bytes"


def _link(dice: Random) -> tuple[str, str]:
    path = dice.choice(_PATHS)
    good = tuple(links.sign(_KEY, each, _NOW // 1000 + late) for each in _PATHS for late in (-1, 0, 60))
    return bent.text(dice, _PATHS) if dice.random() < 0.3 else path, bent.text(dice, good)


def _unlike_a_link(given: tuple[str, str], refusal: links.Refusal | None) -> str | None:
    """What opens is exactly what is signed for a time to come."""
    path, query = given
    expires = query.partition("&")[0].removeprefix("expires=")
    is_ours = (
        expires.isascii()
        and expires.isdigit()
        and hmac.compare_digest(
            links.sign(_KEY, path, int(expires[:30])).encode(), query.encode("utf-8", "surrogatepass")
        )
    )
    is_open = is_ours and int(expires) > _NOW // 1000
    return None if (refusal is None) == is_open else f"it is {refusal}"


def _retried(given: str) -> int | None:
    return schedule.retry_after(given, _NOW)


def _unlike_a_wait(_given: str, asked: int | None) -> str | None:
    last = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp() * 1000) + 86_400_000
    return None if asked is None or (type(asked) is int and 0 <= asked <= last) else f"a wait of {asked!r} ms"


def _line(dice: Random) -> str:
    return bent.text(dice, (*_LOGGED, f"the {_SECRET} is here", base64.b64encode(f"xx{_SECRET}yy".encode()).decode()))[
        :8_190
    ]


def _unlike_a_line(_given: str, found: str) -> str | None:
    return "the secret is in it" if _SECRET in found else None


_SHARES: tuple[tuple[str, float, Callable[[Random], Any], Callable[[Any], Any], tuple[type[Exception], ...], Callable[[Any, Any], str | None]], ...] = (
    ("outputs", 60, _output, _fetched, (OutputFault,), _unlike_an_output),
    ("endpoints", 120, _address, _checked, (egress.BadAddress,), _unlike_an_endpoint),
    ("media", 120, _picture, _told, (OutputFault,), _unlike_media),
    ("secrets", 60, _signed, _secret, (ValueError,), _unlike_a_secret),
    ("links", 80, _link, lambda given: links.verify(_KEY, *given, now_s=_NOW // 1000), (), _unlike_a_link),
    ("retry_after", 80, lambda dice: bent.header(dice, _WAITS), _retried, (), _unlike_a_wait),
    ("redactor", 40, _line, _REDACTOR.redact, (), _unlike_a_line),
)  # fmt: skip
PARSERS = tuple(Parser(*each) for each in _SHARES)
