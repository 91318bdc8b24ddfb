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

from gateway.ledger.deliveries import Due
from gateway.ledger.endpoints import Source

_BRAND = "whsec_"
_LEAST, _MOST = 24, 64  # bytes of a secret, the bounds of Standard Webhooks
_TAG = 32  # bytes of SHA-256
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

    def derived(self, endpoint: str, version: int) -> str:
        """The secret of an endpoint that brings none."""
        digest = hmac.new(self._key, f"{endpoint}:{version}".encode(), hashlib.sha256).digest()
        return _BRAND + base64.b64encode(digest).decode()

    def replace(self, given: Mapping[str, str]) -> None:
        """Take the secrets of a new policy."""
        self._given = dict(given)

    def of(self, due: Due, now: int) -> tuple[str, ...]:
        """The secrets that sign a delivery now, the newest first; none for an endpoint the policy has dropped."""
        newest = self._newest(due)
        if newest is None:
            return ()
        overlaps = due.previous_until is not None and now < due.previous_until
        before = self._before(due) if overlaps else None
        return (newest,) if before is None else (newest, before)

    def _newest(self, due: Due) -> str | None:
        match due.source:
            case Source.CONFIG:
                return self._given.get(due.endpoint)
            case Source.API:
                return self.derived(due.endpoint, due.version)

    def _before(self, due: Due) -> str | None:
        match due.source:
            case Source.CONFIG:
                return self.unseal(due.endpoint, due.previous) if due.previous is not None else None
            case Source.API:
                return self.derived(due.endpoint, due.version - 1) if due.version > 1 else None

    def seal(self, endpoint: str, secret: str) -> str:
        """A secret of an endpoint as the store may have it. The same gives the same, so that another one shows."""
        # Synthetic initialisation vector, after RFC 5297: the tag over the text is what the stream that hides it begins from.
        tag = hmac.digest(self._part("tag"), f"{endpoint}:{secret}".encode(), "sha256")
        return base64.b64encode(tag + self._hidden(tag, secret.encode())).decode()

    def unseal(self, endpoint: str, sealed: str) -> str | None:
        """Read a sealed secret; None when it was sealed for another endpoint or by a gateway with another secret of its own."""
        raw = base64.b64decode(sealed)
        tag, text = raw[:_TAG], self._hidden(raw[:_TAG], raw[_TAG:])
        expected = hmac.digest(self._part("tag"), endpoint.encode() + b":" + text, "sha256")
        return text.decode() if hmac.compare_digest(tag, expected) else None

    def _hidden(self, tag: bytes, text: bytes) -> bytes:
        stream = hashlib.shake_256(self._part("stream") + tag).digest(len(text))
        return bytes(each ^ key for each, key in zip(text, stream, strict=True))

    def _part(self, purpose: str) -> bytes:
        return hmac.digest(self._key, f"sealing {purpose}".encode(), "sha256")


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
