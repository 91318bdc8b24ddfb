"""What the log and the traces are told of requests and plans."""

from __future__ import annotations

from aiohttp import web

from gateway import log, traces
from gateway.attempts.traced import OPERATION, asked
from gateway.ingress.weigh import Weighed
from gateway.ledger.generations import NewGeneration
from gateway.traces import NOTHING, Side, Span

# Asked for every few seconds by whoever watches: they would be most of what is recorded, and tell nothing.
_WATCHED = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


def begun(request: web.Request) -> Span:
    """The span of a request, to be entered; below what its caller says it is done for."""
    if request.path in _WATCHED:
        return NOTHING
    headers = request.headers
    parent = None
    if "traceparent" in headers:
        parent = traces.read(headers.getall("traceparent"), headers.getall("tracestate", []))
    return traces.begin(request.method, Side.SERVER, parent)


def ids(request_id: str, span: Span) -> dict[str, str]:
    """What the log names within a request."""
    return {"request": request_id, **({"trace_id": span.parent.trace} if span.parent is not None else {})}


def answered(span: Span, endpoint: str, status: int, code: str, *, request_id: str, account: str | None) -> None:
    """Tell how a request was answered: `endpoint` is its method and path without what varies, `code` empty for a success."""
    method, _, route = endpoint.partition(" ")
    span.rename(endpoint if route else method, passing=True)
    span.note(
        {
            "http.request.method": method,
            "http.route": route or None,
            "http.response.status_code": status,
            "gateway.request.id": request_id,
            "gateway.account": account,
            "gateway.error.code": code or None,
        }
    )
    if status >= 500:  # a refusal is the caller's own
        span.failed(code or str(status))


def planned(span: Span, weighed: Weighed) -> None:
    """Tell what was decided."""
    excluded = [f"{each.provider}: {each.why.value}" for each in weighed.plan.excluded]
    span.note(
        {
            "gen_ai.request.model": weighed.menu.model,
            "gateway.route": weighed.rules.strategy.value,
            "gateway.plan": [step.provider for step in weighed.plan.steps],
            "gateway.excluded": excluded or None,
        }
    )


def accepted(new: NewGeneration, weighed: Weighed, key_id: str | None, *, begun: bool) -> None:
    """Tell that a request became a generation: from here on each is found by the other.

    Of one that has `begun` with it, what comes of its first attempt is told right after.
    """
    level: log.Level = "debug" if begun else "info"
    with log.bound(generation=new.id, **({"key_id": key_id} if key_id is not None else {})):
        order = list(new.order)
        log.event(
            "generation_accepted", level=level, kind=new.kind.value, model=new.model, account=new.account, order=order
        )
    span = traces.here()
    if span.is_recorded:
        span.rename(f"{OPERATION} {new.model}")
        span.note(asked(new.kind.value, new.model, weighed.fields))
        span.note({"gateway.generation.id": new.id})


def replayed(generation: str) -> None:
    """Tell that a request was answered with what was begun before."""
    traces.here().note({"gateway.generation.id": generation, "gateway.replayed": True})
