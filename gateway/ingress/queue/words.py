"""Errors in the words of the API that the clients of this door know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.ingress.dialect import Worded, Words
from gateway.ingress.queue.names import Names
from gateway.ingress.refusal import Refusal

_JSON = "application/json"  # one of the clients reads no error of another type
_CANCELED = 499
# By the name of an error here: status and type there. None of them is one that a client repeats by itself where that would be wrong.
_OF: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "insufficient_credits": (403, "insufficient_credits"),
        "invalid_input": (422, "value_error"),
        "parameter_out_of_range": (422, "value_error"),
        "invalid_provider_order": (422, "value_error"),
        "invalid_idempotency_key": (422, "value_error"),
        "idempotency_key_mismatch": (422, "value_error"),
        "content_policy_violation": (422, "content_policy_violation"),
        "provider_content_rejected": (422, "content_policy_violation"),
        "file_download_error": (422, "file_download_error"),
        "payload_too_large": (413, "file_too_large"),
        "generation_state_conflict": (400, "bad_request"),
        "provider_unavailable": (503, "runner_scheduling_failure"),
        "overloaded": (503, "runner_scheduling_failure"),
        "internal_error": (500, "internal_server_error"),
        "storage_error": (500, "internal_server_error"),
    }
)
# How the end of what was begun is told. A client that waits sends 502, 503 and 504 again by itself, and it was tried enough.
_OF_END: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "provider_timeout": (500, "generation_timeout"),
        "provider_unavailable": (500, "downstream_service_unavailable"),
        "all_providers_failed": (500, "downstream_service_error"),
        "submit_in_doubt": (500, "downstream_service_error"),
        "generation_state_conflict": (_CANCELED, "client_cancelled"),
    }
)


def words(names: Names) -> Words:
    """Give what words an error, with the headers of these clients."""

    def word(refusal: Refusal) -> Worded:
        status, type_ = status_of(refusal)
        generation = refusal.details.get("generation_id")
        told = {"error-type": type_, "retryable": "true" if refusal.retryable and generation is None else "false"}
        if generation is not None:
            told["request-id"] = str(generation)
        beside = {"message": refusal.message, "detail": detail(refusal, type_)}
        return Worded(status, type_, refusal.code.type, type_, headers=names.put(told), beside=beside, media=_JSON)

    return word


def status_of(refusal: Refusal) -> tuple[int, str]:
    """The status and the type of an error there."""
    name = refusal.code.type
    if "generation_id" in refusal.details and name in _OF_END:
        return _OF_END[name]
    if name == "invalid_input" and not _problems(refusal):
        return 400, "bad_request"  # the whole of it cannot be read
    return _OF.get(name, (refusal.code.status, name))


def detail(refusal: Refusal, type_: str) -> Any:
    """The reason: a list of what is wrong with which parameter, or a sentence."""
    problems = _problems(refusal)
    if not problems and type_ not in {"content_policy_violation", "file_download_error"}:
        return refusal.message
    told = [{"loc": ["body", *each["field"].split(".")], "msg": each["message"], "type": type_} for each in problems]
    return told or [{"loc": ["body"], "msg": refusal.message, "type": type_}]


def _problems(refusal: Refusal) -> list[Mapping[str, str]]:
    field = refusal.details.get("field")
    named = [{"field": str(field), "message": refusal.message}] if field else []
    return list(refusal.details.get("problems", named))
