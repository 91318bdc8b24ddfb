"""A body of the queue API → what is asked of a model, and who is told of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.egress import BadAddress, Policy
from gateway.ingress import fields as native
from gateway.ingress.order import ORDER, order_of
from gateway.ingress.queue.names import Names
from gateway.ingress.refusal import Refusal
from gateway.ledger.callbacks import Callback
from gateway.ledger.events import EventType
from gateway.providers.heard import Heard, Unheard
from gateway.providers.reverse import Named, Spellings
from gateway.webhooks import target

DIALECT = "queue"
_ENDS = (EventType.COMPLETED, EventType.FAILED, EventType.CANCELED)
_LONGEST_NAME = 200  # characters of a model's name
_LONGEST_URL = 2048
# Headers by which a client of that API chooses how its queue works, by what they end in, and the values that change nothing here.
_ASIDE: Mapping[str, frozenset[str]] = {
    "queue-priority": frozenset({"normal"}),
    "no-retry": frozenset({"0", "false"}),
    "store-io": frozenset({"1", "true"}),
    "runner-hint": frozenset(),
    "request-timeout": frozenset(),
    "object-lifecycle": frozenset(),
    "object-lifecycle-preference": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as it was read: the model, our fields, the order of providers, and what is not done as it was written."""

    named: Named
    heard: Heard
    order: str | None
    adjusted: tuple[str, ...]


def named(spellings: Spellings, name: str, speaks: str | None) -> Named:
    """The model that a path names; Refusal when nobody knows it."""
    found = spellings.find(name, speaks) if len(name) <= _LONGEST_NAME else None
    if found is None:
        near = spellings.nearest(name) if len(name) <= _LONGEST_NAME else None
        hint = f"; did you mean {near!r}?" if near else ""
        raise Refusal("model_not_found", f"no provider here serves the model {name[:_LONGEST_NAME]!r}{hint}")
    return found


def read(body: Mapping[str, Any], model: Named, spellings: Spellings, aside: tuple[str, ...] = ()) -> Wishes:
    """Read a body for a model; Refusal by the names of what cannot be had. `aside` are sentences on what is not done."""
    if len(body) > native.MOST or any(len(name) > native.LONGEST for name in body):
        said = f"a request has at most {native.MOST} parameters, their names at most {native.LONGEST} characters"
        raise Refusal("invalid_input", said)
    order = order_of(body)
    match spellings.read(model, {name: value for name, value in body.items() if name not in ORDER}):
        case Heard() as heard:
            return Wishes(model, heard, order, (*(each.says for each in heard.adjusted), *aside))
        case Unheard(problems) as unheard:
            told = [{"field": each.parameter, "message": each.says} for each in problems]
            raise Refusal("invalid_input", unheard.says, field=problems[0].parameter, details={"problems": told})


def unheeded(headers: Mapping[str, str], names: Names) -> tuple[str, ...]:
    """What a request asks for in headers that is not done here, a sentence for each."""
    found = []
    for rest, usual in _ASIDE.items():
        header = names.header(rest)
        if header is not None and (sent := headers.get(header)) is not None and sent.strip().lower() not in usual:
            found.append(f"{header} is not heeded here")
    return tuple(found)


def callback(url: str | None, policy: Policy, own: Collection[str], names: Names) -> Callback | None:
    """Who is told how it ends; Refusal when that cannot be."""
    if url is None:
        return None
    field = names.webhook or "webhook"
    if not 0 < len(url) <= _LONGEST_URL:
        raise Refusal("invalid_input", f"{field} must be an address of at most {_LONGEST_URL} characters", field=field)
    try:
        target.check(url, policy, own)
    except BadAddress as error:
        raise Refusal("invalid_input", f"{field} cannot be told: {error}", field=field) from error
    return Callback(DIALECT, url, _ENDS)
