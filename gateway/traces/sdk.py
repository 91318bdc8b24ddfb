"""Spans recorded and sent: the only file that imports OpenTelemetry, and itself imported only where traces are wanted."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType, TracebackType
from typing import Any, Self

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)

from gateway import log
from gateway.traces.parent import Parent
from gateway.traces.span import Begin, Placed, Side, Span, Value, Values

# The first comes with the extra; whoever wants the other installs it beside.
_EXPORTERS = MappingProxyType(
    {
        "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "grpc": "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
    }
)
_UNNAMED = "unknown_service"  # how the SDK begins the name of what nobody named
_LONGEST = 8192  # characters of one value; what is worth more is in the record of the generation
_KINDS = MappingProxyType(
    {Side.SERVER: SpanKind.SERVER, Side.CLIENT: SpanKind.CLIENT, Side.INTERNAL: SpanKind.INTERNAL}
)


class Recorded(Placed):
    """A span that is recorded, unless the sampler leaves it out."""

    __slots__ = ("_is_named", "_is_told", "_span")

    def __init__(self, span: Any) -> None:
        """Carry a span of the SDK that has begun."""
        context = span.get_span_context()
        state = context.trace_state.to_header()
        super().__init__(
            Parent(f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags) & 1, state)
        )
        self._span = span
        self._is_named = self._is_told = False

    @property
    def is_recorded(self) -> bool:
        """Whether what is said of it is kept; one that has ended takes no more."""
        return bool(self._span.is_recording())

    def __enter__(self) -> Self:
        """Begin."""
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End. A stop of the process, or a caller who hangs up, is told as an event: it is nobody's failure."""
        super().__exit__(kind, error, trace)
        if isinstance(error, Exception) and not self._is_told:
            self.failed(type(error).__name__)
        elif error is not None and not isinstance(error, Exception):
            self.event("interrupted")
        self._span.end()

    def rename(self, name: str, *, passing: bool = False) -> None:
        """Name it by what it turned out to be."""
        if self.is_recorded and not (passing and self._is_named):
            self._is_named = not passing
            self._span.update_name(name)

    def note(self, values: Values) -> None:
        """Say more of it."""
        if self.is_recorded:
            self._span.set_attributes(_fit(values))

    def event(self, name: str, values: Values = MappingProxyType({})) -> None:
        """Say what happened in it just now."""
        if self.is_recorded:
            self._span.add_event(name, _fit(values))

    def failed(self, kind: str, said: str = "") -> None:
        """Say that it came to nothing."""
        if self.is_recorded:
            self._is_told = True
            self._span.set_attribute("error.type", kind)
            self._span.set_status(Status(StatusCode.ERROR, log.excerpt(said, _LONGEST) or None))


def _fit(values: Values) -> dict[str, Value]:
    """Leave out what is not known, and strike out what nobody may see."""
    return {name: _shown(value) for name, value in values.items() if value is not None}


def _shown(value: Value) -> Value:
    if isinstance(value, str):
        return log.excerpt(value, _LONGEST)
    if isinstance(value, bool | int | float):
        return value
    return [log.excerpt(each, _LONGEST) for each in value]


def provider(version: str, exporter: Any) -> TracerProvider:
    """What makes spans and sends them by `exporter`; what it samples and calls itself is for the standard variables to say."""
    resource = Resource.create({SERVICE_VERSION: version})
    if str(resource.attributes.get(SERVICE_NAME, _UNNAMED)).startswith(_UNNAMED):
        resource = resource.merge(Resource({SERVICE_NAME: "tidegate"}))
    made = TracerProvider(resource=resource, shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


class Once:
    """An exporter that may be told to stop twice: by whoever waits no longer, and by the processor that still tries."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Send by this one."""
        self._exporter = exporter
        self._is_over = False

    def export(self, spans: Any) -> Any:
        """Send spans, in a thread of the processor's."""
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        """Try no more."""
        if not self._is_over:
            self._is_over = True
            self._exporter.shutdown()


def exporter(protocol: str) -> Once:
    """What sends by a protocol of OTLP, to where the standard variables say; ImportError where it is not installed."""
    module = _EXPORTERS.get(protocol)
    if module is None:
        raise ImportError(f"there is no protocol {protocol}; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    return Once(import_module(module).OTLPSpanExporter())


def beginning(made: TracerProvider, version: str) -> Begin:
    """Begin spans of this provider."""
    tracer: Tracer = made.get_tracer("tidegate", version)

    def begin(name: str, side: Side, parent: Parent | None) -> Span:
        above = _context(parent) if parent is not None else _NO_CONTEXT
        context = set_span_in_context(NonRecordingSpan(above), Context())
        return Recorded(tracer.start_span(name, context=context, kind=_KINDS[side]))

    return begin


_NO_CONTEXT = SpanContext(0, 0, is_remote=False)


def _context(parent: Parent) -> SpanContext:
    return SpanContext(
        int(parent.trace, 16),
        int(parent.span, 16),
        is_remote=parent.remote,
        trace_flags=TraceFlags(parent.flags),
        trace_state=TraceState.from_header([parent.state]) if parent.state else None,
    )
