"""Where a request carries its API key: in one place, and in the form that the clients of its dialect write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from gateway.ingress.keyform import BRAND
from gateway.ingress.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Ways:
    """How a dialect's clients send a key: schemes of Authorization in small letters, and headers of their own."""

    schemes: frozenset[str]
    headers: tuple[str, ...] = ()


NATIVE = Ways(frozenset({"bearer"}))
# What the clients of the other dialects send when they are given a key and another base address.
CLIENTS = Ways(frozenset({"bearer", "key", "token"}), ("api-key", "x-api-key", "x-key", "x-goog-api-key"))


def presented(request: web.Request, ways: Ways) -> str:
    """The credential a request carries, whatever it is worth; Refusal when there is none, several, or one where none belongs."""
    if _is_astray(request):
        said = "an API key belongs into the header Authorization alone, never into an address or a cookie"
        raise Refusal("authentication_required", said)
    found = list(_found(request, ways))
    if not found:
        raise Refusal("authentication_required", "send an API key: Authorization: Bearer bye_…")
    if len(found) > 1 or found[0] is None:
        raise Refusal("authentication_required", "send one API key: Authorization: Bearer bye_…")
    return found[0]


def _found(request: web.Request, ways: Ways) -> Iterator[str | None]:
    """Every credential of a request; None for an Authorization of another scheme."""
    for sent in request.headers.getall("Authorization", []):
        scheme, _, key = sent.partition(" ")
        yield key.strip(" ") if scheme.lower() in ways.schemes else None
    for name in ways.headers:
        yield from (sent.strip(" ") for sent in request.headers.getall(name, []))


def _is_astray(request: web.Request) -> bool:
    in_query = BRAND in request.query_string and any(value.startswith(BRAND) for value in request.query.values())
    return in_query or BRAND in request.headers.get("Cookie", "")
