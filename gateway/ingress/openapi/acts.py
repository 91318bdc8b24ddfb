"""The operator's acts: which there are comes from their own table, what an argument holds from its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gateway.ingress.callers import PRESETS, Scope
from gateway.ingress.openapi.shapes import ADDRESS, COUNT, TEXT, WHOLE, Schema, closed, list_of, one_of, saying
from gateway.ledger.events import OFFERED
from gateway.ledger.keys import Per

_AMOUNT: Schema = {"type": ["string", "number"], "description": "Credits, with at most six decimals."}
_SPAN = saying(TEXT, "A span such as 12h or 90d, a day such as 2026-12-31 in UTC, or a time with its offset.")
_DAY: Schema = {"type": "string", "format": "date"}
_CAP: Schema = {"type": "integer", "minimum": 0, "description": "0 takes the cap away."}

# What an argument holds, wherever it occurs.
_ARGUMENTS: Mapping[str, Schema] = MappingProxyType(
    {
        "account": saying(TEXT, "The id of an account."),
        "amount": _AMOUNT,
        "before": saying(WHOLE, "The number of an entry: those before it."),
        "budget": _AMOUNT,
        "budget_per": one_of(Per),
        "daily_spend": _AMOUNT,
        "delivery": TEXT,
        "events": list_of(one_of(OFFERED), minItems=1),
        "expires_in": _SPAN,
        "for": saying(TEXT, "A time such as 90s or 30m, at most 7d."),
        "from": _DAY,
        "generation": TEXT,
        "generations": _CAP,
        "grace": saying(WHOLE, "Hours that the old key goes on."),
        "id": TEXT,
        "images": _CAP,
        "in_flight": _CAP,
        "limit": {"type": "integer", "minimum": 1},
        "model": TEXT,
        "models": saying(list_of(TEXT), "Models, or patterns such as lab/*."),
        "name": TEXT,
        "networks": saying(list_of(TEXT), "Addresses and networks; an empty list is everywhere."),
        "note": TEXT,
        "offset": COUNT,
        "preset": one_of(PRESETS),
        "provider": TEXT,
        "rate": _CAP,
        "reference": saying(TEXT, "A word of your own: the same one adds once."),
        "requests": _CAP,
        "scopes": list_of(one_of(Scope), minItems=1),
        "starts_in": _SPAN,
        "thresholds": list_of(_AMOUNT),
        "to": _DAY,
        "url": ADDRESS,
        "videos": _CAP,
        "who": TEXT,
    }
)
# What an act cannot be done without; the rest has a usual value or narrows down.
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "keys.create": ("account",),
        "accounts.create": ("account",),
        "accounts.show": ("account",),
        "accounts.change": ("account",),
        "credits.add": ("account", "amount"),
        "credits.show": ("account",),
        "credits.statement": ("account",),
        "webhooks.create": ("account", "url"),
        "webhooks.replay": ("delivery",),
        "alerts.set": ("account", "thresholds"),
        "alerts.show": ("account",),
        "breakers.open": ("provider",),
        "breakers.close": ("provider",),
        "breakers.auto": ("provider",),
        "generations.show": ("generation",),
    }
)
_ABOUT_ONE = ("keys.", "webhooks.")


def arguments(act: str, takes: Iterable[str]) -> Schema:
    """What is sent for an act."""
    takes = list(takes)
    usual = ("id",) if "id" in takes and act.startswith(_ABOUT_ONE) else ()
    return closed({name: _ARGUMENTS.get(name, {}) for name in takes}, needed=_NEEDED.get(act, usual))


def path(act: str) -> str:
    """Where an act is done."""
    return f"/admin/v1/{act.replace('.', '/')}"
