"""Google's Gemini API, played with an API key: pictures in one call, and films as interactions.

Imagen and Veo are gone from it: what once began them answers that they are no longer available.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.simulators import inline
from gateway.simulators.chaos import Call, Do
from gateway.simulators.google_images import generate, words
from gateway.simulators.google_interactions import create, file_of, told
from gateway.simulators.google_models import is_gone
from gateway.simulators.google_words import NAME, no_model, refuse, word
from gateway.simulators.jobs import Job, Jobs, Output, State
from gateway.simulators.media import TYPES
from gateway.simulators.vendor import Ask, Endpoint, Reply, Vendor

_KEY = "AQ.simulated-0Kd81mZq"
# A file is looked through for so long before it can be had, and kept for two days.
_PROCESSING_MS, _KEPT_MS = 500, 48 * 3600 * 1000


def _is_authorized(ask: Ask) -> bool:
    return ask.headers.get("x-goog-api-key") == _KEY or _KEY in ask.asked("key")


def _subject(ask: Ask) -> tuple[str, str]:
    body = ask.body if isinstance(ask.body, dict) else {}
    model = ask.params.get("model") or body.get("model", "")
    return str(model), " ".join(words(body.get("contents", body.get("input"))))


def _retired(ask: Ask, _jobs: Jobs) -> Reply:
    return no_model(ask, ask.params["model"], is_gone=is_gone(ask.params["model"]))


def _look(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    return _unknown(ask) if job is None else Reply(200, told(ask, job, ask.now), job=job)


def _cancel(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    if job is None:
        return _unknown(ask)
    if job.state(ask.now).is_final or not job.body.get("background"):
        return refuse(ask, "Only an interaction that runs in the background can be cancelled.")
    job.cancel(ask.now)
    return Reply(200, told(ask, job, ask.now), job=job)


def _delete(ask: Ask, jobs: Jobs) -> Reply:
    job = _find(ask, jobs)
    if job is None:
        return _unknown(ask)
    job.erased = True
    return Reply(200, {}, job=job)


def _find(ask: Ask, jobs: Jobs) -> Job | None:
    """Return an interaction that is kept; one that was begun without being stored is known to nobody."""
    job = jobs.find(NAME, ask.params["id"])
    is_kept = job is not None and job.id.startswith("v1_") and job.body.get("store") is not False
    return job if is_kept else None


def _unknown(ask: Ask) -> Reply:
    return refuse(ask, f"Interaction {ask.params['id']} not found.", 404)


def _file(ask: Ask, jobs: Jobs) -> Reply:
    found = _kept(ask, jobs)
    if found is None:
        return word(ask, 404, None)
    job, output = found
    name = f"files/{ask.params['file']}"
    about: dict[str, Any] = {"name": name, "mimeType": TYPES[output.form], "uri": f"{ask.origin}/google/v1beta/{name}"}
    if job.output_fault is Do.OUTPUT_404:
        return Reply(200, {**about, "state": "FAILED", "error": {"message": "The file cannot be read."}}, job=job)
    about["downloadUri"] = f"{about['uri']}:download?alt=media"
    return Reply(200, {**about, "state": "ACTIVE" if _is_active(ask, job) else "PROCESSING"}, job=job)


def _download(ask: Ask, jobs: Jobs) -> Reply:
    found = _kept(ask, jobs)
    if found is None:
        return word(ask, 404, None)
    job, output = found
    fault = ask.rule.do if ask.rule is not None else job.output_fault
    if fault is Do.OUTPUT_404:
        return word(ask, 404, None)
    if ask.asked("alt") != ["media"] or not _is_active(ask, job):
        return refuse(ask, "The file is not in a state to be downloaded.", 400, "FAILED_PRECONDITION")
    data = inline.made(replace(job, output_fault=fault), output)
    return Reply(200, data, {"Content-Type": TYPES[output.form]}, job)


def _kept(ask: Ask, jobs: Jobs) -> tuple[Job, Output] | None:
    """Return a file that is there: made by an interaction that succeeded, and not too long ago."""
    found = file_of(jobs, ask.params["file"])
    if found is None or found[0].state(ask.now) is not State.SUCCEEDED:
        return None
    return found if ask.now - found[0].finished(ask.now) <= _KEPT_MS else None


def _is_active(ask: Ask, job: Job) -> bool:
    return ask.now - job.finished(ask.now) >= _PROCESSING_MS


def _is_billed(job: Job, now: int) -> bool:
    """What was made costs, whether or not the caller stayed for it."""
    return job.state(now) is State.SUCCEEDED and bool(job.outputs)


_V1 = "/google/v1beta"

GOOGLE = Vendor(
    name=NAME,
    heads=("google",),
    base=_V1,
    secrets={"GEMINI_API_KEY": _KEY, "GOOGLE_API_KEY": _KEY},
    endpoints=(
        Endpoint("POST", _V1 + "/models/{model}:generateContent", Call.SUBMIT, generate),
        # The official client asks here by itself.
        Endpoint("POST", "/google/v1/models/{model}:generateContent", Call.SUBMIT, generate),
        Endpoint("POST", _V1 + "/models/{model}:predict", Call.SUBMIT, _retired),
        Endpoint("POST", _V1 + "/models/{model}:predictLongRunning", Call.SUBMIT, _retired),
        Endpoint("POST", _V1 + "/interactions", Call.SUBMIT, create),
        Endpoint("GET", _V1 + "/interactions/{id}", Call.STATUS, _look),
        Endpoint("DELETE", _V1 + "/interactions/{id}", Call.OTHER, _delete),
        Endpoint("POST", _V1 + "/interactions/{id}/cancel", Call.CANCEL, _cancel),
        Endpoint("GET", _V1 + "/files/{file}:download", Call.OUTPUT, _download),
        Endpoint("GET", _V1 + "/files/{file}", Call.OTHER, _file),
    ),
    is_authorized=_is_authorized,
    subject=_subject,
    word=word,
    is_billed=_is_billed,
    stamp=lambda _: {},
)
