"""BytePlus videos (Seedance): tasks that are created, looked at, listed and deleted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators.byteplus_words import LINK_MS, NAME, refuse, refuse_field
from gateway.simulators.checking import Field, check, either, flag, many, text, tree, url, whole
from gateway.simulators.jobs import Job, Jobs, Output, State, draft
from gateway.simulators.vendor import Ask, Reply

_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_FPS = 24
_MODERATED = "InputTextSensitiveContentDetected"
_ODD = "reviewing"
# Delivered frames by resolution, in the order of _RATIOS. The 4k row has no source: twice 1080p.
_OLD = {
    "480p": ("864x480", "736x544", "640x640", "544x736", "480x864", "960x416"),
    "720p": ("1248x704", "1120x832", "960x960", "832x1120", "704x1248", "1504x640"),
    "1080p": ("1920x1088", "1664x1248", "1440x1440", "1248x1664", "1088x1920", "2176x928"),
}
_NEW = {
    "480p": ("864x496", "752x560", "640x640", "560x752", "496x864", "992x432"),
    "720p": ("1280x720", "1112x834", "960x960", "834x1112", "720x1280", "1470x630"),
    "1080p": ("1920x1080", "1664x1248", "1440x1440", "1248x1664", "1080x1920", "2206x946"),
    "4k": ("3840x2160", "3328x2496", "2880x2880", "2496x3328", "2160x3840", "4412x1892"),
}
_NEWEST = {**_NEW, "480p": ("854x480", "752x560", "640x640", "560x752", "480x854", "992x432")}


@dataclass(frozen=True, slots=True)
class VideoModel:
    """What one model takes; `references` are the most images, videos and audios it may be shown."""

    sizes: Mapping[str, tuple[str, ...]]
    resolutions: tuple[str, ...]
    resolution: str
    duration: Field
    ratio: str
    last_frame: bool = True
    references: tuple[int, int, int] = (0, 0, 0)
    extra: Mapping[str, Field] = field(default_factory=dict)

    def fields(self) -> dict[str, Field]:
        """Return the table of fields a request may have."""
        return {
            "model": text(required=True),
            "content": many(_ITEM, least=1, required=True),
            "resolution": text(*self.resolutions),
            "ratio": text(*_RATIOS, "adaptive"),
            "duration": self.duration,
            "generate_audio": flag(),  # 1.0 takes it and stays silent
            "seed": whole(least=-1, most=4_294_967_295),
            "watermark": flag(),
            "return_last_frame": flag(),
            "callback_url": url(),
            "execution_expires_after": whole(least=3600, most=259_200),
            **self.extra,
        }


def _media(kind: str, address: Field, *roles: str) -> Field:
    return tree({"type": text(kind, required=True), kind: tree({"url": address}, required=True), "role": text(*roles)})


_ITEM = either(
    tree({"type": text("text", required=True), "text": text(required=True)}),
    _media(
        "image_url",
        url("http", "https", "data", "asset", required=True),
        "first_frame",
        "last_frame",
        "reference_image",
    ),
    _media("video_url", url("http", "https", required=True), "reference_video"),
    _media("audio_url", url(required=True), "reference_audio"),
    tree({"type": text("draft_task", required=True), "draft_task": tree({"id": text(required=True)}, required=True)}),
)
_TIER = {"service_tier": text("default", "flex")}
_NAMED = {"safety_identifier": text(most=64)}
_PRIORITY = {"priority": whole(least=0, most=9)}
_FIRST = {**_TIER, "camera_fixed": flag(), "frames": whole(*range(29, 290, 4))}


def _free(least: int, most: int) -> Field:
    """Describe a duration the model may also choose itself (-1)."""
    return whole(-1, *range(least, most + 1), default=5)


def _second(resolutions: tuple[str, ...]) -> VideoModel:
    extra = {**_NAMED, **_PRIORITY}
    return VideoModel(_NEW, resolutions, "720p", _free(4, 15), "adaptive", references=(9, 3, 3), extra=extra)


VIDEOS: Mapping[str, VideoModel] = {
    "dreamina-seedance-2-5-260628": VideoModel(
        _NEWEST,
        ("480p", "720p", "1080p"),
        "720p",
        _free(4, 30),
        "adaptive",
        references=(30, 10, 10),
        extra={**_NAMED, **_PRIORITY, "output_format": text("mp4", "mov")},
    ),
    "dreamina-seedance-2-0-260128": _second(("480p", "720p", "1080p", "4k")),
    "dreamina-seedance-2-0-fast-260128": _second(("480p", "720p")),
    "dreamina-seedance-2-0-mini-260615": _second(("480p", "720p")),
    "seedance-1-5-pro-251215": VideoModel(
        _OLD,
        ("480p", "720p", "1080p"),
        "720p",
        _free(4, 12),
        "adaptive",
        extra={**_NAMED, **_TIER, "camera_fixed": flag(), "draft": flag()},
    ),
    "seedance-1-0-pro-250528": VideoModel(
        _OLD, ("480p", "720p", "1080p"), "1080p", whole(least=2, most=12, default=5), "16:9", extra=_FIRST
    ),
    "seedance-1-0-pro-fast-251015": VideoModel(
        _OLD,
        ("480p", "720p", "1080p"),
        "1080p",
        whole(least=2, most=12, default=5),
        "16:9",
        last_frame=False,
        extra=_FIRST,
    ),
}


def prompt_of(content: object) -> str:
    """Return the text of a request's content, whatever state the rest of it is in."""
    items = content if isinstance(content, list) else []
    return " ".join(str(item["text"]) for item in items if isinstance(item, dict) and "text" in item)


def begin(ask: Ask, jobs: Jobs, body: dict[str, Any], model: VideoModel, make: Callable[[random.Random], str]) -> Reply:
    """Check the request and begin the task."""
    name = body["model"]
    if isinstance(body.get("resolution"), str):
        body["resolution"] = body["resolution"].lower()
    wrong = check(model.fields(), body)
    if wrong:
        return refuse_field(ask, name, wrong[0])
    for param, said in _conflicts(body, model, jobs):
        return refuse(ask, 400, "InvalidParameter", f"The parameter `{param}` is not valid: {said}", param)
    code = ask.rule.code if ask.rule is not None else None
    if ask.refused_content() and not (code or _MODERATED).startswith("Output"):
        said = "The request failed because the input may contain sensitive information."
        return refuse(ask, 400, code or _MODERATED, said)
    shown = {**_shown(body, model), "content": body["content"]}
    width, height = (int(side) for side in _frame(shown, model).split("x"))
    outputs = [Output("mp4", width, height, float(shown["seconds"]))]
    outputs += [Output("png", width, height)] if body.get("return_last_frame") else []
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, make),
        model=name,
        kind="video",
        body=ask.body,
        prompt=prompt_of(body["content"]),
        outputs=tuple(outputs),
        now=ask.now,
    )
    job.wish = {**shown, "callback_url": body.get("callback_url"), "tokens": _tokens(width, height, shown["seconds"])}
    job.expires = ask.now + body.get("execution_expires_after", 172_800) * 1000
    job.files_kept = LINK_MS
    jobs.begin(job, ask.rule)
    return Reply(200, {"id": job.id}, job=job)


def _roles(body: dict[str, Any]) -> list[str]:
    """Return what each item of the content is; an image without a role is the first frame."""
    return [
        item.get("role") or {"image_url": "first_frame"}.get(item["type"], item["type"]) for item in body["content"]
    ]


def _conflicts(body: dict[str, Any], model: VideoModel, jobs: Jobs) -> Iterator[tuple[str, str]]:
    """Yield the parameters that do not go together, each with what is wrong."""
    roles = _roles(body)
    references = [role for role in roles if role.startswith("reference_")]
    frames = [role for role in roles if role.endswith("_frame")]
    most = dict(zip(("reference_image", "reference_video", "reference_audio"), model.references, strict=True))
    if references and frames:
        yield "content", "frame roles and reference roles must not be mixed."
    for role in ("first_frame", "last_frame", *most):
        allowed = most.get(role, 1)
        if roles.count(role) > allowed:
            yield "content", f"at most {allowed} items may have the role {role}."
    if "last_frame" in roles and ("first_frame" not in roles or not model.last_frame):
        yield "content", "last_frame needs a first_frame and a model that takes both."
    if references and set(references) == {"reference_audio"}:
        yield "content", "reference_audio must not be the only reference."
    if roles.count("text") > 1:
        yield "content", "at most one item may be text."
    if frames and model is VIDEOS["dreamina-seedance-2-5-260628"] and body.get("ratio", "adaptive") != "adaptive":
        yield "ratio", "it must be adaptive when a frame is given."
    if body.get("ratio") == "adaptive" and model.ratio == "16:9" and not frames:
        yield "ratio", "adaptive is not supported for text to video."
    if body.get("draft") and body.get("resolution", "480p") != "480p":
        yield "resolution", "a draft is made at 480p."
    yield from _drafts(body, jobs)


def _drafts(body: dict[str, Any], jobs: Jobs) -> Iterator[tuple[str, str]]:
    for item in body["content"]:
        if item["type"] == "draft_task":
            job = jobs.find(NAME, item["draft_task"]["id"])
            if body["model"] != "seedance-1-5-pro-251215" or job is None or not job.body.get("draft"):
                yield "content", "draft_task must be the id of a draft of this model."


def _shown(body: dict[str, Any], model: VideoModel) -> dict[str, Any]:
    """Return the settings the task reports: as asked, or the model's own."""
    has_frame = any(role.endswith("_frame") for role in _roles(body))
    ratio = body.get("ratio", "adaptive" if has_frame else model.ratio)
    seconds = body.get("duration", 5)
    if "frames" in body:
        seconds = body["frames"] / _FPS
    return {
        "seed": body.get("seed", 7),
        "resolution": "480p" if body.get("draft") else body.get("resolution", model.resolution),
        "ratio": "16:9" if ratio == "adaptive" else ratio,
        "seconds": 5 if seconds == -1 else seconds,
        "service_tier": body.get("service_tier", "default"),
        "generate_audio": body.get("generate_audio", False),
        "safety_identifier": body.get("safety_identifier"),
    }


def _frame(shown: Mapping[str, Any], model: VideoModel) -> str:
    return model.sizes[shown["resolution"]][_RATIOS.index(shown["ratio"])]


def _tokens(width: int, height: int, seconds: float) -> int:
    return round(seconds * width * height * _FPS / 1024)


_WORDS = {
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "cancelled",
    State.EXPIRED: "expired",
}


def status(ask: Ask, job: Job) -> str:
    """Return a task's state in the vendor's word."""
    return _ODD if job.is_odd(ask.now) else _WORDS[job.state(ask.now)]


def task(ask: Ask, job: Job) -> dict[str, Any]:
    """Return a task as it is reported at this moment."""
    state = job.state(ask.now)
    shown = job.wish
    found: dict[str, Any] = {
        "id": job.id,
        "model": job.model,
        "status": status(ask, job),
        "error": None,
        "created_at": job.created // 1000,
        "updated_at": job.finished(ask.now) // 1000,
        "seed": shown["seed"],
        "resolution": shown["resolution"],
        "ratio": shown["ratio"],
        # The vendor is known to send this as a number or as a string.
        "duration": str(shown["seconds"]) if job.model.startswith("seedance-1-0") else shown["seconds"],
        "framespersecond": _FPS,
        "service_tier": shown["service_tier"],
        "execution_expires_after": round((job.expires - job.created) / 1000),
        "generate_audio": shown["generate_audio"],
    }
    if shown["safety_identifier"] is not None:
        found["safety_identifier"] = shown["safety_identifier"]
    if state is State.SUCCEEDED:
        links = [ask.link(NAME, output) + "?X-Tos-Expires=86400" for output in job.outputs]
        found["content"] = dict(zip(("video_url", "last_frame_url"), [*links, None, None], strict=False))
        found["usage"] = {"completion_tokens": shown["tokens"], "total_tokens": shown["tokens"]}
    if state is State.FAILED and job.failure is not None:
        code = job.failure.code or "InternalServiceError"
        unfit = "The output may contain sensitive information."
        said = unfit if job.failure.moderated else "The service encountered an unexpected internal error."
        found["error"] = {"code": code, "message": f"{said} Request id: {ask.trace}"}
    return found
