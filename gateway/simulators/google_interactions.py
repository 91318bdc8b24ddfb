"""The Gemini API's Interactions, played: films and pictures that are waited for, or made in the background and asked after.

A look at an interaction has the bytes in itself, whatever delivery was asked for; only the answer to the call that began
it, and waited, names a file. All names are in snake case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway.simulators import inline, sizes
from gateway.simulators.checking import Field, Kind, check, either, flag, many, text, tree, url, whole
from gateway.simulators.google_images import TYPES, decoded, settled, unreadable, words
from gateway.simulators.google_models import IMAGES, OPEN_SECONDS, SHORTEST, VIDEOS, is_gone
from gateway.simulators.google_words import NAME, no_model, refuse, refuse_field
from gateway.simulators.jobs import Failure, Job, Jobs, Output, State, draft
from gateway.simulators.media import TYPES as MEDIA
from gateway.simulators.vendor import Ask, Held, Reply

_REVISION = "2026-05-20"
_ODD = "reconsidering"
_ENDS = frozenset({"incomplete", "budget_exceeded", "requires_action", "requires_continuation"})
"""Words of an interaction that came to nothing; a script may name one as the code of a failure."""
_INTERNAL = 13
_TASKS = ("text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale")
_INT32 = 2**31

_BLOCK = tree(
    {
        "type": text("text", "image", "video", required=True),
        "text": text(),
        "mime_type": text(*TYPES, "video/mp4"),
        "data": text(),
        "uri": text(),
    }
)
_STEP = tree({"type": text("user_input", required=True), "content": many(_BLOCK, least=1, required=True)})
_FIELDS: Mapping[str, Field] = {
    "model": text(required=True),
    "input": replace(either(text(), many(_STEP, least=1), many(_BLOCK, least=1)), required=True),
    "background": flag(),
    "store": flag(),
    "webhook_config": tree({"uris": many(url("https"), least=1), "user_metadata": Field(Kind.OBJECT)}),
    "service_tier": text("flex", "standard", "priority"),
    "previous_interaction_id": text(),
    "labels": Field(Kind.OBJECT),
}


def fields(name: str) -> dict[str, Field]:
    """Return the table of what a request for a model may hold."""
    delivery = {"delivery": text("inline", "uri")}
    if name in VIDEOS:
        asked = {"aspect_ratio": text("16:9", "9:16"), "resolution": text(*VIDEOS[name].tokens), "duration": text()}
        config = {"seed": whole(least=-_INT32, most=_INT32 - 1), "video_config": tree({"task": text(*_TASKS)})}
        wanted = {"type": text("video", required=True), **asked, **delivery}
    else:
        model = IMAGES[name]
        asked = {"aspect_ratio": text(*model.shapes), "mime_type": text("image/jpeg")}
        asked |= {"image_size": text(*model.tiers)} if model.tiers else {}
        config = {"seed": whole(least=-_INT32, most=_INT32 - 1)}
        wanted = {"type": text("image", required=True), **asked, **delivery}
    return {**_FIELDS, "response_format": tree(wanted), "generation_config": tree(config)}


def create(ask: Ask, jobs: Jobs) -> Reply | Held:
    """Begin an interaction."""
    refusal = _refusal(ask, jobs)
    if refusal is not None:
        return refusal
    job = _begin(ask, jobs, ask.body["model"], ask.body)
    if ask.body.get("background"):
        return Reply(200, told(ask, job, ask.now, is_first=True), job=job)
    return Held(job, job.ends, lambda now: Reply(200, told(ask, job, now, is_first=True), job=job))


def _refusal(ask: Ask, jobs: Jobs) -> Reply | None:
    """Return what is wrong with a request: how it was sent, its model, its fields, then what belongs together."""
    if ask.headers.get("api-revision", _REVISION) != _REVISION:
        return refuse(ask, f"Only the Api-Revision {_REVISION} is played here.")
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return refuse(ask, "The body is not a JSON object.")
    name = ask.body.get("model")
    if not isinstance(name, str):
        return refuse(ask, "'model' is required.")
    if name not in VIDEOS and name not in IMAGES:
        return no_model(ask, name, is_gone=is_gone(name))
    wrong = check(fields(name), ask.body)
    if wrong:
        return refuse_field(ask, wrong[0])
    said = _fault(ask, jobs, name, ask.body)
    return None if said is None else refuse(ask, said)


def _fault(ask: Ask, jobs: Jobs, name: str, body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a request whose fields are right one by one, or nothing."""
    blocks = _blocks(body["input"])
    if body.get("background") and body.get("store") is False:
        return "'background' needs 'store' to be true."
    if not "".join(words(body["input"])).strip():
        return "'input' has no text."
    pictures = [block for block in blocks if block["type"] == "image"]
    most = VIDEOS[name].pictures if name in VIDEOS else IMAGES[name].pictures
    if len(pictures) > most or len([block for block in blocks if block["type"] == "video"]) > (name in VIDEOS):
        return f"'input' has too many files: at most {most} images, and one video where films are made."
    duration = body.get("response_format", {}).get("duration")
    if duration is not None and not _is_length(duration, name):
        return f"'response_format.duration' must be a string from {SHORTEST}s to {VIDEOS[name].longest}s."
    earlier = body.get("previous_interaction_id")
    if earlier is not None and jobs.find(NAME, earlier) is None:
        return f"Interaction {earlier} not found."
    return next(filter(None, (_unreadable(ask, jobs, block) for block in blocks if block["type"] != "text")), None)


def _blocks(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"type": "text", "text": given}]
    return [block for held in given for block in (held["content"] if held["type"] == "user_input" else [held])]


def _is_length(duration: str, name: str) -> bool:
    found = re.fullmatch(r"(\d{1,3})s", duration)
    return found is not None and SHORTEST <= int(found[1]) <= VIDEOS[name].longest


def _unreadable(ask: Ask, jobs: Jobs, block: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a file; of addresses only those of files kept here can be read."""
    if "mime_type" not in block or not block["mime_type"].startswith(block["type"]):
        return f"A block of type {block['type']} needs a mime_type of that kind."
    if ("data" in block) == ("uri" in block):
        return "A block needs exactly one of data and uri."
    if "uri" in block:
        name = block["uri"].removeprefix(f"{ask.origin}/google/v1beta/files/")
        return None if file_of(jobs, name) is not None else f"The file {block['uri']} cannot be read."
    return unreadable(block["mime_type"], block["data"]) if block["type"] == "image" else "Send a video by its uri."


def _begin(ask: Ask, jobs: Jobs, name: str, body: Mapping[str, Any]) -> Job:
    wanted = body.get("response_format", {})
    tier = wanted.get("resolution", "720p")
    if name in VIDEOS:
        seconds = int(wanted.get("duration", f"{OPEN_SECONDS}s")[:-1])
        output = Output("mp4", *sizes.film(wanted.get("aspect_ratio", "16:9"), tier), seconds)
    else:
        shown = (block["data"] for block in _blocks(body["input"]) if "data" in block)
        first = decoded(next(shown, ""))
        tier, output = settled(IMAGES[name], wanted.get("aspect_ratio"), wanted.get("image_size"), first)
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: f"v1_{ids.getrandbits(96):024x}"),
        model=name,
        kind="video" if name in VIDEOS else "image",
        body=body,
        prompt=" ".join(words(body["input"])),
        outputs=(output,),
        now=ask.now,
    )
    jobs.begin(job, ask.rule)
    job.wish = {"tier": tier}
    return job


def told(ask: Ask, job: Job, now: int, *, is_first: bool = False) -> dict[str, Any]:
    """Return an interaction; `is_first` for the answer to the call that began it, the only one that names a file."""
    status = _status(job, now)
    found: dict[str, Any] = {
        "id": job.id,
        "object": "interaction",
        "model": job.model,
        "created": _time(job.created),
        "updated": _time(job.finished(now)),
        "status": status,
    }
    state = job.state(now)
    if state is State.SUCCEEDED:
        is_link = is_first and job.body.get("response_format", {}).get("delivery") == "uri"
        content = [_block(ask, job, index, is_link=is_link) for index in range(len(job.outputs))]
        return {**found, "steps": [{"type": "thought"}, {"type": "model_output", "content": content}], **_usage(job)}
    return {**found, **_fall(job.failure, job.kind, status)} if state is State.FAILED and job.failure else found


def _fall(failure: Failure, kind: str, status: str) -> dict[str, Any]:
    """Return how an interaction went wrong: among its errors, or in the step that broke."""
    if failure.moderated or failure.code is not None or status != "failed":
        code = failure.code or ("image_safety" if kind == "image" else "content_blocked")
        said = "The content was blocked." if failure.moderated else "The interaction ended early."
        return {"errors": [{"code": code, "message": said}]}
    return {"steps": [{"type": "model_output", "error": {"code": _INTERNAL, "message": "Internal error encountered."}}]}


def _status(job: Job, now: int) -> str:
    """Return the word of an interaction; only the flexible tier is ever seen to wait."""
    if job.is_odd(now):
        return _ODD
    is_flexible = job.body.get("service_tier") == "flex"
    code = job.failure.code if job.failure is not None else None
    return {
        State.QUEUED: "queued" if is_flexible else "in_progress",
        State.RUNNING: "in_progress",
        State.SUCCEEDED: "completed",
        State.FAILED: code if code is not None and code in _ENDS else "failed",
        State.CANCELED: "cancelled",
        State.EXPIRED: "failed",
    }[job.state(now)]


def _block(ask: Ask, job: Job, index: int, *, is_link: bool) -> dict[str, Any]:
    output = job.outputs[index]
    block = {"type": job.kind, "mime_type": MEDIA[output.form]}
    if is_link:
        return {**block, "uri": f"{ask.origin}/google/v1beta/files/{file_name(job, index)}"}
    return {**block, "data": inline.encoded(job, output)}


def _usage(job: Job) -> dict[str, Any]:
    drawn = sum(_tokens(job, output) for output in job.outputs)
    asked = math.ceil(len(job.prompt) / 4)
    counted = {"total_input_tokens": asked, "total_output_tokens": drawn, "total_tokens": asked + drawn}
    return {"usage": {**counted, "output_tokens_by_modality": [{"modality": job.kind, "tokens": drawn}]}}


def _tokens(job: Job, output: Output) -> int:
    if job.kind == "image":
        return IMAGES[job.model].tokens(job.wish["tier"])
    return round(VIDEOS[job.model].tokens[job.wish["tier"]] * output.seconds)


def file_name(job: Job, index: int) -> str:
    """Return the id of a file an interaction made."""
    return f"{job.id.removeprefix('v1_')}-{index}"


def file_of(jobs: Jobs, name: str) -> tuple[Job, Output] | None:
    """Return the interaction and the output behind the id of a file; it outlives the interaction's record."""
    found = (jobs.file(NAME, f"v1_{name}.{form}") for form in ("mp4", "jpeg"))
    return next(filter(None, found), None)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
