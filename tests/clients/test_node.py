"""Clients that are programs of Node, unmodified, pointed as `tidegate env` says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clients import installed
from tests.clients.stage import Stage, stage, told

ALL_FAILED = "every provider failed: byteplus: overloaded"
WAYS = ("ai-sdk", "ai-sdk-compatible", "ai-sdk-fal", "ai-sdk-replicate")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of node/, with what they import beside them."""
    return installed.node(tmp_path_factory.mktemp("node"))


async def tell(programs: Path, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a program tells of its stories."""
    return await told("node", programs / name, json.dumps(asked), environ={})


def drawn(on: Stage, told: dict[str, Any], stories: dict[str, str]) -> None:
    """Each of these stories has its picture to the byte, made once by another vendor and paid for once."""
    for story, prompt in stories.items():
        assert on.holds(told[story]), story
        assert on.by(prompt) == [("succeeded", "byteplus", 1)], story


def failed(on: Stage, prompts: Sequence[str]) -> None:
    """What these asked for was tried once, and nothing is paid."""
    assert [on.by(prompt) for prompt in prompts] == [[("failed", None, 0)]] * len(prompts)


async def test_openai(programs: Path, tmp_path: Path) -> None:
    """Pictures, files sent as a stream, events, films and lists; two spoiled answers are one generation."""
    async with stage(tmp_path) as on:
        on.line.spoil = 2
        found = await tell(programs, "openai.mjs", {**on.pointing("openai"), "file": str(on.picture)})
        drawn(on, found, {"success": "a seal", "link": "a linked seal", "storm": "a seal in a storm"})
        assert [asked["x-stainless-retry-count"] for asked in on.line.asked] == ["0", "1", "2"]
        assert (found["failure"]["status"], found["failure"]["code"]) == (502, "all_providers_failed")
        assert ALL_FAILED in found["failure"]["message"]
        assert (found["forbidden"]["status"], found["forbidden"]["code"]) == (400, "moderation_blocked")
        failed(on, ["a broken seal", "a forbidden seal"])
        refused = found["refused"]
        assert (refused["status"], refused["code"], refused["param"]) == (400, "invalid_value", "n")
        assert on.by("a refused seal") == []
        assert on.is_large(found["large"])
        assert on.is_large(found["edited"])
        assert on.given == [on.sha256]
        assert found["models"] == {"known": True, "by": "bytedance"}
        assert found["film"]["status"] == "completed"
        assert on.holds(found["film"])
        assert found["stream"] == {"types": ["image_generation.completed"]}


async def test_replicate(programs: Path, tmp_path: Path) -> None:
    """Run, polled, by version, with a file and canceled; this client never sends what costs again by itself."""
    async with stage(tmp_path) as on:
        found = await tell(programs, "replicate.mjs", {**on.pointing("replicate-js"), "file": str(on.picture)})
        drawn(on, found, {"success": "a seal", "versioned": "a seal of a version"})
        assert found["success"]["kind"] == "FileOutput"
        assert found["polled"] == {"begun": "starting", "ended": "succeeded", "by": "byteplus"}
        assert f"Prediction failed: {ALL_FAILED}" in found["failure"]["message"]
        assert "(E005)" in found["forbidden"]["message"]
        failed(on, ["a broken seal", "a forbidden seal"])
        assert found["refused"]["status"] == 422
        assert "did you mean input.aspect_ratio?" in found["refused"]["message"]
        assert on.by("a refused seal") == []
        assert on.is_large(found["large"])
        assert on.is_large(found["edited"])
        assert on.given == [on.sha256]
        assert found["canceled"] == {"status": "canceled"}
        assert on.by("a canceled seal") == [("canceled", None, 0)]


async def test_fal(programs: Path, tmp_path: Path) -> None:
    """Subscribed, run, queued, uploaded and canceled, all by one address; two spoiled answers are one generation."""
    async with stage(tmp_path) as on:
        on.line.spoil = 2
        found = await tell(programs, "fal.mjs", {**on.pointing("fal-js"), "file": str(on.picture)})
        drawn(on, found, {"success": "a seal", "run": "a run seal", "storm": "a seal in a storm"})
        assert found["queued"] == {"status": "COMPLETED", "pictures": 1, "same": True}
        assert (found["failure"]["status"], found["failure"]["type"]) == (500, "downstream_service_error")
        assert ALL_FAILED in found["failure"]["message"]
        assert (found["forbidden"]["status"], found["forbidden"]["type"]) == (422, "content_policy_violation")
        failed(on, ["a broken seal", "a forbidden seal"])
        assert (found["refused"]["error"], found["refused"]["status"]) == ("ValidationError", 422)
        assert "did you mean image_size?" in found["refused"]["message"]
        assert on.by("a refused seal") == []
        assert on.is_large(found["large"])
        assert on.is_large(found["edited"])
        assert on.given == [on.sha256]
        assert found["canceled"] == {"canceled": True}
        assert on.by("a canceled seal") == [("canceled", None, 0)]


async def test_ai_sdk(programs: Path, tmp_path: Path) -> None:
    """Image models by four of its packages, which repeat without a word: who is given up on while drawing is drawn for once."""
    async with stage(tmp_path, image=0.8) as on:
        on.line.give_up = len(WAYS)
        found = await tell(programs, "ai.mjs", {"clients": {way: on.pointing(way) for way in WAYS}})
        for way in WAYS:
            drawn(on, found, {f"{way} success": f"a seal of {way}", f"{way} storm": f"a storm of {way}"})
            assert on.is_large(found[f"{way} large"])
            assert found[f"{way} unknown"]["status"] == 404
            assert "no provider here serves the model" in found[f"{way} unknown"]["body"]
            # One of the packages takes a run that failed for an answer it cannot read; what it was is in the body that it shows.
            statuses = {"ai-sdk-fal": (500, 422), "ai-sdk-replicate": (201, 201)}.get(way, (502, 400))
            assert tuple(found[f"{way} {story}"]["status"] for story in ("failure", "forbidden")) == statuses
            assert ALL_FAILED in found[f"{way} failure"]["body"]
            assert "the provider refused the content" in found[f"{way} forbidden"]["body"]
            failed(on, [f"a broken seal of {way}", f"a forbidden seal of {way}"])
        assert len(on.line.asked) == 2 * len(WAYS)
