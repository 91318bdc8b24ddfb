"""Ways to bend a request: something is wrong with its body, its path, its query, its method or its headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from urllib.parse import quote

from tests.harness.fuzzing.values import TEXTS, bent, nasty
from tests.harness.fuzzing.wire import Request

# fmt: off
_RAW_PATHS = (
    b"%", b"%zz", b"%00", b"%2f", b"%2F..%2F", b"%2e%2e", b"..", b".", b"//", b";a=b", b"%ff%fe", b"%ed%a0%80", b"\xff", b"\xc3\xa9", b"%25", b"%3f", b"*", b"\\",
    b"%0d%0aX-Evil:%201", b"%20", b"+", b"~", b"a" * 300, b"%F0%9F%A6%AD", b"{id}", b"list", b"%E2%80%AE", b"a" * 7_000,
)
_RAW_QUERIES = (
    b"?", b"?&&&", b"?=", b"?a", b"?limit=%zz", b"?limit=1&limit=2", b"?offset=%00", b"?%ff=1", b"?limit=1%202", b"?limit=%D9%A3", b"?days=1e1", b"?limit[]=1",
    b"?limit=1;offset=2", b"?" + b"a=1&" * 900, b"?limit=" + b"9" * 4_000, b"?x=%0d%0aX-Evil:1", b"?count=1&resolution=" + b"r" * 3_000, b"?verbose=%00", b"?audio=TRUE",
    b"?offset=-1", b"?limit=1000000000", b"?duration=NaN", b"?duration=1e9", b"?duration=5&duration=6", b"?count=99999999999999999999",
)
_PATHS = ("/", "/v1", "/v1/", "/v2/status", "/v1/keys", "/admin", "/admin/keys/create", "/v1/content", "/v1/models", "/.env", "/debug", "/console", "/v1/outputs/x", "/metrics/x", "/favicon.ico", "//v1/status", "/v1//status")
_VERBS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "GET", "POST", "TRACE", "get", "FOO", "PROPFIND", "PURGE")
_HEADERS: tuple[tuple[str, bytes], ...] = (
    ("Origin", b"https://evil.example"), ("Origin", b"null"), ("X-HTTP-Method-Override", b"DELETE"), ("X-Original-URL", b"/admin/v1"), ("X-Forwarded-Host", b"evil.example"),
    ("X-Forwarded-Proto", b"javascript"), ("X-Forwarded-For", b"evil, 1.2.3.4,,"), ("X-Forwarded-For", b"," * 3_000), ("X-Forwarded-For", b"[::1%25eth0]:99999"), ("Forwarded", b'for="[evil'),
    ("Accept", b"text/html;q=evil"), ("Accept-Encoding", b"gzip, br;q=2, *"), ("Accept-Encoding", b"identity;q=0"), ("Range", b"bytes=-1"), ("Range", b"bytes=5-1,evil"),
    ("Range", b"bytes=99999999999999999999-"), ("Range", b"bytes=0-0,1-1,2-2"), ("If-None-Match", b'"evil", *'), ("If-Match", b"evil"), ("If-Modified-Since", b"evil"),
    ("If-Unmodified-Since", b"Thu, 01 Jan 1970 00:00:00 GMT"), ("Prefer", b"wait=evil"), ("Prefer", b"wait=00"), ("Prefer", b"wait=-1, wait=0"), ("Prefer", b"respond-async"),
    ("X-Tidegate-Tag", b"EVIL"), ("X-Tidegate-Tag", b"a," * 20), ("X-Tidegate-Tag", b"\xff"), ("Cookie", b"session=evil"), ("X-BabySea-SDK-Version", b"evil" * 900),
    ("User-Agent", b"evil\xff"), ("Expect", b"100-continue"), ("TE", b"trailers"), ("Upgrade", b"websocket"), ("Connection", b"close"), ("X-Request-Id", b"evil"), ("Accept-Language", b"*" * 7_000),
)
_TYPES = (b"", b"text/plain", b"application/json; charset=utf-16", b"application/json; charset=evil", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"multipart/form-data", b"application/json;;;=", b"*/*", b"APPLICATION/JSON", b"application/vnd.api+json", b"\xff", b"application/json; charset=UTF8")
_IDEMPOTENCY = (b"", b"a b", b"evil\xff", b"k" * 256, b'"quoted"', b'""', b"\xe2\x82\xac", b"a,b", b"../x")
# fmt: on


@dataclass(frozen=True, slots=True)
class Meant:
    """What a request was meant to be: the schema of its body and the names of its query."""

    schema: Mapping[str, Any]
    query: Sequence[str]


def bend(request: Request, meant: Meant, dice: Random) -> Request:
    """Bend a request in one way."""
    return dice.choices(_BENDS, _WEIGHTS)[0](request, meant, dice)


def astray(headers: tuple[tuple[str, bytes], ...], dice: Random) -> Request:
    """A request for a path that nobody promised."""
    path = dice.choice(_PATHS).encode() + dice.choice((b"", b"", *_RAW_PATHS))
    return Request(dice.choice(_VERBS), path, headers, notes=("path", "method", "key"))


def _body(request: Request, meant: Meant, dice: Random) -> Request:
    if request.body is None:
        headers = (*request.headers, ("Content-Type", b"application/json"))
        body = dice.choice((b"", b"{}", b"[]", b"x" * 1_000, b'{"a":1}'))
        return replace(request, headers=headers, body=body, notes=(*request.notes, "body"))
    try:
        known = json.loads(request.body)
    except (ValueError, RecursionError):
        known = {}
    text, how = bent(known if isinstance(known, dict) else {}, dice, meant.schema)
    coding = dice.choice(("utf-8",) * 12 + ("utf-16", "latin-1", "utf-8-sig", "utf-32"))
    return replace(request, body=text.encode(coding, "replace"), notes=(*request.notes, "body", how))


def _path(request: Request, _meant: Meant, dice: Random) -> Request:
    path, mark, query = request.target.partition(b"?")
    parts = path.split(b"/")
    at = dice.randrange(1, len(parts))
    raw, part = dice.choice(_RAW_PATHS), parts[at]
    ways = (raw, part + raw, raw + part, _percent(part), part.upper(), _quoted(nasty(dice), 300))
    parts[at] = dice.choice(ways)
    path = b"/".join(parts)
    path = dice.choice((path, path, path, path + b"/", b"/v1" + path, b"/" + path))
    return replace(request, target=path + mark + query, notes=(*request.notes, "path"))


def _query(request: Request, meant: Meant, dice: Random) -> Request:
    value = _quoted(dice.choice((nasty(dice), dice.choice(TEXTS), -1, 10**9, 101, 0)), 2_000)
    own = b"?" + dice.choice(list(meant.query) or ["x"]).encode() + b"=" + value
    path = request.target.partition(b"?")[0]
    return replace(request, target=path + dice.choice((own, own, *_RAW_QUERIES)), notes=(*request.notes, "query"))


def _method(request: Request, _meant: Meant, dice: Random) -> Request:
    headers = request.headers
    if (method := dice.choice(_VERBS)) == "OPTIONS":
        headers = (*headers, ("Origin", b"https://evil.example"), ("Access-Control-Request-Method", b"DELETE"))
    return replace(request, method=method, headers=headers, notes=(*request.notes, "method"))


def _head(request: Request, _meant: Meant, dice: Random) -> Request:
    headers = list(request.headers)
    match dice.randrange(5):
        case 0:
            kind = dice.choice(_TYPES)
            headers = [each for each in headers if each[0] != "Content-Type"]
            headers += [("Content-Type", kind)] if kind else []
        case 1:
            headers += [("Content-Encoding", dice.choice((b"gzip", b"br", b"identity", b"evil", b"gzip, gzip")))]
        case 2:
            headers += [("Idempotency-Key", each) for each in dice.sample(_IDEMPOTENCY, dice.choice((1, 2)))]
        case _:
            headers += dice.sample(_HEADERS, dice.choice((1, 1, 2, 8)))
    return replace(request, headers=tuple(headers), notes=(*request.notes, "headers"))


def _percent(part: bytes) -> bytes:
    return b"".join(f"%{byte:02x}".encode() for byte in part)


def _quoted(value: Any, most: int) -> bytes:
    return quote(str(value)[:most].encode(errors="replace")).encode()


Bend = Callable[[Request, Meant, Random], Request]
_BENDS: tuple[Bend, ...] = (_body, _path, _query, _method, _head)
_WEIGHTS = (45, 15, 12, 8, 20)
