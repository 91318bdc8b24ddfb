"""Model Studio's answers about what it has made: at once to one who waits, and as tasks that are asked for and listed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from gateway.simulators.alibabacloud_images import FROM_IMAGE, FROM_TEXT, IMAGES
from gateway.simulators.alibabacloud_videos import VIDEOS, usage
from gateway.simulators.alibabacloud_words import LINK_MS, MODERATED, NAME, TIMEOUT, refuse, request_id, said
from gateway.simulators.jobs import Job, Jobs, State
from gateway.simulators.vendor import Ask, Reply

_ODD = "QUEUEING"
_WORDS = {
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "FAILED",
}
# The vendor writes its times eight hours ahead of UTC and does not say so.
_ZONE = dt.timezone(dt.timedelta(hours=8))
_FORM = "%Y%m%d%H%M%S"


def find(ask: Ask, jobs: Jobs) -> Job | None:
    """Return the task a path names; a day after its submit it is forgotten."""
    job = jobs.find(NAME, ask.params["id"])
    if job is None or not job.wish["is_task"] or ask.now - job.created > LINK_MS:
        return None
    return job


def status(job: Job, now: int) -> str:
    """Return a task's state in the vendor's word."""
    return _ODD if job.is_odd(now) else _WORDS[job.state(now)]


def _time(moment: float) -> str:
    when = dt.datetime.fromtimestamp(int(moment) / 1000, _ZONE)
    return when.strftime("%Y-%m-%d %H:%M:%S.") + f"{int(moment) % 1000:03d}"


def links(ask: Ask, job: Job) -> list[str]:
    """Return the signed addresses of what was made."""
    expires = (job.finished(ask.now) + LINK_MS) // 1000
    return [f"{ask.link(NAME, output)}?Expires={expires}&Signature={ask.trace}" for output in job.outputs]


def failure(job: Job, now: int) -> tuple[str, str] | None:
    """Return the code and words of a task that has failed."""
    if job.state(now) is State.EXPIRED:
        return TIMEOUT, said(TIMEOUT)
    if job.failure is None:
        return None
    found: tuple[str, str] | None = job.wish["refusal"]
    code = job.failure.code or (MODERATED if job.failure.moderated else "InternalError")
    return found or (code, said(code))


def task(ask: Ask, job: Job) -> dict[str, Any]:
    """Return a task as it is reported at this moment."""
    now = ask.now
    state = job.state(now)
    found: dict[str, Any] = {"task_id": job.id, "task_status": status(job, now), "submit_time": _time(job.created)}
    if now >= job.starts:
        found["scheduled_time"] = _time(job.starts)
    if state.is_final:
        found["end_time"] = _time(job.finished(now))
    fault = failure(job, now)
    if state in (State.FAILED, State.EXPIRED) and fault is not None:
        found["code"], found["message"] = fault
    counted: dict[str, Any] = {}
    if job.wish["route"] in (FROM_TEXT, FROM_IMAGE):
        found["task_metrics"] = _metrics(job, state)
    if state is State.SUCCEEDED:
        made, counted = _film(ask, job) if job.kind == "video" else _pictures(ask, job)
        found |= made
    return {"request_id": request_id(ask), "output": found, **({"usage": counted} if counted else {})}


def _metrics(job: Job, state: State) -> dict[str, int]:
    total = job.wish["total"]
    done = total - job.wish["filtered"] if state is State.SUCCEEDED else 0
    return {"TOTAL": total, "SUCCEEDED": done, "FAILED": total - done if state.is_final else 0}


def _prompts(job: Job) -> dict[str, str]:
    """Return the prompt as it was, and as the vendor rewrote it unless it was told not to."""
    if not job.prompt:
        return {}
    model = VIDEOS.get(job.model) or IMAGES[job.model]
    extends = "prompt_extend" in model.parameters and job.body.get("parameters", {}).get("prompt_extend", True)
    return {"orig_prompt": job.prompt, **({"actual_prompt": f"{job.prompt}, in fine detail"} if extends else {})}


def _film(ask: Ask, job: Job) -> tuple[dict[str, Any], dict[str, Any]]:
    model = VIDEOS[job.model]
    if not job.outputs:
        return _prompts(job), {}
    link = {"video_url": links(ask, job)[0]}
    return {**_prompts(job), **({"results": link} if model.is_nested else link)}, usage(model, job.body, job.outputs[0])


def _pictures(ask: Ask, job: Job) -> tuple[dict[str, Any], dict[str, Any]]:
    if job.wish["route"] not in (FROM_TEXT, FROM_IMAGE):
        made = content(ask, job)
        return {"finished": True, "choices": made["choices"]}, counts(job)
    results: list[dict[str, Any]] = [{**_prompts(job), "url": link} for link in links(ask, job)]
    results += [{"code": MODERATED, "message": said(MODERATED)}] * job.wish["filtered"]
    return {"results": results}, counts(job)


def content(ask: Ask, job: Job) -> dict[str, Any]:
    """Return the pictures as messages: one choice each from some models, from others one choice of many parts."""
    model = IMAGES[job.model]
    parts: list[dict[str, Any]] = [{"image": link} for link in links(ask, job)]
    asked = job.body.get("parameters", {})
    if asked.get("enable_interleave"):
        mixed = [
            part for picture in parts for part in ({"type": "text", "text": "Then:"}, {"type": "image", **picture})
        ]
        return {"choices": [_choice(mixed)]}
    if model.talks:
        return {"choices": [_choice([*parts, {"text": job.prompt}], reasoning_content="")]}
    if model.by_choices:
        return {"choices": [_choice([part]) for part in parts]}
    return {"choices": [_choice(parts)]}


def _choice(parts: list[dict[str, Any]], **more: str) -> dict[str, Any]:
    return {"finish_reason": "stop", "message": {"role": "assistant", "content": parts, **more}}


def counts(job: Job) -> dict[str, Any]:
    """Return how pictures are counted: each family has its own keys."""
    made = len(job.outputs)
    if not made:
        return {"image_count": 0}
    width, height = job.outputs[0].width, job.outputs[0].height
    match IMAGES[job.model].usage:
        case "size":
            return {"image_count": made, "size": f"{width}*{height}"}
        case "output":
            return {
                "image_count": made,
                "output_width": width,
                "output_height": height,
                "output_image_type": "png",
                "input_image_count": job.wish["shown"],
            }
        case _:
            return {"image_count": made, "width": width, "height": height}


def streamed(ask: Ask, job: Job) -> bytes:
    """Return text and pictures as a stream of events, one for each part."""
    parts = content(ask, job)["choices"][0]["message"]["content"]
    lines = []
    for number, part in enumerate(parts, 1):
        event = {"request_id": request_id(ask), "output": {"choices": [_choice([part])]}, "usage": counts(job)}
        lines.append(f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{json.dumps(event)}\n\n")
    return "".join(lines).encode()


def unknown(ask: Ask) -> Reply:
    """Return the answer for a task that is not known here, or no longer: a success by its status."""
    output = {"task_id": ask.params["id"], "task_status": "UNKNOWN"}
    return Reply(200, {"request_id": request_id(ask), "output": output})


def listed(ask: Ask, jobs: Jobs) -> Reply:
    """Return a page of the tasks within a day at most, the newest first."""
    try:
        begins, ends = _window(ask)
        pages = [_page(ask, name, default) for name, default in (("page_no", 1), ("page_size", 10))]
    except ValueError as exc:
        return refuse(ask, 400, "InvalidParameter", str(exc))
    number, size = pages
    found = [job for job in jobs.every(NAME) if job.wish["is_task"] and begins <= job.created <= ends]
    found = [job for job in found if _fits(ask, job)]
    found.reverse()
    shown = found[(number - 1) * size : number * size]
    return Reply(
        200,
        {
            "request_id": request_id(ask),
            "total": len(found),
            "total_page": -(-len(found) // size),
            "page_no": number,
            "page_size": size,
            "data": [dict(_row(ask, job)) for job in shown],
        },
    )


def _window(ask: Ask) -> tuple[int, int]:
    """Return the moments a list lies between, the last day if none are given."""
    moments = []
    for name in ("start_time", "end_time"):
        given = ask.asked(name)
        if given:
            try:
                when = dt.datetime.strptime(given[0], _FORM).replace(tzinfo=_ZONE)
            except ValueError as exc:
                raise ValueError(f"{name} should have the form YYYYMMDDhhmmss.") from exc
            moments.append(int(when.timestamp() * 1000))
        else:
            moments.append(ask.now - LINK_MS if name == "start_time" else ask.now)
    begins, ends = moments[0], moments[1] + 999 if ask.asked("end_time") else moments[1]
    if not 0 <= ends - begins <= LINK_MS + 999:
        raise ValueError("The time range should be at most 24 hours.")
    return begins, ends


def _page(ask: Ask, name: str, default: int) -> int:
    given = (ask.asked(name) or [str(default)])[0]
    if not given.isdecimal() or not 1 <= int(given) <= 100_000:
        raise ValueError(f"{name} should be a positive integer.")
    return int(given)


def _fits(ask: Ask, job: Job) -> bool:
    held = {"model_name": job.model, "status": status(job, ask.now)}
    return all(value in asked for name, value in held.items() if (asked := ask.asked(name)))


def _row(ask: Ask, job: Job) -> Iterator[tuple[str, Any]]:
    yield "task_id", job.id
    yield "request_id", job.wish["request_id"]
    yield "model_name", job.model
    yield "status", status(job, ask.now)
    yield "gmt_create", job.created
    yield "start_time", int(job.starts) if ask.now >= job.starts else None
    yield "end_time", job.finished(ask.now) if job.state(ask.now).is_final else None
    yield "region", "ap-southeast-1"
    yield "api_key_id", "1"
    yield "user_api_unique_key", f"apikey:v1:simulated:{job.model}"
