"""What can be asked of a gateway, each as one HTTP request without an origin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gateway import __version__

_PREFIX = "generation_"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeats` when asking again does no harm, however far the first one got."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeats: bool = False

    @property
    def key(self) -> str | None:
        """The Idempotency-Key it carries."""
        return self.headers.get("Idempotency-Key")


def origin_of(url: str) -> str:
    """The address before every path, out of one that may end in /v1 as clients are often told; ValueError when it is none."""
    bare = url.strip().rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(bare)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
    except ValueError:
        parts, wrong = urlsplit(""), True
    if wrong or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"expected a URL such as http://127.0.0.1:8080, found {url!r}")
    return bare


def checked(key: str | None) -> str | None:
    """The key as it is; ValueError when it cannot stand in a header."""
    if key is not None and not (key.isascii() and key.isprintable() and key == key.strip() and key):
        raise ValueError("an API key is one line such as bye_…, without spaces around it")
    return key


def headers_of(key: str | None, call: Call) -> dict[str, str]:
    """Every header of a call."""
    usual = {"Accept": "application/json", "User-Agent": f"tidegate-client/{__version__}"}
    allowed = {"Authorization": f"Bearer {key}"} if key else {}
    typed = {"Content-Type": "application/json"} if call.body is not None else {}
    return {**usual, **allowed, **typed, **call.headers}


def create(
    kind: str,
    model: str,
    fields: Mapping[str, Any],
    *,
    order: str | Sequence[str] | None,
    key: str,
    tags: Sequence[str],
) -> Call:
    """Begin a generation of a `kind`, image or video; `fields` by the native names without their prefix, None left out."""
    body = {_PREFIX + name: value for name, value in fields.items() if value is not None}
    if order is not None:
        body[_PREFIX + "provider_order"] = order if isinstance(order, str) else ", ".join(order)
    headers = {"Idempotency-Key": key, **({"X-Tidegate-Tag": ", ".join(tags)} if tags else {})}
    written = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_sequence).encode()
    return Call("POST", f"/v1/generate/{quote(kind, safe='')}/{quote(model)}", written, headers, repeats=True)


def read(generation: str, tag: str | None = None) -> Call:
    """The record of one generation; nothing of it, and 304, when `tag` is the one that came with it before."""
    headers = {"If-None-Match": tag} if tag is not None else {}
    return Call("GET", f"/v1/content/{quote(generation, safe='')}", headers=headers, repeats=True)


def page(limit: int, offset: int) -> Call:
    """Some records, the newest first."""
    return Call("GET", f"/v1/content/list?{urlencode({'limit': limit, 'offset': offset})}", repeats=True)


def cancel(generation: str) -> Call:
    """Stop a generation. A second one is refused, so it is not repeated blindly."""
    return Call("POST", f"/v1/content/generation/cancel/{quote(generation, safe='')}")


def delete(generation: str) -> Call:
    """Remove a generation and its files. A second one is refused, so it is not repeated blindly."""
    return Call("DELETE", f"/v1/content/{quote(generation, safe='')}")


def estimate(model: str, asked: Mapping[str, Any]) -> Call:
    """The price; what is None is left to the gateway's default."""
    words = {name: _word(value) for name, value in asked.items() if value is not None}
    query = f"?{urlencode(words)}" if words else ""
    return Call("GET", f"/v1/estimate/{quote(model)}{query}", repeats=True)


def models() -> Call:
    """Every model there is."""
    return Call("GET", "/v1/library/models", repeats=True)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"a field holds texts, numbers, booleans or lists of them, not {type(value).__name__}")
