"""A body of the predictions API → what is asked of a model, who is told of it, and how long it may take. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.artifacts.kinds import identify
from gateway.egress import BadAddress, Policy
from gateway.generation import word
from gateway.ingress import fields as native
from gateway.ingress.order import ORDER, order_of
from gateway.ingress.refusal import Refusal
from gateway.ledger.callbacks import Callback
from gateway.ledger.events import EventType
from gateway.providers.heard import Heard, Unheard
from gateway.providers.reverse import Named, Spellings
from gateway.webhooks import target

INPUT = "input"
_KNOWN = frozenset({"version", INPUT, "webhook", "webhook_events_filter", "stream", *ORDER})
_ENDS = (EventType.COMPLETED, EventType.FAILED, EventType.CANCELED)
# What each word of the filter stands for. Nothing is told of logs: there are none while it runs.
_EVENTS: Mapping[str, tuple[EventType, ...]] = {
    "start": (EventType.STARTED,),
    "output": (EventType.COMPLETED,),
    "logs": (),
    "completed": _ENDS,
}
_SPAN = re.compile(r"(?:(\d{1,2})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?", re.ASCII)
_WAIT = re.compile(r"wait(?:=(\d{1,5}))?", re.ASCII)
_LEAST, _MOST = 5, 24 * 60 * 60  # seconds a prediction may be given, as that API has it
LONGEST_WAIT = 60  # seconds an answer is waited for at most, as that API has it
_LONGEST_URL = 2048
_UNTYPED = "data:application/octet-stream;base64,"
_HEAD = 1024  # characters of base64 that say what a file is; a multiple of 4
_LONGEST_ECHO = 512  # characters of a file that is told back


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as it was read: the model, our fields, the order of providers, and its parameters as they were sent."""

    named: Named
    heard: Heard
    order: str | None
    input: Mapping[str, Any]


def named(spellings: Spellings, name: str, speaks: str | None, field: str | None = None) -> Named:
    """The model that a name means; Refusal when nobody knows it."""
    found = spellings.find(name, speaks) if len(name) <= native.LONGEST * 2 else None
    if found is None:
        near = spellings.nearest(name) if len(name) <= native.LONGEST * 2 else None
        hint = f"; did you mean {near!r}?" if near else ""
        said = f"no provider here serves the model {name[:200]!r}{hint}"
        if field is not None and "/" not in name:
            said += "; a version alone is not known here, name the model as owner/name"
        raise Refusal("model_not_found", said, field=field)
    return found


def version_of(body: Mapping[str, Any]) -> str:
    """The version or model that a body names; Refusal when it names none."""
    version = body.get("version")
    if not isinstance(version, str) or not version:
        said = "version is required: a model as owner/name, a version of one as owner/name:version, or a version alone"
        raise Refusal("invalid_input", said, field="version")
    return version


def read(body: Mapping[str, Any], model: Named, spellings: Spellings) -> Wishes:
    """Read a body for a model; Refusal by the name of what cannot be had."""
    for name in body:
        if name not in _KNOWN:
            raise Refusal(
                "invalid_input",
                f"{name[:100]} is not known here; it takes {', '.join(sorted(_KNOWN))}",
                field=name[:100],
            )
    given = body.get(INPUT) or {}
    if not isinstance(given, dict):
        raise Refusal("invalid_input", f"input must be an object, not {word(given)}", field=INPUT)
    if len(given) > native.MOST or any(len(name) > native.LONGEST for name in given):
        said = f"input has at most {native.MOST} parameters, their names at most {native.LONGEST} characters"
        raise Refusal("invalid_input", said, field=INPUT)
    asked = {name: _typed(value) for name, value in given.items() if name not in ORDER}
    match spellings.read(model, {INPUT: asked}, (INPUT,)):
        case Heard() as heard:
            return Wishes(model, heard, order_of({**body, **given}), _echo(asked))
        case Unheard(problems) as unheard:
            told = [{"field": each.parameter, "message": each.says} for each in problems]
            raise Refusal("invalid_input", unheard.says, field=problems[0].parameter, details={"problems": told})


def callback(body: Mapping[str, Any], dialect: str, policy: Policy, own: Collection[str]) -> Callback | None:
    """Who is told of the prediction; Refusal when that cannot be."""
    url, wanted = body.get("webhook"), body.get("webhook_events_filter")
    if wanted is not None and (
        not isinstance(wanted, list) or not all(isinstance(each, str) and each in _EVENTS for each in wanted)
    ):
        said = f"webhook_events_filter is a list out of {', '.join(_EVENTS)}"
        raise Refusal("invalid_input", said, field="webhook_events_filter")
    if url is None:
        return None
    if not isinstance(url, str) or len(url) > _LONGEST_URL:
        raise Refusal(
            "invalid_input", f"webhook must be an address of at most {_LONGEST_URL} characters", field="webhook"
        )
    try:
        target.check(url, policy, own)
    except BadAddress as error:
        raise Refusal("invalid_input", f"webhook cannot be told: {error}", field="webhook") from error
    events = tuple(dict.fromkeys(event for each in wanted or ("completed",) for event in _EVENTS[each]))
    return Callback(dialect, url, events) if events else None


def span(written: str | None) -> int | None:
    """How long a prediction may take, in milliseconds, out of `90s`, `1m` or `1h30m`; Refusal for what is no such text."""
    if written is None:
        return None
    found = _SPAN.fullmatch(written.strip()) if written.strip() else None
    seconds = (
        sum(int(part or 0) * each for part, each in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0
    )
    if not _LEAST <= seconds <= _MOST:
        said = "Cancel-After is a length of time from 5s to 24h, such as 90s or 1h30m"
        raise Refusal("invalid_input", said, field="Cancel-After")
    return seconds * 1000


def wait(preferences: Collection[str]) -> int:
    """The seconds a client prefers to wait; a preference that cannot be read is none, as RFC 7240 has it."""
    parts = (part.strip() for sent in preferences for part in sent.split(","))
    found = next((match for part in parts if (match := _WAIT.fullmatch(part))), None)
    if found is None:
        return 0
    return min(int(found[1]), LONGEST_WAIT) if found[1] else LONGEST_WAIT


def _typed(value: Any) -> Any:
    """A file that was put in without its type, as the clients do with one that has no name, gets the one its first bytes say."""
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if not isinstance(value, str) or not value.startswith(_UNTYPED):
        return value
    try:
        media = identify(base64.b64decode(value[len(_UNTYPED) :][:_HEAD]))
    except binascii.Error:
        return value
    return value if media is None else f"data:{media.type};base64,{value.removeprefix(_UNTYPED)}"


def _echo(value: Any) -> Any:
    """Parameters as they are told back: a file that was sent whole is not."""
    match value:
        case dict():
            return {name: _echo(each) for name, each in value.items()}
        case list():
            return [_echo(each) for each in value]
        case str() if len(value) > _LONGEST_ECHO and value[:5].lower() == "data:":
            return f"{value[: value.find(',') + 1]}…" if 0 < value.find(",") < _LONGEST_ECHO else "data:…"
        case _:
            return value
