"""How OpenAI says no: one envelope, told apart by its code."""

from __future__ import annotations

from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "openai"

_INVALID = "invalid_request_error"
_USUAL: dict[int, tuple[str, str | None, str]] = {
    400: (_INVALID, None, "The request is not valid."),
    401: (_INVALID, "invalid_api_key", "Incorrect API key provided."),
    403: (_INVALID, "unsupported_country_region_territory", "Country, region, or territory not supported"),
    404: (_INVALID, "model_not_found", "The model does not exist or you do not have access to it."),
    405: (_INVALID, "method_not_allowed", "Not allowed to use this method on this path."),
    408: ("server_error", None, "The server timed out."),
    409: (_INVALID, None, "The request conflicts with another one."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached on requests per min (RPM)."),
    500: ("server_error", "server_error", "The server had an error while processing your request. Sorry about that!"),
    503: ("service_unavailable_error", "slow_down", "The engine is currently overloaded, please try again later."),
}
_CODES: dict[str, tuple[str, str]] = {
    "billing_hard_limit_reached": (_INVALID, "Billing hard limit has been reached"),
    "unsupported_model": (_INVALID, "Your organization must be verified to use the model."),
    "insufficient_quota": (
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "credit_balance_exhausted": ("insufficient_quota", "Your credit balance is used up."),
    "server_is_overloaded": ("service_unavailable_error", "Our servers are currently overloaded."),
    "moderation_blocked": (
        "image_generation_user_error",
        "Your request was rejected by the safety system. safety_violations=[sexual].",
    ),
    "content_policy_violation": (
        _INVALID,
        "Your request was rejected as a result of our safety system. safety_violations=[sexual].",
    ),
}
_OUTPUT = "output"
"""What a script writes as code to have the finished picture refused instead of the request."""
_NO_RETRY = {"insufficient_quota", "credit_balance_exhausted"}


def error(kind: str, code: str | None, said: str, param: str | None = None) -> dict[str, Any]:
    """Return the envelope of an error."""
    return {"error": {"message": said, "type": kind, "param": param, "code": code}}


def refuse(said: str, param: str | None, code: str | None = "invalid_value") -> Reply:
    """Return the answer to a request that is wrong."""
    return Reply(400, error(_INVALID, code, said, param))


def no_model(model: str, *, is_gone: bool = False) -> Reply:
    """Return the answer for a model that is not there, or not any more."""
    said = f"The model `{model}` does not exist or you do not have access to it."
    if is_gone:
        said = f"The model `{model}` has been deprecated and is no longer available."
    return Reply(404, error(_INVALID, "model_not_found", said, "model"))


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; both kinds of 429 have the same status and differ in code."""
    if status == 404 and code is None and (ask.rule is None or ask.rule.status is None):
        return Reply(404, error(_INVALID, "unknown_url", f"Invalid URL ({ask.method} {ask.path})"))
    kind, usual, said = _USUAL.get(status, _USUAL[400 if status < 500 else 500])
    if code is not None:
        kind, said = _CODES.get(code, (kind, said))
    headers = {"x-should-retry": "false"} if code in _NO_RETRY else {}
    if status == 429 and ask.rule is not None and ask.rule.retry_after is not None:
        headers["retry-after-ms"] = f"{ask.rule.retry_after * 1000:.0f}"
    return Reply(status, error(kind, code or usual, said), headers)


def blocked(code: str | None) -> Reply:
    """Return the answer to content that was refused; the newer code tells the stage, the older one does not."""
    stage = _OUTPUT if code == _OUTPUT else "input"
    code = "moderation_blocked" if code in (None, _OUTPUT) else code
    kind, said = _CODES.get(code or "", _CODES["moderation_blocked"])
    found = error(kind, code, said)
    if code == "moderation_blocked":
        found["error"]["moderation_details"] = {"moderation_stage": stage, "categories": ["sexual"]}
    return Reply(400, found)


def is_late_refusal(code: str | None) -> bool:
    """Whether a script means that the finished picture is refused."""
    return code == _OUTPUT


def refuse_field(bad: Violation) -> Reply:
    """Refuse a broken field; the vendor names only the first it meets."""
    if bad.wrong is Wrong.MISSING:
        return refuse(f"Missing required parameter: '{place(bad)}'.", place(bad), "missing_required_parameter")
    if bad.wrong is Wrong.UNKNOWN:
        return refuse(f"Unknown parameter: '{place(bad)}'.", place(bad), "unknown_parameter")
    spec = bad.field
    assert spec is not None, "only an unknown field has no description"
    if bad.wrong is Wrong.TYPE:
        said = f"Invalid type for '{place(bad)}': expected {_kind(spec.kind)}."
        return refuse(said, place(bad), "invalid_type")
    if bad.wrong is Wrong.ENUM:
        said = f"Invalid value: {bad.value!r}. Supported values are: {', '.join(map(repr, spec.values))}."
        return refuse(said, place(bad))
    least, most = f"{spec.least or 0:g}", f"{spec.most or 0:g}"
    code, said = {
        Wrong.LOW: ("integer_below_min_value", f"expected a value >= {least}"),
        Wrong.HIGH: ("integer_above_max_value", f"expected a value <= {most}"),
        Wrong.FEW: ("array_below_min_length", f"expected a length of at least {least}"),
        Wrong.MANY: ("above_max_length", f"expected a length of at most {most}"),
    }[bad.wrong]
    code = f"string_{code}" if bad.wrong is Wrong.MANY and spec.kind is Kind.STRING else code
    return refuse(f"Invalid '{place(bad)}': {said}.", place(bad), code)


def place(bad: Violation) -> str:
    """Return the place of a fault in the form `images[0].image_url`."""
    found = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in bad.path)
    return found.removeprefix(".")


def _kind(kind: Kind) -> str:
    return "an integer" if kind is Kind.INTEGER else f"a {kind}" if kind is not Kind.ARRAY else "an array"
