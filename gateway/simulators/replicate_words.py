"""How Replicate says no: problems as JSON, one line per broken input, and how a failed run reads."""

from __future__ import annotations

import re
from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.jobs import Job
from gateway.simulators.vendor import Ask, Reply

NAME = "replicate"

_USUAL = {
    400: ("Bad request", "The request could not be understood"),
    401: ("Unauthenticated", "You did not pass a valid authentication token"),
    402: ("Insufficient credit", "You have insufficient credit to run this model."),
    403: ("Forbidden", "You do not have permission to perform this action."),
    404: (None, "The requested resource could not be found."),
    405: (None, "Method not allowed."),
    422: (
        "Invalid version or not permitted",
        "The specified version does not exist (or perhaps you don't have permission to use it?)",
    ),
    500: ("Internal server error", "Something went wrong on our side."),
}
_ERRORS = {
    "PA": "Prediction interrupted; please retry (code: PA)",
    "E003": "Service is currently unavailable due to high demand. Please try again later. (E003)",
    "E005": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    "E1000": "The model failed for an unknown reason. (E1000)",
    "E1001": "The model ran out of GPU memory. (E1001)",
    "NSFW": "NSFW content detected. Try running it again, or try a different prompt.",
}
# The tag the vendor puts behind its codes differs each time and means nothing to a caller.
_TAG = "Zq81vLmx3A"


def problem(status: int, title: str | None, detail: str, **more: Any) -> Reply:
    """Return an error in the vendor's shape; some of its errors have no title."""
    named = {} if title is None else {"title": title}
    return Reply(status, {**named, "detail": detail, "status": status, **more})


def missing() -> Reply:
    """Return the answer for a model, version or prediction nobody knows."""
    return problem(404, *_USUAL[404])


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; a code takes the place of the title."""
    if status == 429:
        after = ask.rule.retry_after if ask.rule is not None else None
        said = f"Request was throttled. Your rate limit resets in ~{30 if after is None else after:g}s."
        return Reply(429, {"detail": said, **({} if after is None else {"status": 429, "retry_after": after})})
    title, detail = _USUAL.get(status, _USUAL[500])
    return problem(status, code or title, detail)


def invalid(lines: list[tuple[str, str]]) -> Reply:
    """Return the answer for inputs that are wrong: a line for each, by its dotted path."""
    # "x is required" runs on from the path that ends in x; every other message stands for itself.
    shown = [f"- {path} is required" if said.endswith(" is required") else f"- {path}: {said}" for path, said in lines]
    fields = [{"field": path, "description": said} for path, said in lines]
    return problem(422, "Input validation failed", "".join(f"{line}\n" for line in shown), invalid_fields=fields)


def wrong_fields(wrong: list[Violation]) -> Reply:
    """Word everything wrong with an input."""
    return invalid([(bad.dotted, _said(bad)) for bad in wrong])


def _said(bad: Violation) -> str:
    name, spec = bad.path[-1], bad.field
    if spec is None:
        return f"Additional property {name} is not allowed"
    if bad.wrong is Wrong.TYPE:
        expected = "string" if spec.kind is Kind.URL else spec.kind
        return f"Invalid type. Expected: {expected}, given: {_kind(bad.value)}"
    least, most, step = (f"{bound or 0:g}" for bound in (spec.least, spec.most, spec.step))
    return {
        Wrong.MISSING: f"{name} is required",
        Wrong.ENUM: f"{name} must be one of the following: {', '.join(repr(value) for value in spec.values)}",
        Wrong.LOW: f"Must be greater than or equal to {least}",
        Wrong.FEW: f"Array must have at least {least} items",
        Wrong.HIGH: f"Must be less than or equal to {most}",
        Wrong.MANY: f"Array must have at most {most} items",
        Wrong.STEP: f"Must be a multiple of {step}",
        Wrong.URL: "Does not match format 'uri'",
    }[bad.wrong]


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def broken(job: Job) -> str:
    """Return the `error` text of a failed run."""
    assert job.failure is not None, "only a failed run has an error"
    code = job.failure.code or ("E005" if job.failure.moderated else "E1000")
    said = _ERRORS.get(code, f"The model failed. ({code})")
    return f"{said} ({_TAG})" if re.search(r"\(E\d+\)$", said) else said


def wait_for(prefer: str | None) -> int | None:
    """Return the seconds a `Prefer` header asks to wait, 0 if it asks for something else, nothing if it is wrong."""
    if prefer is None or not prefer.startswith("wait"):
        return 0
    found = re.fullmatch(r"wait(?:=(\d+))?", prefer.strip())
    if found is None:
        return None
    seconds = int(found[1] or 60)
    return seconds if 1 <= seconds <= 60 else None
