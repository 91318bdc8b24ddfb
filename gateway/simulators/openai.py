"""OpenAI, played: pictures in one call, as base64 inside the answer or as a stream of events.

There is no job to ask after and nothing to fetch: an answer that is lost is gone, and costs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from gateway.simulators import inline
from gateway.simulators.chaos import Call
from gateway.simulators.checking import check
from gateway.simulators.jobs import Job, Jobs, Output, State, draft
from gateway.simulators.openai_models import GONE, MODELS, ImageModel, Plan, conflict, plan, tokens
from gateway.simulators.openai_pictures import refuse_addresses, refuse_files, values
from gateway.simulators.openai_words import (
    NAME,
    blocked,
    is_late_refusal,
    no_model,
    refuse,
    refuse_field,
    word,
)
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_KEY = "sk-proj-simulated0Kd81mZq"
_PARTIAL_TOKENS = 100
# What one picture to start from counts for. The vendor's figure depends on its size; this is of its order.
_PICTURE_TOKENS = 1024
_EVENT_STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Bearer {_KEY}"


def _subject(ask: Ask) -> tuple[str, str]:
    sent = ask.sent if isinstance(ask.sent, dict) else {}
    return str(sent.get("model", "")), str(sent.get("prompt", ""))


def _generate(ask: Ask, jobs: Jobs) -> Reply | Held:
    if ask.parts is not None:
        return refuse("Unsupported content type: expected 'application/json'.", None, "unsupported_content_type")
    found = _read(ask)
    if isinstance(found, Reply):
        return found
    body, model = found
    wrong = check(model.fields(is_edit=False), body)
    return refuse_field(wrong[0]) if wrong else _begin(ask, jobs, body, model, "image_generation")


def _edit(ask: Ask, jobs: Jobs) -> Reply | Held:
    found = _read(ask)
    if isinstance(found, Reply):
        return found
    body, model = found
    wrong = check(model.fields(is_edit=True), body)
    if wrong:
        return refuse_field(wrong[0])
    refusal = refuse_addresses(body) if ask.parts is None else refuse_files(model, ask.parts)
    return _begin(ask, jobs, body, model, "image_edit") if refusal is None else refusal


def _read(ask: Ask) -> tuple[dict[str, Any], ImageModel] | Reply:
    """Return the values of a request without its nulls, and the model, or the refusal."""
    if ask.malformed:
        return refuse("We could not parse the body of your request.", None, None)
    if ask.parts is not None:
        body = values(ask.parts)
    elif not isinstance(ask.body, dict) or "json" not in ask.headers.get("content-type", ""):
        return refuse("The body must be a JSON object, sent as application/json.", None, None)
    else:
        body = {name: value for name, value in ask.body.items() if value is not None}
    name = body.get("model")
    if name is None:
        return refuse("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    if not isinstance(name, str) or name not in MODELS:
        return no_model(str(name), is_gone=name in GONE)
    return body, MODELS[name]


def _begin(ask: Ask, jobs: Jobs, body: Mapping[str, Any], model: ImageModel, kind: str) -> Reply | Held:
    """Check what belongs together, begin the pictures, and hold the line for them."""
    clash = conflict(model, body)
    if clash is not None:
        return refuse(clash[1], clash[0])
    code = ask.rule.code if ask.rule is not None else None
    if ask.refused_content() and not is_late_refusal(code):
        return blocked(code)
    settled = plan(body)
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: f"img_{ids.getrandbits(96):024x}"),
        model=body["model"],
        kind="image",
        body=ask.sent,
        prompt=body["prompt"],
        outputs=(Output(settled.form, settled.width, settled.height),) * settled.count,
        now=ask.now,
    )
    jobs.begin(job, ask.rule)
    job.wish = {"pictures": len(body.get("images", ())) + sum(part.is_file for part in ask.parts or ())}
    streamed = kind if body.get("stream") else None
    return Held(job, job.ends, lambda now: _answer(ask, job, settled, streamed, now))


def _answer(ask: Ask, job: Job, settled: Plan, streamed: str | None, now: int) -> Reply:
    if job.failure is not None:
        code = job.failure.code
        refusal = blocked(code) if job.failure.moderated else word(ask, 500, code)
        if streamed is None:
            return Reply(refusal.status, refusal.body, refusal.headers, job)
        # The line of a stream was opened with a 200 long before.
        return Reply(200, f"event: error\ndata: {json.dumps(refusal.body)}\n\n".encode(), _EVENT_STREAM, job)
    about = {
        "background": settled.background,
        "output_format": settled.form,
        "quality": settled.quality,
        "size": settled.size,
    }
    pictures = [inline.encoded(job, output) for output in job.outputs]
    usage = _usage(job, settled, len(pictures))
    if streamed is not None:
        return Reply(200, _events(streamed, settled, pictures, about, usage, now // 1000), _EVENT_STREAM, job)
    found = {"created": now // 1000, **about, "data": [{"b64_json": one} for one in pictures], "usage": usage}
    return Reply(200, found, job=job)


def _usage(job: Job, settled: Plan, count: int) -> dict[str, Any]:
    """Return the tokens of a call, from which it is billed."""
    words, shown = math.ceil(len(job.prompt) / 4), job.wish["pictures"] * _PICTURE_TOKENS
    drawn = (tokens(MODELS[job.model], settled) + settled.partials * _PARTIAL_TOKENS) * count
    return {
        "input_tokens": words + shown,
        "output_tokens": drawn,
        "total_tokens": words + shown + drawn,
        "input_tokens_details": {"text_tokens": words, "image_tokens": shown},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
    }


def _events(
    kind: str, settled: Plan, pictures: list[str], about: Mapping[str, Any], usage: Mapping[str, Any], created: int
) -> bytes:
    """Return the frames of a stream: the parts of each picture, then the whole."""
    events: list[dict[str, Any]] = []
    for picture in pictures:
        whole = {"b64_json": picture, **about, "created_at": created}
        shown = range(settled.partials)
        events += [{"type": f"{kind}.partial_image", "partial_image_index": index, **whole} for index in shown]
        events.append({"type": f"{kind}.completed", **whole, "usage": usage})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _gone(model: str) -> Reply:
    return no_model(model, is_gone=True)


def _video(ask: Ask, _jobs: Jobs) -> Reply:
    # What this path answers since the shutdown is undocumented; that no film comes of it is certain.
    return _gone(_subject(ask)[0] or "sora-2")


def _variation(_ask: Ask, _jobs: Jobs) -> Reply:
    return _gone("dall-e-2")


def _row(name: str) -> dict[str, Any]:
    about = {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "system"}
    return {**about, "shutdown_date": MODELS[name].shutdown}


def _models(_ask: Ask, _jobs: Jobs) -> Reply:
    return Reply(200, {"object": "list", "data": [_row(name) for name in MODELS]})


def _model(ask: Ask, _jobs: Jobs) -> Reply:
    name = ask.params["model"]
    return Reply(200, _row(name)) if name in MODELS else no_model(name, is_gone=name in GONE)


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs, whether or not the caller stayed for it."""
    return job.state(now) is State.SUCCEEDED and bool(job.outputs)


def _stamp(ask: Ask) -> dict[str, str]:
    return {
        "x-request-id": f"req_{ask.trace}",
        "openai-processing-ms": "120",
        "openai-version": "2020-10-01",
        "openai-organization": "org-simulated",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
    }


_V1 = "/openai/v1"

OPENAI = Vendor(
    name=NAME,
    heads=("openai",),
    base=_V1,
    secrets={"OPENAI_API_KEY": _KEY},
    endpoints=(
        Endpoint("POST", _V1 + "/images/generations", Call.SUBMIT, _generate),
        Endpoint("POST", _V1 + "/images/edits", Call.SUBMIT, _edit),
        Endpoint("POST", _V1 + "/images/variations", Call.OTHER, _variation),
        Endpoint("POST", _V1 + "/videos", Call.OTHER, _video),
        Endpoint("GET", _V1 + "/models", Call.OTHER, _models),
        Endpoint("GET", _V1 + "/models/{model*}", Call.OTHER, _model),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=_stamp,
)
