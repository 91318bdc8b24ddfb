"""How Cloudflare says no: an envelope with a list of errors, of which the number counts and not the status."""

from __future__ import annotations

from typing import Any

from gateway.simulators.chaos import Do
from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "cloudflare"

INCOMPLETE, BAD_INPUT, NO_MODEL, BAD_MODEL, NO_ROUTE, WRONG_METHOD = 3003, 5004, 5007, 3042, 7000, 7001
NSFW, NSFW_FLUX, BROKEN = 3030, 8007, 3043
UPSTREAM = 2018
"""The number of an error from a model's own lab, which the vendor's documentation leaves open."""

_CODES = {
    INCOMPLETE: (400, "AiError: Incomplete request"),
    3006: (413, "AiError: Request is too large"),
    3007: (408, "AiError: Timeout"),
    3008: (408, "AiError: Aborted"),
    3023: (403, "AiError: Account blocked"),
    NSFW: (400, "AiError: Input prompt contains NSFW content."),
    3036: (
        429,
        "AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to a paid plan.",
    ),
    3039: (400, "AiError: Finetune request failed"),
    3040: (429, "AiError: Capacity temporarily exceeded, please try again."),
    3041: (403, "AiError: Model is private"),
    BAD_MODEL: (404, "AiError: Invalid model ID"),
    BROKEN: (500, "AiError: Internal server error"),
    BAD_INPUT: (400, "AiError: Invalid data for base64"),
    5005: (405, "AiError: Model does not support LoRAs"),
    NO_MODEL: (400, "AiError: No such model"),
    5016: (403, "AiError: You must agree to the model's terms before using it."),
    5018: (403, "AiError: Model is private"),
    5019: (405, "AiError: This SDK version is too old"),
    NO_ROUTE: (400, "No route for that URI"),
    WRONG_METHOD: (405, "Method not allowed for this URI"),
    NSFW_FLUX: (400, "AiError: Prompt contains NSFW content."),
    10000: (401, "Authentication error"),
    UPSTREAM: (400, "The upstream provider rejected the prompt due to its content moderation policy."),
}
_USUAL = {400: INCOMPLETE, 401: 10000, 403: 5016, 404: BAD_MODEL, 405: WRONG_METHOD, 408: 3007, 413: 3006, 429: 3040}
_EDGE = b"<!doctype html><html><head><title>%d</title></head><body><h1>%d</h1><p>cloudflare</p></body></html>"


def problem(code: int, said: str | None = None, *, status: int | None = None) -> Reply:
    """Return an error by its number, in its usual words and with its usual status unless others are given."""
    usual, words = _CODES.get(code, (400, "AiError"))
    errors = [{"code": code, "message": said or words}]
    return Reply(status or usual, {"success": False, "errors": errors, "messages": [], "result": None})


def envelope(result: Any, **more: Any) -> dict[str, Any]:
    """Return a success in the vendor's frame."""
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; a code is one of its numbers, and an outage's page is its edge's."""
    is_scripted = ask.rule is not None and ask.rule.do is Do.STATUS
    if status == 404 and not is_scripted:
        return problem(NO_ROUTE)
    if code is not None and code.isdecimal():
        return problem(int(code), status=status)
    if status > 500:
        return Reply(status, _EDGE % (status, status), {"Content-Type": "text/html"})
    return problem(_USUAL.get(status, INCOMPLETE if status < 500 else BROKEN), code, status=status)


def refuse_field(bad: Violation) -> Reply:
    """Refuse a broken field; the vendor names the first it meets."""
    where = "/" + "/".join(str(part) for part in bad.path[:-1])
    name = bad.path[-1]
    if bad.wrong is Wrong.MISSING:
        return problem(INCOMPLETE, f"AiError: Bad input: Error: required properties at '{where}' are '{name}'")
    if bad.wrong is Wrong.UNKNOWN:
        return problem(
            INCOMPLETE, f"AiError: Bad input: Error: must NOT have additional property '{name}' at '{where}'"
        )
    return problem(BAD_INPUT, f"AiError: Bad input: Error: '{bad.dotted}' {_expected(bad)}")


def _expected(bad: Violation) -> str:
    spec = bad.field
    assert spec is not None, "only an unknown field has no description"
    if bad.wrong is Wrong.TYPE:
        kinds = [option.kind for option in spec.options] if spec.kind is Kind.EITHER else [spec.kind]
        return f"must be of type {' or '.join(kinds)}"
    if bad.wrong is Wrong.ENUM:
        return f"must be one of {', '.join(map(str, spec.values))}"
    if bad.wrong is Wrong.URL:
        return "must be a URL or a data URI"
    bound = spec.least if bad.wrong in (Wrong.LOW, Wrong.FEW) else spec.most
    sign = ">=" if bad.wrong in (Wrong.LOW, Wrong.FEW) else "<="
    return f"must be {sign} {bound or 0:g}"
