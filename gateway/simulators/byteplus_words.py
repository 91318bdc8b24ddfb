"""How BytePlus says no: its error shape, its codes, and the wording of each broken field."""

from __future__ import annotations

from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "byteplus"
LINK_MS = 86_400_000
"""How long a link to a finished file lives."""

_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    429: "TooManyRequests",
}
_USUAL = {
    400: ("InvalidParameter", "A parameter specified in the request is not valid."),
    401: ("AuthenticationError", "The API key in the request is missing or invalid."),
    403: ("AccountOverdueError", "The request failed because your account has an overdue balance."),
    404: ("InvalidEndpointOrModel.NotFound", "The resource does not exist or you do not have access to it."),
    405: ("InvalidAction", "The method is not allowed on this path."),
    429: ("RateLimitExceeded.EndpointRPMExceeded", "The requests per minute limit of the endpoint is exceeded."),
    500: ("InternalServiceError", "The service encountered an unexpected internal error."),
}
_EDGE = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center><hr></body></html>"


def refuse(ask: Ask, status: int, code: str, message: str, param: str = "") -> Reply:
    """Return an error in the vendor's shape."""
    said = f"{message} Request id: {ask.trace}"
    return Reply(
        status,
        {"error": {"code": code, "message": said, "param": param, "type": _TYPES.get(status, "InternalServerError")}},
    )


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; from 502 to 504 it is the edge that speaks, in HTML."""
    if code is None and status in (502, 503, 504):
        return Reply(status, _EDGE % (status, status), {"Content-Type": "text/html"})
    usual, message = _USUAL.get(status, _USUAL[500])
    return refuse(ask, status, code or usual, message)


def pruned(value: Any) -> Any:
    """Leave out fields that are null: the vendor's own client sends every field it knows of."""
    if isinstance(value, dict):
        return {key: pruned(held) for key, held in value.items() if held is not None}
    if isinstance(value, list):
        return [pruned(item) for item in value]
    return value


def refuse_field(ask: Ask, model: str, bad: Violation) -> Reply:
    """Word one broken field; the vendor names only the first it meets."""
    if bad.wrong is Wrong.MISSING:
        said = f"The request failed because it is missing the `{bad.dotted}` parameter."
        return refuse(ask, 400, "MissingParameter", said, bad.dotted)
    if bad.wrong is Wrong.UNKNOWN:
        said = f"The parameter `{bad.dotted}` is not supported for model {model} and must be empty."
    elif bad.wrong is Wrong.URL:
        said = f"The parameter `{bad.dotted}` must be a URL or a base64 data URI with a lower-case format."
        return refuse(ask, 400, "InvalidImageURL.InvalidFormat", said, bad.dotted)
    else:
        said = f"The parameter `{bad.dotted}` specified in the request is not valid: {_expected(bad)}."
    return refuse(ask, 400, "InvalidParameter", said, bad.dotted)


def _expected(bad: Violation) -> str:
    spec = bad.field
    assert spec is not None, "only an unknown field has no description"
    if bad.wrong is Wrong.TYPE:
        kinds = [option.kind for option in spec.options] if spec.kind is Kind.EITHER else [spec.kind]
        return f"expected {' or '.join(kinds)}"
    if spec.values:
        return f"expected one of {', '.join(map(str, spec.values))}"
    bounds = [f"at least {spec.least:g}"] if spec.least is not None else []
    bounds += [f"at most {spec.most:g}"] if spec.most is not None else []
    return f"expected {' and '.join(bounds)}"
