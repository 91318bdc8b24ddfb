"""How Fal says no: errors of a model as a list of details, errors of the request with a type of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.jobs import Failure
from gateway.simulators.vendor import Ask, Reply

NAME = "fal"

_DOCS = "https://docs.fal.ai/errors#"
# Status and whether the vendor calls it worth repeating, by the type of a model's error.
_MODEL_ERRORS = {
    "internal_server_error": (500, True),
    "generation_timeout": (504, True),
    "downstream_service_error": (400, False),
    "downstream_service_unavailable": (500, True),
    "content_policy_violation": (422, False),
    "no_media_generated": (422, False),
    "image_too_small": (422, False),
    "image_too_large": (422, False),
    "file_too_large": (422, False),
    "image_load_error": (422, False),
    "file_download_error": (422, False),
    "face_detection_error": (422, False),
    "unsupported_image_format": (422, False),
    "feature_not_supported": (422, False),
}
_REQUEST_ERRORS = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_connection_refused": 503,
    "runner_disconnected": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "internal_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
}
_USUAL = {
    400: "Bad request",
    401: "Cannot access application. Authentication is required to access this application.",
    403: "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too many requests",
    500: "Internal Server Error",
}
_EDGE = (
    b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center><hr><center>nginx</center></body></html>"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a request ended badly; with an `error_type` it is the request's error, otherwise the model's."""

    status: int
    detail: Any
    error_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the JSON of the result."""
        return {"detail": self.detail, **({} if self.error_type is None else {"error_type": self.error_type})}


def _of_request(error_type: str, detail: str, **headers: str) -> Refusal:
    sent = {"X-Fal-Error-Type": error_type, **headers}
    return Refusal(_REQUEST_ERRORS[error_type], detail, error_type, sent)


def _of_model(kind: str, said: str, given: Any = None, place: tuple[str | int, ...] = ()) -> Refusal:
    status, is_retryable = _MODEL_ERRORS.get(kind, (422, False))
    detail = {"loc": ["body", *place], "msg": said, "type": kind, "url": _DOCS + kind, "ctx": {}, "input": given}
    return Refusal(status, [detail], None, {"X-Fal-Retryable": str(is_retryable).lower()})


CANCELLED = _of_request("client_cancelled", "Request was cancelled")
"""What the result of a cancelled request says."""


def late() -> Refusal:
    """Return the error of a request that did not start within the time its caller gave."""
    return _of_request("request_timeout", "Request timed out", **{"X-Fal-Request-Timeout-Type": "user"})


def asked_failure(failure: Failure) -> Refusal:
    """Return the error a fault script asked for, by the vendor's own word if it names one."""
    code = failure.code or ("content_policy_violation" if failure.moderated else "internal_server_error")
    if code in _REQUEST_ERRORS:
        return _of_request(code, code.replace("_", " ").capitalize())
    if code == "content_policy_violation":
        said = "The content could not be processed because it was flagged by a content checker."
        return _of_model(code, said, place=("prompt",))
    return _of_model(code, code.replace("_", " ").capitalize())


def invalid(wrong: list[Violation], given: Any) -> Refusal:
    """Return the error for an input that breaks the endpoint's schema: one detail for each fault."""
    return Refusal(422, [_detail(bad, given) for bad in wrong], None, {"X-Fal-Retryable": "false"})


def _detail(bad: Violation, given: Any) -> dict[str, Any]:
    kind, said, context = _said(bad)
    value = given if bad.wrong is Wrong.MISSING else bad.value
    found = {"loc": ["body", *bad.path], "msg": said, "type": kind, "input": value}
    return {**found, "ctx": context} if context else found


def _said(bad: Violation) -> tuple[str, str, dict[str, Any]]:
    """Return the type, the words and the context of one fault."""
    spec = bad.field
    if spec is None:
        return "extra_forbidden", "Extra inputs are not permitted", {}
    if spec.values and bad.wrong in (Wrong.ENUM, Wrong.TYPE):
        expected = " or ".join(repr(value) for value in spec.values)
        return "literal_error", f"Input should be {expected}", {"expected": expected}
    if bad.wrong is Wrong.TYPE:
        expected = "string" if spec.kind is Kind.URL else spec.kind.value
        return f"value_error.{expected}", f"Input should be a valid {expected}", {}
    least, most, step = (f"{bound or 0:g}" for bound in (spec.least, spec.most, spec.step))
    kind, said = {
        Wrong.MISSING: ("missing", "Field required"),
        Wrong.LOW: ("greater_than_equal", f"Input should be greater than or equal to {least}"),
        Wrong.HIGH: ("less_than_equal", f"Input should be less than or equal to {most}"),
        Wrong.STEP: ("multiple_of", f"Input should be a multiple of {step}"),
        Wrong.FEW: ("sequence_too_short", f"The sequence should have at least {least} items"),
        Wrong.MANY: ("sequence_too_long", f"The sequence should have at most {most} items"),
        Wrong.URL: ("file_download_error", "Failed to download the file. Check that the URL is accessible."),
    }[bad.wrong]
    return kind, said, {}


def bad_request(said: str) -> Reply:
    """Return the answer to a call that is wrong before any model is asked."""
    refusal = _of_request("bad_request", said)
    return Reply(refusal.status, refusal.body(), refusal.headers)


def missing(said: str) -> Reply:
    """Return the answer for an endpoint or request nobody knows."""
    return Reply(404, {"detail": said})


def word(_ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; a code is a type of either family of errors."""
    if code is not None:
        refusal = asked_failure(Failure(code=code))
        return Reply(status, refusal.body(), refusal.headers)
    if status in (502, 503, 504):
        return Reply(status, _EDGE % (status, status), {"Content-Type": "text/html"})
    return Reply(status, {"detail": _USUAL.get(status, _USUAL[500])})
