"""Errors in the words of the API that the clients of this door know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.ingress.dialect import Worded
from gateway.ingress.refusal import Refusal

_INVALID = "Input validation failed"
_VERSION = "Invalid version or not permitted"
# By the name of an error here: status and title there.
_OF: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "authentication_required": (401, "Unauthenticated"),
        "authentication_failed": (401, "Unauthenticated"),
        "insufficient_permissions": (403, "Forbidden"),
        "ip_not_allowed": (403, "Forbidden"),
        "insufficient_credits": (402, "Insufficient credit"),
        "rate_limit_exceeded": (429, "Throttled"),
        "auth_rate_limited": (429, "Throttled"),
        "concurrency_limit_exceeded": (429, "Throttled"),
        "invalid_input": (422, _INVALID),
        "parameter_out_of_range": (422, _INVALID),
        "invalid_provider_order": (422, _INVALID),
        "file_download_error": (422, _INVALID),
        "idempotency_key_mismatch": (422, _INVALID),
        "generation_state_conflict": (422, "The prediction has ended"),
        "model_not_found": (404, "Not found"),
        "generation_not_found": (404, "Not found"),
        "not_found": (404, "Not found"),
    }
)
# What the clients look for in the error of a run, by the name of an error here.
_MARKS: Mapping[str, str] = MappingProxyType(
    {
        "provider_content_rejected": "The input or output was flagged as sensitive. (E005)",
        "content_policy_violation": "The input or output was flagged as sensitive. (E005)",
        "overloaded": "Service is currently unavailable due to high demand. (E003)",
    }
)


def words(refusal: Refusal) -> Worded:
    """Word an error."""
    code = refusal.code
    status, title = _OF.get(code.type, (code.status, code.type.replace("_", " ").capitalize()))
    if code.type == "model_not_found" and refusal.details.get("field") == "version":
        status, title = 422, _VERSION
    beside: dict[str, Any] = {"title": title}
    problems = refusal.details.get("problems") or [
        {"field": field, "message": refusal.message} for field in [refusal.details.get("field")] if field
    ]
    if status == 422 and problems:
        beside["invalid_fields"] = [{"field": each["field"], "description": each["message"]} for each in problems]
    if status == 429 and refusal.retry_after is not None:
        beside["retry_after"] = refusal.retry_after
    return Worded(status, code.type, code.type, code.type, beside=beside)


def of_run(refusal: Refusal) -> str:
    """The `error` of a run that failed: the reason, with the mark that clients look for."""
    mark = _MARKS.get(refusal.code.type)
    return f"{refusal.message}. {mark}" if mark else refusal.message
