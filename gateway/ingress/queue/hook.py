"""Telling those who were named with a request how it ended, under a signature that anybody can check with a public key."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.generation import State
from gateway.ingress.callers import Caller
from gateway.ingress.kit import Hooks
from gateway.ingress.queue import job
from gateway.ingress.queue.job import Asked
from gateway.ingress.queue.names import Names
from gateway.ingress.queue.words import detail, status_of
from gateway.ingress.reception import failed
from gateway.ledger.deliveries import Due
from gateway.ledger.records import Record
from gateway.webhooks.event import Told

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_INLINE = "data:"
_PURPOSE, _VERSION = "queue", 1  # what the key is derived for, beside the secrets of endpoints
_BRAND = "whsec_"
_CACHED = "public, max-age=3600"  # seconds; receivers keep keys up to a day and look again when one does not fit


class Hook:
    """Words and signs what they are told."""

    def __init__(self, hooks: Hooks, names: Names) -> None:
        """Sign with a key derived from the gateway's own secret: the same after a restart, another with another secret."""
        self._hooks = hooks
        self._names = names

    def __call__(self, due: Due, now: int) -> Told:
        """Tell the end of a request; `now` in milliseconds."""
        assert due.record is not None, "an event about a generation has one"
        body = json.dumps(self._body(due.record), separators=(",", ":"), allow_nan=False).encode()
        seconds = str(now // 1000)
        said = [due.record.id, due.record.account, seconds, hashlib.sha256(body).hexdigest()]
        signature = self._key.sign("\n".join(said).encode()).hex()
        marks = {
            "webhook-request-id": due.record.id,
            "webhook-user-id": due.record.account,
            "webhook-timestamp": seconds,
            "webhook-signature": signature,
        }
        usual = {"Content-Type": "application/json", "User-Agent": "tidegate", "webhook-id": due.id}
        return Told(body, {**usual, **self._names.put(marks)})

    async def keys(self, _request: web.Request, _caller: Caller) -> web.Response:
        """The public key, as receivers look for it."""
        public = self._key.public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(public).decode().rstrip("=")
        key = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": x}
        kid = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        return web.json_response({"keys": [{**key, "kid": kid}]}, headers={"Cache-Control": _CACHED})

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - most gateways never sign with it
            Ed25519PrivateKey,
        )

        secret = self._hooks.receivers.secrets.derived(_PURPOSE, _VERSION)
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.removeprefix(_BRAND)))

    def _body(self, record: Record) -> dict[str, Any]:
        told: dict[str, Any] = {"request_id": record.id, "gateway_request_id": record.id}
        if record.state is not State.SUCCEEDED:
            refusal = failed(record)
            status, type_ = status_of(refusal)
            payload = {"detail": detail(refusal, type_)}
            said = f"Invalid status code: {status}"
            return {**told, "status": "ERROR", "error": said, "error_type": type_, "payload": payload}
        link = self._hooks.link()
        links = [link(record.id, artifact) for artifact in record.artifacts]
        if record.removed is not None or any(each.startswith(_INLINE) for each in links):
            said = "the outputs are no part of this message: fetch the result"
            return {**told, "status": "OK", "payload": None, "payload_error": said}
        adjusted = Asked.of(record, self._names.mount).adjusted
        return {**told, "status": "OK", "payload": job.output(record, links, adjusted)}
