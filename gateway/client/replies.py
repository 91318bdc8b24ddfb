"""HTTP answers → records, or the error they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from gateway.client.errors import GatewayError, RefusedError, UnreadableError
from gateway.client.records import (
    Accepted,
    Adjustment,
    Attempt,
    Canceled,
    Estimate,
    Fault,
    Generation,
    Model,
    Page,
    Status,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; the names of its headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def data_of(reply: Reply) -> Mapping[str, Any] | GatewayError:
    """What a success holds, or the error that the answer is."""
    try:
        told = json.loads(reply.body)
    except ValueError:
        told = None
    match told:
        case {"status": "success", "data": dict(data)} if 200 <= reply.status < 300:
            return data
        case {"error": dict(error)} if reply.status >= 400:
            return _refused(reply, told, error)
        case _:
            said = f"what answered is no gateway: HTTP {reply.status} without its kind of JSON"
            return UnreadableError(said, status=reply.status)


def read(reply: Reply, reader: Callable[[Mapping[str, Any]], _T], data: Mapping[str, Any]) -> _T:
    """Read data as a record; UnreadableError when it is none."""
    try:
        return reader(data)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        said = f"what answered is no gateway, or another version of it: {type(error).__name__}: {error}"
        raise UnreadableError(said, status=reply.status) from error


def accepted(data: Mapping[str, Any], model: str, *, replayed: bool) -> Accepted:
    """The answer to a create; a generation that was canceled since is told by its status."""
    canceled = data.get("generation_status") == Status.CANCELED
    return Accepted(str(data["generation_id"]), str(data.get("model_identifier", model)), replayed, canceled)


def generation(data: Mapping[str, Any]) -> Generation:
    """A record, out of a list or by its id."""
    error = data.get("error")
    return Generation(
        id=str(data["generation_id"]),
        model=str(data["model_identifier"]),
        status=_status(data["generation_status"]),
        prompt=data.get("generation_prompt"),
        outputs=tuple(map(str, data.get("generation_output_file") or ())),
        provider=data.get("generation_provider_used"),
        providers=tuple(map(str, data.get("generation_provider_order") or ())),
        created_at=datetime.fromisoformat(data["generation_created_at"]),
        started_at=_moment(data.get("generation_started_at")),
        completed_at=_moment(data.get("generation_completed_at")),
        cost=_amount(data.get("generation_cost")),
        error=_fault(error) if isinstance(error, dict) else None,
        attempts=tuple(map(_attempt, data.get("generation_attempts") or ())),
        adjustments=tuple(
            Adjustment(str(each["field"]), str(each["provider"]), str(each["action"]))
            for each in data.get("generation_adjustments") or ()
        ),
        is_removed=bool(data.get("generation_removed", False)),
        said=data,
    )


def page(data: Mapping[str, Any]) -> Page:
    """A list."""
    found = tuple(map(generation, data["generations"]))
    return Page(found, int(data["total"]), int(data["limit"]), int(data["offset"]))


def canceled(data: Mapping[str, Any]) -> Canceled:
    """The answer to a cancel."""
    return Canceled(
        str(data["generation_id"]), Decimal(str(data["credits_refunded"])), bool(data["provider_cancel_sent"])
    )


def deleted(data: Mapping[str, Any]) -> int:
    """The answer to a delete: how many files went."""
    return int(data["files_deleted"])


def estimate(data: Mapping[str, Any]) -> Estimate:
    """A price."""
    return Estimate(
        model=str(data["model_identifier"]),
        kind=str(data["model_type"]),
        count=int(data["assets_count"]),
        each=Decimal(str(data["cost_per_generation"])),
        total=Decimal(str(data["cost_total_consumed"])),
        balance=_amount(data.get("credit_balance")),
        can_afford=data.get("credit_balance_can_afford"),
    )


def models(data: Mapping[str, Any]) -> tuple[Model, ...]:
    """The library."""
    return tuple(
        Model(
            str(each["model_identifier"]),
            str(each["model_type"]),
            tuple(map(str, each.get("model_supported_provider") or ())),
            each,
        )
        for each in data["models"]
    )


def _refused(reply: Reply, told: Mapping[str, Any], error: Mapping[str, Any]) -> RefusedError:
    wait = reply.headers.get("retry-after", "")
    details = error.get("details")
    errors = error.get("provider_errors")
    return RefusedError(
        _fault(error, usual=reply.status in {429, 500, 502, 503, 504}),
        status=reply.status,
        retry_after=int(wait) if wait.isascii() and wait.isdigit() else None,
        request_id=told.get("request_id"),
        details=details if isinstance(details, dict) else None,
        provider_errors=tuple(_fault(each) for each in errors if isinstance(each, dict))
        if isinstance(errors, list)
        else (),
    )


def _fault(error: Mapping[str, Any], *, usual: bool = False) -> Fault:
    """An error object; one that does not say whether to try again is held to what is `usual` for its status."""
    retryable = error.get("retryable")
    return Fault(
        str(error.get("code", "")),
        str(error.get("type", "")),
        str(error.get("message", "refused without a word")),
        retryable if isinstance(retryable, bool) else usual,
        error.get("provider"),
    )


def _attempt(data: Mapping[str, Any]) -> Attempt:
    error = data.get("error")
    return Attempt(
        str(data["provider"]),
        str(data["state"]),
        datetime.fromisoformat(data["started_at"]),
        _moment(data.get("ended_at")),
        _fault(error) if isinstance(error, dict) else None,
        Decimal(str(data["price"])),
        _amount(data.get("cost")),
    )


def _status(word: Any) -> Status:
    """Where it is; a word that a later gateway may use counts as under way, as it does for every client of the API."""
    try:
        return Status(word)
    except ValueError:
        return Status.PROCESSING


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written is not None else None


def _amount(number: Any) -> Decimal | None:
    # By the text: the shortest that reads as the same double is what the gateway wrote.
    return Decimal(str(number)) if number is not None else None
