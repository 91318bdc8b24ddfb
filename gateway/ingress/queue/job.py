"""A stored generation → its status and its outputs, as the clients of this door read them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gateway.clock import iso
from gateway.generation import Kind, State
from gateway.ingress.queue.words import status_of
from gateway.ingress.reception import adjustments, failed, told
from gateway.ledger.records import Artifact, Record
from gateway.money import text

_INLINE = "data:"
_SEGMENTS = 2  # of a model's name that stand in the addresses of its requests


class Status(StrEnum):
    """How far a request is; there is no word for a failure, which the result tells."""

    QUEUED = "IN_QUEUE"
    RUNNING = "IN_PROGRESS"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of a request to tell of it, as the plan holds it under `door`: the model as it was named there, and more."""

    app: str
    base: str
    adjusted: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Record, base: str) -> Asked:
        """Read it back; a generation that came by another door is told of under `base`."""
        kept = record.plan.get("door", {})
        if "app" not in kept:
            return cls(record.model, base)
        return cls(kept["app"], kept["base"], tuple(kept["adjusted"]))

    def kept(self) -> dict[str, Any]:
        """What the plan keeps."""
        return {"app": self.app, "base": self.base, "adjusted": list(self.adjusted)}


def addresses(asked: Asked, generation: str, origin: str) -> dict[str, str]:
    """Where a request is followed: with no more of its model's name than the clients' own addresses have."""
    owner = "/".join(quote(each) for each in asked.app.split("/")[:_SEGMENTS])
    here = f"{origin}{asked.base}/{owner}/requests/{generation}"
    return {"response_url": here, "status_url": f"{here}/status", "cancel_url": f"{here}/cancel"}


def submitted(asked: Asked, generation: str, origin: str) -> dict[str, Any]:
    """How it is told that a request was put into the queue."""
    return {
        "status": Status.QUEUED.value,
        "request_id": generation,
        "gateway_request_id": generation,
        "queue_position": 0,
        **addresses(asked, generation, origin),
    }


def status_name(record: Record) -> Status:
    """That API's word for a state."""
    if record.state.is_final:
        return Status.COMPLETED
    return Status.QUEUED if record.state is State.ACCEPTED else Status.RUNNING


def status(record: Record, asked: Asked, origin: str, logs: Sequence[Mapping[str, str]] | None) -> dict[str, Any]:
    """How far a request is. Each of the clients insists on other members, so all are there when they mean something."""
    now = status_name(record)
    found: dict[str, Any] = {
        "status": now.value,
        "request_id": record.id,
        **addresses(asked, record.id, origin),
        "logs": list(logs) if logs is not None else None,
    }
    match now:
        case Status.QUEUED:
            found["queue_position"] = 0
        case Status.COMPLETED:
            found["metrics"] = _metrics(record)
        case Status.RUNNING:
            pass
    if record.state in {State.FAILED, State.CANCELED}:
        refusal = failed(record)
        found["error"], found["error_type"] = refusal.message, status_of(refusal)[1]
    return found


def output(record: Record, links: Sequence[str], adjusted: Sequence[str]) -> dict[str, Any]:
    """What came of it, as the models of that API answer."""
    files = [_file(artifact, link) for artifact, link in zip(record.artifacts, links, strict=True)]
    # Clients take a null for a mistake: what was not said is not there.
    common = {name: record.request[name] for name in ("seed", "prompt") if record.request.get(name) is not None}
    if record.kind is Kind.VIDEO:
        made: dict[str, Any] = {"video": files[0] if files else None, **({"videos": files} if len(files) > 1 else {})}
    else:
        # A few of its models make one picture and call it so.
        one = {"image": files[0]} if len(files) == 1 and not links[0].startswith(_INLINE) else {}
        made = {"images": files, **one, "has_nsfw_concepts": [False] * len(files)}
    return {**made, "timings": _timings(record), **common, "tidegate": beside(record, adjusted)}


def beside(record: Record, adjusted: Sequence[str]) -> dict[str, Any]:
    """What that API has no word for: who served it, for how much, and what was done otherwise than it was written."""
    said = told(record)
    said["adjustments"] = [*said["adjustments"], *({"action": "adjusted", "says": each} for each in adjusted)]
    return said


def logs(record: Record, adjusted: Sequence[str]) -> list[dict[str, str]]:
    """What happened so far, a line for each step."""
    lines = [_line(record.created, "WARN", each) for each in adjusted]
    for attempt in record.attempts:
        lines.append(_line(attempt.started, "INFO", f"asked {attempt.provider}"))
        if attempt.fault and attempt.ended is not None:
            lines.append(_line(attempt.ended, "ERROR", f"{attempt.provider}: {attempt.fault['message']}"))
    if record.ended is not None:
        for each in adjustments(record):
            said = f"{each['field']} is not known to {each['provider']} and was left out"
            lines.append(_line(record.ended, "WARN", said))
        if record.provider_used is not None and record.settled is not None:
            said = f"served by {record.provider_used} for {text(record.settled)} credits"
            lines.append(_line(record.ended, "INFO", said))
    return lines


def _line(at: int, level: str, message: str) -> dict[str, str]:
    return {"timestamp": iso(at), "level": level, "source": "tidegate", "message": message}


def _file(artifact: Artifact, link: str) -> dict[str, Any]:
    return {
        "url": link,
        "content_type": artifact.type,
        "file_name": None if link.startswith(_INLINE) else unquote(urlsplit(link).path.rpartition("/")[2]) or None,
        "file_size": artifact.size,
        "width": artifact.width,
        "height": artifact.height,
    }


def _metrics(record: Record) -> dict[str, Any]:
    won = next((attempt for attempt in record.attempts if attempt.won), None)
    return {"inference_time": (won.ended - won.started) / 1000} if won is not None and won.ended is not None else {}


def _timings(record: Record) -> dict[str, Any]:
    return {"inference": spent} if (spent := _metrics(record).get("inference_time")) is not None else {}
