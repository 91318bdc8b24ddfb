"""Replicate, played: predictions that are created, polled, waited for, listed and cancelled."""

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import Any
from urllib.parse import urlencode

from gateway.simulators import media
from gateway.simulators.chaos import Call
from gateway.simulators.checking import check
from gateway.simulators.jobs import Job, Jobs, State, draft
from gateway.simulators.replicate_catalog import about, account, one_version, versions
from gateway.simulators.replicate_models import MODELS, conflict, outputs, version_of
from gateway.simulators.replicate_words import (
    NAME,
    broken,
    invalid,
    missing,
    problem,
    wait_for,
    word,
    wrong_fields,
)
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_KEY = "r8_simulatedAbCdEfGhIjKlMnOpQrStUvWxYz01"
_HOUR = 3_600_000
_PAGE = 100
_ODD = "throttled_internal"
_WORDS = {
    State.QUEUED: "starting",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}
_KEYS = {"input", "version", "webhook", "webhook_completed", "webhook_events_filter", "stream"}
_EVENTS = ("start", "output", "logs", "completed")


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") in (f"Bearer {_KEY}", f"Token {_KEY}")


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    given = body.get("input") if isinstance(body.get("input"), dict) else {}
    model = _named(ask, body) or str(body.get("version", ""))
    return model, str((given or {}).get("prompt", ""))


def _named(ask: Ask, body: dict[str, Any]) -> str | None:
    """Return the model a submit means: by path, by `owner/name`, or by a version's id."""
    if "owner" in ask.params:
        return f"{ask.params['owner']}/{ask.params['name']}"
    asked = str(body.get("version", ""))
    name, _, version = asked.rpartition(":")
    if asked in MODELS and MODELS[asked].is_official:
        return asked
    known = {version_of(model): model for model in MODELS}
    found = known.get(version)
    return found if name in ("", found) else None


def _body(ask: Ask) -> dict[str, Any] | Reply:
    """Return the body once everything but its input is right."""
    if ask.malformed or not isinstance(ask.body, dict):
        return problem(400, "Bad request", "The request body must be a JSON object")
    if "json" not in ask.headers.get("content-type", ""):
        return problem(415, "Unsupported media type", "The Content-Type must be application/json")
    wrong = [(key, f"Additional property {key} is not allowed") for key in ask.body if key not in _KEYS]
    hook, events, given = (ask.body.get(key) for key in ("webhook", "webhook_events_filter", "input"))
    if hook is not None and not (isinstance(hook, str) and hook.startswith("https://")):
        wrong.append(("webhook", "webhook must be an HTTPS URL"))
    if events is not None and not (isinstance(events, list) and all(event in _EVENTS for event in events)):
        wrong.append(("webhook_events_filter", f"must be a list from {', '.join(_EVENTS)}"))
    if not isinstance(given, dict):
        wrong.append(("input", "input is required" if given is None else "input must be an object"))
    return invalid(wrong) if wrong else ask.body


def _create_by_model(ask: Ask, jobs: Jobs) -> Reply | Held:
    name = f"{ask.params['owner']}/{ask.params['name']}"
    if name not in MODELS or not MODELS[name].is_official:
        return missing()
    if isinstance(ask.body, dict) and "version" in ask.body:
        return invalid([("version", "Additional property version is not allowed")])
    body = _body(ask)
    return body if isinstance(body, Reply) else _create(ask, jobs, name, body)


def _create_by_version(ask: Ask, jobs: Jobs) -> Reply | Held:
    body = _body(ask)
    if isinstance(body, Reply):
        return body
    if not isinstance(body.get("version"), str):
        return invalid([("version", "version is required")])
    name = _named(ask, body)
    return word(ask, 422, None) if name is None else _create(ask, jobs, name, body)


def _create(ask: Ask, jobs: Jobs, name: str, body: dict[str, Any]) -> Reply | Held:
    """Check the input, begin the prediction, and hold the line if that was asked for."""
    model, given = MODELS[name], body["input"]
    wrong = check(model.inputs, given, ("input",))
    if wrong:
        return wrong_fields(wrong)
    clash = conflict(name, given)
    if clash is not None:
        return invalid([(f"input.{clash[0]}", clash[1])])
    wait, deadline = wait_for(ask.headers.get("prefer")), _deadline(ask.headers.get("cancel-after"))
    if wait is None or deadline is None:
        return problem(400, "Bad request", "Prefer takes wait=1 to wait=60, Cancel-After 5s to 24h")
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: "".join(ids.choices("abcdefghjkmnpqrstvwxyz0123456789", k=26))),
        model=name,
        kind=model.kind,
        body=ask.body,
        prompt=given["prompt"],
        outputs=outputs(model, given),
        now=ask.now,
    )
    job.files_kept = _HOUR
    job.wish = {"webhook": body.get("webhook"), "webhook_events_filter": body.get("webhook_events_filter")}
    job.expires = ask.now + deadline * 1000 if deadline else job.expires
    jobs.begin(job, ask.rule)
    if not wait:
        return Reply(201, _prediction(ask, job, ask.now), job=job)
    until = min(job.ends, ask.now + wait * 1000)
    return Held(job, until, lambda now: _waited(ask, job, now))


def _waited(ask: Ask, job: Job, now: int) -> Reply:
    """Return the answer to a call that waited.

    When the wait ran out the vendor says `starting`, whatever is true; and a community model's
    result comes as `processing` with the files inline, which is how its traffic was recorded.
    """
    found = _prediction(ask, job, now)
    state = job.state(now)
    if not state.is_final:
        found["status"] = "starting"
    elif state is State.SUCCEEDED and not MODELS[job.model].is_official:
        files = [(media.TYPES[output.form], media.draw(output, job.prompt)) for output in job.outputs]
        found["status"] = "processing"
        found["output"] = [f"data:{kind};base64,{base64.b64encode(data).decode()}" for kind, data in files]
    return Reply(201, found, {"Preference-Applied": ask.headers["prefer"]}, job)


def _deadline(asked: str | None) -> int | None:
    """Return the seconds a `Cancel-After` header gives, 0 without one, nothing when it cannot be read."""
    if asked is None:
        return 0
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", asked)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    return total if 5 <= total <= 86_400 else None


def _prediction(ask: Ask, job: Job, now: int, *, is_listed: bool = False) -> dict[str, Any]:
    """Return a prediction as it is reported; an hour after its end nothing is left but the frame."""
    state = job.state(now)
    is_removed = state.is_final and now - job.finished(now) > _HOUR
    model = MODELS[job.model]
    here = f"{ask.origin}/replicate/v1/predictions/{job.id}"
    found: dict[str, Any] = {
        "id": job.id,
        "model": job.model,
        "version": "hidden" if model.is_official else version_of(job.model),
        "input": {} if is_removed else job.body["input"],
        "output": None,
        "logs": "" if is_removed or state is State.QUEUED else _logs(job, now),
        "error": broken(job) if state is State.FAILED else None,
        "status": _ODD if job.is_odd(now) else _word(job, now),
        "created_at": _iso(job.created),
        "data_removed": is_removed,
        "urls": {"get": here, "cancel": f"{here}/cancel", "web": f"https://replicate.com/p/{job.id}"},
    }
    if now >= job.starts:
        found["started_at"] = _iso(int(job.starts))
    if state.is_final:
        ended = job.finished(now)
        found["completed_at"] = _iso(ended)
        run, total = max(0, ended - job.starts) / 1000, (ended - job.created) / 1000
        found["metrics"] = {"predict_time": run, "total_time": total}
    if state is State.SUCCEEDED and not is_removed:
        links = [ask.link(NAME, output) for output in job.outputs]
        found["output"] = links if model.is_list else (links[0] if links else None)
    return {**found, "source": "api"} if is_listed else found


def _word(job: Job, now: int) -> str:
    """Return the state in the vendor's word: a deadline aborts what has not begun and cancels the rest."""
    state = job.state(now)
    if state is State.EXPIRED:
        return "aborted" if job.expires <= job.starts else "canceled"
    return _WORDS[state]


def _logs(job: Job, now: int) -> str:
    done = 4 if now >= job.ends else int(4 * (now - job.starts) / max(1, job.ends - job.starts))
    return f"Using seed: 42\n{done * 25:3d}%|{'#' * done}{' ' * (4 - done)}| {done}/4 [00:00<00:00]\n"


def _iso(moment: int) -> str:
    when = dt.datetime.fromtimestamp(moment / 1000, dt.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


def _moment(asked: str) -> float:
    """Return an ISO 8601 time in ms, UTC if it names no zone; `ValueError` when it is none."""
    when = dt.datetime.fromisoformat(asked)
    return (when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)).timestamp() * 1000


def _status(ask: Ask, jobs: Jobs) -> Reply:
    job = jobs.find(NAME, ask.params["id"])
    return missing() if job is None else Reply(200, _prediction(ask, job, ask.now), job=job)


def _cancel(ask: Ask, jobs: Jobs) -> Reply:
    job = jobs.find(NAME, ask.params["id"])
    if job is None:
        return missing()
    job.cancel(ask.now)
    return Reply(200, _prediction(ask, job, ask.now), job=job)


def _list(ask: Ask, jobs: Jobs) -> Reply:
    """Return the newest predictions, a hundred a page, between two moments if asked."""
    bounds = []
    for name in ("created_after", "created_before"):
        try:
            asked = [_moment(value) for value in ask.asked(name)]
        except ValueError:
            return problem(400, "Bad request", f"{name} must be an ISO 8601 time")
        bounds.append(asked[0] if asked else None)
    after, before = bounds
    found = [
        job
        for job in jobs.every(NAME)
        if (after is None or job.created >= after) and (before is None or job.created < before)
    ]
    found.reverse()
    cursor = (ask.asked("cursor") or ["0"])[0]
    first = int(cursor) if cursor.isdecimal() else 0
    rest = [(name, value) for name, value in ask.query if name != "cursor"]

    def page(start: int) -> str | None:
        if not 0 <= start < len(found):
            return None
        return f"{ask.origin}/replicate/v1/predictions?{urlencode([('cursor', start), *rest])}"

    results = [_prediction(ask, job, ask.now, is_listed=True) for job in found[first : first + _PAGE]]
    return Reply(200, {"next": page(first + _PAGE), "previous": page(first - _PAGE), "results": results})


def _is_billed(job: Job, now: int) -> bool:
    """Official models cost per output; community models for the time they ran, however it ended."""
    state = job.state(now)
    if MODELS[job.model].is_official:
        return state is State.SUCCEEDED and bool(job.outputs)
    return state.is_final and job.finished(now) > job.starts


_V1 = "/replicate/v1"
_MODEL = _V1 + "/models/{owner}/{name}"

REPLICATE = Vendor(
    name=NAME,
    heads=("replicate",),
    base="/replicate",
    secrets={"REPLICATE_API_TOKEN": _KEY},
    endpoints=(
        Endpoint("POST", _MODEL + "/predictions", Call.SUBMIT, _create_by_model),
        Endpoint("POST", _V1 + "/predictions", Call.SUBMIT, _create_by_version),
        Endpoint("GET", _V1 + "/predictions", Call.OTHER, _list),
        Endpoint("GET", _V1 + "/predictions/{id}", Call.STATUS, _status),
        Endpoint("POST", _V1 + "/predictions/{id}/cancel", Call.CANCEL, _cancel),
        Endpoint("GET", _V1 + "/account", Call.OTHER, account),
        Endpoint("GET", _MODEL, Call.OTHER, about),
        Endpoint("GET", _MODEL + "/versions", Call.OTHER, versions),
        Endpoint("GET", _MODEL + "/versions/{version}", Call.OTHER, one_version),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda _: {"ratelimit-remaining": "599", "ratelimit-reset": "1"},
)
