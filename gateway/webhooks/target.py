"""Which addresses an endpoint may have. Asked when it is written down and again before each attempt; no name is resolved.

An endpoint is public, speaks HTTPS and has the default port. Where the operator opened networks, an endpoint inside them may
speak plain HTTP and have any port; that it is inside is checked again when it is dialled.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from urllib.parse import unquote, urlsplit

from gateway.egress import BadAddress, Policy, check_url, is_literal, is_own, place


def check(url: str, policy: Policy, own: Collection[str] = ()) -> None:
    """Refuse an address that no endpoint may have; `own` are the gateway's addresses. Raises `BadAddress`."""
    check_url(url, policy, schemes=("https", "http"))
    if is_own(*place(url), own) or any(_is_within(url, each) for each in own):
        raise BadAddress("the URL is the gateway's own; an endpoint is somebody else's")
    if is_inside(url) and not _may_be_inside(url, policy):
        raise BadAddress("the URL must begin with https:// and have the default port")


def is_inside(url: str) -> bool:
    """Whether the address may only be dialled inside the networks that the operator opened."""
    parts = urlsplit(url)
    return parts.scheme.lower() != "https" or parts.port not in (None, 443)


def _may_be_inside(url: str, policy: Policy) -> bool:
    host, _ = place(url)
    # Of a name it is seen when it is dialled where it leads.
    return policy.opens(host) if is_literal(host) else bool(policy.allow)


def _is_within(url: str, own: str) -> bool:
    one, other = _path(url), _path(own)
    return place(url) == place(own) and (one == other or one.startswith(f"{other}/") or not other)


def _path(url: str) -> str:
    """Give the path as those who stand before a gateway read it: unescaped, without dots and doubled or final slashes."""
    return posixpath.normpath(f"/{unquote(urlsplit(url).path).lstrip('/')}").rstrip("/")
