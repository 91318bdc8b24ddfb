"""Which addresses an endpoint may have. Asked when it is written down and again before each attempt; no name is resolved.

An endpoint is public, speaks HTTPS and has the default port. Where the operator opened networks, an endpoint inside them may
speak plain HTTP and have any port; that it is inside is checked again when it is dialled.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.egress import BadAddress, Policy, check_url

_LOOPBACK = "127.0.0.1"


def check(url: str, policy: Policy, own: Iterable[str] = ()) -> None:
    """Refuse an address that no endpoint may have; `own` are the gateway's addresses. Raises `BadAddress`."""
    check_url(url, policy, schemes=("https", "http"))
    if any(_is_within(url, each) for each in own):
        raise BadAddress("the URL is the gateway's own; an endpoint is somebody else's")
    if is_inside(url) and not _may_be_inside(url, policy):
        raise BadAddress("the URL must begin with https:// and have the default port")


def is_inside(url: str) -> bool:
    """Whether the address may only be dialled inside the networks that the operator opened."""
    parts = urlsplit(url)
    return parts.scheme.lower() != "https" or parts.port not in (None, 443)


def _may_be_inside(url: str, policy: Policy) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(_LOOPBACK if host == "localhost" else host)
    except ValueError:
        return bool(policy.allow)  # a name: where it leads is seen when it is dialled
    return any(address in network for network in policy.allow)


def _is_within(url: str, own: str) -> bool:
    one, other = urlsplit(url), urlsplit(own)
    same = (one.hostname, one.port or _port(one.scheme)) == (other.hostname, other.port or _port(other.scheme))
    path = other.path.rstrip("/")
    return same and (one.path == path or one.path.startswith(f"{path}/") or not path)


def _port(scheme: str) -> int:
    return 443 if scheme.lower() == "https" else 80
