"""Which stage of a request a stack belongs to: a table of files and functions, read from the innermost call outwards.

What is shared (`json`, a lock, a clock) is in no row and counts for whoever called it. So a change of code that stays in its folder
needs no change here, and what is in no row at all shows as `other`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

from tests.bench.sampler import Frame, Stack


class Stage(StrEnum):
    """What the time of a request goes to, in the order in which it meets them."""

    LOOP = "loop"
    ACCEPT = "accept"
    AUTH = "auth"
    PARSE = "parse"
    PLAN = "plan"
    WRITE = "write"
    WALK = "walk"
    SUBMIT = "submit"
    REPLY = "read reply"
    SETTLE = "settle"
    ANSWER = "answer"
    OBSERVE = "observe"
    TELL = "tell"
    OTHER = "other"


SAYS = {
    Stage.LOOP: "the event loop itself: polling, sockets, tasks",
    Stage.ACCEPT: "the connection and the head of the request, routes, what surrounds every handler",
    Stage.AUTH: "the key, its scope, its rate, its place among others",
    Stage.PARSE: "the body, and its reading into a generation",
    Stage.PLAN: "the offers weighed, the plan, what is kept of it",
    Stage.WRITE: "the store as the loop sees it: programs handed over and heard of, records read back",
    Stage.WALK: "runs and attempts between their steps",
    Stage.SUBMIT: "the provider's request rendered and sent",
    Stage.REPLY: "the provider's answer taken in and read",
    Stage.SETTLE: "outputs kept, what is learned of the attempt",
    Stage.ANSWER: "the answer worded and written",
    Stage.OBSERVE: "log, metrics, traces",
    Stage.TELL: "what is owed to webhooks looked for",
    Stage.OTHER: "what is in no row",
}

# Files are matched at their end, functions as they are named within their classes; the first row that fits decides.
_ROWS: Sequence[tuple[str, str, Stage]] = (
    ("gateway/log/*", "*", Stage.OBSERVE),
    ("gateway/metrics.py", "*", Stage.OBSERVE),
    ("gateway/traces/*", "*", Stage.OBSERVE),
    ("prometheus_client/*", "*", Stage.OBSERVE),
    ("gateway/front.py", "_count*", Stage.OBSERVE),
    ("gateway/ingress/account.py", "Tallies.*", Stage.OBSERVE),
    ("gateway/ingress/traced.py", "*", Stage.OBSERVE),
    ("gateway/attempts/traced.py", "*", Stage.OBSERVE),
    ("gateway/webhooks/*", "*", Stage.TELL),
    ("gateway/telling.py", "*", Stage.TELL),
    ("gateway/ledger/*", "*", Stage.WRITE),
    ("gateway/ingress/intake.py", "Intake._take_in", Stage.WRITE),
    ("gateway/ingress/intake.py", "Intake.accept", Stage.WRITE),
    ("gateway/app.py", "_observing*", Stage.WRITE),
    ("gateway/providers/render.py", "*", Stage.SUBMIT),
    ("gateway/providers/secrets.py", "*", Stage.SUBMIT),
    ("gateway/providers/wire.py", "_read", Stage.REPLY),
    ("gateway/providers/wire.py", "*", Stage.SUBMIT),
    ("gateway/providers/classify.py", "*", Stage.REPLY),
    ("gateway/providers/read.py", "*", Stage.REPLY),
    ("gateway/providers/compile/finder.py", "*", Stage.REPLY),
    ("gateway/providers/reverse.py", "*", Stage.PARSE),
    ("gateway/providers/catalog.py", "*", Stage.PARSE),
    ("aiohttp/client_proto.py", "*", Stage.REPLY),
    ("aiohttp/client_reqrep.py", "ClientResponse.*", Stage.REPLY),
    ("aiohttp/client*.py", "*", Stage.SUBMIT),
    ("aiohttp/connector.py", "*", Stage.SUBMIT),
    ("gateway/attempts/collect.py", "*", Stage.SETTLE),
    ("gateway/attempts/report.py", "*", Stage.SETTLE),
    ("gateway/attempts/notice.py", "*", Stage.SETTLE),
    ("gateway/artifacts/*", "*", Stage.SETTLE),
    ("gateway/routing/health.py", "Health.standing", Stage.PLAN),
    ("gateway/attempts/choice.py", "*", Stage.PLAN),
    ("gateway/attempts/line.py", "Line.submit*", Stage.SUBMIT),
    ("gateway/attempts/*", "*", Stage.WALK),
    ("gateway/routing/*", "*", Stage.PLAN),
    ("gateway/offer.py", "*", Stage.PLAN),
    ("gateway/ingress/weigh.py", "*", Stage.PLAN),
    ("gateway/ingress/pinned.py", "*", Stage.PLAN),
    ("gateway/ingress/intake.py", "*", Stage.PLAN),
    ("gateway/ingress/callers.py", "*", Stage.AUTH),
    ("gateway/ingress/credential.py", "*", Stage.AUTH),
    ("gateway/ingress/keyform.py", "*", Stage.AUTH),
    ("gateway/ingress/limiter.py", "*", Stage.AUTH),
    ("gateway/ingress/sharing.py", "*", Stage.AUTH),
    ("gateway/ingress/address.py", "*", Stage.AUTH),
    ("gateway/ingress/body.py", "*", Stage.PARSE),
    ("gateway/ingress/form.py", "*", Stage.PARSE),
    ("gateway/ingress/tags.py", "*", Stage.PARSE),
    ("gateway/ingress/dialect.py", "*", Stage.PARSE),
    ("gateway/ingress/repeats.py", "*", Stage.PARSE),
    ("gateway/ingress/reception.py", "Reception.wait", Stage.ANSWER),
    ("gateway/ingress/reception.py", "Reception._found", Stage.ANSWER),
    ("gateway/ingress/reception.py", "*", Stage.PARSE),
    ("gateway/ingress/images/answer.py", "*", Stage.ANSWER),
    ("gateway/ingress/images/*", "*", Stage.PARSE),
    ("gateway/ingress/delivery.py", "*", Stage.ANSWER),
    ("gateway/ingress/outputs.py", "*", Stage.ANSWER),
    ("gateway/ingress/record.py", "*", Stage.ANSWER),
    ("gateway/ingress/pieces.py", "*", Stage.ANSWER),
    ("gateway/ingress/envelope.py", "dress", Stage.ANSWER),
    ("gateway/ingress/envelope.py", "success", Stage.ANSWER),
    ("gateway/ingress/connection.py", "Connection.finish_response", Stage.ANSWER),
    ("aiohttp/web_response.py", "*", Stage.ANSWER),
    ("aiohttp/web_*.py", "*", Stage.ACCEPT),
    ("gateway/ingress/*", "*", Stage.ACCEPT),
    ("gateway/front.py", "*", Stage.ACCEPT),
    ("asyncio/runners.py", "*", Stage.LOOP),
)


def stage(stack: Stack) -> tuple[Stage, str]:
    """The stage a stack of the loop's thread belongs to, and the function by which it does."""
    for frame in reversed(stack.frames):
        found = _row(frame)
        if found is not None:
            return found, f"{frame.file.rpartition('/')[2].removesuffix('.py')}.{frame.function}"
    return Stage.OTHER, stack.frames[-1].function if stack.frames else "?"


@functools.cache
def _row(frame: Frame) -> Stage | None:
    return next((found for file, function, found in _ROWS if _fits(frame, file, function)), None)


def is_in(stack: Stack, file: str, function: str) -> bool:
    """Whether a function of a file is under way."""
    return any(_fits(frame, file, function) for frame in stack.frames)


def is_resting(stack: Stack) -> bool:
    """Whether a thread beside the loop waits for work."""
    inner = stack.frames[-1] if stack.frames else None
    return inner is None or any(_fits(inner, file, function) for file, function in _RESTING)


_RESTING = (
    ("aiosqlite/core.py", "*"),
    ("concurrent/futures/thread.py", "_worker"),
    ("threading.py", "*wait"),
    ("queue.py", "*get"),
)


def _fits(frame: Frame, file: str, function: str) -> bool:
    return fnmatchcase(frame.file, f"*/{file}") and fnmatchcase(frame.function, function)
