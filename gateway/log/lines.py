"""An event to one line: JSON for programs, text for people; bounded, escaped, without secrets."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

from gateway.clock import iso
from gateway.log.redactor import Redactor
from gateway.log.scope import here

# What log shippers take whole; the longest lines a container runtime passes on unsplit.
LONGEST = 16 * 1024
_TEXT_LIMITS = (None, 4096, 1024, 256, 64)

_ENCODER = json.JSONEncoder(separators=(",", ":"))

# Names under which the words and pictures of a caller travel; what a provider `said` may repeat them.
_PRIVATE = frozenset({"prompt", "generation_prompt", "negative_prompt", "input", "body", "said"})


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give the fields of a record, raw: those of an event, or the message of a library's line, and what is bound around it."""
    fields = getattr(record, "fields", None)
    if isinstance(fields, Mapping):
        found = {"event": record.getMessage(), **here(), **fields}
    else:
        found = {"event": record.name, **here(), "message": record.getMessage()}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        found["error"] = f"{type(error).__name__}: {error}"
        found["trace"] = "".join(traceback.format_exception(error))
    return found


class Lines(logging.Formatter):
    """Formats a record as a JSON line."""

    def __init__(self, redactor: Redactor, *, prompts: bool = False) -> None:
        """Strike out by `redactor`; `prompts` lets the words of callers through."""
        super().__init__()
        self._redactor = redactor
        self._prompts = prompts

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without a line break, in at most 16 KiB of ASCII."""
        head = {"ts": iso(int(record.created * 1000)), "level": record.levelname.lower()}
        fields = self._clean(fields_of(record))
        for limit in _TEXT_LIMITS:
            line = self._line(head, fields if limit is None else _cut(fields, limit))
            if len(line) < LONGEST:
                return line
        return self._line(head, {"event": _cut(fields["event"], 64), "cut": len(fields)})

    def _clean(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Take secrets, and unless wanted the callers' words, out of the fields."""
        if not self._prompts:
            fields = {name: _veiled(name, value) for name, value in fields.items()}
        return {str(name): self._redactor.value(value, str(name)) for name, value in fields.items()}

    def _line(self, head: Mapping[str, str], fields: Mapping[str, Any]) -> str:
        """Join it all; JSON's escapes leave nothing but printable ASCII, DEL excepted."""
        return _ENCODER.encode({**head, **fields}).replace("\x7f", "\\u007f")


class Text(Lines):
    """Formats a record as text for a terminal: time, level, event, `name=value` …, and a trace on lines of its own."""

    def _line(self, head: Mapping[str, str], fields: Mapping[str, Any]) -> str:
        """Join it all, with nothing in it that moves the cursor."""
        rest = dict(fields)
        event, trace = rest.pop("event"), rest.pop("trace", "")
        clock = head["ts"][11:23]
        pairs = "".join(f" {_escaped(name)}={_escaped(_word(value))}" for name, value in rest.items())
        lines = [f"{clock} {head['level']:<7} {_escaped(str(event))}{pairs}"]
        lines += [f"    {_escaped(line)}" for line in str(trace).splitlines()]
        return "\n".join(lines)


def _veiled(name: str, value: Any) -> Any:
    """Give the length of what a caller wrote in the place of the words; nested values are looked through."""
    if name in _PRIVATE:
        return f"{len(value)} characters" if isinstance(value, str) else "not logged"
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _veiled(str(key), part) for key, part in value.items()}
    return [_veiled("", part) for part in value] if isinstance(value, list | tuple) else value


def _cut(value: Any, limit: int) -> Any:
    """Shorten every text and list in a value."""
    match value:
        case str() if len(value) > limit:
            return f"{value[:limit]}… ({len(value) - limit} more)"
        case dict():
            kept = {_cut(key, limit): _cut(part, limit) for key, part in list(value.items())[:limit]}
            return kept if len(value) <= limit else {**kept, "…": f"{len(value) - limit} more"}
        case list():
            return [_cut(part, limit) for part in value[:limit]] + ["…"] * (len(value) > limit)
        case _:
            return value


def _word(value: Any) -> str:
    """Give a field's value as people read it: bare where it is one word, as JSON where it is not."""
    if isinstance(value, str):
        return value if value and " " not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    """Escape whatever is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
