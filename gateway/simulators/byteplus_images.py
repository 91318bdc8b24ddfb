"""BytePlus pictures (Seedream): one call that holds the line until the pictures are there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators import media
from gateway.simulators.byteplus_words import LINK_MS, NAME, refuse, refuse_field
from gateway.simulators.checking import Field, check, either, flag, many, text, tree, url, whole
from gateway.simulators.jobs import Job, Jobs, Output, draft
from gateway.simulators.vendor import Ask, Held, Reply

# References and pictures made together; also the most a set may have.
_TOGETHER = 15
_MODERATED = "InputTextSensitiveContentDetected"


@dataclass(frozen=True, slots=True)
class ImageModel:
    """What one model takes; `tiers` say what a tier name alone delivers, the areas are in pixels."""

    least_area: int
    most_area: int
    tiers: Mapping[str, str]
    default: str
    references: int
    sets: bool
    extra: Mapping[str, Field] = field(default_factory=dict)

    def fields(self) -> dict[str, Field]:
        """Return the table of fields a request may have."""
        found = {
            "model": text(required=True),
            "prompt": text(required=True),
            "image": either(url(), many(url(), least=1, most=self.references)),
            "size": text(),
            "response_format": text("url", "b64_json"),
            "watermark": flag(),
            **self.extra,
        }
        if self.sets:
            found["sequential_image_generation"] = text("auto", "disabled")
            found["sequential_image_generation_options"] = tree({"max_images": whole(least=1, most=_TOGETHER)})
            found["stream"] = flag()
        return found


_FORMAT = {"output_format": text("jpeg", "png")}
_PRO = ImageModel(921_600, 4_624_220, {"1K": "1152x864", "2K": "2368x1776"}, "1024x1024", 10, sets=False, extra=_FORMAT)
_LITE = ImageModel(
    3_686_400,
    16_777_216,
    {"2K": "2304x1728", "3K": "3456x2592", "4K": "4704x3520"},
    "2048x2048",
    14,
    sets=True,
    extra={
        **_FORMAT,
        "optimize_prompt_options": tree({"mode": text("standard")}),
        "tools": many(tree({"type": text("web_search", required=True)})),
    },
)

IMAGES: Mapping[str, ImageModel] = {
    "dola-seedream-5-0-pro-260628": _PRO,
    "seedream-5-0-pro-260628": _PRO,
    "seedream-5-0-260128": _LITE,
    "seedream-5-0-lite-260128": _LITE,
    "seedream-4-5-251128": ImageModel(
        3_686_400,
        16_777_216,
        {"2K": "2304x1728", "4K": "4704x3520"},
        "2048x2048",
        14,
        sets=True,
        extra={"optimize_prompt_options": tree({"mode": text("standard")})},
    ),
    "seedream-4-0-250828": ImageModel(
        921_600,
        16_777_216,
        {"1K": "1152x864", "2K": "2304x1728", "4K": "4704x3520"},
        "2048x2048",
        10,
        sets=True,
        extra={"optimize_prompt_options": tree({"mode": text("standard", "fast")})},
    ),
}


def generate(ask: Ask, jobs: Jobs, body: dict[str, Any], model: ImageModel) -> Reply | Held:
    """Check the request, begin the pictures, and hold the line for them."""
    name = body["model"]
    wrong = check(model.fields(), body)
    if wrong:
        return refuse_field(ask, name, wrong[0])
    size = _size(body.get("size", model.default), model)
    if isinstance(size, str):
        return refuse(ask, 400, "InvalidParameter", f"The parameter `size` is not valid: {size}", "size")
    count = _count(body)
    if isinstance(count, str):
        return refuse(ask, 400, "InvalidParameter", count, "sequential_image_generation_options.max_images")
    code = ask.rule.code if ask.rule is not None else None
    if ask.refused_content() and not (code or _MODERATED).startswith("Output"):
        said = "The request failed because the input may contain sensitive information."
        return refuse(ask, 400, code or _MODERATED, said)
    outputs = (Output(body.get("output_format", "jpeg"), *size),) * count
    job_id = jobs.fresh_id(NAME, lambda ids: f"img-{ids.getrandbits(64):016x}")
    job = draft(
        provider=NAME,
        job_id=job_id,
        model=name,
        kind="image",
        body=ask.body,
        prompt=body["prompt"],
        outputs=outputs,
        now=ask.now,
    )
    job.files_kept = LINK_MS
    jobs.begin(job, ask.rule)
    return Held(job, job.ends, lambda now: _answer(ask, body, job, now))


def _size(asked: str, model: ImageModel) -> tuple[int, int] | str:
    """Return width and height, or what is wrong with the size that was asked for."""
    asked = model.tiers.get(asked, asked)
    found = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", asked)
    if found is None:
        return f"write WIDTHxHEIGHT or one of {', '.join(model.tiers)}."
    width, height = int(found[1]), int(found[2])
    if not model.least_area <= width * height <= model.most_area:
        return f"the image must have from {model.least_area} to {model.most_area} pixels."
    if max(width, height) > 16 * min(width, height):
        return "the ratio of width to height must be from 1:16 to 16:1."
    return width, height


def _count(body: dict[str, Any]) -> int | str:
    """Return how many pictures are made: of a set the model decides, up to the number allowed."""
    if body.get("sequential_image_generation", "disabled") == "disabled":
        return 1
    allowed = int(body.get("sequential_image_generation_options", {}).get("max_images", _TOGETHER))
    image = body.get("image", [])
    room = _TOGETHER - (len(image) if isinstance(image, list) else 1)
    if "max_images" in body.get("sequential_image_generation_options", {}) and allowed > room:
        return f"Reference images and generated images together must not exceed {_TOGETHER}."
    return 1 + hashlib.sha256(body["prompt"].encode()).digest()[0] % max(1, min(allowed, room))


def _answer(ask: Ask, body: dict[str, Any], job: Job, now: int) -> Reply:
    if job.failure is not None and not job.failure.moderated:
        code = job.failure.code or "InternalServiceError"
        broken = refuse(ask, 500, code, "The service encountered an unexpected internal error.")
        return Reply(broken.status, broken.body, job=job)
    items = [_item(ask, body, job, output) for output in job.outputs]
    if job.failure is not None and items:
        items[0] = {"error": {"code": job.failure.code, "message": "The output may contain sensitive information."}}
    good = sum("error" not in item for item in items)
    tokens = sum(output.width * output.height // 256 for output in job.outputs[:good])
    usage = {"generated_images": good, "output_tokens": tokens, "total_tokens": tokens}
    created = now // 1000
    if body.get("stream"):
        return Reply(200, _events(job, items, usage, created), {"Content-Type": "text/event-stream"}, job)
    return Reply(200, {"model": job.model, "created": created, "data": items, "usage": usage}, job=job)


def _item(ask: Ask, body: dict[str, Any], job: Job, output: Output) -> dict[str, Any]:
    size = f"{output.width}x{output.height}"
    if body.get("response_format") == "b64_json":
        return {"b64_json": base64.b64encode(media.draw(output, job.prompt)).decode(), "size": size}
    return {"url": ask.link(NAME, output) + "?X-Tos-Expires=86400", "size": size}


def _events(job: Job, items: list[dict[str, Any]], usage: dict[str, Any], created: int) -> bytes:
    events = []
    for index, item in enumerate(items):
        kind = "partial_failed" if "error" in item else "partial_succeeded"
        events.append({"type": f"image_generation.{kind}", "image_index": index, "created": created, **item})
    events.append({"type": "image_generation.completed", "usage": usage, "created": created})
    lines = [f"event: {event['type']}\ndata: {json.dumps({'model': job.model, **event})}\n\n" for event in events]
    return ("".join(lines) + "data: [DONE]\n\n").encode()


def is_paid(job: Job, now: int) -> bool:
    """Whether at least one picture came out: a filtered one costs nothing, and neither does a breakdown."""
    if not job.state(now).is_final or (job.failure is not None and not job.failure.moderated):
        return False
    return len(job.outputs) > (0 if job.failure is None else 1)
