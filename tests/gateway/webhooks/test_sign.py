"""Secrets and signatures, held against the libraries receivers use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given, settings
from hypothesis import strategies as st
from svix.webhooks import Webhook as Svix

from gateway.ledger.deliveries import Due
from gateway.ledger.endpoints import Source
from gateway.ledger.events import EventType
from gateway.webhooks import sign
from gateway.webhooks.sign import OVERLAP, Secrets

KEY = b"a key of the tests"
GIVEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DELIVERY = "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69"

Verify = Callable[[str, bytes, Mapping[str, str]], None]


def by_standard(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Verify as receivers with the library of Standard Webhooks do."""
    standardwebhooks.Webhook(secret).verify(body, dict(headers))


def by_svix(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Verify as receivers with that other library do."""
    Svix(secret).verify(body, dict(headers))


def by_native(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Verify as the native client library does: split at the comma without trimming, the first v1 alone."""
    parts = dict(part.split("=", 1) for part in headers["X-BabySea-Signature"].split(",")[:2])
    assert abs(int(parts["t"]) - time.time()) <= 300
    message = parts["t"].encode() + b"." + body
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])


VERIFIERS: list[Verify] = [by_standard, by_svix, by_native]


def signed(body: bytes, *secrets: str, now: int | None = None) -> dict[str, str]:
    """Sign a body as a delivery of this moment."""
    now = int(time.time() * 1000) if now is None else now
    return sign.headers(
        secrets or (GIVEN,), delivery=DELIVERY, event="webhook.test", happened="2026-11-25T15:00:00.000Z", now=now, body=body
    )  # fmt: skip


def test_known_signatures() -> None:
    """S74: the published example of Standard Webhooks, and the one of the native API."""
    standard = sign.standard(GIVEN, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert standard == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    native = sign.native("whsec_test", 1700000000, b'{"a":1}')
    assert native == "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"


@settings(max_examples=1000)
@given(value=st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.lists(st.text()))), key=st.binary())
def test_every_body_verifies(value: Any, key: bytes) -> None:
    """S74: whatever is sent under whatever secret, every library that receivers use takes it."""
    body = json.dumps(value).encode()
    secret = Secrets(key).derived("we_1", 1)
    for verify in VERIFIERS:
        verify(secret, body, signed(body, secret))


def flipped(data: bytes, bit: int) -> bytes:
    """The same with one bit turned; the highest of each byte is left alone, for that would make it no text at all."""
    changed = bytearray(data)
    changed[bit // 7] ^= 1 << bit % 7
    return bytes(changed)


@pytest.mark.parametrize("bit", range(7 * 40))
def test_one_flipped_bit_fails(bit: int) -> None:
    """S74: a body that differs in a single bit is nobody's, whichever bit it is."""
    body = b'{"a":"' + b"x" * 32 + b'"}'
    for verify in VERIFIERS:
        with pytest.raises((standardwebhooks.WebhookVerificationError, AssertionError)):
            verify(GIVEN, flipped(body, bit), signed(body))


@pytest.mark.parametrize(("name", "length"), [("webhook-id", 36), ("webhook-timestamp", 10), ("webhook-signature", 40)])
def test_id_and_time_are_signed_too(name: str, length: int) -> None:
    """S74: one bit of the id, of the time or of the signature turned, and no library takes it; base64's last ones mean nothing."""
    for bit in range(7 * length):
        headers = signed(b"{}")
        headers[name] = flipped(headers[name].encode(), bit).decode()
        for verify in (by_standard, by_svix):
            # The libraries have errors of their own for what is no number and no signature at all.
            with pytest.raises((standardwebhooks.WebhookVerificationError, ValueError)):
                verify(GIVEN, b"{}", headers)


def test_the_headers_say_what_the_body_says() -> None:
    """Event, time and id stand in the headers; the id is the same in both families."""
    headers = signed(b"{}", now=1_700_000_000_999)
    assert headers["X-BabySea-Event"] == "webhook.test"
    assert headers["X-BabySea-Timestamp"] == "2026-11-25T15:00:00.000Z"
    assert headers["X-BabySea-Delivery-Id"] == headers["webhook-id"] == DELIVERY
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["X-BabySea-Signature"].startswith("t=1700000000,v1=")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_of_the_right_size_is_taken(size: int) -> None:
    """S77: 24 to 64 bytes are a secret, and it signs."""
    secret = f"whsec_{base64.b64encode(b'k' * size).decode()}"
    assert sign.check(secret) == secret
    by_standard(secret, b"{}", signed(b"{}", secret))


@pytest.mark.parametrize(
    "secret",
    [
        *(f"whsec_{base64.b64encode(b'k' * size).decode()}" for size in (1, 23, 65)),
        "whsec_",
        "whsec_not base64!",
        "whsec_a",
        base64.b64encode(b"k" * 32).decode(),
        "",
    ],
)
def test_another_secret_is_refused(secret: str) -> None:
    """S77: too short, too long, no base64 or without its mark is no secret of the policy's, and the message does not show it."""
    with pytest.raises(ValueError, match="whsec_ and") as raised:
        sign.check(secret)
    assert len(secret) < 8 or secret not in str(raised.value)


def test_derived_secrets_are_secrets() -> None:
    """S77: endpoints made by the API bring no secret: each has one of its own per version, a secret like any other."""
    secrets = Secrets(KEY)
    found = {secrets.derived(endpoint, version) for endpoint in ("we_1", "we_2") for version in (1, 2)}
    assert len(found) == 4
    assert {sign.check(each) for each in found} == found
    assert Secrets(b"another").derived("we_1", 1) not in found


def due(
    source: Source, version: int = 1, until: int | None = None, previous: str | None = None, to: str = "we_1"
) -> Due:
    """A delivery to an endpoint with these secrets."""
    return Due(
        1, DELIVERY, 0, EventType.TEST, "acme", {}, 1, None, to, "https://x.test/", source, version, until, previous
    )


def test_a_rotated_secret_still_signs_for_a_while() -> None:
    """Until its time is over a receiver with either secret verifies; the native header has room for the newer alone."""
    secrets = Secrets(KEY)
    old, new = secrets.derived("we_1", 1), secrets.derived("we_1", 2)
    both = secrets.of(due(Source.API, 2, 1000), 999)
    assert both == (new, old)
    headers = signed(b"{}", *both)
    for secret in both:
        by_standard(secret, b"{}", headers)
        by_svix(secret, b"{}", headers)
    by_native(new, b"{}", headers)
    assert secrets.of(due(Source.API, 2, 1000), 1000) == (new,)
    assert secrets.of(due(Source.API, 1), 0) == (old,)


def test_a_secret_the_policy_replaced_signs_for_a_day() -> None:
    """A new policy brings a new secret; the old one goes on beside it, and a dropped endpoint has none."""
    secrets = Secrets(KEY, {"we_1": "old"})
    sealed = secrets.seal("we_1", "old")
    secrets.replace({"we_1": "new", "we_2": "same"})
    assert secrets.of(due(Source.CONFIG, 1, OVERLAP, sealed), OVERLAP - 1) == ("new", "old")
    assert secrets.of(due(Source.CONFIG, 1, OVERLAP, sealed), OVERLAP) == ("new",)
    assert secrets.of(due(Source.CONFIG, to="we_2"), 1) == ("same",)
    secrets.replace({})
    assert secrets.of(due(Source.CONFIG, 1, OVERLAP, sealed), 2) == ()


@given(st.text(max_size=100))
def test_a_sealed_secret_is_read_by_its_own_gateway_alone(secret: str) -> None:
    """It comes back as it was, the same each time; sealed for another endpoint or elsewhere, or changed, it is none."""
    secrets = Secrets(KEY)
    sealed = secrets.seal("we_1", secret)
    assert (secrets.unseal("we_1", sealed), secrets.seal("we_1", secret)) == (secret, sealed)
    assert secrets.unseal("we_2", sealed) is None
    assert Secrets(b"another").unseal("we_1", sealed) is None
    raw = base64.b64decode(sealed)
    for at in range(len(raw)):
        bent = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert secrets.unseal("we_1", base64.b64encode(bent).decode()) is None
    assert len(secret) < 4 or secret.encode() not in raw


def test_a_gateway_with_another_secret_of_its_own_signs_with_what_it_has() -> None:
    """A replaced secret that cannot be read any more signs nothing, and stops nothing."""
    sealed = Secrets(b"before the restore").seal("we_1", "old")
    assert Secrets(KEY, {"we_1": "new"}).of(due(Source.CONFIG, 1, 1000, sealed), 0) == ("new",)
