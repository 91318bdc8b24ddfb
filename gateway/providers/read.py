"""Reply → how the job stands, its outputs, what to keep. Pure, and total: every reply reads as something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pybase64 import b64encode

from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import LARGEST
from gateway.outcome import Output
from gateway.providers import classify
from gateway.providers.classify import UNREADABLE, Media, Reply
from gateway.providers.pack import CallName, Discoverable, JobState, Model, Shape, Words

# Longer than any path a provider gives, and without the colon of an address.
# What was matched is never given back: going over the blanks at the end again for each of them would take the square of the time.
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{256,}+={0,2}+\s*+")
# What is told where a state word should be and nothing is.
_NO_WORD = "(none)"
_LONGEST_FIND = 2048  # characters of what finds a job again: ids, and addresses as long as they may be
_LONGEST_TYPE = 100  # characters of a media type
_LARGEST_SIDE = 2**31 - 1  # pixels; what picture formats can say
# Faults that are about the asking, whoever words them: a job that ended well may stand behind each.
_OF_THE_ASKING = frozenset({FaultKind.RATE_LIMITED, FaultKind.UNAUTHORIZED, FaultKind.OUT_OF_CREDIT})
# Faults of a look that say nothing about the job: it is looked at again until patience runs out.
_PASSING = frozenset(
    {*_OF_THE_ASKING, FaultKind.OVERLOADED, FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT, FaultKind.UNREADABLE},
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says.

    `state` is None when it says nothing about the job (the look itself failed; `fault` tells how). `unknown` is a state word
    in no list of the pack. `cost` is in millionths of a credit, when the provider counts, `share` what a job at work has done
    of it, from 0 to 1.
    """

    state: JobState | None
    kept: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    fault: Fault | None = None
    unknown: str | None = None
    cost: int | None = None
    share: float | None = None


def submitted(model: Model, form: int, reply: Reply, now: int) -> Reading:
    """Read the answer to a submit."""
    shape = model.shapes[form]
    if not reply.is_ok:
        return Reading(JobState.FAILED, fault=classify.refusal(model.provider, CallName.SUBMIT, reply, now))
    if shape.lifecycle.is_immediate and reply.body is not UNREADABLE:
        return _ended(model, shape, reply)
    if not reply.is_json:
        return _unreadable(reply, Reach.UNSURE, "the answer is not JSON")
    kept = {name: find(reply.body) for name, find in shape.lifecycle.keep.items()}
    missing = sorted(name for name, value in kept.items() if not _finds(value))
    if missing and classify.has_rule(model.provider, reply):
        # Success by its status, and a refusal in its words: nothing began.
        fault = classify.refusal(model.provider, CallName.SUBMIT, reply, now)
        return Reading(JobState.FAILED, fault=replace(fault, reach=Reach.REFUSED))
    if missing:
        return _unreadable(reply, Reach.UNSURE, f"the answer lacks {', '.join(missing)}")
    return Reading(JobState.QUEUED, kept=kept, cost=_cost(shape, reply.body))


def looked(model: Model, form: int, reply: Reply, now: int) -> Reading:
    """Read the answer to a look at a running job; succeeded without outputs where they are a call of their own."""
    shape = model.shapes[form]
    lifecycle = shape.lifecycle
    if not reply.is_ok and not tells(lifecycle.state, reply):
        return _after_refusal(classify.refusal(model.provider, CallName.STATUS, reply, now))
    if not reply.is_json or lifecycle.state is None:
        return replace(_unreadable(reply, Reach.ACCEPTED, "the answer is not JSON"), state=None)
    state, unknown = _state(lifecycle.state, reply.body)
    match state:
        case JobState.QUEUED | JobState.RUNNING:
            share = _share(lifecycle.state, reply.body)
            # Whatever its word: what has done a part of its work has begun.
            return Reading(JobState.RUNNING if share else state, unknown=unknown, share=share)
        case JobState.FAILED:
            return Reading(state, fault=classify.failure(model.provider, reply, FaultKind.PROVIDER_ERROR))
        case JobState.CANCELED:
            fault = Fault(FaultKind.LOST, Reach.ACCEPTED, "the job was canceled at the provider", status=reply.status)
            return Reading(state, fault=fault)
        case JobState.SUCCEEDED:
            return Reading(state) if CallName.RESULT in lifecycle.calls else _ended(model, shape, reply)


def fetched(model: Model, form: int, reply: Reply, now: int) -> Reading:
    """Read the answer to fetching the result of a job that ended."""
    shape = model.shapes[form]
    if reply.is_ok and reply.body is not UNREADABLE:
        return _ended(model, shape, reply)
    if reply.is_ok:
        return replace(_unreadable(reply, Reach.ACCEPTED, "the result is not JSON"), state=None)
    fault = classify.refusal(model.provider, CallName.RESULT, reply, now)
    if fault.kind not in _OF_THE_ASKING and classify.has_rule(model.provider, reply):
        return Reading(JobState.FAILED, fault=fault)
    return _after_refusal(fault)


def found(model: Model, form: int, reply: Reply, ours: frozenset[str], now: int) -> Reading:
    """Look through a list of jobs for the one that shows a tag of `ours`: queued, with what to keep of it.

    Without a state: with a fault when the list could not be read, without one when the job is not on it.
    """
    search = model.shapes[form].lifecycle.doubt
    if not reply.is_ok:
        return Reading(None, fault=classify.refusal(model.provider, CallName.FIND, reply, now))
    items = search.at(reply.body) if isinstance(search, Discoverable) and reply.is_json else None
    if not isinstance(search, Discoverable) or not isinstance(items, list):
        return replace(_unreadable(reply, Reach.ACCEPTED, "the list of jobs cannot be read"), state=None)
    for item in items:
        if _scalar(search.tag(item)) not in ours:
            continue
        kept = {name: find(item) for name, find in search.keep.items()}
        if all(map(_finds, kept.values())):
            return Reading(JobState.QUEUED, kept=kept)
        return replace(_unreadable(reply, Reach.ACCEPTED, "the list does not say how to find the job"), state=None)
    return Reading(None)


def tells(words: Words | None, reply: Reply) -> bool:
    """Say whether the body has a word for how the job stands, whatever the HTTP status: some providers answer 404 or 503 with both."""
    return words is not None and reply.is_json and _scalar(words.at(reply.body)) in words.words


def _after_refusal(fault: Fault) -> Reading:
    return Reading(None if fault.kind in _PASSING else JobState.FAILED, fault=fault)


def _state(words: Words, body: Any) -> tuple[JobState, str | None]:
    if words.failed_if is not None and words.failed_if(body):
        return JobState.FAILED, None
    word = _scalar(words.at(body))
    known = words.words.get(word)
    return (known, None) if known is not None else (JobState.RUNNING, word[:40] or _NO_WORD)


def _share(words: Words, body: Any) -> float | None:
    if words.progress is None:
        return None
    done = words.progress.at(body)
    is_number = isinstance(done, int | float) and not isinstance(done, bool)
    return done / words.progress.whole if is_number and 0 <= done <= words.progress.whole else None


def _ended(model: Model, shape: Shape, reply: Reply) -> Reading:
    """A job that says it is done: it succeeded when there is at least one output that was not blacked out."""
    outputs = _outputs(shape, reply.body)
    kept = tuple(output for output in outputs if not output.flagged)
    cost = _cost(shape, reply.body)
    if kept:
        return Reading(JobState.SUCCEEDED, outputs=kept, cost=cost)
    if outputs:
        fault = Fault(
            FaultKind.CONTENT_BLOCKED,
            Reach.ACCEPTED,
            "every output was blacked out by the provider",
            status=reply.status,
        )
    else:
        worded = classify.said(model.provider, reply)
        fault = classify.failure(model.provider, reply, FaultKind.PROVIDER_ERROR if worded else FaultKind.UNREADABLE)
        if not worded:
            fault = replace(fault, message="the job succeeded without an output that can be read")
    return Reading(JobState.FAILED, fault=fault, cost=cost)


def _outputs(shape: Shape, body: Any) -> tuple[Output, ...]:
    if isinstance(body, Media):
        return (Output(b64=b64encode(body.data).decode(), mime=_word(body.type)),) if body.data else ()
    found = shape.lifecycle.outputs(body)
    if not isinstance(found, list):
        return ()
    flags = shape.lifecycle.flagged(body) if shape.lifecycle.flagged else None
    flags = flags if isinstance(flags, list) else []
    outputs = []
    for index, item in enumerate(found):
        if not isinstance(item, dict):
            continue
        url, b64 = _parted(item.get("url"), item.get("b64"))
        if not (isinstance(url, str) and url) and not (isinstance(b64, str) and b64):
            continue
        outputs.append(
            Output(
                url=url if isinstance(url, str) else None,
                b64=b64 if isinstance(b64, str) else None,
                mime=_word(item.get("mime")),
                width=_whole(item.get("width")),
                height=_whole(item.get("height")),
                flagged=index < len(flags) and flags[index] is True,
            ),
        )
    return tuple(outputs)


def _parted(url: Any, b64: Any) -> tuple[Any, Any]:
    """Tell an address from base64: some providers give either in the same place, and some put a `data:` URI for base64."""
    if isinstance(url, str) and _BASE64.fullmatch(url):
        return None, url
    if isinstance(b64, str) and b64.startswith("data:"):
        return b64, None
    return url, b64


def _cost(shape: Shape, body: Any) -> int | None:
    if shape.cost is None:
        return None
    used = shape.cost.at(body) if not isinstance(body, Media) else None
    if isinstance(used, bool) or not isinstance(used, int | float | str):
        return None
    try:
        # Some providers count in texts.
        cost = round(float(used) * shape.cost.each)
    except (ValueError, OverflowError):
        return None
    return cost if 0 <= cost <= LARGEST else None  # what no column holds is no count


def _unreadable(reply: Reply, reach: Reach, message: str) -> Reading:
    return Reading(JobState.FAILED, fault=Fault(FaultKind.UNREADABLE, reach, message, status=reply.status))


def _finds(value: Any) -> bool:
    """Whether a job can be found again by it."""
    return isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= _LONGEST_FIND


def _scalar(value: Any) -> str:
    """A word as packs write it; nothing for what is none."""
    return str(value) if isinstance(value, str | int | float) else ""


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TYPE else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_SIDE else None
