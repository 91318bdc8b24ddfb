"""Errors in the words of the API that the clients of this door know: a few types, its own codes, no status it does not have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.dialect import Worded
from gateway.ingress.refusal import Refusal

_INVALID = "invalid_request_error"
_SERVER = "server_error"
# By the name of an error here: status, type and code there. Its clients send 408 and 409 again by themselves, and know no 402.
_OF: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "authentication_required": (401, _INVALID, "invalid_api_key"),
        "authentication_failed": (401, _INVALID, "invalid_api_key"),
        "insufficient_permissions": (403, _INVALID, "insufficient_permissions"),
        "ip_not_allowed": (403, _INVALID, "ip_not_allowed"),
        "insufficient_credits": (429, "insufficient_quota", "insufficient_quota"),
        "rate_limit_exceeded": (429, "rate_limit_error", "rate_limit_exceeded"),
        "auth_rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
        "concurrency_limit_exceeded": (429, "rate_limit_error", "rate_limit_exceeded"),
        "invalid_input": (400, _INVALID, "invalid_value"),
        "parameter_out_of_range": (400, _INVALID, "invalid_value"),
        "invalid_provider_order": (400, _INVALID, "invalid_value"),
        "file_download_error": (400, _INVALID, "invalid_image_url"),
        "content_policy_violation": (400, "image_generation_user_error", "moderation_blocked"),
        "provider_content_rejected": (400, "image_generation_user_error", "moderation_blocked"),
        "model_not_found": (404, _INVALID, "model_not_found"),
        "not_found": (404, _INVALID, "unknown_url"),
        "method_not_allowed": (405, _INVALID, "method_not_supported"),
        "idempotency_key_mismatch": (422, _INVALID, "idempotency_key_mismatch"),
        "generation_state_conflict": (400, _INVALID, "generation_canceled"),
        "idempotency_in_progress": (400, _INVALID, "idempotency_in_progress"),
    }
)


def words(refusal: Refusal) -> Worded:
    """Word an error."""
    code = refusal.code
    status, type_, own = _OF.get(code.type, (code.status, _SERVER if code.status >= 500 else _INVALID, code.type))
    return Worded(status, type_, own, code.type, "model" if code.type == "model_not_found" else None)
