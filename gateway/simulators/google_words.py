"""How the Gemini API says no: one envelope for the classic methods, another with a small code for Interactions.

Content that is refused is no error here: it is an answer without a picture, or an interaction that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "google"

_INTERACTIONS = "/google/v1beta/interactions"
_TYPE = "type.googleapis.com/google.rpc."
_USUAL: dict[int, tuple[str, str, str]] = {
    400: ("INVALID_ARGUMENT", "invalid_request", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "unauthenticated", "The request is missing an API key."),
    402: ("FAILED_PRECONDITION", "payment_required", "Your prepaid credit is used up."),
    403: ("PERMISSION_DENIED", "permission_denied", "The API key may not call this service."),
    404: ("NOT_FOUND", "not_found", "Requested entity was not found."),
    409: ("ABORTED", "aborted", "The operation was aborted."),
    413: ("INVALID_ARGUMENT", "invalid_request", "Request payload size exceeds the limit."),
    429: ("RESOURCE_EXHAUSTED", "rate_limit_exceeded", "You exceeded your current quota."),
    499: ("CANCELLED", "cancelled", "The operation was cancelled."),
    500: ("INTERNAL", "internal", "An internal error has occurred."),
    503: ("UNAVAILABLE", "unavailable", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "deadline_exceeded", "The deadline expired before the operation could complete."),
}
_BAD_KEY = "API key not valid. Please pass a valid API key."
_PER_DAY = "PerDay"


def is_interaction(ask: Ask) -> bool:
    """Whether a call speaks the newer of the two dialects."""
    return ask.path.startswith(_INTERACTIONS)


def refuse(ask: Ask, said: str, status: int = 400, code: str | None = None, details: Sequence[Any] = ()) -> Reply:
    """Return an error in the dialect of the call, under the usual word of its status if no code is given."""
    canonical, small, _ = _USUAL.get(status, _USUAL[400 if status < 500 else 500])
    if is_interaction(ask):
        return Reply(status, {"error": {"code": code or small, "message": said}})
    error: dict[str, Any] = {"code": status, "message": said, "status": code or canonical}
    return Reply(status, {"error": error | ({"details": list(details)} if details else {})})


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; a wrong key is a 400, and a wrong method a path that is not there."""
    is_scripted = ask.rule is not None and ask.rule.status is not None
    if status == 401 and not is_scripted and ("x-goog-api-key" in ask.headers or ask.asked("key")):
        return bad_key(ask)
    status = 404 if status == 405 else status
    if code == "API_KEY_INVALID":
        return bad_key(ask)
    said = _USUAL.get(status, _USUAL[400 if status < 500 else 500])[2]
    if status != 429:
        return refuse(ask, said, status, code)
    is_daily = code is not None and _PER_DAY in code
    return refuse(ask, said, status, None if is_daily else code, _quota(ask, code if is_daily else None))


def bad_key(ask: Ask) -> Reply:
    """Refuse a key: a 400 like any other, told apart by its reason or, in the newer dialect, by its words alone."""
    reason = {
        "@type": _TYPE + "ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return refuse(ask, _BAD_KEY, details=[reason])


def _quota(ask: Ask, daily: str | None) -> list[dict[str, Any]]:
    broken = {"quotaId": daily or "GenerateRequestsPerMinutePerProjectPerModel"}
    details: list[dict[str, Any]] = [{"@type": _TYPE + "QuotaFailure", "violations": [broken]}]
    if ask.rule is not None and ask.rule.retry_after is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{ask.rule.retry_after:g}s"})
    return details


def no_model(ask: Ask, model: str, *, is_gone: bool) -> Reply:
    """Return the answer for a model that is not there, or not any more."""
    said = f"models/{model} is not found for API version v1beta, or is not supported for this method."
    return refuse(ask, f"This model models/{model} is no longer available." if is_gone else said, 404)


def refuse_field(ask: Ask, bad: Violation) -> Reply:
    """Refuse a broken field; only the first is named."""
    place = ".".join(str(part) for part in bad.path)
    if bad.wrong is Wrong.UNKNOWN:
        said = f"Invalid JSON payload received. Unknown name \"{bad.path[-1]}\" at '{place}': Cannot find field."
        return refuse(ask, said)
    spec = bad.field
    assert spec is not None, "only an unknown field has no description"
    least, most = f"{spec.least or 0:g}", f"{spec.most or 0:g}"
    said = {
        Wrong.MISSING: "is required",
        Wrong.TYPE: f"must be of type {'string' if spec.kind is Kind.URL else spec.kind}",
        Wrong.ENUM: f"must be one of {', '.join(map(str, spec.values))}",
        Wrong.URL: "is not an address that can be read",
        Wrong.LOW: f"must be at least {least}",
        Wrong.HIGH: f"must be at most {most}",
        Wrong.FEW: f"must have at least {least} items",
        Wrong.MANY: f"must have at most {most} items",
    }[bad.wrong]
    return refuse(ask, f"Invalid value at '{place}': it {said}.")
