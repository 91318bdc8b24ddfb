"""How Runway says no: one text for each error, every broken field at once as an issue, dotted codes for failed tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.jobs import Failure
from gateway.simulators.vendor import Ask, Reply

NAME = "runway"

_DOCS = "https://docs.dev.runwayml.com/errors/errors/"
# The vendor has no codes here: a script names its texts by these words, or gives a text of its own.
_TEXTS = {
    "credits": "You do not have enough credits to run this task.",
    "asset": "Failed to fetch asset. Received HTTP response code 403",
    "on_behalf_of": "The X-Runway-On-Behalf-Of header is required for this account.",
    "daily_limit": "Your daily task limit has been reached.",
}
_USUAL = {
    400: "Validation of body failed",
    403: "You do not have access to this model.",
    404: "Could not find the requested path",
    405: "Method not allowed",
    429: _TEXTS["daily_limit"],
    502: "Bad gateway",
    503: "The service is shedding load. Try again later.",
    504: "The request timed out.",
}
_FAILURES = {
    "SAFETY": "The content was found to be unfit.",
    "INPUT_PREPROCESSING.SAFETY": "The content was found to be unfit.",
    "ASSET.INVALID": "An input is not in a form that can be used.",
    "THIRD_PARTY.UNAVAILABLE": "The model is not available at present.",
    "THIRD_PARTY.INPUT_VALIDATION": "The model did not accept the input.",
}
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a body, at a place, with the values that would be right if they can be listed."""

    code: str
    message: str
    path: tuple[str | int, ...]
    values: tuple[Any, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the issue as JSON."""
        listed = {"values": list(self.values)} if self.values else {}
        return {"code": self.code, "message": self.message, "path": list(self.path), **listed}


def refuse(status: int, said: str) -> Reply:
    """Return an error that has nothing but its text."""
    return Reply(status, {"error": said, "docUrl": _DOCS})


def invalid(issues: list[Issue]) -> Reply:
    """Return the answer for a body that breaks the schema: all its faults together."""
    return Reply(400, {"error": _USUAL[400], "issues": [issue.body() for issue in issues], "docUrl": _DOCS})


def missing() -> Reply:
    """Return the answer for a task nobody knows, or one that was deleted."""
    return Reply(404, {"error": "Could not find Task"})


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; `code` is a word for one of its texts, or a text."""
    if code is not None:
        return refuse(status, _TEXTS.get(code, code))
    if status == 401:
        is_sent = ask.headers.get("authorization") is not None
        return refuse(401, "The API key is not valid." if is_sent else "No API key was provided.")
    if status == 404 and "id" in ask.params:
        return missing()
    return refuse(status, _USUAL.get(status, "An unexpected error occurred."))


def issue(bad: Violation) -> Issue:
    """Word one broken field."""
    spec, path = bad.field, bad.path
    if spec is None:
        return Issue("unrecognized_keys", f'Unrecognized key: "{path[-1]}"', path)
    if bad.wrong is Wrong.MISSING:
        return Issue("invalid_type", "Required", path, spec.values)
    if bad.wrong is Wrong.TYPE:
        kinds = [option.kind for option in spec.options] if spec.kind is Kind.EITHER else [spec.kind]
        names = ["string" if kind is Kind.URL else kind.value for kind in kinds]
        return Issue("invalid_type", f"Invalid input: expected {' or '.join(names)}", path, spec.values)
    code, said = {
        Wrong.ENUM: ("invalid_value", "Invalid option"),
        Wrong.URL: ("custom", "Must be an HTTPS URL, a Runway URI, or a data URI"),
        Wrong.LOW: ("too_small", f"Too small: expected at least {spec.least}"),
        Wrong.FEW: ("too_small", f"Too small: expected at least {spec.least}"),
    }.get(bad.wrong, ("too_big", f"Too big: expected at most {spec.most}"))
    return Issue(code, said, path, spec.values)


def failure_of(failure: Failure) -> dict[str, str]:
    """Return the two words of a failed task; the code is left out when a script says `absent`."""
    code = failure.code or ("SAFETY.INPUT.TEXT" if failure.moderated else "INTERNAL")
    said = next(
        (said for prefix, said in _FAILURES.items() if code.startswith(prefix)), "An unexpected error occurred."
    )
    return {"failure": said} if code == _ABSENT else {"failure": said, "failureCode": code}


def is_charged(failure: Failure) -> bool:
    """Whether a failed task costs what it would have cost: only when its input was found unfit."""
    return failure_of(failure).get("failureCode", "").startswith("SAFETY.INPUT")
