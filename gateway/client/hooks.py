"""Webhooks: whether a delivery is the gateway's own, and what it says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.client.errors import SignatureError

_BRAND = "whsec_"
TOLERANCE = 300  # seconds by which a delivery's time may be off, either way, as receivers of both signatures have it


@dataclass(frozen=True, slots=True)
class Event:
    """One delivery. Drop a `delivery` that was seen before: the same one may come more than once.

    `type` such as `generation.completed`; `generation` is the id of the one it is about; `data` holds what there is.
    """

    type: str
    delivery: str
    happened_at: datetime
    generation: str | None
    data: Mapping[str, Any] = field(repr=False)


def verify(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None, tolerance: int = TOLERANCE
) -> Event:
    """The event of a delivery; SignatureError when it is forged, changed, too old, or signed with another secret.

    `body` are the bytes as they came. `now` in seconds since the epoch, the machine's time if not given; `tolerance` in seconds.
    """
    at = time.time() if now is None else now
    sent = {name.lower(): value for name, value in headers.items()}
    # Standard Webhooks first: while a secret is replaced it carries a signature for the old one and for the new one.
    if "webhook-signature" in sent:
        _standard(sent, body, secret, at, tolerance)
    elif "x-babysea-signature" in sent:
        _native(sent["x-babysea-signature"], body, secret, at, tolerance)
    else:
        raise SignatureError("the delivery carries no signature")
    return _event(body)


def _standard(sent: Mapping[str, str], body: bytes, secret: str, now: float, tolerance: int) -> None:
    delivery, moment = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    _fresh(moment, now, tolerance)
    try:
        key = base64.b64decode(secret.removeprefix(_BRAND), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("the secret is not whsec_ and bytes in base64") from error
    digest = hmac.digest(key, f"{delivery}.{moment}.".encode() + body, "sha256")
    expected = base64.b64encode(digest)
    given = [each.partition(",") for each in sent["webhook-signature"].split(" ")]
    if not any(scheme == "v1" and hmac.compare_digest(tag.encode(), expected) for scheme, _, tag in given):
        raise SignatureError("the signature is not made with this secret, or the body was changed")


def _native(signature: str, body: bytes, secret: str, now: float, tolerance: int) -> None:
    parts = dict(part.strip().partition("=")[::2] for part in signature.split(","))
    moment = parts.get("t", "")
    _fresh(moment, now, tolerance)
    expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(parts.get("v1", "").encode(), expected.encode()):
        raise SignatureError("the signature is not made with this secret, or the body was changed")


def _fresh(moment: str, now: float, tolerance: int) -> None:
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        raise SignatureError("the signature names no time")
    if abs(now - int(moment)) > tolerance:
        raise SignatureError(
            f"the delivery was signed {abs(now - int(moment)):.0f} s away from now: a replay, or a clock is off"
        )


def _event(body: bytes) -> Event:
    try:
        told = json.loads(body)
        data = told["webhook_data"]
        return Event(
            str(told["webhook_event"]),
            str(told["webhook_delivery_id"]),
            datetime.fromisoformat(told["webhook_timestamp"]),
            data.get("generation_id"),
            data,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SignatureError("the delivery is signed but has another form: another version of the gateway?") from error
