"""A stored generation → the native record of it, and the native words for how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.fault import PERMITS, FaultKind
from gateway.generation import Kind, State
from gateway.ingress.fields import spell
from gateway.ingress.refusal import CODES, OF_ENDING, OF_FAULT, Refusal
from gateway.ledger.records import Artifact, Attempt, Record
from gateway.money import as_number

# The address under which the caller reads an output of a generation.
Link = Callable[[str, Artifact], str]

STATUS: Mapping[State, str] = MappingProxyType(
    {
        State.ACCEPTED: "pending",
        State.SUBMITTING: "processing",
        State.RUNNING: "processing",
        State.STORING: "processing",
        State.SUCCEEDED: "succeeded",
        State.FAILED: "failed",
        State.CANCELED: "canceled",
    }
)
# Fields with a place of their own in the record; the others are the model's words and stand between these.
_FIRST = ("prompt", "ratio", "format", "count", "images")
_VIDEO = ("duration", "resolution", "audio")


def record(row: Record, link: Link) -> dict[str, Any]:
    """The record as lists give it: everything but the attempts."""
    return {
        **_head(row),
        **_asked(row),
        "generation_output_file": _outputs(row, link),
        **_times(row, None),
        **_ending(row),
        **_ours(row),
    }


def whole(row: Record, link: Link) -> dict[str, Any]:
    """The record with its attempts, who else could have been asked, who could not, and why in this order."""
    won = next((attempt for attempt in row.attempts if attempt.won), None)
    return {
        **record(row, link),
        **_times(row, won),
        "generation_attempts": [_attempt(attempt) for attempt in row.attempts],
        "generation_candidates": [
            {"provider": step["provider"], "price": as_number(step["price"])} for step in row.plan.get("steps", ())
        ],
        "generation_excluded": list(row.plan.get("excluded", ())),
        "generation_routing": _routing(row.plan.get("routing")),
    }


def failure(row: Record) -> Refusal:
    """How a failed generation is told as an error."""
    error = row.error or {}
    return Refusal(
        OF_ENDING.get(error.get("name", ""), "internal_error"),
        error.get("message", "the generation failed"),
        details={"generation_id": row.id},
        provider_errors=[{"provider": each["provider"], **_fault(each)} for each in error.get("errors", ())],
        retryable=error.get("retryable", False),
    )


def _head(row: Record) -> dict[str, Any]:
    return {
        "account_id": row.account,
        "generation_id": row.id,
        "model_identifier": row.model,
        "generation_provider_order": list(row.order),
        "generation_provider_used": row.provider_used,
        "generation_prediction_id": row.prediction,
        "generation_status": STATUS[row.state],
    }


def _asked(row: Record) -> dict[str, Any]:
    """What was asked for, in the order of the native record, with the model's defaults for what was left open."""
    asked = {**row.plan.get("defaults", {}), **row.request} if row.request else row.request
    video = row.kind is Kind.VIDEO
    own = {spell(name): value for name, value in asked.items() if name not in _FIRST and not (video and name in _VIDEO)}
    said: dict[str, Any] = {spell(name): asked.get(name) for name in _FIRST}
    said[spell("count")] = asked.get("count", 1)
    if not video:
        return {**said, **own}
    audio = asked.get("audio", False)
    return {
        **said,
        **own,
        spell("duration"): asked.get("duration"),
        **({spell("resolution"): asked["resolution"]} if "resolution" in asked else {}),
        spell("audio"): audio,
        "generation_audio_mode": "audio" if audio else "noaudio",
    }


def _outputs(row: Record, link: Link) -> list[str] | None:
    if row.state is not State.SUCCEEDED or row.removed is not None:
        return None
    return [link(row.id, artifact) for artifact in row.artifacts]


def _times(row: Record, won: Attempt | None) -> dict[str, Any]:
    """The moments, and the two spans in seconds: the whole of it, and the attempt that served."""
    return {
        "generation_created_at": iso(row.created),
        "generation_started_at": _moment(row.started),
        "generation_completed_at": _moment(row.ended),
        "generation_metrics_total_time": (row.ended - row.created) / 1000 if row.ended is not None else None,
        "generation_metrics_predict_time": (won.ended - won.started) / 1000 if won and won.ended is not None else None,
    }


def _ending(row: Record) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if row.state is State.FAILED:
        told = failure(row).error()
        del told["details"]  # it names the generation, and this is the generation
        said = {"generation_error": told["message"], "generation_error_code": told["code"], "error": told}
    if row.removed is not None:
        said["generation_removed"] = True
    return said


def _ours(row: Record) -> dict[str, Any]:
    """What the record says beyond the native one: the price taken, and what the serving provider had no word for."""
    served = next((step for step in row.plan.get("steps", ()) if step["provider"] == row.provider_used), None)
    dropped = served["dropped"] if served else ()
    return {
        "generation_cost": as_number(row.settled) if row.settled is not None else None,
        "generation_adjustments": [
            {"field": spell(name), "provider": row.provider_used, "action": "dropped"} for name in dropped
        ],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "provider": attempt.provider,
        "state": attempt.state.value,
        "started_at": iso(attempt.started),
        "ended_at": _moment(attempt.ended),
        **({"error": _fault(attempt.fault)} if attempt.fault else {}),
        "billing": attempt.billing.value,
        "price": as_number(attempt.price),
        "pause_seconds": pause / 1000 if (pause := (attempt.fault or {}).get("pause")) else None,
        "cost": as_number(attempt.cost) if attempt.cost is not None else None,
    }


def _routing(routing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the order was decided from, without what is the operator's alone."""
    return {name: routing[name] for name in ("strategy", "asked", "tags", "ranking")} if routing else None


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    """A fault as the store keeps it, in the caller's words."""
    kind = FaultKind(fault["kind"])
    code = CODES[OF_FAULT[kind]]
    return {
        "code": code.code,
        "type": code.type,
        "message": fault["message"],
        "retryable": PERMITS[kind].retryable,
    }


def _moment(at: int | None) -> str | None:
    return iso(at) if at is not None else None
