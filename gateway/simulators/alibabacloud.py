"""Alibaba Cloud Model Studio, played: pictures while the caller waits, pictures and films as tasks.

A task is taken with nearly anything wrong in it, and fails later; a caller who waits is told at
once. With `refuse_content` and the code `partial` one picture of a task's several is withheld.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from gateway.simulators import alibabacloud_images as images
from gateway.simulators import alibabacloud_videos as videos
from gateway.simulators.alibabacloud_tasks import content, counts, failure, find, listed, streamed, task, unknown
from gateway.simulators.alibabacloud_words import (
    LINK_MS,
    MODERATED,
    NAME,
    Refusal,
    coded,
    refuse,
    request_id,
    told,
    word,
    wrong,
)
from gateway.simulators.chaos import Call
from gateway.simulators.jobs import Failure, Job, Jobs, Output, State, draft
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_KEY = "sk-sim0a7c4e2f91b8d6053a7c4e2f91b8d605"
# What the vendor gives a task that has no result by then.
_GIVEN_UP_MS = 3 * 3_600_000
_FILE_MS = 48 * 3_600_000
_FILE = re.compile(r"oss://dashscope-instant/(\d{13})/([^/]+)/.+")
_FILES = "/alibabacloud/_oss"
_V1 = "/alibabacloud/api/v1"
_SERVICES = _V1 + "/services/aigc/"


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Bearer {_KEY}" or ask.path == _FILES


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    return str(body.get("model", "")), " ".join(images.shown(body)[0])


def _named(ask: Ask) -> str | Reply:
    """Return the model's name, if there is a body and a model of that name."""
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return refuse(ask, 400, "InvalidParameter", "The body should be a JSON object, sent as application/json.")
    name = ask.body.get("model")
    if not isinstance(name, str) or not name:
        return refuse(ask, 400, "BadRequest.EmptyModel")
    if name not in images.IMAGES and name not in videos.VIDEOS:
        return refuse(ask, 404, "ModelNotFound", f"Model {name} does not exist.")
    return name


def _unfit(ask: Ask, route: str, name: str) -> Reply | None:
    """Return what is wrong with a call that no task is taken for: the wrong path, header or frame."""
    routes = images.IMAGES[name].routes if name in images.IMAGES else (videos.VIDEOS[name].route,)
    if route not in routes:
        return refuse(ask, 400, "InvalidParameter", "url error, please check url!")
    is_async = ask.headers.get("x-dashscope-async") == "enable"
    if is_async != (route != images.MESSAGES):
        kind = "asynchronous" if is_async else "synchronous"
        return refuse(ask, 403, "AccessDenied", f"current user api does not support {kind} calls")
    given = ask.body.get("input")
    if given is None:
        return refuse(ask, 400, "BadRequest.EmptyInput")
    if not isinstance(given, dict) or not isinstance(ask.body.get("parameters", {}), dict):
        return refuse(ask, 400, "InvalidParameter", "input and parameters should be objects.")
    return None


def _judge(ask: Ask, route: str, name: str) -> Refusal | tuple[Output, ...]:
    """Return what a request makes, or why it cannot be made."""
    if name in images.IMAGES:
        found = images.judge(images.IMAGES[name], route, ask.body)
    else:
        film = videos.judge(name, videos.VIDEOS[name], ask.body)
        found = film if isinstance(film, Refusal) else (film,)
    lost = next((link for link in _links(ask.body["input"]) if not _is_found(ask, name, link)), None)
    if lost is not None and not isinstance(found, Refusal):
        return coded("InvalidURL")
    return found


def _links(given: Any) -> Iterator[str]:
    """Yield the vendor's own addresses among a request's inputs."""
    if isinstance(given, str) and given.startswith("oss://"):
        yield given
    elif isinstance(given, dict | list):
        for held in given.values() if isinstance(given, dict) else given:
            yield from _links(held)


def _is_found(ask: Ask, name: str, link: str) -> bool:
    """Whether an uploaded file can be used: it was put there for this model, lately, and the call says to look."""
    found = _FILE.fullmatch(link)
    is_resolved = ask.headers.get("x-dashscope-ossresourceresolve") == "enable"
    return found is not None and is_resolved and found[2] == name and ask.now - int(found[1]) <= _FILE_MS


def _submit(ask: Ask, jobs: Jobs) -> Reply | Held:
    route = ask.path.removeprefix(_SERVICES)
    name = _named(ask)
    if isinstance(name, Reply):
        return name
    unfit = _unfit(ask, route, name)
    if unfit is not None:
        return unfit
    found = _judge(ask, route, name)
    return _wait(ask, jobs, name, found) if route == images.MESSAGES else _begin_task(ask, jobs, route, name, found)


def _wait(ask: Ask, jobs: Jobs, name: str, found: Refusal | tuple[Output, ...]) -> Reply | Held:
    """Refuse at once, or hold the line for the pictures."""
    if isinstance(found, Refusal):
        return told(ask, found)
    asked = ask.body.get("parameters", {})
    is_streamed = bool(asked.get("stream")) and ask.headers.get("x-dashscope-sse") == "enable"
    if asked.get("enable_interleave") and not is_streamed:
        return told(ask, wrong("parameters.enable_interleave needs a stream when the caller waits."))
    if ask.rule is not None and ask.refused_content():
        return told(ask, coded(ask.rule.code or MODERATED))
    job = _draft(ask, jobs, images.MESSAGES, name, found)
    job.wish["is_streamed"] = is_streamed
    jobs.begin(job, ask.rule)
    return Held(job, job.ends, lambda now: _answer(ask, job, now))


def _draft(ask: Ask, jobs: Jobs, route: str, name: str, outputs: tuple[Output, ...]) -> Job:
    texts, pictures = images.shown(ask.body)
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: str(uuid.UUID(int=ids.getrandbits(128), version=4))),
        model=name,
        kind="image" if name in images.IMAGES else "video",
        body=ask.body,
        prompt=" ".join(texts),
        outputs=outputs,
        now=ask.now,
    )
    job.files_kept = LINK_MS
    job.wish = {
        "is_task": route != images.MESSAGES,
        "route": route,
        "request_id": request_id(ask),
        "refusal": None,
        "total": len(outputs),
        "filtered": 0,
        "shown": len(pictures),
    }
    return job


def _begin_task(ask: Ask, jobs: Jobs, route: str, name: str, found: Refusal | tuple[Output, ...]) -> Reply:
    """Take the task, whatever is wrong with it: then it fails as soon as anybody looks."""
    outputs = () if isinstance(found, Refusal) else found
    is_partial = ask.refused_content() and ask.rule is not None and ask.rule.code == "partial"
    is_partial = is_partial and len(outputs) > 1 and route in (images.FROM_TEXT, images.FROM_IMAGE)
    job = _draft(ask, jobs, route, name, outputs[1:] if is_partial else outputs)
    job.wish["filtered"], job.wish["total"] = int(is_partial), len(outputs)
    job.expires = ask.now + _GIVEN_UP_MS
    jobs.begin(job, ask.rule)
    if is_partial:
        job.failure = None
    elif job.failure is not None and job.failure.code == "partial":
        job.failure = Failure(moderated=True)
    if isinstance(found, Refusal):
        job.failure, job.ends = Failure(), job.starts
        job.wish["refusal"] = (found.code, found.message)
    output = {"task_id": job.id, "task_status": "PENDING"}
    return Reply(200, {"request_id": request_id(ask), "output": output}, job=job)


def _answer(ask: Ask, job: Job, now: int) -> Reply:
    """Return what one who waited is told at the end."""
    fault = failure(job, now)
    if fault is not None:
        broken = told(ask, Refusal(*fault))
        return Reply(broken.status, broken.body, job=job)
    if job.wish["is_streamed"]:
        return Reply(200, streamed(ask, job), {"Content-Type": "text/event-stream"}, job)
    found = {"request_id": request_id(ask), "output": content(ask, job), "usage": counts(job)}
    return Reply(200, found, job=job)


def _status(ask: Ask, jobs: Jobs) -> Reply:
    job = find(ask, jobs)
    return unknown(ask) if job is None else Reply(200, task(ask, job), job=job)


def _cancel(ask: Ask, jobs: Jobs) -> Reply:
    """Cancel a task that waits; all others go on."""
    job = find(ask, jobs)
    if job is None or job.state(ask.now) is not State.QUEUED:
        return refuse(ask, 400, "UnsupportedOperation")
    job.cancel(ask.now)
    return Reply(200, {"request_id": request_id(ask)}, job=job)


def _upload(ask: Ask, _jobs: Jobs) -> Reply:
    """Say where a file may be put for use by one model."""
    model = next(iter(ask.asked("model")), "")
    if ask.asked("action") != ["getPolicy"] or not model:
        return refuse(ask, 400, "InvalidParameter", "action should be getPolicy, and model is needed.")
    data = {
        "policy": "simulated",
        "signature": ask.trace,
        "upload_dir": f"dashscope-instant/{ask.now}/{model}",
        "upload_host": ask.origin + _FILES,
        "expire_in_seconds": 300,
        "max_file_size_mb": 100,
        "oss_access_key_id": "simulated",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }
    return Reply(200, {"request_id": request_id(ask), "data": data})


def _put(ask: Ask, _jobs: Jobs) -> Reply:
    """Take a file into the store: the policy's fields, a key, and the file."""
    sent = {part.name for part in ask.parts or ()}
    is_whole = sent >= {"policy", "Signature", "OSSAccessKeyId", "key", "file"}
    return Reply(200 if is_whole else 403, b"", {"Content-Type": "application/xml"})


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs, also when nobody was on the line any more; what failed does not."""
    return job.state(now) is State.SUCCEEDED and bool(job.outputs)


_ROUTES = (
    images.MESSAGES,
    images.MESSAGES_ASYNC,
    images.FROM_TEXT,
    images.FROM_IMAGE,
    videos.FILMS,
    videos.FRAMES,
)

ALIBABACLOUD = Vendor(
    name=NAME,
    heads=("alibabacloud",),
    base="/alibabacloud",
    secrets=dict.fromkeys(("DASHSCOPE_API_KEY", "ALIBABA_API_KEY", "QWENCLOUD_API_KEY"), _KEY),
    endpoints=(
        *(Endpoint("POST", _SERVICES + route, Call.SUBMIT, _submit) for route in _ROUTES),
        Endpoint("GET", _V1 + "/tasks/{id}", Call.STATUS, _status),
        Endpoint("POST", _V1 + "/tasks/{id}/cancel", Call.CANCEL, _cancel),
        Endpoint("GET", _V1 + "/tasks", Call.OTHER, listed),
        Endpoint("GET", _V1 + "/tasks/", Call.OTHER, listed),
        Endpoint("GET", _V1 + "/uploads", Call.OTHER, _upload),
        Endpoint("POST", _FILES, Call.OTHER, _put),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda ask: {"X-Request-Id": request_id(ask)},
)
