"""A generation's whole story, from the log by its id; and a measurement, to the trace it is an example of."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway import log, metrics
from tests.gateway.webhooks.receiver import receiving, until
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
DOWN = {"provider": "byteplus", "call": "submit", "do": "status", "status": 503}
OPEN = "application/openmetrics-text"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Log into a text, and leave the process's logging as it was."""
    root, ours = logging.getLogger(), logging.getLogger("gateway")
    before = root.handlers[:], root.level, ours.level
    written = io.StringIO()
    log.setup(format="json", level="debug", stream=written)
    yield written
    root.handlers[:], level, own = before
    root.setLevel(level)
    ours.setLevel(own)
    logging.captureWarnings(capture=False)


async def test_a_story_is_collected_from_the_log_by_its_id(tmp_path: Path, stream: io.StringIO) -> None:
    """Request, attempts, output, end and webhook name the generation, the request it came from, and the caller's trace."""
    async with receiving() as receiver:
        events = "generation.started, generation.completed"
        hook = f"webhooks: [{{url: '{receiver.origin}/hooks', secret: {SECRET}, events: [{events}]}}]\n"
        async with house(tmp_path, [DOWN], config=hook) as at:
            _, headers, said = await at.create(
                SEEDREAM, headers=CALLER, prompt="a seal", provider_order="byteplus, replicate"
            )
            generation = said["data"]["generation_id"]
            await at.end(generation)
            _, _, other = await at.create(SEEDREAM, prompt="a walrus", provider_order="replicate")
            await at.end(other["data"]["generation_id"])
            await until(lambda: len(receiver.got) == 4)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        story = [line for line in lines if line.get("generation") == generation]

    told = [(line["event"], line.get("attempt")) for line in story]
    walked = [each for each in told if each[0] != "webhook_attempted"]
    assert walked == [
        ("generation_accepted", None),
        ("attempt_started", 1),
        ("attempt_failed", 1),
        ("attempt_started", 2),
        ("attempt_submitted", 2),
        ("attempt_finished", 2),
        ("generation_succeeded", None),
    ]
    assert {line["type"] for line in story if line["event"] == "webhook_attempted"} == {
        "generation.started",
        "generation.completed",
    }
    assert {(line["request"], line["trace_id"]) for line in story} == {(headers["X-Request-Id"], TRACE)}
    rest = [line for line in lines if line.get("generation") == other["data"]["generation_id"]]
    assert rest
    assert not any("trace_id" in line for line in rest)
    assert {line["request"] for line in rest} == {other["request_id"]}


async def _scraped(at: House, accept: str | None) -> tuple[str, str]:
    headers = {"Accept": accept} if accept is not None else {}
    async with at.client.get(f"{at.running.origin}/metrics", headers=headers) as answer:
        assert answer.status == 200
        return answer.headers["Content-Type"], await answer.text()


async def test_measurements_name_the_trace_they_are_examples_of(tmp_path: Path) -> None:
    """Requests, attempts and generations do, for whoever reads OpenMetrics; the plain text has no word for it."""
    async with house(tmp_path) as at:
        _, _, said = await at.create(SEEDREAM, headers=CALLER, prompt="a seal", provider_order="replicate")
        await at.end(said["data"]["generation_id"])
        kind, text = await _scraped(at, f"{OPEN};version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
        assert kind.startswith(f"{OPEN}; version=1.0.0")
        found: set[str] = set()
        for family in text_string_to_metric_families(text):
            found |= {family.name for sample in family.samples if _example(sample) == TRACE}
        assert found == {
            "tidegate_http_request_duration_seconds",
            "tidegate_attempt_duration_seconds",
            "tidegate_generation_duration_seconds",
        }
        _, plain = await _scraped(at, None)
        assert TRACE not in plain
        assert plain.rstrip().splitlines()[-1] != "# EOF"


@pytest.mark.parametrize(
    ("accept", "is_open"),
    [
        (None, False),
        ("*/*", False),
        ("text/html", False),
        (OPEN, True),
        (f"{OPEN}; version=1.0.0; charset=utf-8", True),
        (f"{OPEN};version=nonsense;q=0.75,text/plain;q=0.5", True),
        (f"text/plain,{OPEN};q=0.9", False),
        (f"{OPEN};q=0", False),
        (f"{OPEN};q=nan", False),
        (f"{OPEN};q=", False),
        (",;,;q=1,", False),
    ],
)
def test_what_a_scraper_accepts_is_what_it_gets(accept: str | None, *, is_open: bool) -> None:
    """Whatever is said, it is answered, in the one format or the other."""
    text, kind = metrics.render(accept or "")
    assert kind.startswith(OPEN if is_open else "text/plain; version=0.0.4")
    assert text.endswith(b"# EOF\n") is is_open


def _example(sample: Any) -> str | None:
    return sample.exemplar.labels.get("trace_id") if sample.exemplar else None
