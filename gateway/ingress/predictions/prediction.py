"""A stored generation → a prediction, as the clients of this door read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.clock import iso
from gateway.generation import Kind, State
from gateway.ingress.predictions.wishes import Wishes
from gateway.ingress.predictions.words import of_run
from gateway.ingress.reception import adjustments, told
from gateway.ingress.record import failure
from gateway.ledger.records import Record
from gateway.money import text
from gateway.providers.pack import Answers
from gateway.providers.reverse import version_of

STATUS: Mapping[State, str] = {
    State.ACCEPTED: "starting",
    State.SUBMITTING: "starting",
    State.RUNNING: "processing",
    State.STORING: "processing",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}
_HIDDEN = "hidden"  # that API's word for the version of a model that is asked for by its name alone
# The clients know a success by its outputs, which may come as many megabytes: they are put in last.
OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of a request to tell of it as it was asked, as the plan holds it under `door`."""

    name: str
    version: str
    input: Mapping[str, Any]
    base: str
    is_list: bool
    adjusted: tuple[str, ...]
    within: int | None
    deployment: str | None

    @classmethod
    def of(cls, record: Record) -> Asked:
        """Read it back; a generation that came by another door tells what it can."""
        kept = record.plan.get("door", {})
        if kept.get("name") is None:
            return cls(record.model, _HIDDEN, record.request, "/v1", record.kind is Kind.IMAGE, (), None, None)
        return cls(
            kept["name"],
            kept["version"],
            kept["input"],
            kept["base"],
            kept["is_list"],
            tuple(kept["adjusted"]),
            kept.get("within"),
            kept.get("deployment"),
        )


def kept(wishes: Wishes, base: str, answers: Answers, within: int | None, deployment: str | None) -> dict[str, Any]:
    """What the plan keeps of a request; `base` is the path under which its client knows this door."""
    named = wishes.named
    adjusted = [each.says for each in wishes.heard.adjusted]
    if named.version is not None and named.version != version_of(named.name):
        adjusted.append(f"version {named.version[:80]} is not kept here; the model is served as it is")
    return {
        "name": named.name,
        "version": named.version or _HIDDEN,
        "input": dict(wishes.input),
        "base": base,
        "is_list": answers is Answers.LIST,
        "adjusted": adjusted,
        **({"within": within} if within is not None else {}),
        **({"deployment": deployment} if deployment is not None else {}),
    }


def prediction(record: Record, origin: str, *, status: str | None = None) -> dict[str, Any]:
    """The record as that API has it, all but the outputs; `status` where another is told than holds now."""
    asked = Asked.of(record)
    here = f"{origin}{asked.base}/predictions/{record.id}"
    status = status or status_of(record, asked)
    is_over = status in {"succeeded", "failed", "canceled"}
    return {
        "id": record.id,
        "model": asked.name,
        "version": asked.version,
        "input": dict(asked.input),
        "logs": "".join(f"{line}\n" for line in _lines(record, asked)) if is_over else "",
        "error": of_run(failure(record)) if status == "failed" else None,
        "status": status,
        "source": "api",
        "data_removed": record.removed is not None,
        "created_at": iso(record.created),
        "started_at": iso(record.started) if record.started is not None and status != "starting" else None,
        "completed_at": iso(record.ended) if record.ended is not None and is_over else None,
        **({"deadline": iso(record.deadline)} if asked.within is not None else {}),
        **({"deployment": asked.deployment} if asked.deployment is not None else {}),
        "metrics": _metrics(record) if is_over else {},
        "urls": {"get": here, "cancel": f"{here}/cancel"},
        **({"tidegate": told(record)} if is_over else {}),
    }


def status_of(record: Record, asked: Asked) -> str:
    """That API's word for how far it is; what was not done in the time its client gave is canceled there."""
    if record.state is State.FAILED and asked.within is not None and (record.ended or 0) >= record.deadline:
        return "canceled"
    return STATUS[record.state]


def shaped(record: Record, outputs: list[str]) -> list[str] | str | None:
    """Outputs in the form that the clients of the model expect: a list, or one alone."""
    if not outputs or record.removed is not None:
        return None
    return outputs if len(outputs) > 1 or Asked.of(record).is_list else outputs[0]


def _metrics(record: Record) -> dict[str, Any]:
    """What it took: seconds in all and of the attempt that served, outputs, and what no other place here has room for."""
    won = next((attempt for attempt in record.attempts if attempt.won), None)
    found: dict[str, Any] = {}
    if won is not None and won.ended is not None:
        found["predict_time"] = (won.ended - won.started) / 1000
    if record.ended is not None:
        found["total_time"] = (record.ended - record.created) / 1000
    if record.artifacts:
        found["image_count" if record.kind is Kind.IMAGE else "video_count"] = len(record.artifacts)
    said = told(record)
    return {**found, **{name: said[name] for name in ("provider", "cost", "attempts") if said[name] is not None}}


def _lines(record: Record, asked: Asked) -> list[str]:
    lines = [f"tidegate: {each}" for each in asked.adjusted]
    lines += [
        f"tidegate: {each['field']} is not known to {each['provider']} and was left out" for each in adjustments(record)
    ]
    if record.provider_used is not None and record.settled is not None:
        lines.append(f"tidegate: served by {record.provider_used} for {text(record.settled)} credits")
    return lines
