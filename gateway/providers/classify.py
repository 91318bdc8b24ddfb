"""Reply → fault: the provider's own rules first, then a fixed table by HTTP status."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any

from gateway.fault import Fault, FaultKind, Reach
from gateway.providers.pack import CallName, Provider, Rule, Wait

# What a status means when no rule of the provider says more.
BY_STATUS: Mapping[int, FaultKind] = {
    400: FaultKind.INVALID_INPUT,
    401: FaultKind.UNAUTHORIZED,
    402: FaultKind.OUT_OF_CREDIT,
    403: FaultKind.UNAUTHORIZED,
    404: FaultKind.NOT_SERVED,
    408: FaultKind.TIMEOUT,
    410: FaultKind.NOT_SERVED,
    413: FaultKind.INVALID_INPUT,
    415: FaultKind.INVALID_INPUT,
    422: FaultKind.INVALID_INPUT,
    429: FaultKind.RATE_LIMITED,
    500: FaultKind.PROVIDER_ERROR,
    502: FaultKind.PROVIDER_ERROR,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
}
# A clear no. 408 is a line that broke while the body was under way; 5xx other than 503 may hide a job that began.
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 409, 410, 411, 413, 414, 415, 422, 429, 431, 503})
_LONGEST_PAUSE = 300_000  # ms; whatever a header asks, a deadline comes sooner or the next provider does better
# Characters of a provider's text and of its codes that are looked at: far more than is kept once secrets are struck out of them.
_MESSAGE = 8_000
_CODE = 1_600
_LONGEST_WAIT = 64  # characters; a date with its zone has half of them, and what is longer is no wait
_DEEPEST = 64  # levels of a reply; the deepest known has nine, and who reads one may have to walk it
_MOST_PARTS = 100_000  # values in a reply; a list of a thousand jobs has half of them, and more take long to read
_LARGE = 64 * 1024  # characters; a reply that is longer mostly holds pictures
_UNFIT = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of characters: no store and no header holds them
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_MEDIA = ("image/", "video/", "audio/")
_UNIT_MS = {"seconds": 1000, "milliseconds": 1, "epoch": 1000, "epoch_ms": 1}
_UNITS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer of a provider: status, headers with lower-case names, body as JSON, or `Media`, or `UNREADABLE`."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def is_ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        """Whether the body can be searched."""
        return self.body is not UNREADABLE and not isinstance(self.body, Media)


@dataclass(frozen=True, slots=True)
class Media:
    """A body that is itself the picture or the film, and the type it was declared as."""

    data: bytes
    type: str


def media(data: bytes, declared: str) -> Media | None:
    """Take a body for a picture or a film where its media type says that it is one."""
    return Media(data, declared) if declared.startswith(_MEDIA) else None


def parsed(data: bytes) -> Any:
    """Take a body for JSON, or for `UNREADABLE`; NUL and halves of characters in its texts become U+FFFD."""
    try:
        text = data.decode(json.detect_encoding(data))
        nests = _count(text, "[") + _count(text, "{")
        if nests + _count(text, ",") > _MOST_PARTS:
            return UNREADABLE
        body = json.loads(text)
        # Both are seen in the text at once; few replies have to be walked.
        if ("\\" in text and "\\u" in text) or nests > _DEEPEST:
            body = _fit(body, _DEEPEST)
    except (ValueError, RecursionError):
        return UNREADABLE
    return body


def _count(text: str, mark: str) -> int:
    """How often a character is in a text, counted no further than matters."""
    if len(text) <= _LARGE:
        return text.count(mark)
    # In leaps: most of a large reply is pictures without any, and counting looks at each character by itself.
    found, at = 0, text.find(mark)
    while at >= 0 and found <= _MOST_PARTS:
        found, at = found + 1, text.find(mark, at + 1)
    return found


def _fit(body: Any, levels: int) -> Any:
    """The same without what cannot be kept; ValueError when it has more levels than so many."""
    match body:
        case str():
            return _UNFIT.sub("\ufffd", body) if not body.isascii() or "\0" in body else body
        case dict() | list() if levels == 0:
            raise ValueError("too deep")
        case dict():
            return {_fit(name, levels): _fit(part, levels - 1) for name, part in body.items()}
        case list():
            return [_fit(part, levels - 1) for part in body]
        case _:
            return body


class _Unreadable:
    """The body was not JSON."""

    def __repr__(self) -> str:
        """Say so in test output."""
        return "UNREADABLE"


UNREADABLE = _Unreadable()


def refusal(provider: Provider, call: CallName, reply: Reply, now: int) -> Fault:
    """The fault of a call that was answered with an error status. `now` in ms, for pauses given as a moment."""
    rule = _first(provider, reply)
    kind = rule.kind if rule else _by_status(reply.status)
    if call is not CallName.SUBMIT:
        reach = Reach.ACCEPTED
        if kind is FaultKind.NOT_SERVED:
            kind = FaultKind.LOST  # the model was served a moment ago: it is the job that is gone
    else:
        reach = Reach.REFUSED if reply.status in _REFUSALS else Reach.UNSURE
    return _fault(provider, reply, kind, reach, pause(provider.waits, reply, now))


def failure(provider: Provider, reply: Reply, otherwise: FaultKind) -> Fault:
    """The fault of a job that the provider took and that failed; `otherwise` when no rule knows it."""
    rule = _first(provider, reply)
    fault = _fault(provider, reply, rule.kind if rule else otherwise, Reach.ACCEPTED, None)
    return (
        fault
        if said(provider, reply)
        else replace(fault, message="the job failed, and the provider does not say why", quoted=False)
    )


def has_rule(provider: Provider, reply: Reply) -> bool:
    """Whether one of the provider's own rules knows this failure."""
    return _first(provider, reply) is not None


def hit(provider: Provider, reply: Reply) -> int | None:
    """The index of the rule that knows this failure, for the proof that every rule is hit by a sample."""
    rule = _first(provider, reply)
    return provider.rules.index(rule) if rule else None


def code_of(provider: Provider, reply: Reply) -> str | None:
    """The native code of a failure, where the reply has one."""
    return _text(provider.code(reply.body)) if reply.is_json else None


def said(provider: Provider, reply: Reply) -> str | None:
    """What the provider says about a failure, in its own words."""
    return _text(provider.message(reply.body)) if reply.is_json else None


def pause(waits: tuple[Wait, ...], reply: Reply, now: int) -> int | None:
    """How long the provider asks us to wait, in ms, at most five minutes; None when it says nothing we can read."""
    for wait in waits:
        raw = reply.headers.get(wait.header.lower()) if wait.header else None
        if wait.at is not None and reply.is_json:
            raw = _text(wait.at(reply.body))
        asked = _milliseconds(raw, wait.unit, now) if raw is not None and len(raw) <= _LONGEST_WAIT else None
        if asked is not None and asked > 0:
            return min(asked, _LONGEST_PAUSE)
    return None


def _first(provider: Provider, reply: Reply) -> Rule | None:
    code, message = code_of(provider, reply), (said(provider, reply) or "").lower()
    for rule in provider.rules:
        if rule.status and reply.status not in rule.status:
            continue
        if rule.codes and not (code is not None and any(fnmatchcase(code, pattern) for pattern in rule.codes)):
            continue
        if rule.says and not any(words in message for words in rule.says):
            continue
        return rule
    return None


def _by_status(status: int) -> FaultKind:
    known = BY_STATUS.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return FaultKind.INVALID_INPUT
    return FaultKind.PROVIDER_ERROR if status >= 500 else FaultKind.UNREADABLE


def _fault(provider: Provider, reply: Reply, kind: FaultKind, reach: Reach, asked: int | None) -> Fault:
    theirs = said(provider, reply)
    message = theirs[:_MESSAGE] if theirs else f"answered HTTP {reply.status}"
    code = code_of(provider, reply)
    return Fault(kind, reach, message, code[:_CODE] if code else None, reply.status, asked, quoted=theirs is not None)


def _text(value: Any) -> str | None:
    match value:
        case None | bool():
            return None
        case str():
            return value or None
        case int() | float():
            return str(value)
        case _:
            return None


def _milliseconds(raw: str, unit: str, now: int) -> int | None:
    try:
        match unit:
            case "seconds" | "milliseconds":
                return int(float(raw) * _UNIT_MS[unit])
            case "epoch" | "epoch_ms":
                return int(float(raw) * _UNIT_MS[unit]) - now
            case "http_date":
                moment = parsedate_to_datetime(raw)
                # Dates of HTTP are in UTC, whether they say so or not.
                moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
                return int(moment.timestamp() * 1000) - now
            case _:
                parts = _DURATION.findall(raw)
                return int(sum(float(number) * _UNITS[name] for number, name in parts)) if parts else None
    except (ValueError, OverflowError):
        return None
