"""One request is one trace: over plan, attempts, outputs and webhooks, over a failover and over a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway import app, settings, traces
from gateway.simulators import Simulators
from tests.gateway.webhooks.receiver import Receiver, receiving, until
from tests.house.tree import ROOT
from tests.story.collector import Collector, Seen, collecting
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
VIDEO = "video/bytedance/seedance-1-pro"
PROMPT = "a walrus nobody may read of"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "shop=1"}
DOWN = {"provider": "byteplus", "call": "submit", "do": "status", "status": 503}
ORDER = {"prompt": PROMPT, "provider_order": "byteplus, replicate"}
ATTEMPT = "generate_content bytedance/seedream-4.5"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Somebody who collects traces."""
    async with collecting() as made:
        yield made


@pytest.fixture
def variables(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an operator sets; the SDK reads some of it by itself."""
    said = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.origin,
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=c0llector-secret-1",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    return said


def hook(receiver: Receiver) -> str:
    """A policy with one endpoint, for what begins and what ends well."""
    events = "generation.started, generation.completed, generation.canceled"
    return f"webhooks: [{{url: '{receiver.origin}/s3cret-path', secret: {SECRET}, events: [{events}]}}]\n"


async def one(at: House, *, path: str = SEEDREAM, headers: Mapping[str, str] = CALLER, **body: Any) -> str:
    """Create a generation and wait for its end; its id."""
    _, _, said = await at.create(path, headers=headers, **(body or ORDER))
    await at.end(said["data"]["generation_id"])
    return said["data"]["generation_id"]


def request_of(collector: Collector) -> Seen:
    """The span of the request that was created by."""
    [found] = [span for span in collector.spans if span.kind == "SERVER" and span.name.startswith("generate_content")]
    return found


async def test_a_failover_and_its_webhooks_are_one_tree(
    tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    """Below the caller's span is the request, and below that the plan, both attempts with the output, and each delivery."""
    async with receiving() as receiver, house(tmp_path, [DOWN], config=hook(receiver), also=variables) as at:
        generation = await one(at)
        await until(lambda: len(receiver.got) == 2)
        await collector.until(lambda: sum(span.name.startswith("webhook ") for span in collector.spans) == 2)
        vendors = {seen.provider: seen.headers for seen in at.sims.log if seen.call == "submit"}

    request = request_of(collector)
    assert (request.trace, request.parent, request.failed) == (TRACE, SPAN, False)
    assert request.at["http.route"] == "/v1/generate/image"
    assert request.at["gateway.generation.id"] == generation
    below = {span.name: span for span in collector.below(request)}
    assert set(below) == {"plan", ATTEMPT, "webhook generation.started", "webhook generation.completed"}
    assert below["plan"].at["gateway.plan"][:2] == ["byteplus", "replicate"]

    first, second = sorted(collector.below(request), key=lambda span: span.at.get("gateway.attempt.number", 9))[:2]
    assert (first.kind, first.failed, first.at["error.type"]) == ("CLIENT", True, "overloaded")
    assert first.at["gen_ai.response.finish_reasons"] == ["error"]
    assert first.events == ("submit",)
    assert not second.failed
    assert {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "replicate",
        "gen_ai.request.model": "bytedance/seedream-4.5",
        "gen_ai.output.type": "image",
        "gen_ai.response.finish_reasons": ["stop"],
        "server.address": "127.0.0.1",
        "gateway.attempt.number": 2,
        "gateway.failover.reason": "overloaded",
        "gateway.generation.id": generation,
    }.items() <= second.at.items()
    assert second.at["gen_ai.response.id"]
    assert second.at["gateway.cost.usd"] > 0
    assert set(second.events) >= {"submit", "status"}
    [output] = collector.below(second)
    assert (output.name, output.at["gateway.output.type"]) == ("store output", "image/jpeg")
    assert output.at["gateway.output.bytes"] > 0
    assert vendors["byteplus"]["traceparent"] == f"00-{TRACE}-{first.id}-01"
    assert vendors["replicate"]["traceparent"] == f"00-{TRACE}-{second.id}-01"
    assert not any("tracestate" in {name.lower() for name in headers} for headers in vendors.values())
    told = {each.headers["traceparent"].split("-")[2]: each.headers["tracestate"] for each in receiver.got}
    assert told == {span.id: "shop=1" for span in below.values() if span.name.startswith("webhook")}
    assert collector.resources[0]["service.name"] == "tidegate"
    assert collector.resources[0]["deployment.environment.name"] == "test"


async def test_nothing_that_nobody_may_see_is_in_it(
    tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    """No prompt, no credential, no signed address and no path of a receiver; probes are not recorded at all."""
    async with receiving() as receiver, house(tmp_path, [DOWN], config=hook(receiver), also=variables) as at:
        generation = await one(at)
        await until(lambda: len(receiver.got) == 2)
        await at.ask("GET", f"/v1/content/{generation}")
        async with at.client.get(f"{at.running.origin}/readyz") as answer:
            assert answer.status == 200
        secrets = list(at.sims.secrets.values())
    await collector.until(lambda: bool(collector.named("GET /v1/content")))
    assert collector.headers[0]["api-key"] == "c0llector-secret-1"
    for secret in [*secrets, PROMPT, SECRET, "s3cret-path", "c0llector-secret-1", "/outputs/", "readyz"]:
        assert secret.encode() not in collector.raw, secret


async def test_prompts_are_told_to_who_asks_for_them(
    tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    """By the variable that the conventions have for it."""
    also = {**variables, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
    async with house(tmp_path, also=also) as at:
        await one(at)
        await collector.until(lambda: len(collector.named(ATTEMPT)) == 2)
    for span in collector.named(ATTEMPT):
        [said] = json.loads(span.at["gen_ai.input.messages"])
        assert said == {"role": "user", "parts": [{"type": "text", "content": PROMPT}]}


async def test_a_restart_goes_on_with_the_trace(
    tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    """An attempt that is taken up by the next process, and the webhook about it, are below the request of the one before."""
    sims = Simulators(video_seconds=60)
    await sims.start()
    async with receiving() as receiver:
        bases = "".join(f"  {name}: {{base: {base}}}\n" for name, base in sims.bases.items())
        (tmp_path / "config.yaml").write_text(
            "listen: 127.0.0.1:0\nstore: sqlite:story.db\nauth: none\n"
            f"egress: {{allow: [127.0.0.0/8]}}\nproviders:\n{bases}{hook(receiver)}"
        )
        environ = {**sims.secrets, **variables}

        async def begin(at: House) -> str:
            _, _, said = await at.create(VIDEO, headers=CALLER, prompt="waves", duration=5, provider_order="replicate")
            await at.until(lambda: bool(at.sims.jobs("replicate")))
            await until(lambda: len(receiver.got) == 1)
            return said["data"]["generation_id"]

        async def cancel(at: House, generation: str) -> None:
            await at.until(lambda: sum(seen.call == "status" for seen in sims.log) > looks)
            await at.ask("POST", f"/v1/content/generation/cancel/{generation}")
            await until(lambda: len(receiver.got) == 2)

        try:
            async with _serving(tmp_path, environ, sims) as at:
                generation = await begin(at)
            looks = sum(seen.call == "status" for seen in sims.log)
            async with _serving(tmp_path, environ, sims) as at:
                await cancel(at, generation)
        finally:
            await sims.close()

    request = request_of(collector)
    tries = [span for span in collector.below(request) if "gateway.attempt.number" in span.at]
    assert [(span.at["gateway.attempt.number"], span.at.get("gateway.attempt.resumed")) for span in tries] == [
        (1, None),
        (1, True),
    ]
    assert "interrupted" in tries[0].events
    assert tries[1].at["gen_ai.response.finish_reasons"] == ["canceled"]
    assert {"webhook generation.started", "webhook generation.canceled"} <= {
        span.name for span in collector.below(request)
    }


@pytest.mark.parametrize(("sampler", "spans"), [("always_off", 0), ("parentbased_always_on", 0), ("always_on", 1)])
async def test_the_sampler_is_the_sdks(
    tmp_path: Path,
    collector: Collector,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    sampler: str,
    spans: int,
) -> None:
    """What is recorded is said by the standard variable, and by the caller's flag where that is heeded."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    unsampled = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    async with house(tmp_path, also=variables) as at:
        await one(at, headers=unsampled)
        trace = {seen.headers["traceparent"].split("-")[1] for seen in at.sims.log if seen.call == "submit"}
    assert trace == {TRACE}
    assert len([span for span in collector.spans if span.kind == "SERVER" and span.name.startswith("gen")]) == spans


async def test_without_the_extra_the_callers_trace_goes_on(tmp_path: Path) -> None:
    """Nothing is recorded, and whoever is called for a request is told of the trace its caller named."""
    async with receiving() as receiver, house(tmp_path, config=hook(receiver)) as at:
        await one(at)
        await until(lambda: len(receiver.got) == 2)
        assert {seen.headers["traceparent"] for seen in at.sims.log if seen.call == "submit"} == {CALLER["traceparent"]}
        for got in receiver.got:
            assert {name: got.headers[name] for name in CALLER} == CALLER
        before = len(at.sims.log)
        await one(at, headers={})
        assert not any("traceparent" in seen.headers for seen in list(at.sims.log)[before:])


_OFF = """
import asyncio, sys
from gateway import __main__, app, settings
if sys.argv[1] == "missing":
    sys.modules["opentelemetry"] = None
from gateway import log
log.setup(format="json")
async def main():
    environ = {} if sys.argv[1] == "off" else {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    if sys.argv[1] == "disabled":
        environ["OTEL_SDK_DISABLED"] = "true"
    async with app.running(settings.load(None, {"TIDEGATE_LISTEN": "127.0.0.1:0"}), environ) as running:
        assert running.ready
asyncio.run(main())
print(sorted(name for name in sys.modules if name.startswith("opentelemetry") and sys.modules[name]))
"""


@pytest.mark.parametrize(("how", "warned"), [("off", False), ("disabled", False), ("missing", True)])
def test_nothing_is_imported_unless_it_is_wanted(tmp_path: Path, how: str, *, warned: bool) -> None:
    """Off, or switched off, costs nothing; wanted and not installed is said, with what to do, and the gateway serves."""
    done = subprocess.run(
        [sys.executable, "-c", _OFF, how],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert ("tracing_unavailable" in done.stderr) is warned
    assert ("tidegate[otel]" in done.stderr) is warned


async def test_a_collector_that_is_away_holds_nobody_up(
    collector: Collector, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be sent is lost, and the process ends in time."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    async with traces.opened(variables, "0", last=0.1):
        with traces.begin("work") as span:
            assert span.is_recorded
            assert span.parent is not None
    assert traces.begin("work") is traces.NOTHING


def _serving(folder: Path, environ: Mapping[str, str], sims: Simulators) -> Any:
    from contextlib import asynccontextmanager

    import aiohttp

    @asynccontextmanager
    async def serving() -> AsyncIterator[House]:
        async with (
            app.running(settings.load(folder / "config.yaml", environ), environ) as running,
            aiohttp.ClientSession() as client,
        ):
            yield House(running, sims, client, folder)

    return serving()
