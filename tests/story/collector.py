"""A collector of traces, played: it takes what is sent over OTLP/HTTP and remembers the spans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class Seen:
    """A span as it was sent; ids in hexadecimal, `parent` empty for a root."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    failed: bool
    said: str
    at: Mapping[str, Any]
    events: tuple[str, ...]


@dataclass
class Collector:
    """What came in: the spans, the resources that sent them, and the raw bodies."""

    origin: str = ""
    spans: list[Seen] = field(default_factory=list)
    resources: list[Mapping[str, Any]] = field(default_factory=list)
    raw: bytes = b""
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take what is sent."""
        body = await request.read()
        self.raw += body
        self.headers.append(dict(request.headers))
        sent = ExportTraceServiceRequest.FromString(body)
        for of_resource in sent.resource_spans:
            self.resources.append(_values(of_resource.resource.attributes))
            for of_scope in of_resource.scope_spans:
                self.spans += [_seen(span) for span in of_scope.spans]
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    def named(self, name: str) -> list[Seen]:
        """The spans of a name, the earliest sent first."""
        return [span for span in self.spans if span.name == name]

    def below(self, above: Seen) -> list[Seen]:
        """The spans right below another."""
        return [span for span in self.spans if (span.trace, span.parent) == (above.trace, above.id)]

    async def until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until something holds of what came in."""
        for _ in range(int(seconds * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"it never came to hold of {[span.name for span in self.spans]}")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def _seen(span: Any) -> Seen:
    return Seen(
        name=span.name,
        kind=span.DESCRIPTOR.fields_by_name["kind"]
        .enum_type.values_by_number[span.kind]
        .name.removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        failed=span.status.code == 2,
        said=span.status.message,
        at=_values(span.attributes),
        events=tuple(event.name for event in span.events),
    )


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if which == "array_value" else getattr(value, which)
