"""Signed links that expire.

A link is the path of an output and a query that says until when it works, signed with a secret of the gateway. Whoever holds
the link may read that one output, so browsers and download tools need no API key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum

_DOMAIN = b"tidegate output link\n"  # the secret may sign other things: none of them may pass for a link
_QUERY = re.compile(r"expires=([0-9]{1,12})&signature=([0-9a-f]{64})", re.ASCII)


class Refusal(StrEnum):
    """Why a link does not open. A caller should be told the same for all of them."""

    UNSIGNED = "unsigned"
    FORGED = "forged"
    EXPIRED = "expired"


def output_path(generation: str, index: int, extension: str) -> str:
    """Give the path under which an output is read."""
    return f"/v1/outputs/{generation}/{index}.{extension}"


def sign(secret: bytes, path: str, expires_s: int) -> str:
    """Make the query that opens this path until `expires_s`, in seconds since the epoch."""
    return f"expires={expires_s}&signature={_signature(secret, path, expires_s)}"


def verify(secret: bytes, path: str, query: str, *, now_s: int) -> Refusal | None:
    """Say why this query does not open the path, or None when it does; the comparison takes constant time."""
    parts = _QUERY.fullmatch(query)
    if parts is None:
        return Refusal.UNSIGNED
    expires_s = int(parts[1])
    if str(expires_s) != parts[1] or not hmac.compare_digest(_signature(secret, path, expires_s), parts[2]):
        return Refusal.FORGED
    return Refusal.EXPIRED if now_s >= expires_s else None


def _signature(secret: bytes, path: str, expires_s: int) -> str:
    if not secret:
        raise ValueError("links cannot be signed with an empty secret")
    return hmac.new(
        secret, _DOMAIN + f"{expires_s}\n{path}".encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
