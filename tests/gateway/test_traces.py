"""What a caller says of its trace, and what is made of that without anybody who records."""

from __future__ import annotations

import asyncio

import pytest

from gateway import log, traces
from gateway.traces import Parent
from gateway.traces.exporting import Wanted, wanted

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"
OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("sent", "state", "found"),
    [
        ([GOOD], [], Parent(TRACE, SPAN, 1, remote=True)),
        ([f" {GOOD}\t"], [], Parent(TRACE, SPAN, 1, remote=True)),
        ([f"00-{TRACE}-{SPAN}-fe"], [], Parent(TRACE, SPAN, 0, remote=True)),
        ([f"cc-{TRACE}-{SPAN}-01-what-will-be"], [], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD], ["a=1", " ", "b=2"], Parent(TRACE, SPAN, 1, "a=1,b=2", remote=True)),
        ([GOOD], ["a=" + "x" * 600], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD], ["a=\x01"], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD], ["a=1,a=2"], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD], ["a=1,,B=2"], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD], ["a=1 , t@v=x y,"], Parent(TRACE, SPAN, 1, "a=1,t@v=x y", remote=True)),
        ([GOOD], [",".join(f"k{n}=1" for n in range(33))], Parent(TRACE, SPAN, 1, remote=True)),
        ([GOOD, GOOD], [], None),
        ([], ["a=1"], None),
        ([""], [], None),
        ([GOOD.upper()], [], None),
        ([f"{GOOD}-more"], [], None),
        ([f"ff-{TRACE}-{SPAN}-01"], [], None),
        ([f"00-{'0' * 32}-{SPAN}-01"], [], None),
        ([f"00-{TRACE}-{'0' * 16}-01"], [], None),
        ([f"00-{TRACE}-{SPAN}"], [], None),
        ([f"00-{TRACE}-{SPAN}-0１"], [], None),
        (["x" * 100_000], [], None),
    ],
)
def test_what_a_caller_may_say(sent: list[str], state: list[str], found: Parent | None) -> None:
    """A trace is taken where it is said once and as the standard has it; what cannot be one is as if nothing was said."""
    assert traces.read(sent, state) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, None),
        (OTLP, Wanted("http/protobuf", prompts=False)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}, Wanted("http/protobuf", prompts=False)),
        ({**OTLP, "OTEL_SDK_DISABLED": "TRUE"}, None),
        ({**OTLP, "OTEL_SDK_DISABLED": "false"}, Wanted("http/protobuf", prompts=False)),
        ({**OTLP, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({**OTLP, "OTEL_TRACES_EXPORTER": "otlp,console"}, Wanted("http/protobuf", prompts=False)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
        ({"OTEL_SERVICE_NAME": "x"}, None),
        ({**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Wanted("grpc", prompts=False)),
        (
            {**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            Wanted("http/protobuf", prompts=False),
        ),
        ({**OTLP, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}, Wanted("http/protobuf", prompts=True)),
        ({**OTLP, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "event_only"}, Wanted("http/protobuf", prompts=False)),
    ],
)  # fmt: skip
def test_the_standard_variables_say_whether(said: dict[str, str], found: Wanted | None) -> None:
    """A place to send to turns it on, unless something turns it off; prompts are a wish of their own."""
    assert wanted(said) == found


@pytest.mark.parametrize("protocol", ["http/json", "carrier-pigeon"])
async def test_a_protocol_there_is_no_exporter_for_records_nothing(protocol: str) -> None:
    """It is told in the log, and the gateway goes on."""
    async with traces.opened({**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}, "0"):
        assert traces.begin("work") is traces.NOTHING


def test_nobody_who_records_makes_every_span_the_same() -> None:
    """There is one object for all, and nothing is sent to anybody."""
    assert traces.begin("work") is traces.begin("more") is traces.NOTHING
    with traces.begin("work") as span:
        span.note({"a": 1})
        span.event("b")
        span.failed("c")
        assert (span.is_recorded, traces.exemplar(), dict(traces.headers())) == (False, None, {})


async def test_work_goes_on_with_what_was_kept() -> None:
    """What is kept of a request is all that later work needs; tasks that are begun from it belong to the same."""

    async def later() -> tuple[dict[str, object], dict[str, str]]:
        return dict(log.here()), dict(traces.headers())

    parent = Parent(TRACE, SPAN, 1, "a=1", remote=True)
    with traces.begin("request", traces.Side.SERVER, parent), log.bound(request="req_1"):
        kept = dict(traces.kept())
    assert kept == {"request": "req_1", "traceparent": GOOD, "tracestate": "a=1"}
    assert (dict(traces.headers()), dict(log.here())) == ({}, {})

    async def work() -> None:
        traces.take_up("gen_1", kept)
        ids, headers = await asyncio.create_task(later())
        assert ids == {"request": "req_1", "generation": "gen_1", "trace_id": TRACE}
        assert headers == {"traceparent": GOOD, "tracestate": "a=1"}
        assert dict(traces.headers(state=False)) == {"traceparent": GOOD}
        assert traces.exemplar() == {"trace_id": TRACE, "span_id": SPAN}
        traces.take_up(None, {})
        assert (await later()) == ({}, {})

    await asyncio.create_task(work())
    assert (dict(traces.headers()), dict(log.here())) == ({}, {})
