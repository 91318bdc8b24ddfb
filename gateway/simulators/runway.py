"""Runway, played: tasks of every kind that are begun by one call each, polled on one path, and deleted.

A script's `late` makes a task wait for a slot, as `THROTTLED`. `fail` and `refuse_content` take
the vendor's dotted codes, and `absent` for a failure without one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from gateway.simulators.chaos import Call, Do
from gateway.simulators.checking import Wrong, check
from gateway.simulators.jobs import Job, Jobs, State, draft
from gateway.simulators.runway_edits import FILM_UPSCALERS, FROM_VIDEO, PERFORMED, PICTURE_UPSCALERS, TO_HDR
from gateway.simulators.runway_images import IMAGES
from gateway.simulators.runway_rules import broken_rules, upload_uri
from gateway.simulators.runway_shapes import Model, credits_for, outputs, settled
from gateway.simulators.runway_videos import FROM_IMAGE, FROM_TEXT
from gateway.simulators.runway_words import (
    NAME,
    Issue,
    failure_of,
    invalid,
    is_charged,
    issue,
    missing,
    refuse,
    word,
)
from gateway.simulators.vendor import Ask, Endpoint, Reply, Vendor

_KEY = "key_" + "5e1f0c9a2b7d4836" * 8
_VERSION = "2024-11-06"
_DAY = 86_400_000
_ODD = "QUEUED_ELSEWHERE"
_BALANCE = 1_000_000
_FILES = "/runway/_uploads"

CALLS: Mapping[str, Mapping[str, Model]] = {
    "text_to_image": IMAGES,
    "text_to_video": FROM_TEXT,
    "image_to_video": FROM_IMAGE,
    "video_to_video": FROM_VIDEO,
    "character_performance": PERFORMED,
    "image_upscale": PICTURE_UPSCALERS,
    "video_upscale": FILM_UPSCALERS,
    "video_to_hdr": TO_HDR,
}
"""The models of each call."""


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Bearer {_KEY}" or ask.path.startswith(_FILES)


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    return str(body.get("model", "")), str(body.get("promptText", ""))


def _versioned(answer: Callable[[Ask, Jobs], Reply]) -> Callable[[Ask, Jobs], Reply]:
    """Return the same answer to calls that name the one version there is, and a refusal to all others."""

    def checked(ask: Ask, jobs: Jobs) -> Reply:
        asked = ask.headers.get("x-runway-version")
        if asked is None:
            return refuse(400, f"The X-Runway-Version header is required. Set it to {_VERSION}.")
        if asked != _VERSION:
            return refuse(400, f"The X-Runway-Version {asked!r} is not known. Set it to {_VERSION}.")
        return answer(ask, jobs)

    return checked


def _create(ask: Ask, jobs: Jobs) -> Reply:
    """Check the body against the model's row and begin the task."""
    call = ask.path.rpartition("/")[2]
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return invalid([Issue("invalid_type", "Invalid input: expected object", ())])
    rows = CALLS[call]
    name = ask.body.get("model")
    if not isinstance(name, str) or name not in rows:
        code, said = ("invalid_type", "Required") if name is None else ("invalid_value", "Invalid option")
        return invalid([Issue(code, said, ("model",), tuple(rows))])
    model = rows[name]
    wrong = [bad for bad in check(model.fields, ask.body) if not (model.ignores_unknown and bad.wrong is Wrong.UNKNOWN)]
    body = {key: held for key, held in ask.body.items() if key in model.fields}
    issues = [issue(bad) for bad in wrong] or broken_rules(model, body, ask.now)
    if issues:
        return invalid(issues)
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: str(uuid.UUID(int=ids.getrandbits(128), version=4))),
        model=name,
        kind=model.kind,
        body=ask.body,
        prompt=str(body.get("promptText", "")),
        outputs=outputs(model, body),
        now=ask.now,
    )
    job.files_kept = _DAY
    job.wish = {
        "estimate": credits_for(model, body, most=True),
        "cost": settled(model, body),
        "throttled": ask.rule is not None and ask.rule.do is Do.LATE,
        "charged": False,
    }
    jobs.begin(job, ask.rule)
    return Reply(200, {"id": job.id, "estimatedCost": {"credits": job.wish["estimate"]}}, job=job)


def _iso(moment: int) -> str:
    when = dt.datetime.fromtimestamp(moment / 1000, dt.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


def _cost(job: Job, now: int) -> int:
    """Return what a task costs at this moment: nothing before its end, or when it failed without fault of its own."""
    cost: int = job.wish["cost"]
    is_due = False
    match job.state(now):
        case State.SUCCEEDED:
            is_due = bool(job.outputs)
        case State.FAILED:
            is_due = job.failure is not None and is_charged(job.failure)
        case State.CANCELED:
            is_due = job.wish["charged"]
        case State.QUEUED | State.RUNNING | State.EXPIRED:
            pass
    return cost if is_due else 0


def _status(ask: Ask, jobs: Jobs) -> Reply:
    job = jobs.find(NAME, ask.params["id"])
    return missing() if job is None else Reply(200, _task(ask, job), job=job)


def _task(ask: Ask, job: Job) -> dict[str, Any]:
    """Return a task as it is reported at this moment."""
    now = ask.now
    found: dict[str, Any] = {"id": job.id, "createdAt": _iso(job.created)}
    settled_cost = {"cost": {"credits": _cost(job, now)}}
    estimate = {"estimatedCost": {"credits": job.wish["estimate"]}}
    if job.is_odd(now):
        return {**found, "status": _ODD, **estimate}
    match job.state(now):
        case State.QUEUED:
            return {**found, "status": "THROTTLED" if job.wish["throttled"] else "PENDING", **estimate}
        case State.RUNNING:
            done = (now - job.starts) / (job.ends - job.starts)
            return {**found, "status": "RUNNING", "progress": round(done, 2), **estimate}
        case State.SUCCEEDED:
            # Each look signs the links anew: they die a day after the last one.
            job.files_kept = now - job.finished(now) + _DAY
            links = [f"{ask.link(NAME, output)}?_jwt={ask.trace}" for output in job.outputs]
            return {**found, "status": "SUCCEEDED", "output": links, **settled_cost}
        case State.FAILED if job.failure is not None:
            return {**found, "status": "FAILED", **failure_of(job.failure), **settled_cost}
        case _:
            return {**found, "status": "CANCELLED", **settled_cost}


def _delete(ask: Ask, jobs: Jobs) -> Reply:
    """Cancel what is not over, and charge for what had begun; delete what is over, files and all."""
    job = next((job for job in jobs.every(NAME) if job.id == ask.params["id"]), None)
    if job is None:
        return missing()
    state = job.state(ask.now)
    if not job.erased and not (job.cancel_ignored and not state.is_final):
        job.wish["charged"] = state is State.RUNNING
        job.cancel(ask.now)
        job.erased = True
        job.files_kept = -1
    return Reply(204, job=job)


def _upload(ask: Ask, _jobs: Jobs) -> Reply:
    """Say where a file may be put, and under which address it may be used for a day."""
    fields = {"filename", "type"}
    body = ask.body if isinstance(ask.body, dict) else {}
    issues = [Issue("unrecognized_keys", f'Unrecognized key: "{key}"', (key,)) for key in body if key not in fields]
    if not isinstance(body.get("filename"), str):
        issues.append(Issue("invalid_type", "Required", ("filename",)))
    if body.get("type") != "ephemeral":
        issues.append(Issue("invalid_value", "Invalid option", ("type",), ("ephemeral",)))
    if issues:
        return invalid(issues)
    uri = upload_uri(ask.now, ask.trace)
    where = f"{ask.origin}{_FILES}/{ask.trace}"
    return Reply(200, {"runwayUri": uri, "uploadUrl": where, "fields": {"key": ask.trace, "policy": "simulated"}})


def _put(ask: Ask, _jobs: Jobs) -> Reply:
    """Take a file into the store: the fields that were given out, and the file."""
    sent = {part.name for part in ask.parts or ()}
    return Reply(204) if sent >= {"key", "policy", "file"} else Reply(400, b"", {"Content-Type": "application/xml"})


def _organization(ask: Ask, jobs: Jobs) -> Reply:
    """Tell the balance, and how many tasks of each model were begun in the last day."""
    made: dict[str, int] = {}
    spent = 0
    for job in jobs.every(NAME):
        spent += _cost(job, ask.now)
        if ask.now - job.created < _DAY:
            made[job.model] = made.get(job.model, 0) + 1
    names = sorted({name for rows in CALLS.values() for name in rows})
    # The limits of the highest tier.
    limits = {name: {"maxConcurrentGenerations": 20, "maxDailyGenerations": 30_000} for name in names}
    found = {
        "creditBalance": _BALANCE - spent,
        "tier": {"maxMonthlyCreditSpend": 10_000_000, "models": limits},
        "usage": {"models": {name: {"dailyGenerations": made.get(name, 0)} for name in names}},
    }
    return Reply(200, found)


_V1 = "/runway/v1"

RUNWAY = Vendor(
    name=NAME,
    heads=("runway",),
    base="/runway",
    secrets={"RUNWAYML_API_SECRET": _KEY, "RUNWAY_API_KEY": _KEY},
    endpoints=(
        *(Endpoint("POST", f"{_V1}/{call}", Call.SUBMIT, _versioned(_create)) for call in CALLS),
        Endpoint("GET", _V1 + "/tasks/{id}", Call.STATUS, _versioned(_status)),
        Endpoint("DELETE", _V1 + "/tasks/{id}", Call.CANCEL, _versioned(_delete)),
        Endpoint("POST", _V1 + "/uploads", Call.OTHER, _versioned(_upload)),
        Endpoint("GET", _V1 + "/organization", Call.OTHER, _versioned(_organization)),
        Endpoint("POST", _FILES + "/{name}", Call.OTHER, _put),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=lambda job, now: _cost(job, now) > 0,
    stamp=lambda _: {},
)
