"""Traces: what was done for one request, as a tree of spans, for those who collect them by OpenTelemetry.

- `parent`     the trace and the span that work is done for, as W3C Trace Context writes them
- `span`       a stretch of work, and the one under way at this place; nothing at all unless somebody records
- `origin`     the request and the trace that a generation comes from, as they are kept with it
- `exporting`  whether traces are wanted, by OpenTelemetry's own variables
- `sdk`        spans recorded and sent; the only file that imports OpenTelemetry

Who calls it: the app opens it; requests, plans, attempts, outputs and deliveries begin spans. What their attributes are called
is said where they are made, in the files named `traced`. It must not know what the spans mean.

Decided because
- Off is the usual case: nothing is imported then, and a span is one object for all.
- A generation outlives its request and its process. So a span knows what it is done for by the ids that are written down with
  the generation, never by an object that was in memory.
- Without the extra, the trace of a caller goes on all the same: what is called for it is told of it.
"""

from gateway.traces.exporting import opened
from gateway.traces.origin import NOWHERE, Origin, kept, parent_of, take_up
from gateway.traces.parent import Parent, read
from gateway.traces.span import NOTHING, Side, Span, Values, begin, exemplar, headers, here, tells_prompts, use

__all__ = [
    "NOTHING",
    "NOWHERE",
    "Origin",
    "Parent",
    "Side",
    "Span",
    "Values",
    "begin",
    "exemplar",
    "headers",
    "here",
    "kept",
    "opened",
    "parent_of",
    "read",
    "take_up",
    "tells_prompts",
    "use",
]
