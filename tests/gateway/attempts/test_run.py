"""One plan walked to its end, on real wire formats."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.attempts.resume import resume
from gateway.generation import State
from gateway.ledger import generations
from gateway.outcome import AttemptState, Billing
from tests.gateway.attempts.bench import bench, faults, line

SEEDREAM = "bytedance/seedream-4.5"
SEEDANCE = "bytedance/seedance-1-pro"
EVERYBODY = ("byteplus", "replicate", "fal")


async def test_the_first_provider_serves_and_is_paid(tmp_path: Path) -> None:
    """The request ends with a stored output, one attempt, and the serving offer's price."""
    async with bench(tmp_path) as at:
        record = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal", ratio="16:9"))
        assert (record.state, record.provider_used, record.settled) == (State.SUCCEEDED, "byteplus", 40_000)
        [artifact] = record.artifacts
        stored = (tmp_path / "outputs" / artifact.uri.removeprefix("file:")).read_bytes()
        assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (artifact.sha256, artifact.size)
        assert (artifact.width, artifact.height) == (2848, 1600)
        assert await at.spent() == 40_000
        assert await at.sound() == []


async def test_each_vendor_gets_the_request_in_its_own_spelling(tmp_path: Path) -> None:
    """With the others down each vendor serves, and its far end saw exactly its own words."""
    seen = {}
    async with bench(tmp_path) as at:
        for provider in EVERYBODY:
            asked = {"prompt": "a seal", "ratio": "16:9", "images": ("https://example.com/r.jpg",)}
            record = await at.outcome(await at.begin(SEEDREAM, [provider], **asked))
            assert record.provider_used == provider, faults(record)
            seen[provider] = at.sims.jobs(provider)[-1].body
    assert seen["byteplus"]["size"] == "2848x1600"
    assert seen["byteplus"]["image"] == ["https://example.com/r.jpg"]
    assert seen["byteplus"]["watermark"] is False
    assert seen["replicate"]["input"] == {
        "prompt": "a seal",
        "image_input": ["https://example.com/r.jpg"],
        "size": "2K",
        "aspect_ratio": "16:9",
        "sequential_image_generation": "disabled",
    }
    assert seen["fal"]["image_urls"] == ["https://example.com/r.jpg"]
    assert seen["fal"]["image_size"] == {"width": 2848, "height": 1600}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"do": "status", "status": 503}, "overloaded"),
        ({"do": "status", "status": 429}, "rate_limited"),
        ({"do": "status", "status": 500}, "provider_error"),
        ({"do": "status", "status": 401}, "unauthorized"),
        ({"do": "drop_before"}, "provider_error"),
        ({"do": "drop_after"}, "provider_error"),
        ({"do": "html"}, "unreadable"),
        ({"do": "empty"}, "unreadable"),
        ({"do": "wrong_shape"}, "unreadable"),
    ],
)
async def test_a_failing_submit_leads_to_the_next_provider(tmp_path: Path, rule: dict, fault: str) -> None:
    """Whatever goes wrong while submitting, the next provider serves and the caller pays once."""
    async with bench(tmp_path, [{"provider": "byteplus", "call": "submit", **rule}]) as at:
        record = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal"))
        assert faults(record) == [("byteplus", fault), ("replicate", None)]
        assert record.provider_used == "replicate"
        assert await at.spent() == 40_000
        assert await at.sound() == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"call": "submit", "do": "fail"}, "provider_error"),
        ({"call": "submit", "do": "no_output"}, "unreadable"),
        ({"call": "output", "do": "output_404"}, "output_lost"),
        ({"call": "output", "do": "output_html"}, "output_lost"),
        ({"call": "output", "do": "output_truncated"}, "output_lost"),
    ],
)
async def test_a_job_that_comes_to_nothing_leads_to_the_next_provider(tmp_path: Path, rule: dict, fault: str) -> None:
    """A job that failed later, or whose output cannot be had, is followed by the next provider."""
    async with bench(tmp_path, [{"provider": "replicate", **rule}], times=100) as at:  # an output is fetched many times
        record = await at.outcome(await at.begin(SEEDREAM, ("replicate", "fal"), prompt="a seal"))
        assert faults(record) == [("replicate", fault), ("fal", None)]
        assert await at.spent() == 40_000
        assert await at.sound() == []


async def test_when_everybody_fails_the_credits_are_back(tmp_path: Path) -> None:
    """With all providers down the generation fails, names each provider's fault, and nothing is paid."""
    async with bench(tmp_path, [{"call": "submit", "do": "status", "status": 503}]) as at:
        record = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal"))
        assert record.state is State.FAILED
        assert record.error is not None
        assert (record.error["name"], record.error["retryable"]) == ("all_providers_failed", True)
        assert [error["provider"] for error in record.error["errors"]][:3] == list(EVERYBODY)
        assert await at.spent() == 0
        assert await at.sound() == []


async def test_refused_content_is_not_shown_to_another_provider(tmp_path: Path) -> None:
    """A refusal of the content ends the generation, unless the route says that others may be asked."""
    async with bench(tmp_path, [{"provider": "byteplus", "call": "submit", "do": "refuse_content"}]) as at:
        refused = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal"))
        assert refused.error is not None
        assert (refused.error["name"], faults(refused)) == ("content_refused", [("byteplus", "content_blocked")])
        followed = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal", _follow_refusal=True))
        assert followed.provider_used == "replicate"


async def test_a_dear_doubt_is_never_followed_by_a_second_job(tmp_path: Path) -> None:
    """When a job may have begun and paying twice costs more than the policy allows, nobody else is asked."""
    async with bench(tmp_path, [{"provider": "byteplus", "call": "submit", "do": "drop_after"}]) as at:
        record = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal", _in_doubt_max_cost=10_000))
        assert record.error is not None
        assert (record.error["name"], record.error["retryable"]) == ("submit_in_doubt", False)
        [attempt] = record.attempts
        assert (attempt.state, attempt.billing) == (AttemptState.IN_DOUBT, Billing.POSSIBLE)
        assert await at.spent() == 0


async def test_no_more_attempts_than_the_policy_allows(tmp_path: Path) -> None:
    """With two attempts allowed the third provider is not asked."""
    async with bench(tmp_path, [{"call": "submit", "do": "status", "status": 500}]) as at:
        record = await at.outcome(await at.begin(SEEDREAM, EVERYBODY, prompt="a seal", _attempts=2))
        assert [provider for provider, _ in faults(record)] == ["byteplus", "replicate"]


async def test_a_video_is_watched_to_its_end(tmp_path: Path) -> None:
    """A queued job is looked at until it is done, and its film is stored."""
    async with bench(tmp_path) as at:
        for provider in EVERYBODY:
            generation = await at.begin(SEEDANCE, [provider], prompt="waves", duration=5, resolution="480p")
            record = await at.outcome(generation)
            assert (record.state, record.artifacts[0].type) == (State.SUCCEEDED, "video/mp4"), faults(record)
        assert await at.spent() == 3 * 121_500
        assert await at.sound() == []


async def test_cancelling_stops_the_job_at_the_provider_and_costs_nothing(tmp_path: Path) -> None:
    """A canceled generation is told to its provider, and its late result changes nothing."""
    async with bench(tmp_path, video=30) as at:
        generation = await at.begin(SEEDANCE, ["replicate"], prompt="waves", duration=5)
        while not (await at.store.read(generations.find_any(generation))).started:
            await at.clock.sleep(0.1)
        canceled = await at.store.write(generations.cancel("local", generation, at.clock.now_ms()))
        assert isinstance(canceled, generations.Canceled)
        assert await at.runs.cancel(generation) is True
        record = await at.outcome(generation)
        assert (record.state, record.attempts[0].state) == (State.CANCELED, AttemptState.ABANDONED)
        assert [job.state for job in at.sims.jobs("replicate")] == ["canceled"]
        assert await at.spent() == 0
        assert await at.sound() == []


async def test_a_restart_takes_up_the_job_it_finds(tmp_path: Path) -> None:
    """A process that dies while a job runs leaves all that the next one needs: the same job is watched to its end."""
    async with bench(tmp_path, video=1.0) as at:
        generation = await at.begin(SEEDANCE, ["fal"], prompt="waves", duration=5)
        while not (await at.store.read(generations.find_any(generation))).started:
            await at.clock.sleep(0.1)
        at.runs._jobs[generation].task.cancel()
        async with line(tmp_path, at.sims, at.store, at.packs, at.clock) as runs:
            assert await resume(at.store, runs) == 1
            await runs.wait(generation, 20)
        record = await at.outcome(generation)
        assert (record.state, len(record.attempts), len(at.sims.jobs())) == (State.SUCCEEDED, 1, 1)
        assert await at.sound() == []


async def test_a_restart_after_an_unanswered_submit_is_in_doubt(tmp_path: Path) -> None:
    """A process that dies between the request and the answer never repeats it: the next provider is asked."""
    async with bench(tmp_path, [{"provider": "byteplus", "call": "submit", "do": "delay", "seconds": 30}]) as at:
        generation = await at.begin(SEEDREAM, ["byteplus", "replicate"], prompt="a seal")
        while not at.sims.log:
            await at.clock.sleep(0.1)
        at.runs._jobs[generation].task.cancel()
        async with line(tmp_path, at.sims, at.store, at.packs, at.clock) as runs:
            await resume(at.store, runs)
            await runs.wait(generation, 20)
        record = await at.outcome(generation)
        assert faults(record) == [("byteplus", "timeout"), ("replicate", None)]
        assert record.attempts[0].state is AttemptState.IN_DOUBT
        assert await at.spent() == 40_000


async def test_fewer_outputs_than_asked_cost_their_share(tmp_path: Path) -> None:
    """With one of four pictures lost the caller pays for three."""
    lost = [{"call": "output", "do": "output_404", "after": 0, "times": 5}]
    async with bench(tmp_path, lost, times=100) as at:
        record = await at.outcome(await at.begin("bfl/flux-schnell", ["fal"], prompt="a seal", count=4))
        assert (record.state, len(record.artifacts), record.settled) == (State.SUCCEEDED, 3, 9_000)
        assert await at.spent() == 9_000
        assert await at.sound() == []
