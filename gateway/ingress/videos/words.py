"""Errors in the words of the API that the clients of this door know. Pure."""

from __future__ import annotations

from dataclasses import replace

from gateway.ingress.dialect import Worded
from gateway.ingress.images import words as pictures
from gateway.ingress.refusal import Refusal

_MODERATED = frozenset({"content_policy_violation", "provider_content_rejected"})


def words(refusal: Refusal) -> Worded:
    """Word an error: as for pictures, but for what films alone have."""
    worded = pictures.words(refusal)
    type_ = refusal.code.type
    if type_ in _MODERATED:
        return replace(worded, type="video_generation_user_error")
    if type_ == "generation_state_conflict":
        return replace(worded, code="video_not_completed")
    if type_ in {"generation_not_found", "output_not_found"}:
        return replace(worded, code="video_not_found")
    if "endpoint" in refusal.details:
        return replace(worded, code="unsupported_endpoint")
    return worded


def code_of(refusal: Refusal) -> str:
    """The code under which the end of a film is told in the film itself."""
    return words(refusal).code or refusal.code.type
