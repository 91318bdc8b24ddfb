"""The errors a route can answer, out of the table of all errors: one response for each status, with the codes it may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.ingress.openapi.records import REQUEST
from gateway.ingress.openapi.shapes import Schema, always, one_of, ref, shape
from gateway.ingress.refusal import CODES


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table of errors, with another status where it is answered so."""

    name: str
    other: int | None = None

    @property
    def status(self) -> int:
        """The status it is answered with."""
        return self.other or CODES[self.name].status


# Whatever is asked, and of whom.
ALWAYS = (
    Case("overloaded"),
    Case("internal_error"),
    Case("storage_error", 503),
    Case("payload_too_large"),
    Case("unsupported_media_type"),
)
GUARDED = (
    *ALWAYS,
    Case("authentication_required"),
    Case("authentication_failed"),
    Case("auth_rate_limited"),
    Case("ip_not_allowed"),
    Case("insufficient_permissions"),
    Case("rate_limit_exceeded"),
)
WITH_BODY = (
    Case("invalid_input"),
    Case("request_timeout"),
)


def named(*names: str) -> tuple[Case, ...]:
    """These rows, each with its own status."""
    return tuple(Case(name) for name in names)


def responses(cases: Iterable[Case]) -> Mapping[int, tuple[str, Mapping[str, Any]]]:
    """For each status the name of its response among the components, and the response."""
    by_status: dict[int, list[str]] = {}
    for case in cases:
        by_status.setdefault(case.status, []).append(case.name)
    found: dict[int, tuple[str, Mapping[str, Any]]] = {}
    for status in sorted(by_status):
        names = [name for name in CODES if name in by_status[status]]
        found[status] = (f"{status}.{'.'.join(names)}", _response(status, names))
    return found


def _response(status: int, names: list[str]) -> Mapping[str, Any]:
    codes = [CODES[name] for name in names]
    says = "; ".join(
        f"`{code.code}` {code.type}{', worth another try' if code.retryable else ''}" for code in dict.fromkeys(codes)
    )
    narrowed = {
        "properties": {
            "code": one_of(dict.fromkeys(code.code for code in codes)),
            "type": one_of(dict.fromkeys(code.type for code in codes)),
        }
    }
    body = shape({"status": always("error"), "request_id": REQUEST, "error": {"allOf": [ref("Failure"), narrowed]}})
    return {
        "description": says,
        "headers": _headers(status),
        "content": {"application/json": {"schema": body}},
    }


def _headers(status: int) -> Mapping[str, Schema]:
    headers = {"X-Request-Id": ref("RequestId", "headers")}
    limits = ("Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    if status == 401:
        headers["WWW-Authenticate"] = ref("Challenge", "headers")
    if status == 429:
        headers |= {name: ref(f"{name.replace('-', '')}Always", "headers") for name in limits}
    if status >= 500:
        headers |= {name: ref(name.replace("-", ""), "headers") for name in limits}
    return headers
