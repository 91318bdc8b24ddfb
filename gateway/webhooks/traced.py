"""What the log and the traces are told of deliveries."""

from __future__ import annotations

from typing import assert_never
from urllib.parse import urlsplit

from gateway import traces
from gateway.ledger.deliveries import Due
from gateway.traces import Side, Span
from gateway.webhooks.schedule import Answered, Outcome, Unanswered


def begun(due: Due) -> Span:
    """The span of one delivery, to be entered; from here on the task is for the generation that is told of, if there is one."""
    record = due.record
    traces.take_up(
        record.id if record is not None else None, record.plan.get("origin", {}) if record is not None else {}
    )
    return traces.begin(f"webhook {due.type.value}", Side.CLIENT)


def ended(span: Span, due: Due, outcome: Outcome) -> None:
    """Tell to whom it went and what came of it; the path of an address may be a secret."""
    there = urlsplit(due.url)
    span.note(
        {
            "http.request.method": "POST",
            "server.address": there.hostname,
            "gateway.generation.id": due.record.id if due.record is not None else None,
            "gateway.webhook.delivery": due.id,
            "gateway.webhook.endpoint": due.endpoint,
            "gateway.webhook.event": due.type.value,
            "gateway.webhook.attempt": due.attempts + 1,
        }
    )
    match outcome:
        case Answered(status):
            span.note({"http.response.status_code": status})
            if not outcome.is_taken:
                span.failed(str(status))
        case Unanswered(reason):
            span.failed(reason)
        case _:
            assert_never(outcome)
