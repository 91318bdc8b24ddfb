"""One body for all errors of all doors.

Each family of clients reads its own part of an error: one `error.message`, one `title` and `detail`, one `error_type`. So every
error has all of them, as a problem of RFC 9457 with more members, and no client is left without a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.ingress.dialect import Worded
from gateway.ingress.limiter import Standing
from gateway.ingress.refusal import Refusal

# What a page of another origin may read beside what it may of the native API's answers.
EXPOSED = (
    ", retry-after-ms, x-should-retry, x-tidegate-generation-id, x-tidegate-provider, x-tidegate-attempts, x-tidegate-cost,"
    " x-tidegate-coalesced, *"  # what a dialect's own clients read is for its pages too
)


def problem(refusal: Refusal, worded: Worded, *, request_id: str, origin: str) -> dict[str, Any]:
    """The body of an error; `origin` is where this gateway's pages are."""
    details, code = refusal.details, refusal.code
    generation = details.get("generation_id")
    return {
        "type": f"{origin}/docs#error-{code.type}",
        "title": code.type.replace("_", " ").capitalize(),
        "status": worded.status,
        "detail": refusal.message,
        "instance": request_id,
        "error": {
            "message": refusal.message,
            "type": worded.type,
            "param": details.get("field", worded.param),
            "code": worded.code,
        },
        "error_type": worded.error_type,
        "code": code.code,
        "retryable": refusal.retryable and generation is None,
        "request_id": request_id,
        **({"generation_id": generation} if generation is not None else {}),
        **({"details": details} if details else {}),
        **({"attempts": list(refusal.provider_errors)} if refusal.provider_errors else {}),
        **worded.beside,
    }


def headers(refusal: Refusal, worded: Worded) -> Mapping[str, str]:
    """What tells clients that send by themselves again whether to, and when.

    What was begun and came to nothing has been tried by every provider it could be; sent again at once it may only cost once more.
    """
    is_final = not refusal.retryable or "generation_id" in refusal.details
    found = {"x-should-retry": "false"} if is_final else {}
    if refusal.retry_after is not None:
        found["retry-after-ms"] = str(max(1, refusal.retry_after) * 1000)
    if (generation := refusal.details.get("generation_id")) is not None:
        found["X-Tidegate-Generation-Id"] = str(generation)
    return {**found, **worded.headers}


def limits(standing: Standing) -> Mapping[str, str]:
    """How a caller stands with its limits, as clients of several APIs read it."""
    return {
        "x-ratelimit-limit-requests": str(standing.limit),
        "x-ratelimit-remaining-requests": str(standing.remaining),
        "x-ratelimit-reset-requests": f"{standing.reset}s",
    }
