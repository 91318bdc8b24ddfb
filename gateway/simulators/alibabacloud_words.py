"""How Model Studio says no: a flat body with a code, in the answer or inside a failed task."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "alibabacloud"
LINK_MS = 86_400_000
"""How long a link to a finished file lives, and how long a task is known."""

MODERATED = "DataInspectionFailed"
TIMEOUT = "InternalError.Timeout"

_TEXTS = {
    "InvalidParameter": "Required parameter(s) missing or invalid, please check the request parameters.",
    "InvalidURL": "The provided URL is invalid or cannot be reached.",
    "BadRequest.EmptyModel": 'Required parameter "model" missing from request.',
    "BadRequest.EmptyInput": 'Required parameter "input" missing from request.',
    "BadRequest.EmptyParameters": 'Required parameter "parameters" missing from request.',
    "BadRequest.InputDownloadFailed": "Download the media resource timed out during the data inspection process.",
    "BadRequest.UnsupportedFileFormat": "The format of the file is not supported.",
    "BadRequest.TooLarge": "The body of the request is too large.",
    MODERATED: "Input or output data may contain inappropriate content.",
    "data_inspection_failed": "Input or output data may contain inappropriate content.",
    "Arrearage": "Access denied, please make sure your account is in good standing.",
    "InvalidApiKey": "Invalid API-key provided.",
    "AccessDenied": "Access denied.",
    "ModelNotFound": "The model does not exist or cannot be reached in this region.",
    "UnsupportedOperation": "Failed to cancel the task, please confirm if the task is in PENDING status.",
    "RequestTimeOut": "Request timed out, please try again later.",
    "Throttling.RateQuota": "Requests rate limit exceeded, please try again later.",
    "Throttling.AllocationQuota": "Allocated quota exceeded, please increase your quota limit.",
    "ServiceUnavailable": "The service is temporarily unavailable.",
    "InternalError": "An internal error has occured, please try again later or contact service support.",
    TIMEOUT: "An internal timeout error has occured during execution, please try again later.",
    "GatewayTimeout": "The gateway timed out.",
}
_USUAL = {
    400: "InvalidParameter",
    401: "InvalidApiKey",
    403: "AccessDenied",
    404: "ModelNotFound",
    405: "InvalidParameter",
    408: "RequestTimeOut",
    415: "BadRequest.UnsupportedFileFormat",
    429: "Throttling.RateQuota",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
# The status of a code that ends a call which held the line; those not named here are the server's fault.
_STATUSES = {
    **dict.fromkeys(("InvalidParameter", "InvalidURL", MODERATED, "data_inspection_failed", "Arrearage"), 400),
    **dict.fromkeys(("CustomRoleBlocked", "FaqRuleBlocked", "InvalidParameter.DataInspection"), 400),
    **dict.fromkeys(("BadRequest.InputDownloadFailed", "BadRequest.UnsupportedFileFormat"), 415),
    "RequestTimeOut": 408,
    "ServiceUnavailable": 503,
    "ServiceOverloaded": 503,
    "ModelUnavailable": 503,
    "GatewayTimeout": 504,
}
_EDGE = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center><hr></body></html>"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is no good: told at once to one who waits, and by the task's end to all others."""

    code: str
    message: str


def request_id(ask: Ask) -> str:
    """Return the id the vendor gives to a call."""
    return str(uuid.UUID(ask.trace))


def said(code: str) -> str:
    """Return the words for a code."""
    return _TEXTS.get(code, f"The request failed with {code}.")


def refuse(ask: Ask, status: int, code: str, message: str | None = None) -> Reply:
    """Return an error in the vendor's shape."""
    words = said(code) if message is None else message
    return Reply(status, {"code": code, "message": words, "request_id": request_id(ask)})


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; at 413 and 502 it is the edge that speaks, in HTML or not at all."""
    if code is None and status == 413:
        return Reply(413, b"", {"Content-Type": "text/html"})
    if code is None and status == 502:
        return Reply(502, _EDGE % (502, 502), {"Content-Type": "text/html"})
    return refuse(ask, status, code or _USUAL.get(status, "InternalError"))


def told(ask: Ask, refusal: Refusal) -> Reply:
    """Return a refusal to one who waits for the result."""
    return refuse(ask, _STATUSES.get(refusal.code, 500), refusal.code, refusal.message)


def coded(code: str) -> Refusal:
    """Return the refusal a code stands for."""
    return Refusal(code, said(code))


def wrong(message: str) -> Refusal:
    """Return the refusal of a value, in words of its own."""
    return Refusal("InvalidParameter", message)


def broken(bad: Violation) -> Refusal:
    """Word one broken field; the vendor names only the first it meets."""
    spec = bad.field
    if spec is None:
        return wrong(f"{bad.dotted} is not supported by this model.")
    if bad.wrong is Wrong.MISSING:
        return wrong(f"Field required: {bad.dotted}")
    if bad.wrong is Wrong.URL:
        return Refusal("InvalidURL", f"{bad.dotted}: {_TEXTS['InvalidURL']}")
    return wrong(f"{bad.dotted} is invalid: {_expected(bad)}.")


def _expected(bad: Violation) -> str:
    spec: Any = bad.field
    if bad.wrong is Wrong.TYPE:
        kinds = [option.kind for option in spec.options] if spec.kind is Kind.EITHER else [spec.kind]
        return f"it should be {' or '.join(kinds)}"
    if spec.values:
        return f"it should be one of {', '.join(map(str, spec.values))}"
    bounds = [f"at least {spec.least:g}"] if spec.least is not None else []
    bounds += [f"at most {spec.most:g}"] if spec.most is not None else []
    return f"it should be {' and '.join(bounds)}"
