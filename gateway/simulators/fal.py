"""Fal, played: a queue of requests with status and result apart, and the same endpoints answered at once.

The queue takes any JSON object: an input that is wrong shows only in the result, as an error of
the model. Status, result and cancel live under the first two segments of the endpoint's id.
"""

from __future__ import annotations

import base64
import json
import math
import uuid
from typing import Any

from gateway.simulators import media
from gateway.simulators.chaos import Call
from gateway.simulators.checking import check
from gateway.simulators.fal_models import ENDPOINTS, outputs
from gateway.simulators.fal_words import (
    CANCELLED,
    NAME,
    Refusal,
    asked_failure,
    bad_request,
    invalid,
    late,
    missing,
    word,
)
from gateway.simulators.jobs import Failure, Job, Jobs, Output, State, draft
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_KEY = "sim:2f7d1c0a9b"
_ODD = "WARMING_UP"


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Key {_KEY}"


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    return ask.params.get("endpoint", ""), str(body.get("prompt", ""))


def _begin(ask: Ask, jobs: Jobs) -> Job | Reply:
    """Enter a request into the queue; everything but the input itself must be right."""
    name = ask.params["endpoint"]
    if name not in ENDPOINTS:
        return missing(f'Application "{name}" not found')
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return bad_request("The body must be a JSON object, sent as application/json")
    if ask.headers.get("x-fal-queue-priority", "normal") not in ("normal", "low"):
        return bad_request("X-Fal-Queue-Priority must be normal or low")
    start = _seconds(ask.headers.get("x-fal-request-timeout"))
    if start is None:
        return bad_request("X-Fal-Request-Timeout must be a number greater than 1")
    kept = _lifetime(ask.headers.get("x-fal-object-lifecycle-preference"))
    if kept is None:
        return bad_request('X-Fal-Object-Lifecycle-Preference must be {"expiration_duration_seconds": seconds}')
    endpoint = ENDPOINTS[name]
    wrong = check(endpoint.inputs, ask.body)
    is_black = ask.refused_content() and ask.rule is not None and ask.rule.code == "nsfw"
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: str(uuid.UUID(int=ids.getrandbits(128), version=4))),
        model=name,
        kind=endpoint.kind,
        body=ask.body,
        prompt=str(ask.body.get("prompt", "")),
        outputs=() if wrong else outputs(endpoint, ask.body, black=is_black),
        now=ask.now,
    )
    job.files_kept = kept * 1000
    job.wish = {"fal_webhook": next(iter(ask.asked("fal_webhook")), None), "black": is_black}
    jobs.begin(job, ask.rule)
    if is_black:
        job.failure = None
    if job.failure is not None:
        job.wish["refusal"] = asked_failure(job.failure)
    if wrong:
        _turn_away(job, invalid(wrong, ask.body), job.starts)
    if job.starts > job.created + start * 1000:
        _turn_away(job, late(), job.created + start * 1000)
    return job


def _turn_away(job: Job, refusal: Refusal, ends: float) -> None:
    """Let a request end badly, at a moment, without ever running."""
    job.failure = Failure()
    job.ends, job.starts = ends, min(job.starts, ends)
    job.wish["refusal"] = refusal


def _seconds(asked: str | None) -> float | None:
    if asked is None:
        return math.inf
    try:
        found = float(asked)
    except ValueError:
        return None
    return found if found > 1 else None


def _lifetime(asked: str | None) -> float | None:
    """Return for how many seconds files are kept: for ever if nothing is said, nothing when it cannot be read."""
    if asked is None:
        return math.inf
    try:
        found = json.loads(asked)["expiration_duration_seconds"]
    except (ValueError, KeyError, TypeError):
        return None
    if found is None:
        return math.inf
    return found if isinstance(found, int) and found > 0 else None


def _submit(ask: Ask, jobs: Jobs) -> Reply:
    job = _begin(ask, jobs)
    if isinstance(job, Reply):
        return job
    found = {"status": "IN_QUEUE", "queue_position": 0, "gateway_request_id": job.id, **_links(ask, job)}
    return Reply(200, found, job=job)


def _run(ask: Ask, jobs: Jobs) -> Reply | Held:
    job = _begin(ask, jobs)
    return job if isinstance(job, Reply) else Held(job, job.ends, lambda now: _outcome(ask, job, now))


def _app(job: Job) -> str:
    """Return the part of an endpoint's id that its requests live under."""
    return "/".join(job.model.split("/")[:2])


def _links(ask: Ask, job: Job) -> dict[str, str]:
    here = f"{ask.origin}/fal/{_app(job)}/requests/{job.id}"
    return {
        "request_id": job.id,
        "response_url": here,
        "status_url": f"{here}/status",
        "cancel_url": f"{here}/cancel",
    }


def _find(ask: Ask, jobs: Jobs) -> Job | None:
    job = jobs.find(NAME, ask.params["id"])
    return job if job is not None and _app(job) == f"{ask.params['owner']}/{ask.params['alias']}" else None


def _status(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    if job is None:
        return missing("Request not found")
    wants_logs = (ask.asked("logs") or ["0"])[0].lower() in ("1", "true")
    logs = [{"message": "simulated", "level": "INFO", "timestamp": "2026-01-01T00:00:00Z"}] if wants_logs else None
    state = job.state(ask.now)
    if job.is_odd(ask.now):
        return Reply(202, {"status": _ODD, **_links(ask, job)}, job=job)
    if state is State.QUEUED:
        return Reply(202, {"status": "IN_QUEUE", "queue_position": 0, **_links(ask, job)}, job=job)
    if state is State.RUNNING:
        return Reply(202, {"status": "IN_PROGRESS", "logs": logs, **_links(ask, job)}, job=job)
    seconds = max(0, job.finished(ask.now) - job.starts) / 1000
    found = {"status": "COMPLETED", "logs": logs, "metrics": {"inference_time": seconds}, **_links(ask, job)}
    refusal = _refusal(job)
    if refusal is not None and refusal.error_type is not None:
        found |= {"error": refusal.detail, "error_type": refusal.error_type}
    return Reply(200, found, job=job)


def _refusal(job: Job) -> Refusal | None:
    if job.canceled is not None:
        return CANCELLED
    found: Refusal | None = job.wish.get("refusal")
    return found


def _result(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    return missing("Request not found") if job is None else _outcome(ask, job, ask.now)


def _outcome(ask: Ask, job: Job, now: int) -> Reply:
    if not job.state(now).is_final:
        return Reply(400, {"detail": "Request is still in progress"}, job=job)
    refusal = _refusal(job)
    if refusal is not None:
        return Reply(refusal.status, refusal.body(), refusal.headers, job)
    endpoint = ENDPOINTS[job.model]
    files = [_file(ask, job, output) for output in job.outputs]
    if endpoint.kind == "video":
        found: dict[str, Any] = {"video": files[0] if files else None}
        units = sum(output.seconds for output in job.outputs)
    else:
        found = {"images": files}
        units = len(files)
    extras = {
        "has_nsfw_concepts": [job.wish["black"]] * len(files),
        "prompt": job.prompt,
        "seed": job.body.get("seed", 42),
        "timings": {"inference": 0.1},
        "description": "A simulated picture.",
    }
    found |= {name: extras[name] for name in endpoint.extra}
    return Reply(200, found, {"X-Fal-Billable-Units": f"{units:g}"}, job)


def _file(ask: Ask, job: Job, output: Output) -> dict[str, Any]:
    kind = media.TYPES[output.form]
    link = ask.link(NAME, output)
    size = None  # the vendor may leave it open, and the file is drawn only when it is fetched
    if job.body.get("sync_mode"):
        data = media.draw(output, job.prompt)
        link, size = f"data:{kind};base64,{base64.b64encode(data).decode()}", len(data)
    found: dict[str, Any] = {"url": link, "content_type": kind, "file_name": output.name, "file_size": size}
    return found if output.form == "mp4" else {**found, "width": output.width, "height": output.height}


def _cancel(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    if job is None:
        return Reply(404, {"status": "NOT_FOUND"})
    state = job.state(ask.now)
    if state.is_final:
        return Reply(400, {"status": "ALREADY_COMPLETED"}, job=job)
    job.cancel(ask.now)
    is_removed = state is State.QUEUED and job.canceled is not None
    return Reply(200, {"status": "OK"}, job=job) if is_removed else _signalled(job)


def _signalled(job: Job) -> Reply:
    return Reply(202, {"status": "CANCELLATION_REQUESTED"}, job=job)


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs, blank pictures too; so does a run whose content was refused, but no breakdown."""
    state = job.state(now)
    if state is State.FAILED:
        return job.failure is not None and job.failure.moderated
    return state is State.SUCCEEDED and bool(job.outputs)


_REQUESTS = "/fal/{owner}/{alias}/requests/{id}"

FAL = Vendor(
    name=NAME,
    heads=("fal", "fal-run"),
    base="/fal",
    secrets={"FAL_KEY": _KEY},
    endpoints=(
        Endpoint("GET", _REQUESTS + "/status", Call.STATUS, _status),
        Endpoint("PUT", _REQUESTS + "/cancel", Call.CANCEL, _cancel),
        Endpoint("GET", _REQUESTS, Call.RESULT, _result),
        Endpoint("POST", "/fal/{endpoint*}", Call.SUBMIT, _submit),
        Endpoint("POST", "/fal-run/{endpoint*}", Call.SUBMIT, _run),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda ask: {"x-fal-request-id": ask.trace},
)
