"""What a client does, one step at a time: it asks for a step, is told what came of it, and gives the result at the end.

Nothing is sent, slept or written here; a client does that, and both do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, assert_never

from gateway.client import calls, replies
from gateway.client.calls import Call
from gateway.client.errors import (
    GatewayError,
    GenerationCanceledError,
    GenerationFailedError,
    UnreachableError,
    WaitTimeoutError,
)
from gateway.client.records import Accepted, Generation, Status
from gateway.client.replies import Reply
from gateway.client.retries import Retries, pause
from gateway.client.steps import Broken, Fetched, Flow, Pause, Send, Tell

_T = TypeVar("_T")
_LEAST, _SHARE, _MOST = 0.25, 0.05, 5.0  # seconds between looks: a twentieth of the time it took so far, within bounds
_PATIENCE = 60.0  # seconds in which a gateway may be away, as it is when it restarts


def ask(call: Call, retries: Retries, reader: Callable[[Mapping[str, Any]], _T]) -> Flow[_T]:
    """Ask until there is an answer, as often as is right; the record it holds, or GatewayError."""
    reply, data = yield from _exchange(call, retries)
    return replies.read(reply, reader, data)


def begin(call: Call, retries: Retries, model: str) -> Flow[Accepted]:
    """Begin a generation once, however often it has to be asked for."""
    reply, data = yield from _exchange(call, retries)
    replayed = reply.headers.get("idempotency-replayed") == "true"
    return replies.read(reply, lambda found: replies.accepted(found, model, replayed=replayed), data)


def wait(generation: str, timeout: float, retries: Retries, now: float) -> Flow[Generation]:
    """Look until a generation is over; its record when it succeeded, GatewayError otherwise. `timeout` in seconds."""
    began = seen = now
    told: Generation | None = None
    tag: str | None = None
    once = Retries(1, retries.first, retries.longest)
    while True:
        try:
            reply, data = yield from _exchange(calls.read(generation, tag), once)
            found = told if told is not None and reply.status == 304 else replies.read(reply, replies.generation, data)
            tag = reply.headers.get("etag")
        except GatewayError as error:
            heard = yield Pause(_away(error, now, seen, retries))
        else:
            seen = now
            if found != told:
                told = found
                yield Tell(found)
            if found.status.is_final:
                return _ended(found)
            heard = yield Pause(min(_next(now - began), max(0.0, began + timeout - now)))
        now = heard.at
        if now - began >= timeout:
            raise WaitTimeoutError(generation, timeout)


def run(call: Call, model: str, timeout: float, retries: Retries, now: float) -> Flow[Generation]:
    """Begin a generation and wait for its end."""
    made = yield from begin(call, retries, model)
    try:
        return (yield from wait(made.id, timeout, retries, now))
    except GatewayError as error:
        error.idempotency_key = call.key
        raise


def _exchange(call: Call, retries: Retries) -> Flow[tuple[Reply, Mapping[str, Any]]]:
    tried = 0
    while True:
        heard = yield Send(call)
        tried += 1
        error, unsent = None, False
        match heard.reply:
            case Reply(status) as reply if status == 304 and "If-None-Match" in call.headers:
                return reply, {}
            case Reply() as reply:
                found = replies.data_of(reply)
                if not isinstance(found, GatewayError):
                    return reply, found
                error = found
            case Broken(why, unsent):
                error = UnreachableError(f"no gateway answers: {why}")
            case Fetched() | None:
                raise AssertionError("a call is answered by a reply")
            case _:
                assert_never(heard.reply)
        error.idempotency_key = call.key
        seconds = pause(retries, call, error, tried, heard.chance, unsent=unsent)
        if seconds is None:
            raise error
        yield Pause(seconds)


def _away(error: GatewayError, now: float, seen: float, retries: Retries) -> float:
    """The seconds to leave a gateway alone that did not tell the state; the error itself when that is no use."""
    if not error.retryable or now - seen > _PATIENCE:
        raise error
    asked = getattr(error, "retry_after", None)
    if asked is not None and asked > retries.longest:
        raise error
    return float(asked) if asked is not None else min(_MOST, max(_LEAST, (now - seen) / 4))


def _next(elapsed: float) -> float:
    return min(_MOST, max(_LEAST, elapsed * _SHARE))


def _ended(generation: Generation) -> Generation:
    match generation.status:
        case Status.SUCCEEDED:
            return generation
        case Status.FAILED:
            raise GenerationFailedError(generation)
        case Status.CANCELED:
            raise GenerationCanceledError(generation)
        case Status.PENDING | Status.PROCESSING:
            raise AssertionError("a generation under way has not ended")
        case _:
            assert_never(generation.status)
