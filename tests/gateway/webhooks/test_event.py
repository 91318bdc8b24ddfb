"""The bodies of events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.generation import Kind, State
from gateway.ledger.deliveries import Due
from gateway.ledger.endpoints import Source
from gateway.ledger.events import EventType
from gateway.ledger.records import Artifact, Record
from gateway.webhooks import event
from gateway.webhooks.event import Words

HAPPENED = "2026-11-25T15:00:00.000Z"
DELIVERY = "6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69"
PICTURE = Artifact(0, "file:ab/0.png", "c0ffee", 9, "image/png", 1, 1)
WORDS = Words(
    lambda generation, each: f"https://media.test/{generation}/{each.index}",
    lambda record: (record.error["message"], "BSE4006") if record.error else ("", ""),
)
RECORD = Record(
    id="gen-1", account="acme", kind=Kind.IMAGE, model="lab/model", request={"prompt": "a seal"}, plan={}, adjustments=(),
    order=("one",), state=State.SUCCEEDED, price=9, settled=9, provider_used="one", prediction="job-1", error=None,
    created=1, changed=2, started=2, ended=3, deadline=9, removed=None, artifacts=(PICTURE,), attempts=(),
)  # fmt: skip


def due(type_: EventType, record: Record | None = RECORD, data: Any = None) -> Due:
    """A delivery of one type."""
    return Due(1, DELIVERY, 0, type_, "acme", data or {}, 1, record, "we_1", "https://x.test/", Source.API, 1, None)


def said(type_: EventType, record: Record | None = RECORD, data: Any = None) -> Any:
    """The data of a body, its frame checked."""
    body = json.loads(event.body(due(type_, record, data), HAPPENED, WORDS))
    assert list(body) == ["webhook_event", "webhook_timestamp", "webhook_delivery_id", "webhook_data"]
    assert (body["webhook_event"], body["webhook_timestamp"], body["webhook_delivery_id"]) == (
        type_.value,
        HAPPENED,
        DELIVERY,
    )
    return body["webhook_data"]


def test_a_start_names_who_took_the_work_then() -> None:
    """The provider and its job are those of the start, and so is the status, however far the work is now."""
    assert said(EventType.STARTED, data={"provider": "first", "prediction": "job-0"}) == {
        "account_id": "acme",
        "model_identifier": "lab/model",
        "generation_id": "gen-1",
        "generation_status": "processing",
        "generation_provider_initialize": "first",
        "generation_prediction_id": "job-0",
    }


def test_a_success_brings_its_links() -> None:
    """Who served, its job, and where the outputs are read; nothing of what was asked."""
    assert said(EventType.COMPLETED) == {
        "account_id": "acme",
        "model_identifier": "lab/model",
        "generation_id": "gen-1",
        "generation_status": "succeeded",
        "generation_provider_used": "one",
        "generation_prediction_id": "job-1",
        "generation_output_file": ["https://media.test/gen-1/0"],
    }


@pytest.mark.parametrize(
    "record",
    [replace(RECORD, removed=5), replace(RECORD, artifacts=(replace(PICTURE, uri="data:image/png;base64,AA"),))],
)
def test_outputs_that_cannot_be_linked_are_left_out(record: Record) -> None:
    """Files that are gone, and whole files instead of links, have no place in a message."""
    assert "generation_output_file" not in said(EventType.COMPLETED, record)


def test_a_failure_says_why() -> None:
    """Message and code are those of the record; once the caller deleted it they are left out."""
    failed = replace(RECORD, state=State.FAILED, error={"message": "nobody could"}, artifacts=(), provider_used=None)
    told = said(EventType.FAILED, failed)
    assert (told["generation_status"], told["generation_error"]) == ("failed", "nobody could")
    assert told["generation_error_code"] == "BSE4006"
    assert set(said(EventType.FAILED, replace(failed, error={}))) == {
        "account_id",
        "model_identifier",
        "generation_id",
        "generation_status",
    }


def test_a_cancellation_says_what_came_back() -> None:
    """The credits given back are stated; a job that never was is left out."""
    canceled = replace(RECORD, state=State.CANCELED, prediction=None, artifacts=(), provider_used=None)
    told = said(EventType.CANCELED, canceled, {"refunded": 40_000})
    assert (told["generation_status"], told["credits_refunded"]) == ("canceled", 0.04)
    assert "generation_prediction_id" not in told


def test_a_low_balance_lists_what_was_crossed() -> None:
    """Balance and thresholds in credits; a balance of nothing is a value like any other."""
    assert said(EventType.LOW_BALANCE, data={"balance": 0, "thresholds": [500_000, 250_000]}) == {
        "account_id": "acme",
        "current_balance": 0,
        "thresholds_crossed": [{"threshold": 0.5, "balance_at": 0}, {"threshold": 0.25, "balance_at": 0}],
    }


def test_a_test_looks_like_a_generation() -> None:
    """Receivers find in a test what they look for in every event but the one about credits."""
    told = said(EventType.TEST, None)
    assert set(told) == {"account_id", "model_identifier", "generation_id", "generation_status"}
    assert len(told["generation_id"]) == 36


def test_a_body_is_small_and_plain() -> None:
    """Bytes without spaces or other scripts: every reader reads the same."""
    body = event.body(due(EventType.COMPLETED), HAPPENED, WORDS)
    assert body.isascii()
    assert b" " not in body
    assert len(body) < 1000
