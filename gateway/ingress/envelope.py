"""The success and error envelopes, and what surrounds every answer.

Whatever happens to a request, its answer is JSON in one of two shapes, with a request id: a client that can read one error
can read all of them. What a handler raises is translated here and nowhere else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway import log
from gateway.clock import Clock, iso
from gateway.ingress import traced, wording
from gateway.ingress.body import check_coding
from gateway.ingress.callers import CALLER, STANDING
from gateway.ingress.dialect import DOOR, DOOR_OF, Door, Worded
from gateway.ingress.refusal import Refusal
from gateway.ledger.program import StoreBroken, StoreBusy, StoreFailed, StoreFull
from gateway.traces import Span

_STORE_WAIT = 2  # seconds after which a store that was busy or full is worth another try
_VERSION = "/v1"
_ALLOWED = (
    "authorization, content-type, idempotency-key, prefer, x-babysea-sdk-name, x-babysea-sdk-version, "
    "x-babysea-sdk-runtime, x-babysea-sdk-runtime-version"
)
_EXPOSED = (
    "idempotency-replayed, preference-applied, retry-after, x-ratelimit-limit, x-ratelimit-remaining, "
    "x-ratelimit-reset, x-request-id"
)
_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_PREFLIGHT_LIFE = 7200  # seconds; browsers keep none longer

# What every answer says; the name of the server is there so that the library does not put its version.
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Server": "tidegate"}

# What the router and the server refuse by themselves, by status; other client errors are invalid input.
_OF_STATUS = {
    404: ("not_found", "there is no such path"),
    405: ("method_not_allowed", "this path does not take this method"),
    408: ("request_timeout", "the request did not arrive in time"),
    413: ("payload_too_large", "the body is too large"),
    415: ("unsupported_media_type", "the type of the body is not accepted"),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered: by which endpoint, how, and to whom if that is known.

    `endpoint` is the method and the path without what varies, `code` is empty for a success. `at` in milliseconds since the
    epoch.
    """

    account: str | None
    endpoint: str
    status: int
    code: str
    seconds: float
    at: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    id: str
    clock: Clock


_STAMP: web.RequestKey[_Stamp] = web.RequestKey("stamp", _Stamp)
_CODE: web.ResponseKey[str] = web.ResponseKey("code", str)


def success(
    request: web.Request,
    message: str,
    data: Mapping[str, Any],
    *,
    beside: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Answer with `data`; `beside` stands next to it, for lists."""
    stamp = request[_STAMP]
    body = {
        "status": "success",
        "request_id": stamp.id,
        "message": message,
        "timestamp": iso(stamp.clock.now_ms()),
        "data": data,
        **(beside or {}),
    }
    return _json(body, 200, headers or {})


def refused(
    request: web.Request, refusal: Refusal, *, headers: Mapping[str, str] | None = None, status: int | None = None
) -> web.Response:
    """Answer with an error, in the words of the door the request came in by; `status` where it is not the table's."""
    stamp = request[_STAMP]
    if (door := request.get(DOOR)) is not None:
        response = _worded(request, refusal, door.words(refusal), headers or {}, status)
    else:
        body = {"status": "error", "request_id": stamp.id, "error": log.redacted(refusal.error())}
        response = _json(body, status or refusal.code.status, headers or {})
    response[_CODE] = refusal.code.code
    if refusal.code.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if refusal.code.status in {408, 413}:
        response.force_close()  # the rest of the body is not waited for
    if refusal.retry_after is not None:
        wait = max(1, refusal.retry_after)
        standing = request.get(STANDING)
        # The client library reads the wait only beside a limit; where nothing is limited there is none but "not before then".
        limit = standing.limit if standing is not None and standing.wait is not None else 1
        response.headers["Retry-After"] = str(wait)
        _put_limits(response, limit, 0, stamp.clock.now_ms() // 1000 + wait)
    return response


def middleware(clock: Clock, count: Callable[[Answered], None], random: Callable[[int], bytes]) -> Middleware:
    """Surround every handler: request id, headers, errors in the envelope, and a count of what was answered.

    It has to be the outermost. `random` gives so many random bytes.
    """

    @web.middleware
    async def surround(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        began = clock.monotonic()
        stamp = request[_STAMP] = _stamp(clock, random)
        if (door_of := request.app.get(DOOR_OF)) is not None and (door := door_of(request)) is not None:
            request[DOOR] = door
        with traced.begun(request) as span, log.bound(**traced.ids(stamp.id, span)):
            response = await _answer(request, handler)
            if not response.prepared:
                dress(request, response)
            caller = request.get(CALLER)
            answered = Answered(
                account=caller.account if caller else None,
                endpoint=_endpoint(request),
                status=response.status,
                code=response.get(_CODE, ""),
                seconds=clock.monotonic() - began,
                at=clock.now_ms(),
            )
            count(answered)
            if span.is_recorded:
                _told(span, answered, stamp.id)
        return response

    return surround


def _told(span: Span, answered: Answered, request_id: str) -> None:
    who, code = answered.account, answered.code
    traced.answered(span, answered.endpoint, answered.status, code, request_id=request_id, account=who)


class Outside:
    """Answers for what no handler ever sees: a request that cannot be read, or a connection that is not served."""

    def __init__(
        self,
        clock: Clock,
        count: Callable[[Answered], None],
        random: Callable[[int], bytes],
        door_of: Callable[[web.Request], Door | None] = lambda _request: None,
    ) -> None:
        """Count each answer by `count`; `random` gives so many random bytes, `door_of` whose words an answer is in."""
        self._door_of = door_of
        self._clock = clock
        self._count = count
        self._random = random

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Answer a request with an error, in the envelope of all others; its connection ends with it."""
        request[_STAMP] = _stamp(self._clock, self._random)
        if (door := self._door_of(request)) is not None:
            request[DOOR] = door
        headers = {"Allow": "GET, HEAD, POST, PATCH, DELETE"} if refusal.code.status == 405 else {}
        response = refused(request, refusal, headers=headers)
        response.force_close()
        dress(request, response)
        self._tell(refusal)
        return response

    def written(self, refusal: Refusal) -> bytes:
        """The whole answer as it goes over the line, for a connection that has no request."""
        stamp = _stamp(self._clock, self._random)
        body = json.dumps({"status": "error", "request_id": stamp.id, "error": refusal.error()}, separators=(",", ":"))
        status = HTTPStatus(refusal.code.status)
        waits = [] if refusal.retry_after is None else self._waits(max(1, refusal.retry_after))
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "Content-Type: application/json; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *waits,
            f"X-Request-Id: {stamp.id}",
            *(f"{name}: {value}" for name, value in _ALWAYS.items()),
            "Cache-Control: no-store",
        ]
        self._tell(refusal)
        return "\r\n".join([*head, "", body]).encode()

    def broke(self, request: web.Request, error: BaseException | None) -> web.Response:
        """Answer for a defect of ours outside of any handler."""
        request_id = self._random(9).hex()
        log.event("request_broke", level="error", request=request_id, endpoint="unknown", error=error)
        return self.refuse(
            request,
            Refusal("internal_error", f"the gateway failed on this request; its log tells more under {request_id}"),
        )

    def _waits(self, seconds: int) -> list[str]:
        limits = {"Limit": 1, "Remaining": 0, "Reset": self._clock.now_ms() // 1000 + seconds}
        return [f"Retry-After: {seconds}", *(f"X-RateLimit-{name}: {value}" for name, value in limits.items())]

    def _tell(self, refusal: Refusal) -> None:
        at = self._clock.now_ms()
        self._count(Answered(None, "unknown", refusal.code.status, refusal.code.code, 0.0, at))


def spelled(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """The same routes under every spelling that is accepted: with a slash at the end, and with `/v1` said twice.

    People paste base addresses that end in `/v1` into clients that add it themselves; and no answer of the API may be a
    redirect, which would turn a POST into a GET.
    """
    found: list[web.RouteDef] = []
    for route in routes:
        twice = _VERSION + route.path
        # A model's id reaches to the end of the path and takes the slash with it.
        ends = ("",) if route.path.endswith(":.+}") else ("", "/")
        paths = [path + end for path in (route.path, twice) for end in ends]
        found += [web.RouteDef(route.method, path, route.handler, route.kwargs) for path in paths]
    return found


def _stamp(clock: Clock, random: Callable[[int], bytes]) -> _Stamp:
    return _Stamp("req_" + base64.urlsafe_b64encode(random(21)).decode()[:26], clock)


async def _answer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if _is_preflight(request):
        headers = {
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": _taken_from_pages(request),
            "Access-Control-Max-Age": str(_PREFLIGHT_LIFE),
        }
        return web.Response(status=204, headers=headers)
    try:
        if request.body_exists:
            check_coding(request)  # here, so that it holds where no body is read too
        return await handler(request)
    except Refusal as refusal:
        return refused(request, refusal)
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        return _of_server(request, exc)
    except StoreFailed as exc:
        return _of_store(request, exc)
    except Exception as exc:  # noqa: BLE001 - the last door: it is logged, and the caller learns no more than that it happened
        return _of_defect(request, exc)


def _of_server(request: web.Request, exc: web.HTTPException) -> web.Response:
    if exc.status >= 500:
        return _of_defect(request, exc)
    name, said = _OF_STATUS.get(exc.status, ("invalid_input", "the request cannot be understood"))
    if exc.status == 404:
        said = f"there is no path {_short(request.path)}"
    if isinstance(exc, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(exc.allowed_methods))
        said = f"this path takes {allowed}, not {_short(request.method)}"
        return refused(request, Refusal(name, said), headers={"Allow": allowed})
    return refused(request, Refusal(name, said))


def _of_store(request: web.Request, exc: StoreFailed) -> web.Response:
    log.event("store_refused", level="error", request=request[_STAMP].id, error=exc)
    match exc:
        case StoreBusy():
            refusal = Refusal("overloaded", "the store is busy; try again", retry_after=_STORE_WAIT)
        case StoreFull():
            refusal = Refusal("overloaded", "the store is full; nothing was begun", retry_after=_STORE_WAIT)
        case StoreBroken():
            # Whether the last change was kept is known after a restart only, so nobody may simply repeat it.
            refusal = Refusal("storage_error", "the store failed", retryable=_is_repeatable(request))
        case _:
            refusal = Refusal("storage_error", "the store failed; nothing was begun", retry_after=_STORE_WAIT)
    return refused(request, refusal, status=503)


def _of_memory(request: web.Request, exc: MemoryError) -> web.Response:
    log.event("memory_exhausted", level="error", request=request[_STAMP].id, error=exc)
    said = "the gateway has no memory left for this request; try again"
    return refused(request, Refusal("overloaded", said, retry_after=_STORE_WAIT, retryable=_is_repeatable(request)))


def _of_defect(request: web.Request, exc: Exception) -> web.Response:
    if isinstance(exc, MemoryError):
        return _of_memory(request, exc)
    log.event("request_broke", level="error", request=request[_STAMP].id, endpoint=_endpoint(request), error=exc)
    said = f"the gateway failed on this request; its log tells more under {request[_STAMP].id}"
    return refused(request, Refusal("internal_error", said, retryable=_is_repeatable(request)))


def _is_repeatable(request: web.Request) -> bool:
    """Whether a client that repeats the request by itself can do no harm, however far it got."""
    return request.method != "POST" or "Idempotency-Key" in request.headers


def _is_preflight(request: web.Request) -> bool:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    return asks and _is_of_api(request)


def _is_of_api(request: web.Request) -> bool:
    return request.path.startswith(f"{_VERSION}/") or DOOR in request


def _taken_from_pages(request: web.Request) -> str:
    """The headers that a page of another origin may send: those of the API, and at the other doors what their clients ask for."""
    asked = request.headers.get("Access-Control-Request-Headers", "") if DOOR in request else ""
    more = [name for part in asked.split(",") if _HEADER_NAME.fullmatch(name := part.strip().lower())]
    return ", ".join(dict.fromkeys([*_ALLOWED.split(", "), *more]))


def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Put on the headers every answer has; whoever sends one piece by piece does so before the first."""
    headers, stamp = response.headers, request[_STAMP]
    headers["X-Request-Id"] = stamp.id
    standing = request.get(STANDING)
    if standing is not None and response.status < 400:  # an error with a limit and no wait is repeated at once
        _put_limits(response, standing.limit, standing.remaining, stamp.clock.now_ms() // 1000 + standing.reset)
    if standing is not None and DOOR in request:
        headers.update(wording.limits(standing))
    headers.update(_ALWAYS)
    headers.setdefault("Cache-Control", "no-store")
    if _is_of_api(request):
        # Any origin may ask: the credential is a header the page has to know, never a cookie the browser adds.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = _EXPOSED + (wording.EXPOSED if DOOR in request else "")


def _endpoint(request: web.Request) -> str:
    """The method and the path without what varies, so that endpoints can be counted."""
    resource = request.match_info.route.resource
    if resource is None:
        return "unknown"
    method = "GET" if request.method == "HEAD" else request.method
    path = resource.canonical.partition("/{")[0].rstrip("/")
    return f"{method} {path.removeprefix(_VERSION) if path.startswith(_VERSION * 2) else path}"


def _worded(
    request: web.Request, refusal: Refusal, worded: Worded, headers: Mapping[str, str], status: int | None
) -> web.Response:
    """An error as a door's clients read it."""
    worded = replace(worded, status=status or worded.status)
    origin = f"{request.scheme}://{request.host}"
    body = wording.problem(refusal, worded, request_id=request[_STAMP].id, origin=origin)
    text = json.dumps(log.redacted(body), separators=(",", ":"), allow_nan=False)
    told = {**headers, **wording.headers(refusal, worded)}
    return web.Response(text=text, status=worded.status, headers=told, content_type=worded.media)


def _put_limits(response: web.StreamResponse, limit: int, remaining: int, reset: int) -> None:
    response.headers["X-RateLimit-Limit"] = str(limit)
    response.headers["X-RateLimit-Remaining"] = str(remaining)
    response.headers["X-RateLimit-Reset"] = str(reset)


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> web.Response:
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"
