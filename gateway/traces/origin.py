"""The request and the trace that a generation comes from: kept with it, and taken up by whatever is done for it later.

It is plain JSON, and lies in the pinned plan: what was done for a generation before a restart and after it tells of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway import log
from gateway.traces.parent import Parent, read
from gateway.traces.span import belong, here

Origin = Mapping[str, str]
NOWHERE: Origin = MappingProxyType({})


def kept() -> Origin:
    """What is to be kept of the request at this place: `request`, `traceparent`, `tracestate`, each where there is one."""
    found = {"request": str(request)} if (request := log.here().get("request")) is not None else {}
    parent = here().parent
    if parent is not None:
        found["traceparent"] = parent.header
        if parent.state:
            found["tracestate"] = parent.state
    return found


def parent_of(origin: Origin) -> Parent | None:
    """What the work of a generation is done for; None where it belongs to no trace."""
    found = read([origin["traceparent"]]) if "traceparent" in origin else None
    return Parent(found.trace, found.span, found.flags, origin.get("tracestate", "")) if found is not None else None


def take_up(generation: str | None, origin: Origin, attempt: int | None = None) -> None:
    """Do what comes from here on in this task for a generation, or for none: the log names it, and traces go on."""
    parent = parent_of(origin)
    ids = {
        "request": origin.get("request"),
        "generation": generation,
        "trace_id": parent.trace if parent else None,
        "attempt": attempt,
    }
    log.bind(**{name: value for name, value in ids.items() if value is not None})
    belong(parent)
