"""BytePlus ModelArk, played: pictures while the caller waits, videos as tasks."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

from gateway.simulators.byteplus_images import IMAGES, generate, is_paid
from gateway.simulators.byteplus_videos import VIDEOS, begin, prompt_of, status, task
from gateway.simulators.byteplus_words import NAME, pruned, refuse, word
from gateway.simulators.chaos import Call
from gateway.simulators.jobs import Job, Jobs, State
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_KEY = "sim-ark-5f0c2a7e91"
# Undocumented: the page only says that deleting a running task is an error.
_RUNNING = "InvalidAction.RunningTaskDeletion"
_DAY = 86_400_000
_PAGE = 500


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Bearer {_KEY}"


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    prompt = body.get("prompt", prompt_of(body.get("content")))
    return str(body.get("model", "")), str(prompt)


def _read(ask: Ask, table: Mapping[str, Any]) -> tuple[dict[str, Any], Any] | Reply:
    """Return the request without its nulls and the model's row, or the refusal."""
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return refuse(ask, 400, "InvalidParameter", "The body must be a JSON object, sent as application/json.", "body")
    body = pruned(ask.body)
    model = body.get("model")
    if model is None:
        return refuse(ask, 400, "MissingParameter", "The request is missing the `model` parameter.", "model")
    if isinstance(model, str) and model in table:
        return body, table[model]
    if model in [*IMAGES, *VIDEOS]:
        return refuse(ask, 404, "UnsupportedModel", f"The model `{model}` does not support this API.", "model")
    detail = f"The model or endpoint `{model}` does not exist or you do not have access to it."
    return refuse(ask, 404, "InvalidEndpointOrModel.NotFound", detail, "model")


def _image(ask: Ask, jobs: Jobs) -> Reply | Held:
    found = _read(ask, IMAGES)
    return found if isinstance(found, Reply) else generate(ask, jobs, *found)


def _video(ask: Ask, jobs: Jobs) -> Reply | Held:
    found = _read(ask, VIDEOS)
    if isinstance(found, Reply):
        return found
    body, model = found
    batch = "batch-" if body.get("service_tier") == "flex" else ""
    stamp = dt.datetime.fromtimestamp(ask.now / 1000, dt.UTC).strftime("%Y%m%d%H%M%S")
    return begin(ask, jobs, body, model, lambda ids: f"cgt-{batch}{stamp}-{_tail(ids)}")


def _tail(ids: random.Random) -> str:
    return "".join(ids.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=5))


def _task(ask: Ask, jobs: Jobs) -> Job | None:
    """Return the task a path names; a cancelled one is gone after a day, any after a week."""
    job = jobs.find(NAME, ask.params["id"])
    if job is None or job.kind != "video":
        return None
    kept = _DAY if job.canceled is not None else 7 * _DAY
    return None if ask.now - job.finished(ask.now) > kept else job


def _missing(ask: Ask) -> Reply:
    # The code is undocumented; that an unknown task is a 404 is all a caller can rely on.
    return refuse(ask, 404, "ResourceNotFound", f"The task `{ask.params['id']}` does not exist.", "id")


def _status(ask: Ask, jobs: Jobs) -> Reply:
    job = _task(ask, jobs)
    return _missing(ask) if job is None else Reply(200, task(ask, job), job=job)


def _delete(ask: Ask, jobs: Jobs) -> Reply:
    """Cancel a queued task, refuse for a running one, delete the record of a finished one."""
    job = _task(ask, jobs)
    if job is None:
        return _missing(ask)
    match job.state(ask.now):
        case State.QUEUED:
            job.cancel(ask.now)
        case State.RUNNING:
            return refuse(ask, 409, _RUNNING, "The task is running and cannot be deleted.", "id")
        case State.CANCELED:
            return refuse(ask, 409, _RUNNING, "The task is cancelled already.", "id")
        case State.SUCCEEDED | State.FAILED | State.EXPIRED:
            job.erased = True
    return Reply(200, {}, job=job)


def _list(ask: Ask, jobs: Jobs) -> Reply:
    known = {"page_num", "page_size", "filter.status", "filter.model", "filter.service_tier", "filter.task_ids"}
    for name, _ in ask.query:
        if name not in known:
            return refuse(ask, 400, "InvalidParameter", f"The parameter `{name}` is not known.", name)
    pages = {}
    for name, default in (("page_num", "1"), ("page_size", "10")):
        value = (ask.asked(name) or [default])[0]
        if not value.isdecimal() or not 1 <= int(value) <= _PAGE:
            return refuse(ask, 400, "InvalidParameter", f"The parameter `{name}` must be from 1 to {_PAGE}.", name)
        pages[name] = int(value)
    found = [job for job in jobs.every(NAME) if _is_listed(ask, job)]
    found.reverse()
    first = (pages["page_num"] - 1) * pages["page_size"]
    shown = [task(ask, job) for job in found[first : first + pages["page_size"]]]
    return Reply(200, {"items": shown, "total": len(found)})


def _is_listed(ask: Ask, job: Job) -> bool:
    """Whether the list shows a task; those of the flex tier show only when asked for."""
    if job.erased or job.kind != "video":
        return False
    held = {"filter.status": status(ask, job), "filter.model": job.model, "filter.task_ids": job.id}
    tiers = ask.asked("filter.service_tier") or ["default"]
    return job.wish["service_tier"] in tiers and all(
        value in asked for name, value in held.items() if (asked := ask.asked(name))
    )


def _models(_ask: Ask, _jobs: Jobs) -> Reply:
    # The list is known to leave one working id out.
    rows = [(name, "ImageGeneration", ["image"]) for name in IMAGES if name != "seedream-5-0-lite-260128"]
    rows += [(name, "VideoGeneration", ["video"]) for name in VIDEOS]
    data = [
        {"id": name, "task_type": [kind], "modalities": {"output_modalities": made}, "status": "Active"}
        for name, kind, made in rows
    ]
    return Reply(200, {"object": "list", "data": data})


def _is_billed(job: Job, now: int) -> bool:
    """Failed tasks and filtered pictures cost nothing; a picture whose line broke costs all the same."""
    return is_paid(job, now) if job.kind == "image" else job.state(now) is State.SUCCEEDED


_TASKS = "/byteplus/api/v3/contents/generations/tasks"

BYTEPLUS = Vendor(
    name=NAME,
    heads=("byteplus",),
    base="/byteplus/api/v3",
    secrets={"ARK_API_KEY": _KEY},
    endpoints=(
        Endpoint("POST", "/byteplus/api/v3/images/generations", Call.SUBMIT, _image),
        Endpoint("POST", _TASKS, Call.SUBMIT, _video),
        Endpoint("GET", _TASKS, Call.OTHER, _list),
        Endpoint("GET", _TASKS + "/{id}", Call.STATUS, _status),
        Endpoint("DELETE", _TASKS + "/{id}", Call.CANCEL, _delete),
        Endpoint("GET", "/byteplus/api/v3/models", Call.OTHER, _models),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda ask: {"X-Request-Id": ask.trace},
)
