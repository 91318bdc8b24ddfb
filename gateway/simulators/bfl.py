"""BFL, played: a task for each call, polled at the address that came with it, one signed link at the end.

The address lies in the cluster that took the task. The common address knows a task only when it
was begun with a callback, since then no polling address is given.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from gateway.simulators import bfl_inputs as inputs
from gateway.simulators import bfl_videos
from gateway.simulators.bfl_models import MODELS, Model, misfit
from gateway.simulators.bfl_words import NAME, NOT_FOUND, invalid, invalid_fields, problem, task, word
from gateway.simulators.chaos import Call
from gateway.simulators.checking import check
from gateway.simulators.jobs import Job, Jobs, Output, State, draft
from gateway.simulators.vendor import Ask, Endpoint, Reply, Vendor

_KEY = "5a1d7c3e-51b0-4a57-9c0d-0f2ab6e4d913"
_CLUSTER = "eu2"
_ODD = "Warming Up"
_CREDITS = 100_000.0
_MOST_ACTIVE, _MOST_FILMS = 24, 5
_FEW_ACTIVE = {"flux-kontext-max": 6}
_MOST_TOGETHER = 9.0
_INPUT_REFUSED = "Request Moderated"


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("x-key") == _KEY


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    return ask.params.get("model", ""), str(body.get("prompt", ""))


def _submit(ask: Ask, jobs: Jobs) -> Reply:
    name = ask.params["model"]
    if name not in MODELS:
        return problem(404)
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return invalid(["body"], "JSON decode error", "json_invalid")
    model = MODELS[name]
    body = ask.body if model.is_closed else {field: ask.body[field] for field in ask.body if field in model.fields}
    refusal = _refusal(ask, name, model, body)
    if refusal is not None:
        return refusal
    if _is_full(jobs, name, model, ask.now):
        return problem(429)
    job = _begin(ask, jobs, name, model, body)
    about = {"cost": job.wish["cost"]} if job.wish["cost"] is not None else {}
    about |= {"input_mp": job.wish["input_mp"], "output_mp": job.wish["output_mp"]}
    if "webhook_url" in body:
        return Reply(200, {"id": job.id, "status": "Pending", "webhook_url": body["webhook_url"], **about}, job=job)
    return Reply(
        200,
        {"id": job.id, "polling_url": f"{ask.origin}/bfl/{_CLUSTER}/v1/get_result?id={job.id}", **about},
        job=job,
    )


def _refusal(ask: Ask, name: str, model: Model, body: dict[str, Any]) -> Reply | None:
    """Return what is wrong with a body: its fields first, then what belongs together, then what it shows."""
    wrong = check(model.fields, body)
    if wrong:
        return invalid_fields(wrong)
    clash = misfit(name, body) or (bfl_videos.conflict(body) if name == "flux-3-video" else None)
    if clash is not None:
        return invalid(["body", clash[0]], clash[1])
    for field, value in inputs.shown(model, body):
        said = inputs.unreadable(ask, name, model, field, value)
        if said is not None:
            return problem(400, f"{field}: {said}")
    shown, made = inputs.areas(model, body)
    if name.startswith("flux-2-pro") and shown + made > _MOST_TOGETHER:
        return invalid(
            ["body"], f"Value error, input and output together must not exceed {_MOST_TOGETHER:g} megapixels"
        )
    return None


def _is_full(jobs: Jobs, name: str, model: Model, now: int) -> bool:
    """Whether as many tasks are active as may be: in all, of this model, or films."""
    active = [job for job in jobs.every(NAME) if not job.state(now).is_final]
    of_model = sum(job.model == name for job in active)
    films = sum(job.kind == "video" for job in active)
    if model.kind == "video" and films >= _MOST_FILMS:
        return True
    return of_model >= _FEW_ACTIVE.get(name, _MOST_ACTIVE) or len(active) >= _MOST_ACTIVE


def _begin(ask: Ask, jobs: Jobs, name: str, model: Model, body: dict[str, Any]) -> Job:
    form = body.get("output_format", model.form)
    seconds = float(bfl_videos.seconds_of(body)) if model.kind == "video" else 0.0
    outputs: tuple[Output, ...] = (Output(form, *model.size(body), seconds),)
    if body.get("draft"):
        outputs += (Output("mp4", 64, 64, seconds),)  # the draft's cache, of use to nobody but the vendor
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: str(uuid.UUID(int=ids.getrandbits(128), version=4))),
        model=name,
        kind=model.kind,
        body=ask.body,
        prompt=str(body.get("prompt", "")),
        outputs=outputs,
        now=ask.now,
    )
    job.files_kept = model.minutes * 60_000
    jobs.begin(job, ask.rule)
    shown, made = inputs.areas(model, body)
    job.wish = {
        "cost": model.price(body, shown, made),
        "input_mp": shown,
        "output_mp": made,
        "has_callback": "webhook_url" in body,
    }
    return job


def _poll_common(ask: Ask, jobs: Jobs) -> Reply:
    return _poll(ask, jobs, has_callback=True)


def _poll_cluster(ask: Ask, jobs: Jobs) -> Reply:
    return _poll(ask, jobs, has_callback=False) if ask.params["cluster"] == _CLUSTER else problem(404)


def _poll(ask: Ask, jobs: Jobs, *, has_callback: bool) -> Reply:
    if not ask.asked("id"):
        return Reply(422, {"detail": [{"loc": ["query", "id"], "msg": "Field required", "type": "missing"}]})
    job = jobs.find(NAME, ask.asked("id")[0])
    if job is None or job.wish["has_callback"] is not has_callback:
        return Reply(404, task(ask.asked("id")[0], NOT_FOUND))
    return _told(ask, job)


def _told(ask: Ask, job: Job) -> Reply:
    """Return what a poll says of a task; what was refused as input comes with an HTTP status of its own."""
    state = job.state(ask.now)
    settled = {"cost": job.wish["cost"]} if job.model.startswith("flux-3") and job.wish["cost"] is not None else {}
    if state is State.SUCCEEDED:
        return Reply(200, task(job.id, "Ready", result=_result(ask, job), **settled), job=job)
    if job.failure is not None and state is State.FAILED:
        status = job.failure.code or (_INPUT_REFUSED if job.failure.moderated else "Error")
        reasons = {"Moderation Reasons": ["Derivative Works Filter"]} if job.failure.moderated else None
        return Reply(422 if status == _INPUT_REFUSED else 200, task(job.id, status, details=reasons), job=job)
    if job.is_odd(ask.now):
        return Reply(200, task(job.id, _ODD), job=job)
    return Reply(200, task(job.id, _progress(job, ask.now)), job=job)


def _progress(job: Job, now: int) -> str:
    """Return the word of an unfinished task; only FLUX 3 says more than that it is pending."""
    if not job.model.startswith("flux-3") or now < job.starts:
        return "Pending"
    return "Reasoning" if now < (job.starts + job.ends) / 2 else "Generating"


def _result(ask: Ask, job: Job) -> dict[str, Any]:
    signature = hashlib.sha256(job.id.encode()).hexdigest()[:24]
    links = [f"{ask.link(NAME, output)}?se={job.finished(ask.now) // 1000}&sig={signature}" for output in job.outputs]
    started, ended = job.starts / 1000, job.finished(ask.now) / 1000
    found: dict[str, Any] = {"sample": links[0] if links else None, "prompt": job.prompt}
    if "seed" in MODELS[job.model].fields:
        found["seed"] = job.body.get("seed", 42)
    if len(links) > 1:
        found["draft_cache"] = links[1]
    return {**found, "start_time": started, "end_time": ended, "duration": ended - started}


def _credits(ask: Ask, jobs: Jobs) -> Reply:
    spent = sum(job.wish["cost"] or 0.0 for job in jobs.every(NAME) if _is_billed(job, ask.now))
    return Reply(200, {"credits": round(_CREDITS - spent, 4)})


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs; whether what was then refused does is undocumented, and it is taken not to."""
    return job.state(now) is State.SUCCEEDED and bool(job.outputs)


BFL = Vendor(
    name=NAME,
    heads=("bfl",),
    base="/bfl",
    secrets={"BFL_API_KEY": _KEY},
    endpoints=(
        Endpoint("GET", "/bfl/v1/get_result", Call.STATUS, _poll_common),
        Endpoint("GET", "/bfl/{cluster}/v1/get_result", Call.STATUS, _poll_cluster),
        Endpoint("GET", "/bfl/v1/credits", Call.OTHER, _credits),
        Endpoint("POST", "/bfl/v1/{model*}", Call.SUBMIT, _submit),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda _: {},
)
