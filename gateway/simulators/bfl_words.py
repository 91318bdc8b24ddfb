"""How BFL says no: a detail, in words or field by field; and a poll that carries its status whatever its HTTP says."""

from __future__ import annotations

from typing import Any

from gateway.simulators.checking import Kind, Violation, Wrong
from gateway.simulators.vendor import Ask, Reply

NAME = "bfl"

NOT_FOUND = "Task not found"
STATUSES = (
    "Pending",
    "Reasoning",
    "Generating",
    "Ready",
    "Request Moderated",
    "Content Moderated",
    "Error",
    "Failed",
    NOT_FOUND,
)
"""The words a poll may carry; a script may name one as the code of a bare status."""

_USUAL = {
    400: "Bad request",
    402: "Insufficient credits. Please add credits to your account.",
    403: "Not authenticated - Invalid Authentication",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too many active tasks. Please wait for running tasks to finish.",
    500: "Internal Server Error",
    503: "Service temporarily overloaded. Please try again later.",
}


def problem(status: int, said: str | None = None) -> Reply:
    """Return an error in words, the vendor's usual ones if none are given."""
    return Reply(status, {"detail": said or _USUAL.get(status, _USUAL[400 if status < 500 else 500])})


def invalid(loc: list[str | int], said: str, kind: str = "value_error") -> Reply:
    """Return the error for one wrong field."""
    return Reply(422, {"detail": [{"loc": loc, "msg": said, "type": kind}]})


def invalid_fields(wrong: list[Violation]) -> Reply:
    """Return the error for a body that breaks its schema, one entry for each fault."""
    return Reply(422, {"detail": [_entry(bad) for bad in wrong]})


def task(
    task_id: str,
    status: str,
    *,
    result: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return what a poll answers."""
    about = {"id": task_id, "status": status, "progress": None, "details": details, "preview": None}
    return {**about, "result": result, **more}


def word(ask: Ask, status: int, code: str | None) -> Reply:
    """Phrase a status as the vendor would; there is no 401, and a status word as code makes it a poll's answer."""
    if code in STATUSES:
        return Reply(status, task("".join(ask.asked("id")), str(code)))
    if status == 422:
        return invalid(["body"], "Value error, the request could not be processed")
    return problem(403 if status == 401 else status, code)


def _entry(bad: Violation) -> dict[str, Any]:
    kind, said = _said(bad)
    return {"loc": ["body", *bad.path], "msg": said, "type": kind}


def _said(bad: Violation) -> tuple[str, str]:
    spec = bad.field
    if spec is None:
        return "extra_forbidden", "Extra inputs are not permitted"
    if bad.wrong is Wrong.TYPE:
        kinds = [option.kind for option in spec.options] if spec.kind is Kind.EITHER else [spec.kind]
        short = {Kind.INTEGER: "int", Kind.NUMBER: "float", Kind.BOOLEAN: "bool", Kind.ARRAY: "list"}
        return f"{short.get(kinds[0], kinds[0].value)}_type", f"Input should be a valid {' or '.join(kinds)}"
    if bad.wrong is Wrong.ENUM:
        return "enum", f"Input should be {', '.join(map(repr, spec.values))}"
    least, most, step = (f"{bound or 0:g}" for bound in (spec.least, spec.most, spec.step))
    long = "string" if spec.kind is Kind.STRING else "list"
    return {
        Wrong.MISSING: ("missing", "Field required"),
        Wrong.LOW: ("greater_than_equal", f"Input should be greater than or equal to {least}"),
        Wrong.HIGH: ("less_than_equal", f"Input should be less than or equal to {most}"),
        Wrong.STEP: ("multiple_of", f"Input should be a multiple of {step}"),
        Wrong.FEW: (f"{long}_too_short", f"Input should have at least {least} items"),
        Wrong.MANY: (f"{long}_too_long", f"Input should have at most {most} items"),
    }[bad.wrong]
