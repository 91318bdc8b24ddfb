"""An event and the generation it is about → the body that tells it. A field without a value is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, assert_never
from uuid import UUID, uuid5

from gateway.ledger.deliveries import Due
from gateway.ledger.events import EventType
from gateway.ledger.records import Artifact, Record
from gateway.money import as_number

# What an output without a store is kept as: the whole of it, far too much for a message.
_INLINE = "data:"

_STATUS: Mapping[EventType, str] = MappingProxyType(
    {
        EventType.STARTED: "processing",
        EventType.COMPLETED: "succeeded",
        EventType.FAILED: "failed",
        EventType.CANCELED: "canceled",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery as it is sent: its body, and its headers with the signature."""

    body: bytes
    headers: Mapping[str, str]


# How a dialect of another API tells somebody who was named with a generation; `now` in milliseconds.
Dialect = Callable[[Due, int], Told]


@dataclass(frozen=True, slots=True)
class Words:
    """What the events say in the words of the API: the address of an output, and message and code of a failure.

    `link` takes the generation's id and the artifact.
    """

    link: Callable[[str, Artifact], str]
    failure: Callable[[Record], tuple[str, str]]


def body(due: Due, happened: str, words: Words) -> bytes:
    """Word one delivery, with links that are fresh now; `happened` is when the event was, as people write it."""
    told = {
        "webhook_event": due.type.value,
        "webhook_timestamp": happened,
        "webhook_delivery_id": due.id,
        "webhook_data": {name: value for name, value in _data(due, words).items() if value not in (None, "", [])},
    }
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()


def _data(due: Due, words: Words) -> dict[str, Any]:
    match due.type:
        case EventType.STARTED | EventType.COMPLETED | EventType.FAILED | EventType.CANCELED:
            assert due.record is not None, "an event about a generation has one"
            return _generation(due, due.record, words)
        case EventType.LOW_BALANCE:
            return _balance(due)
        case EventType.TEST:
            return _test(due)
        case _:
            assert_never(due.type)


def _generation(due: Due, record: Record, words: Words) -> dict[str, Any]:
    said: dict[str, Any] = {
        "account_id": record.account,
        "model_identifier": record.model,
        "generation_id": record.id,
        "generation_status": _STATUS[due.type],
    }
    match due.type:
        case EventType.STARTED:
            said["generation_provider_initialize"] = due.data["provider"]
            said["generation_prediction_id"] = due.data["prediction"]
        case EventType.COMPLETED:
            said["generation_provider_used"] = record.provider_used
            said["generation_prediction_id"] = record.prediction
            said["generation_output_file"] = _outputs(record, words)
        case EventType.FAILED if record.error:  # what the caller deleted is told no more
            said["generation_error"], said["generation_error_code"] = words.failure(record)
        case EventType.CANCELED:
            said["generation_prediction_id"] = record.prediction
            said["credits_refunded"] = as_number(due.data["refunded"])
        case _:
            pass
    return said


def _outputs(record: Record, words: Words) -> list[str]:
    if record.removed is not None:
        return []
    return [words.link(record.id, each) for each in record.artifacts if not each.uri.startswith(_INLINE)]


def _balance(due: Due) -> dict[str, Any]:
    balance = as_number(due.data["balance"])
    crossed = [{"threshold": as_number(each), "balance_at": balance} for each in due.data["thresholds"]]
    return {"account_id": due.account, "current_balance": balance, "thresholds_crossed": crossed}


def _test(due: Due) -> dict[str, Any]:
    """Something in the form of a generation: receivers take every event but the one about credits for one."""
    return {
        "account_id": due.account,
        "model_identifier": "test/model",
        "generation_id": str(uuid5(UUID(due.id), "generation")),
        "generation_status": "succeeded",
    }
