"""The shapes of what is answered about webhooks, and of what the operator's acts answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.openapi.shapes import (
    ADDRESS,
    COUNT,
    MOMENT,
    TEXT,
    Schema,
    always,
    list_of,
    maybe,
    one_of,
    ref,
    saying,
    shape,
)
from gateway.ledger.deliveries import DeliveryState
from gateway.ledger.endpoints import Source, Why
from gateway.ledger.events import EventType

_WEBHOOK: Mapping[str, Schema] = MappingProxyType(
    {
        "webhook_id": TEXT,
        "account_id": maybe(TEXT),
        "webhook_source": saying(one_of(Source), "Where it was made: in the policy file, or by command or call."),
        "webhook_url": ADDRESS,
        "webhook_events": list_of(one_of(EventType)),
        "webhook_status": one_of(("active", "disabled")),
        "webhook_disabled_by": maybe(one_of(Why)),
        "webhook_failures_in_a_row": COUNT,
        "webhook_created_at": MOMENT,
    }
)
_SECRET = saying(TEXT, "What its deliveries are signed with; told this once.")

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "Webhooks": shape({"webhooks": list_of(ref("Webhook")), "webhooks_total": COUNT}),
        "Webhook": shape(_WEBHOOK),
        "WebhookMade": shape({**_WEBHOOK, "webhook_secret": _SECRET}),
        "WebhookRotated": shape({**_WEBHOOK, "webhook_secret": _SECRET, "webhook_previous_secret_until": MOMENT}),
        "WebhookDeleted": shape({"webhook_id": TEXT, "webhook_deleted": always(value=True)}),
        "WebhookTested": shape({"webhook_id": TEXT, "webhook_delivery": TEXT}),
        "WebhookDrained": shape({"webhook_id": TEXT, "webhook_queued": COUNT}),
        "WebhookReplayed": shape({"webhook_id": TEXT, "webhook_delivery": TEXT, "webhook_replay_of": TEXT}),
        "Deliveries": shape({"webhook_id": TEXT, "deliveries": list_of(ref("Delivery"))}),
        "Delivery": shape(
            {
                "delivery_id": TEXT,
                "delivery_event": one_of(EventType),
                "generation_id": maybe(TEXT),
                "delivery_status": one_of(DeliveryState),
                "delivery_attempts": COUNT,
                "delivery_response_status": maybe(COUNT),
                "delivery_error": maybe(TEXT),
                "delivery_created_at": MOMENT,
                "delivery_attempted_at": maybe(MOMENT),
                "delivery_next_attempt_at": maybe(MOMENT),
                "delivery_ended_at": maybe(MOMENT),
                "delivery_replay_of": maybe(TEXT),
            }
        ),
        "Acts": shape({"acts": list_of(shape({"act": TEXT, "path": TEXT, "arguments": list_of(TEXT)}))}),
        "Done": {"type": "object", "description": "What the act has to tell.", "additionalProperties": True},
    }
)
