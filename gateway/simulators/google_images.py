"""The Gemini API's `generateContent`, played: one picture in one call, as base64 between drafts and words.

An answer that is lost is gone, and costs. What is refused for its content is an answer without a
picture: a prompt that was blocked, or a candidate that ended for another reason than being done.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.simulators import inline, sniff
from gateway.simulators.checking import Field, check, many, text, tree, url, whole
from gateway.simulators.google_models import IMAGES, ImageModel, is_gone
from gateway.simulators.google_words import NAME, no_model, refuse, refuse_field, word
from gateway.simulators.jobs import Job, Jobs, Output, draft
from gateway.simulators.vendor import Ask, Held, Reply

TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
"""What a picture to start from may be."""
_SNIFFED = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_PICTURE_TOKENS = 258
_DRAFT = Output("jpeg", 64, 64)
_OUTPUT = "output"
"""What a script writes as code to have the finished picture refused instead of the prompt."""
_ENDS = frozenset(
    {
        "SPII",
        "RECITATION",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "NO_IMAGE",
        "IMAGE_OTHER",
        "MAX_TOKENS",
        "LANGUAGE",
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
    }
)
"""Reasons only a candidate can end for; the others may also block a prompt."""
_INT32 = 2**31

_BLOB = tree({"mimeType": text(*TYPES, required=True), "data": text(required=True)})
_FILE = tree({"mimeType": text(*TYPES, required=True), "fileUri": url("https", required=True)})
_PART = tree({"text": text(), "inlineData": _BLOB, "fileData": _FILE})
_CONTENT = tree({"role": text("user", "model"), "parts": many(_PART, least=1, required=True)})


def fields(model: ImageModel) -> dict[str, Field]:
    """Return the table of what a request may hold, in camel case; what only the other surface takes is not in it."""
    picture = {"aspectRatio": text(*model.shapes)} | ({"imageSize": text(*model.tiers)} if model.tiers else {})
    config = {
        "responseModalities": many(text("TEXT", "IMAGE"), least=1),
        "imageConfig": tree(picture),
        "seed": whole(least=-_INT32, most=_INT32 - 1),
    }
    if model.has_levels:
        config["thinkingConfig"] = tree({"thinkingLevel": text("minimal", "high")})
    return {
        "contents": many(_CONTENT, least=1, required=True),
        "generationConfig": tree(config),
        "safetySettings": many(tree({"category": text(required=True), "threshold": text(required=True)})),
    }


def camel(value: Any) -> Any:
    """Return JSON with every name in camel case, since requests may have either."""
    match value:
        case dict():
            return {
                re.sub(r"_([a-z])", lambda found: found[1].upper(), key): camel(held) for key, held in value.items()
            }
        case list():
            return [camel(held) for held in value]
        case _:
            return value


def words(value: Any) -> Iterator[str]:
    """Yield every text in a request, whatever its dialect and however broken it is."""
    match value:
        case str():
            yield value
        case dict():
            yield from (said for name in ("parts", "content", "text") if name in value for said in words(value[name]))
        case list():
            yield from (said for held in value for said in words(held))
        case _:
            return


def generate(ask: Ask, jobs: Jobs) -> Reply | Held:
    """Answer a `generateContent`."""
    name = ask.params["model"]
    if name not in IMAGES:
        return no_model(ask, name, is_gone=is_gone(name))
    if ask.malformed or not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return refuse(ask, "Invalid JSON payload received.")
    model, body = IMAGES[name], camel(ask.body)
    wrong = check(fields(model), body)
    if wrong:
        return refuse_field(ask, wrong[0])
    parts = [part for content in body["contents"] for part in content["parts"]]
    said = _fault(model, parts)
    return _begin(ask, jobs, name, body, parts) if said is None else refuse(ask, said)


def _fault(model: ImageModel, parts: list[dict[str, Any]]) -> str | None:
    """Return what is wrong with the parts of a request, or nothing."""
    pictures = [part for part in parts if "text" not in part]
    if any(len(part) != 1 for part in parts):
        return "Invalid part: exactly one of text, inlineData and fileData must be set."
    if not any(part.get("text") for part in parts):
        return "Invalid contents: there is no text."
    if len(pictures) > model.pictures:
        return f"Invalid contents: at most {model.pictures} images are supported."
    return next(filter(None, (unreadable(**part["inlineData"]) for part in pictures if "inlineData" in part)), None)


def unreadable(mimeType: str, data: str) -> str | None:  # noqa: N803 (the vendor's names)
    """Return what is wrong with a picture, or nothing. That its type must fit its bytes is stricter than documented."""
    found = decoded(data)
    if found is None:
        return "Invalid value at 'data': Base64 decoding failed."
    form = sniff.form(found)
    is_plain = mimeType in _SNIFFED.values()
    return "Unable to process input image." if is_plain and (form is None or _SNIFFED.get(form) != mimeType) else None


def decoded(data: str) -> bytes | None:
    """Return the bytes of base64 in either alphabet, nothing when it is neither: the official client uses the one of addresses."""
    return sniff.decoded(data.replace("-", "+").replace("_", "/"))


def settled(model: ImageModel, shape: str | None, tier: str | None, first: bytes | None) -> tuple[str, Output]:
    """Return the tier and the picture of a request; without a shape it has that of the first picture shown."""
    tier = tier or "1K"
    seen = sniff.pixels(first) if first is not None else None
    shape = shape or (model.nearest(*seen) if seen is not None else "1:1")
    return tier, Output("jpeg", *model.pixels(shape, tier))


def _begin(ask: Ask, jobs: Jobs, name: str, body: Mapping[str, Any], parts: list[dict[str, Any]]) -> Held:
    """Begin the picture and hold the line for it."""
    config = body.get("generationConfig", {})
    picture = config.get("imageConfig", {})
    shown = [part for part in parts if "text" not in part]
    first = next((decoded(part["inlineData"]["data"]) for part in shown if "inlineData" in part), None)
    tier, output = settled(IMAGES[name], picture.get("aspectRatio"), picture.get("imageSize"), first)
    kinds = config.get("responseModalities", ["TEXT", "IMAGE"])
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: f"gc-{ids.getrandbits(96):024x}"),
        model=name,
        kind="image",
        body=ask.body,
        prompt=" ".join(words(parts)),
        outputs=(output,) if "IMAGE" in kinds else (),
        now=ask.now,
    )
    jobs.begin(job, ask.rule)
    job.wish = {"tier": tier, "pictures": len(shown), "has_text": "TEXT" in kinds}
    return Held(job, job.ends, lambda _now: _answer(ask, job))


def _answer(ask: Ask, job: Job) -> Reply:
    failure = job.failure
    if failure is not None and not failure.moderated and failure.code is None:
        reply = word(ask, 500, None)
        return Reply(reply.status, reply.body, job=job)
    model = IMAGES[job.model]
    if failure is not None:
        return Reply(200, _refused(job, failure.code, is_moderated=failure.moderated), job=job)
    parts = [_picture(job, output) for output in job.outputs]
    if model.is_thinking and parts:
        parts.insert(0, {**_picture(job, _DRAFT), "thought": True})
    if job.wish["has_text"] or not job.outputs:
        parts.insert(0, {"text": "Here is what I made of it."})
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    drawn = model.tokens(job.wish["tier"]) * len(job.outputs)
    return Reply(200, {"candidates": [candidate], **_about(job, drawn)}, job=job)


def _refused(job: Job, code: str | None, *, is_moderated: bool) -> dict[str, Any]:
    """Return an answer without a picture: no candidate at all for a prompt, one without content for a picture."""
    if is_moderated and code != _OUTPUT and code not in _ENDS:
        return {"promptFeedback": {"blockReason": code or "SAFETY"}, **_about(job, 0)}
    reason = "IMAGE_SAFETY" if code in (None, _OUTPUT) else code
    return {"candidates": [{"finishReason": reason, "index": 0}], **_about(job, 0)}


def _picture(job: Job, output: Output) -> dict[str, Any]:
    return {"inlineData": {"mimeType": f"image/{output.form}", "data": inline.encoded(job, output)}}


def _about(job: Job, drawn: int) -> dict[str, Any]:
    """Return what stands beside the candidates, with the tokens a call is billed by."""
    asked = math.ceil(len(job.prompt) / 4) + job.wish["pictures"] * _PICTURE_TOKENS
    usage = {"promptTokenCount": asked, "totalTokenCount": asked + drawn}
    return {
        "usageMetadata": usage | ({"candidatesTokenCount": drawn} if drawn else {}),
        "modelVersion": job.model,
        "responseId": job.id,
    }
