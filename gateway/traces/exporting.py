"""Whether traces are wanted, and where to: by OpenTelemetry's own variables, so that there is nothing of ours to set."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from gateway import log
from gateway.traces.span import Begin, use

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_IN_SPANS = frozenset({"true", "span_only", "span_and_event"})
_SHORTEST_SECRET = 16  # characters of a header's value; what is shorter is a word such as a tenant's name
_LAST = 3.0  # seconds that what was recorded last gets to be sent when the process stops


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where traces are sent to: a protocol of OTLP; `prompts` says that the words of callers may be in them."""

    protocol: str
    prompts: bool


def wanted(environ: Mapping[str, str]) -> Wanted | None:
    """What the variables ask for; None where they name no place, or say that nothing is to be sent."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    exporters = [each.strip().lower() for each in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if each.strip()]
    if (exporters and "otlp" not in exporters) or _first(environ, _ENDPOINTS) is None:
        return None
    said = environ.get(_CONTENT, "").strip().lower()
    return Wanted(_first(environ, _PROTOCOLS) or "http/protobuf", said in _IN_SPANS)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := environ.get(name, "").strip())), None)


@asynccontextmanager
async def opened(environ: Mapping[str, str], version: str, last: float = _LAST) -> AsyncIterator[None]:
    """Record and send what is done meanwhile, if that is wanted; on leaving, send what is left, for `last` s at the most."""
    asked = wanted(environ)
    made = await asyncio.to_thread(_made, asked, environ, version) if asked is not None else None
    if asked is None or made is None:
        yield
        return
    provider, exporter, begin = made
    use(begin, prompts=asked.prompts)
    log.event("tracing", protocol=asked.protocol, prompts=asked.prompts)
    try:
        yield
    finally:
        use(None)
        await _ended(provider.shutdown, exporter.shutdown, last)


def _made(asked: Wanted, environ: Mapping[str, str], version: str) -> tuple[Any, Any, Begin] | None:
    """The SDK's provider, its exporter, and what begins spans; None, and the log says why, where that cannot be."""
    for header in (_first(environ, (name,)) or "" for name in _HEADERS):
        for pair in header.split(","):
            value = unquote(pair.partition("=")[2].strip())
            if len(value) >= _SHORTEST_SECRET:
                log.register(value)
    try:
        sdk = importlib.import_module("gateway.traces.sdk")
        exporter = sdk.exporter(asked.protocol)
    except ImportError as error:
        log.event(
            "tracing_unavailable", level="warning", why=f"{error}; `pip install 'tidegate[otel]'` brings what it needs"
        )
        return None
    except (ValueError, OSError) as error:  # a variable that cannot be read, a certificate that is not there
        log.event("tracing_unavailable", level="warning", why=str(error))
        return None
    provider = sdk.provider(version, exporter)
    return provider, exporter, sdk.beginning(provider, version)


async def _ended(shutdown: Callable[[], None], give_up: Callable[[], None], last: float) -> None:
    """Wait for an end in a thread that keeps no process from ending."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        shutdown()
        with suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(over.set)

    threading.Thread(target=end, name="last spans", daemon=True).start()
    try:
        async with asyncio.timeout(last):
            await over.wait()
    except TimeoutError:
        give_up()  # it tries no more
        log.event("tracing_cut_off", level="warning", seconds=last)
