"""What the log and the traces are told of generations and attempts: in whose names, and under which names of the conventions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from types import TracebackType
from urllib.parse import urlsplit

from gateway import log, traces
from gateway.artifacts.fault import OutputFault, StorageFault
from gateway.attempts.job import Job
from gateway.attempts.line import Target
from gateway.fault import Fault, FaultKind
from gateway.generation import Value
from gateway.ledger.records import ArtifactLike
from gateway.money import CREDIT
from gateway.outcome import Output
from gateway.routing.plan import Step
from gateway.traces import Side, Span, Values

_PROMPT = 4000  # characters of a prompt that are told, where they are wanted: whole, they are in the record
OPERATION = "generate_content"  # the conventions know no operation for pictures or videos


def context(job: Job) -> Context:
    """What a generation is run in: whichever request or restart began it, it logs and traces the same."""
    made = Context()
    made.run(traces.take_up, job.id, job.origin)
    return made


class Walked:
    """An attempt that is walked: within it each line names it, and what is recorded of it is at this place.

    A class and not a generator: there is one for every job that runs, and it keeps no frame.
    """

    __slots__ = ("_bound", "_span")

    def __init__(self, span: Span, n: int) -> None:
        """Stand for the attempt with this number."""
        self._span = span
        self._bound = log.bound(attempt=n)

    def __enter__(self) -> Span:
        """Begin."""
        self._span.__enter__()
        self._bound.__enter__()
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; an exception that comes through is what went wrong."""
        self._bound.__exit__()
        self._span.__exit__(kind, error, trace)


def walked(job: Job, step: Step, target: Target | None, n: int, *, resumed: bool) -> Walked:
    """Walk the attempt of a generation with this number, one that was `resumed` after a restart."""
    # Below the request, not below what is under way: a second job is begun from within the first.
    span = traces.begin(f"{OPERATION} {job.model}", Side.CLIENT, traces.parent_of(job.origin))
    if span.is_recorded:
        span.note(asked(job.kind.value, job.model, job.fields))
        span.note(_tried(job, step, target, n, resumed=resumed))
    return Walked(span, n)


def started(job: Job, step: Step) -> None:
    """Tell that an attempt goes out; of the first, what comes of it says enough."""
    level: log.Level = "debug" if job.n == 1 else "info"
    log.event("attempt_started", level=level, generation=job.id, attempt=job.n, provider=step.provider, model=job.model)


def asked(kind: str, model: str, fields: Mapping[str, Value]) -> Values:
    """What was asked for; the caller's words only where the operator wants them in traces."""
    count = fields.get("count", 1)
    found: dict[str, str | bool | int | float | None] = {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.request.model": model,
        "gen_ai.output.type": kind,
        "gen_ai.request.choice.count": count if isinstance(count, int) and count != 1 else None,
    }
    for name, field in (
        ("gen_ai.request.seed", "seed"),
        ("gateway.duration_s", "duration"),
        ("gateway.ratio", "ratio"),
    ):
        value = fields.get(field)
        found[name] = value if not isinstance(value, tuple) else None
    if traces.tells_prompts() and "prompt" in fields:
        said = {"role": "user", "parts": [{"type": "text", "content": str(fields["prompt"])[:_PROMPT]}]}
        found["gen_ai.input.messages"] = json.dumps([said], ensure_ascii=False)
    return found


def _tried(job: Job, step: Step, target: Target | None, n: int, *, resumed: bool) -> Values:
    there = urlsplit(target.site.base) if target is not None else None
    return {
        "gen_ai.provider.name": step.provider,
        "gen_ai.response.model": step.native,
        "server.address": there.hostname if there is not None else None,
        "server.port": there.port if there is not None else None,
        "gateway.generation.id": job.id,
        "gateway.attempt.number": n,
        "gateway.attempt.resumed": resumed or None,
        "gateway.attempt.beside": job.lead is not None or None,
        "gateway.failover.reason": job.errors[-1].fault.kind.value if job.errors and job.lead is None else None,
    }


def ended(span: Span, outcome: str, fault: Fault | None) -> None:
    """Tell what came of an attempt: `none` for a success, the kind of its fault, or a word for what else ended it."""
    if not span.is_recorded:
        return
    if fault is not None:
        finished = "content_filter" if fault.kind is FaultKind.CONTENT_BLOCKED else "error"
        span.note({"gateway.fault.reach": fault.reach.value, "http.response.status_code": fault.status})
        span.failed(fault.kind.value, fault.message if traces.tells_prompts() or not fault.quoted else "")
    else:
        finished = "stop" if outcome == "none" else outcome
    span.note({"gen_ai.response.finish_reasons": [finished]})


def settled(captured: int, reported: int | None) -> None:
    """Tell what the attempt at this place was paid, in millionths, and what its provider counts."""
    span = traces.here()
    if span.is_recorded:
        cost = reported / CREDIT if reported is not None else None
        span.note({"gateway.cost.usd": captured / CREDIT, "gateway.cost.reported_usd": cost})


@contextmanager
def keeping(index: int, output: Output) -> Iterator[Span]:
    """Make one output ours; it is told from where, and never by which address: that may be signed."""
    with traces.begin("store output", Side.CLIENT) as span:
        if span.is_recorded:
            there = urlsplit(output.url) if output.url is not None and not output.url.startswith("data:") else None
            span.note({"gateway.output.index": index, "server.address": there.hostname if there is not None else None})
        try:
            yield span
        except OutputFault as fault:
            span.failed(fault.kind)
            raise
        except StorageFault:
            span.failed("storage")
            raise


def kept(span: Span, artifact: ArtifactLike) -> None:
    """Tell what was made ours."""
    if span.is_recorded:
        size = {"gateway.width": artifact.width, "gateway.height": artifact.height}
        span.note({"gateway.output.bytes": artifact.size, "gateway.output.type": artifact.type, **size})
