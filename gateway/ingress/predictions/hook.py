"""Telling those who were named with a prediction: the prediction as it would be read, signed by Standard Webhooks."""

from __future__ import annotations

import json

from aiohttp import web

from gateway.ingress.callers import Caller
from gateway.ingress.kit import Hooks
from gateway.ingress.predictions.prediction import OUTPUT, prediction, shaped
from gateway.ledger.deliveries import Due
from gateway.ledger.events import EventType
from gateway.webhooks import sign
from gateway.webhooks.event import Told

_INLINE = "data:"  # an output without a store is kept so, whole: far too much for a message
_STATUS = {
    EventType.STARTED: "processing",
    EventType.COMPLETED: "succeeded",
    EventType.FAILED: "failed",
    EventType.CANCELED: "canceled",
}


class Hook:
    """Words deliveries, and gives the secret that signs them."""

    def __init__(self, hooks: Hooks) -> None:
        """Sign with what `hooks` derives for each account."""
        self._hooks = hooks

    def tell(self, due: Due, now: int) -> Told:
        """One delivery; the state told is the event's."""
        assert due.record is not None, "only generations have callbacks"
        status = None if due.type is EventType.FAILED else _STATUS[due.type]
        told = prediction(due.record, self._hooks.origin(), status=status)
        link = self._hooks.link()
        outputs = [link(due.record.id, each) for each in due.record.artifacts if not each.uri.startswith(_INLINE)]
        told[OUTPUT] = shaped(due.record, outputs) if due.type is EventType.COMPLETED else None
        body = json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
        seconds = now // 1000
        signed = sign.standard(self._secret(due.account), due.id, seconds, body)
        return Told(
            body,
            {
                "Content-Type": "application/json",
                "User-Agent": "tidegate",
                "webhook-id": due.id,
                "webhook-timestamp": str(seconds),
                "webhook-signature": signed,
            },
        )

    async def secret(self, _request: web.Request, caller: Caller) -> web.Response:
        """The secret with which an account's deliveries are signed."""
        return web.json_response({"key": self._secret(caller.account)})

    def _secret(self, account: str) -> str:
        return self._hooks.receivers.secrets.derived(f"predictions {account}", 1)
