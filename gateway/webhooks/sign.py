"""Secrets of endpoints, and the signatures made with them.

Two signatures go with each delivery: that of the native API, made with the whole text of the secret, and that of Standard
Webhooks, made with the bytes the text stands for. While a secret is being replaced the second carries one signature for each.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gateway.ledger.endpoints import Source

_BRAND = "whsec_"
_LEAST, _MOST = 24, 64  # bytes of a secret, the bounds of Standard Webhooks
OVERLAP = 24 * 60 * 60 * 1000  # ms for which a replaced secret still signs


def check(secret: str) -> str:
    """Give a secret that somebody else made; ValueError says what is wrong with it without showing it."""
    try:
        size = len(_bytes(secret)) if secret.startswith(_BRAND) else 0
    except binascii.Error as error:
        raise ValueError("the secret is not whsec_ and bytes in base64") from error
    if not _LEAST <= size <= _MOST:
        raise ValueError(f"a secret is whsec_ and {_LEAST} to {_MOST} bytes in base64")
    return secret


class Secrets:
    """The secrets of every endpoint: those of the policy as they were given, the others derived from one key."""

    def __init__(self, key: bytes, given: Mapping[str, str] = MappingProxyType({})) -> None:
        """Derive from `key`; `given` are the secrets of the policy, by the endpoint's id."""
        self._key = key
        self._given = dict(given)
        self._before: dict[str, tuple[str, int]] = {}

    def derived(self, endpoint: str, version: int) -> str:
        """The secret of an endpoint that brings none."""
        digest = hmac.new(self._key, f"{endpoint}:{version}".encode(), hashlib.sha256).digest()
        return _BRAND + base64.b64encode(digest).decode()

    def replace(self, given: Mapping[str, str], now: int) -> None:
        """Take the secrets of a new policy; one that is replaced still signs for a day, or until the process ends."""
        for endpoint, secret in self._given.items():
            if endpoint in given and given[endpoint] != secret:
                self._before[endpoint] = (secret, now + OVERLAP)
        self._given = dict(given)

    def of(self, endpoint: str, source: Source, version: int, previous_until: int | None, now: int) -> tuple[str, ...]:
        """The secrets that sign for an endpoint now, the newest first; none for an endpoint the policy has dropped."""
        if source is Source.CONFIG:
            secret = self._given.get(endpoint)
            before, until = self._before.get(endpoint, ("", 0))
            return () if secret is None else (secret, before) if now < until else (secret,)
        newest = self.derived(endpoint, version)
        if version > 1 and previous_until is not None and now < previous_until:
            return (newest, self.derived(endpoint, version - 1))
        return (newest,)


def headers(
    secrets: Sequence[str], *, delivery: str, event: str, happened: str, now: int, body: bytes
) -> dict[str, str]:
    """The headers of a delivery. `secrets` has the newest first; `happened` is as the body has it, `now` in milliseconds."""
    seconds = now // 1000
    return {
        "Content-Type": "application/json",
        "User-Agent": "tidegate",
        "X-BabySea-Signature": native(secrets[0], seconds, body),
        "X-BabySea-Event": event,
        "X-BabySea-Timestamp": happened,
        "X-BabySea-Delivery-Id": delivery,
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(standard(secret, delivery, seconds, body) for secret in secrets),
    }


def native(secret: str, seconds: int, body: bytes) -> str:
    """The native signature: `t=<seconds>,v1=<hex>` over the time, a dot and the body, under the secret's whole text."""
    digest = hmac.new(secret.encode(), b"%d.%b" % (seconds, body), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def standard(secret: str, delivery: str, seconds: int, body: bytes) -> str:
    """One signature of Standard Webhooks: `v1,<base64>` over id, time and body, under the bytes of the secret."""
    digest = hmac.new(_bytes(secret), b"%b.%d.%b" % (delivery.encode(), seconds, body), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _bytes(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_BRAND).encode(), validate=True)
