"""Every error the native API can give, in one table: name, code, type, status, whether to try again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.fault import FaultKind
from gateway.outcome import ProviderError


@dataclass(frozen=True, slots=True)
class Code:
    """One line of the table. Clients branch on `retryable` and `type`, people search for `code`."""

    code: str
    type: str
    status: int
    retryable: bool


def _table(*rows: tuple[str, str, str, int, bool]) -> Mapping[str, Code]:
    return MappingProxyType(
        {name: Code(code, type_, status, retryable) for name, code, type_, status, retryable in rows}
    )


# Families: 1 who is asking, 2 what is asked, 3 what is there, 4 the providers, 5 ourselves.
CODES = _table(
    ("authentication_required", "BSE1001", "authentication_required", 401, False),
    ("authentication_failed", "BSE1002", "authentication_failed", 401, False),
    ("insufficient_permissions", "BSE1003", "insufficient_permissions", 403, False),
    ("insufficient_credits", "BSE1004", "insufficient_credits", 402, False),
    ("rate_limit_exceeded", "BSE1005", "rate_limit_exceeded", 429, True),
    ("auth_rate_limited", "BSE1006", "auth_rate_limited", 429, True),
    ("ip_not_allowed", "BSE1007", "ip_not_allowed", 403, False),
    ("account_not_found", "BSE1008", "account_not_found", 404, False),
    ("concurrency_limit_exceeded", "BSE1009", "concurrency_limit_exceeded", 429, True),
    ("invalid_input", "BSE2001", "invalid_input", 400, False),
    ("content_policy_violation", "BSE2006", "content_policy_violation", 422, False),
    ("parameter_out_of_range", "BSE2008", "parameter_out_of_range", 422, False),
    ("file_download_error", "BSE2009", "file_download_error", 422, False),
    ("payload_too_large", "BSE2010", "payload_too_large", 413, False),
    ("model_not_found", "BSE2011", "model_not_found", 404, False),
    ("invalid_provider_order", "BSE2012", "invalid_provider_order", 400, False),
    ("unsupported_media_type", "BSE2013", "unsupported_media_type", 415, False),
    ("invalid_idempotency_key", "BSE2014", "invalid_idempotency_key", 400, False),
    ("idempotency_key_mismatch", "BSE2015", "idempotency_key_mismatch", 409, False),
    ("idempotency_in_progress", "BSE2016", "idempotency_in_progress", 409, True),
    ("request_timeout", "BSE2017", "request_timeout", 408, False),
    ("address_too_long", "BSE2018", "address_too_long", 414, False),
    ("head_too_large", "BSE2019", "head_too_large", 431, False),
    ("expectation_failed", "BSE2020", "expectation_failed", 417, False),
    ("generation_not_found", "BSE3001", "generation_not_found", 404, False),
    ("generation_state_conflict", "BSE3002", "generation_state_conflict", 409, False),
    ("not_found", "BSE3003", "not_found", 404, False),
    ("method_not_allowed", "BSE3003", "method_not_allowed", 405, False),
    ("output_not_found", "BSE3004", "output_not_found", 404, False),
    ("provider_error", "BSE4001", "provider_error", 502, True),
    ("provider_timeout", "BSE4002", "provider_timeout", 504, True),
    ("provider_unavailable", "BSE4003", "provider_unavailable", 503, True),
    ("provider_rate_limited", "BSE4004", "provider_rate_limited", 503, True),
    ("provider_content_rejected", "BSE4005", "provider_content_rejected", 422, False),
    ("all_providers_failed", "BSE4006", "all_providers_failed", 502, True),
    ("provider_credits_exhausted", "BSE4007", "provider_credits_exhausted", 503, False),
    ("provider_authentication_failed", "BSE4008", "provider_authentication_failed", 502, False),
    ("submit_in_doubt", "BSE4009", "submit_in_doubt", 502, False),
    ("provider_not_configured", "BSE4010", "provider_not_configured", 503, False),
    ("internal_error", "BSE5001", "internal_error", 500, True),
    ("storage_error", "BSE5002", "storage_error", 500, True),
    ("overloaded", "BSE5003", "overloaded", 503, True),
)

# How a fault of one provider is named to the caller.
OF_FAULT: Mapping[FaultKind, str] = MappingProxyType(
    {
        FaultKind.INVALID_INPUT: "invalid_input",
        FaultKind.INPUT_UNREADABLE: "file_download_error",
        FaultKind.CONTENT_BLOCKED: "provider_content_rejected",
        FaultKind.NOT_SERVED: "provider_unavailable",
        FaultKind.UNAUTHORIZED: "provider_authentication_failed",
        FaultKind.OUT_OF_CREDIT: "provider_credits_exhausted",
        FaultKind.RATE_LIMITED: "provider_rate_limited",
        FaultKind.OVERLOADED: "provider_unavailable",
        FaultKind.PROVIDER_ERROR: "provider_error",
        FaultKind.TIMEOUT: "provider_timeout",
        FaultKind.LOST: "provider_error",
        FaultKind.UNREADABLE: "provider_error",
        FaultKind.OUTPUT_LOST: "provider_error",
    },
)

# How the end of a generation (outcome.Ending) is named to the caller.
OF_ENDING: Mapping[str, str] = MappingProxyType(
    {
        "submit_in_doubt": "submit_in_doubt",
        "content_refused": "provider_content_rejected",
        "input_refused": "invalid_input",
        "deadline_passed": "provider_timeout",
        "no_provider": "provider_unavailable",
        "all_providers_failed": "all_providers_failed",
        "storage_failed": "storage_error",
    },
)


class Refusal(Exception):  # noqa: N818 - named for what happened
    """A request that is answered with an error; nothing was begun and nothing is held.

    `name` is a row of CODES. `retry_after` is in whole seconds. `retryable` overrides the table's word where the case is known
    better.
    """

    def __init__(
        self,
        name: str,
        message: str,
        *,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
        provider_errors: Sequence[Mapping[str, Any]] = (),
        retry_after: int | None = None,
        retryable: bool | None = None,
    ) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.code = CODES[name]
        self.message = message
        self.details = {**({"field": field} if field else {}), **(details or {})}
        self.provider_errors = tuple(provider_errors)
        self.retry_after = retry_after
        self.retryable = self.code.retryable if retryable is None else retryable

    def error(self) -> dict[str, Any]:
        """The `error` object of the answer."""
        error: dict[str, Any] = {
            "code": self.code.code,
            "type": self.code.type,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.details:
            error["details"] = self.details
        if self.provider_errors:
            error["provider_errors"] = list(self.provider_errors)
        return error


def provider_error(error: ProviderError) -> dict[str, Any]:
    """One item of `provider_errors`."""
    code = CODES[OF_FAULT[error.fault.kind]]
    return {
        "provider": error.provider,
        "code": code.code,
        "type": code.type,
        "message": error.fault.message,
        "retryable": error.fault.permits.retryable,
    }
