"""Webhooks as a receiver reads them: the gateway's own deliveries pass, everything else does not."""

from __future__ import annotations

import json

import pytest

from gateway.client import SignatureError, verify
from gateway.webhooks import sign

_NOW = 1_795_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_OTHER = "whsec_T3RoZXJzZWNyZXRvdGhlcnNlY3JldG90aGVy"
_BODY = json.dumps(
    {
        "webhook_event": "generation.completed",
        "webhook_timestamp": "2026-11-18T11:06:40.000Z",
        "webhook_delivery_id": "d1",
        "webhook_data": {"generation_id": "g1", "generation_output_file": ["https://a/0.png"]},
    }
).encode()


def _headers(*secrets: str, body: bytes = _BODY) -> dict[str, str]:
    made = sign.headers(
        secrets or (SECRET,), delivery="d1", event="generation.completed", happened="x", now=_NOW * 1000, body=body
    )
    return dict(made)


def _native(*secrets: str) -> dict[str, str]:
    return {name: value for name, value in _headers(*secrets).items() if not name.startswith("webhook-")}


@pytest.mark.parametrize("headers", [_headers(), _native(), {n.upper(): v for n, v in _headers().items()}])
def test_either_signature_will_do(headers: dict[str, str]) -> None:
    """Both signatures are known, however the names of the headers are written."""
    event = verify(headers, _BODY, SECRET, now=_NOW + 10)
    assert (event.type, event.delivery, event.generation) == ("generation.completed", "d1", "g1")
    assert event.data["generation_output_file"] == ["https://a/0.png"]


def test_a_secret_may_be_replaced() -> None:
    """While both secrets sign, a receiver that knows either believes."""
    for known in (SECRET, _OTHER):
        assert verify(_headers(_OTHER, SECRET), _BODY, known, now=_NOW)


@pytest.mark.parametrize(
    ("headers", "body", "secret", "now"),
    [
        ({}, _BODY, SECRET, _NOW),
        (_headers(), _BODY + b" ", SECRET, _NOW),
        (_native(), _BODY + b" ", SECRET, _NOW),
        (_headers(), _BODY, _OTHER, _NOW),
        (_native(), _BODY, _OTHER, _NOW),
        (_headers(), _BODY, SECRET, _NOW + 301),
        (_headers(), _BODY, SECRET, _NOW - 301),
        (_native(), _BODY, SECRET, _NOW + 301),
        (_headers(), _BODY, "not a secret", _NOW),
        ({**_headers(), "webhook-id": "d2"}, _BODY, SECRET, _NOW),
        ({**_headers(), "webhook-timestamp": "soon"}, _BODY, SECRET, _NOW),
        ({**_headers(), "webhook-timestamp": str(_NOW + 1)}, _BODY, SECRET, _NOW),
        ({**_headers(), "webhook-signature": "v1,é"}, _BODY, SECRET, _NOW),
        ({"X-BabySea-Signature": "t=,v1="}, _BODY, SECRET, _NOW),
        ({"X-BabySea-Signature": "nonsense"}, _BODY, SECRET, _NOW),
        ({**_native(), "webhook-signature": ""}, _BODY, SECRET, _NOW),
        (_headers(body=b"[1]"), b"[1]", SECRET, _NOW),
        (_headers(body=b"\xff"), b"\xff", SECRET, _NOW),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], body: bytes, secret: str, now: int) -> None:
    """Unsigned, changed, old, early, of another secret, or signed nonsense: one kind of error for all."""
    with pytest.raises(SignatureError):
        verify(headers, body, secret, now=now)
