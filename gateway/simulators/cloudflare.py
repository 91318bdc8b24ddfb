"""Cloudflare Workers AI, played: one call per run, which holds the line until the picture or film is there.

There is no job, no poll and no cancellation. A model on the vendor's own machines is part of the
path and its values are the body; another lab's model is named in the body beside its input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.simulators import inline, media, sniff
from gateway.simulators.chaos import Call
from gateway.simulators.checking import Kind, check
from gateway.simulators.cloudflare_models import HOSTED, PASSED_ON, Model, outputs, schema
from gateway.simulators.cloudflare_words import (
    BAD_INPUT,
    BAD_MODEL,
    BROKEN,
    INCOMPLETE,
    NAME,
    NO_MODEL,
    NO_ROUTE,
    NSFW,
    NSFW_FLUX,
    UPSTREAM,
    WRONG_METHOD,
    envelope,
    problem,
    refuse_field,
    word,
)
from gateway.simulators.forms import Part
from gateway.simulators.jobs import Job, Jobs, State, draft
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

_TOKEN = "simulated-Wk7x2Qm9vT4cZp1LrB8sYd3HfJ6nGa0E"  # noqa: S105 (opens nothing but this)
_ACCOUNT = "51a7ed0c0de4acc0047b0a7d9c3e6f12"
_ID = re.compile(r"(@[a-z]+/)?[\w.-]+/[\w.-]+")
_FILES = re.compile(r"input_image_[0-3]")
_NO_GATEWAY = "AiError: name a gateway with the header cf-aig-gateway-id to run this model"
# The vendor says no more than that links die soon.
_LINK_MS = 3_600_000


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("authorization") == f"Bearer {_TOKEN}"


def _subject(ask: Ask) -> tuple[str, str]:
    sent = ask.sent if isinstance(ask.sent, dict) else {}
    given = sent.get("input") if isinstance(sent.get("input"), dict) else sent
    return str(ask.params.get("model") or sent.get("model", "")), str((given or {}).get("prompt", ""))


def _unknown(name: object) -> Reply:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        return problem(BAD_MODEL)
    return problem(NO_MODEL, f"AiError: No such model {name} or task")


def _run_hosted(ask: Ask, jobs: Jobs) -> Reply | Held:
    if ask.params["account"] != _ACCOUNT:
        return problem(NO_ROUTE)
    name = ask.params["model"]
    return _unknown(name) if name not in HOSTED else _hosted(ask, jobs, name, ask.body)


def _run_named(ask: Ask, jobs: Jobs) -> Reply | Held:
    """Run the model a body names; one of the vendor's own only through a gateway that is named too."""
    if ask.params["account"] != _ACCOUNT:
        return problem(NO_ROUTE)
    body = ask.body
    if ask.malformed or not isinstance(body, dict) or "json" not in ask.headers.get("content-type", ""):
        return problem(INCOMPLETE)
    name, given = body.get("model"), body.get("input")
    if name is None or not isinstance(given, dict):
        missing = "model" if name is None else "input"
        return problem(INCOMPLETE, f"AiError: Bad input: Error: required properties at '/' are '{missing}'")
    if name in HOSTED:
        is_named = "cf-aig-gateway-id" in ask.headers
        return _hosted(ask, jobs, name, given) if is_named else problem(INCOMPLETE, _NO_GATEWAY)
    return _passed_on(ask, jobs, name, given) if name in PASSED_ON else _unknown(name)


def _passed_on(ask: Ask, jobs: Jobs, name: str, given: dict[str, Any]) -> Reply | Held:
    model = PASSED_ON[name]
    refusal = _refusal(model, given)
    if refusal is not None:
        return refusal
    if ask.refused_content():
        return _unfit(ask, UPSTREAM)
    job = _begin(ask, jobs, name, model, given)
    return Held(job, job.ends, lambda _: _links(ask, job, model))


def _hosted(ask: Ask, jobs: Jobs, name: str, body: Any) -> Reply | Held:
    model = HOSTED[name]
    if model.is_form:
        if ask.parts is None:
            return problem(INCOMPLETE, "AiError: Bad input: Error: required properties at '/' are 'multipart'")
        body = _values(model, ask.parts)
    if ask.malformed or not isinstance(body, dict):
        return problem(INCOMPLETE)
    body = {field: value for field, value in body.items() if field != "options"}
    refusal = _refusal(model, body) or _refuse_files(ask.parts or ())
    if refusal is not None:
        return refusal
    if ask.refused_content():
        return _unfit(ask, NSFW_FLUX if "flux" in name else NSFW)
    job = _begin(ask, jobs, name, model, body)
    return Held(job, job.ends, lambda _: _picture(job, model))


def _values(model: Model, parts: tuple[Part, ...]) -> dict[str, Any]:
    """Return the values of a form with its numbers read back; what is no number stays text."""
    found: dict[str, Any] = {}
    for part in parts:
        if _FILES.fullmatch(part.name):
            continue
        spec = model.fields.get(part.name)
        is_whole = spec is not None and spec.kind is Kind.INTEGER and re.fullmatch(r"-?\d{1,18}", part.text)
        found[part.name] = int(part.text) if is_whole else part.text
    return found


def _refuse_files(parts: tuple[Part, ...]) -> Reply | None:
    for part in parts:
        if _FILES.fullmatch(part.name) and (not part.is_file or sniff.pixels(part.data) is None):
            return problem(BAD_INPUT, f"AiError: Bad input: Error: '{part.name}' must be an image file")
    return None


def _refusal(model: Model, given: Mapping[str, Any]) -> Reply | None:
    """Return what is wrong with a model's values, or nothing; an open schema overlooks what it does not know."""
    known = given if model.is_closed else {name: given[name] for name in given if name in model.fields}
    wrong = check(model.fields, known)
    if wrong:
        return refuse_field(wrong[0])
    for name in model.base64:
        held = known.get(name, [])
        for value in [held] if isinstance(held, str) else held:
            data = sniff.inline(value) if value.startswith("data:") and name != "image_b64" else sniff.decoded(value)
            if data is None or sniff.pixels(data) is None:
                return problem(BAD_INPUT)
    if known.get("max_images", 1) > 1 and known.get("sequential_image_generation") != "auto":
        said = "'max_images' needs 'sequential_image_generation' to be auto"
        return problem(BAD_INPUT, f"AiError: Bad input: Error: {said}")
    return None


def _unfit(ask: Ask, usual: int) -> Reply:
    code = ask.rule.code if ask.rule is not None else None
    return problem(int(code) if code is not None and code.isdecimal() else usual)


def _begin(ask: Ask, jobs: Jobs, name: str, model: Model, given: Mapping[str, Any]) -> Job:
    job = draft(
        provider=NAME,
        job_id=jobs.fresh_id(NAME, lambda ids: f"run-{ids.getrandbits(64):016x}"),
        model=name,
        kind=model.kind,
        body=ask.sent,
        prompt=str(given["prompt"]),
        outputs=outputs(model, {field: given[field] for field in given if field in model.fields}),
        now=ask.now,
    )
    job.files_kept = _LINK_MS
    return jobs.begin(job, ask.rule)


def _broken(job: Job) -> Reply:
    code = job.failure.code if job.failure is not None else None
    found = problem(int(code) if code is not None and code.isdecimal() else BROKEN)
    return Reply(found.status, found.body, found.headers, job)


def _picture(job: Job, model: Model) -> Reply:
    """Return a picture as its model sends it: inside the envelope, or as bare bytes."""
    if job.failure is not None:
        return _broken(job)
    if not job.outputs:
        return Reply(200, envelope({}), job=job)
    if model.is_bytes:
        return Reply(200, inline.made(job, job.outputs[0]), {"Content-Type": media.TYPES[job.outputs[0].form]}, job)
    return Reply(200, envelope({"image": inline.encoded(job, job.outputs[0])}), job=job)


def _links(ask: Ask, job: Job, model: Model) -> Reply:
    """Return what another lab's model made; a run that broke there is a success in another state."""
    if job.failure is not None and job.failure.code is not None:
        return _broken(job)
    frame = {"gatewayMetadata": {"keySource": "Unified"}}
    if job.failure is not None:
        return Reply(200, {"state": "Failed", "result": {}, **frame}, job=job)
    links = [ask.link(NAME, output) for output in job.outputs]
    result: dict[str, Any] = {"images": links} if model.is_list else {}
    if links and not model.is_list:
        result = {"video" if model.kind == "video" else "image": links[0]}
    return Reply(200, {"state": "Completed", "result": result, **frame}, job=job)


def _search(ask: Ask, _jobs: Jobs) -> Reply:
    """List the vendor's own models; those it passes on are in no list."""
    if ask.params["account"] != _ACCOUNT:
        return problem(NO_ROUTE)
    pages = {}
    for name, default in (("page", "1"), ("per_page", "50")):
        value = (ask.asked(name) or [default])[0]
        if not value.isdecimal() or not int(value):
            return problem(BAD_INPUT, f"AiError: '{name}' must be a positive integer")
        pages[name] = int(value)
    asked = "".join(ask.asked("search"))
    rows = [{"name": name, "task": {"name": "Text-to-Image"}} for name in HOSTED if asked in name]
    first = (pages["page"] - 1) * pages["per_page"]
    shown = rows[first : first + pages["per_page"]]
    return Reply(200, envelope(shown, result_info={**pages, "count": len(shown), "total_count": len(rows)}))


def _schema(ask: Ask, _jobs: Jobs) -> Reply:
    if ask.params["account"] != _ACCOUNT:
        return problem(NO_ROUTE)
    name = "".join(ask.asked("model"))
    if name not in HOSTED:
        return _unknown(name)
    return Reply(200, envelope({"input": schema(HOSTED[name]), "output": {"type": "object"}}))


def _not_listed(_ask: Ask, _jobs: Jobs) -> Reply:
    """Answer where other vendors list their models: here the path is there and cannot be read."""
    return problem(WRONG_METHOD)


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs; that the caller left before it came is taken to change nothing."""
    return job.state(now) is State.SUCCEEDED and bool(job.outputs)


_V4 = "/cloudflare/client/v4"
_AI = _V4 + "/accounts/{account}/ai"

CLOUDFLARE = Vendor(
    name=NAME,
    heads=("cloudflare",),
    base=_V4,
    secrets={"CLOUDFLARE_API_TOKEN": _TOKEN, "CLOUDFLARE_ACCOUNT_ID": _ACCOUNT},
    endpoints=(
        Endpoint("POST", _AI + "/run", Call.SUBMIT, _run_named),
        Endpoint("POST", _AI + "/run/{model*}", Call.SUBMIT, _run_hosted),
        Endpoint("GET", _AI + "/v1/models", Call.OTHER, _not_listed),
        Endpoint("GET", _AI + "/models/search", Call.OTHER, _search),
        Endpoint("GET", _AI + "/models/schema", Call.OTHER, _schema),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda _: {},
)
