"""What is sent to begin a generation and to change webhooks, whichever the model and the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.generation import FIELDS, Kind
from gateway.ingress import fields
from gateway.ingress.fields import ORDER, spell
from gateway.ingress.openapi.models import ORDER_OF, typed
from gateway.ingress.openapi.shapes import ADDRESS, FLAG, Schema, closed, list_of, one_of, saying
from gateway.ledger.events import OFFERED, USUAL
from gateway.routing.menu import Menu

_STORY: Mapping[Kind, Mapping[str, Any]] = {
    Kind.IMAGE: {
        "generation_prompt": "a baby seal plays in the Arctic",
        "generation_ratio": "16:9",
        "generation_input_file": ["https://example.com/reference.jpg"],
        "generation_provider_order": "fastest",
    },
    Kind.VIDEO: {
        "generation_prompt": "a baby seal plays in the Arctic",
        "generation_duration": 5,
        "generation_ratio": "16:9",
    },
}
_URL = saying(ADDRESS, "Public, and https.")
_EVENTS = list_of(one_of(OFFERED), minItems=1, default=[each.value for each in USUAL])


def general(kind: Kind, menus: Iterable[Menu]) -> Schema:
    """What models of a kind have in common; a model's own fields go by names of their own, its limits by its own path."""
    cards = [card for card in menus if card.kind is kind]
    known = [each for each in FIELDS.values() if any(each.name in card.fields for card in cards)]
    always = set.intersection(*(set(card.required) for card in cards)) if cards else {"prompt"}
    properties = {spell(each.name): saying(typed(each.name, each.type), each.says) for each in known}
    made = closed(
        {**properties, ORDER: ORDER_OF},
        needed=[spell(name) for name in FIELDS if name in always],
        says="What every model of the kind knows. Each model's own path says which of it that model takes, and within which limits.",
    )
    return {
        **made,
        "patternProperties": {"^generation_": {}},
        "propertyNames": {"maxLength": fields.LONGEST},
        "maxProperties": fields.MOST,
        "examples": [_STORY[kind]],
    }


WEBHOOK = {
    **closed({"webhook_url": _URL, "webhook_events": _EVENTS}, needed=["webhook_url"]),
    "examples": [{"webhook_url": "https://app.example.com/hooks"}],
}
WEBHOOK_CHANGE = {
    **closed({"webhook_url": _URL, "webhook_events": _EVENTS, "webhook_enabled": FLAG}),
    "examples": [{"webhook_enabled": True}],
}
