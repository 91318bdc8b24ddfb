"""A generation explains itself: in its record, to its operator, and by another policy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.commands.exits import Exit
from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
DOWN = {"provider": "byteplus", "call": "submit", "do": "status", "status": 503, "retry_after": 7}
ROUTES = "routes:\n  - {match: {tag: draft}, order: [byteplus, replicate], never: [cloudflare]}\n"


async def _drafted(at: House) -> str:
    _, _, said = await at.create(SEEDREAM, headers={"X-Tidegate-Tag": "draft"}, prompt="a seal", ratio="16:9")
    generation: str = said["data"]["generation_id"]
    await at.end(generation)
    return generation


async def _explain(at: House, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    environ = dict(at.sims.secrets)
    code = await asyncio.to_thread(main, ("explain", "-c", str(at.folder / "config.yaml"), *words), environ)
    out, err = capsys.readouterr()
    return code, out, err


async def test_the_record_says_why_in_this_order(tmp_path: Path) -> None:
    """Candidates with prices, exclusions with reasons, the strategy, and each attempt with its pause and its cents."""
    async with house(tmp_path, [DOWN], config=ROUTES) as at:
        _, _, said = await at.ask("GET", f"/v1/content/{await _drafted(at)}")
        record = said["data"]
        assert [each["provider"] for each in record["generation_candidates"]][:2] == ["byteplus", "replicate"]
        assert all(each["price"] > 0 for each in record["generation_candidates"])
        assert record["generation_routing"] == {"strategy": "listed", "asked": None, "tags": ["draft"], "ranking": None}
        assert {"provider": "cloudflare", "why": "policy", "reason": "the route leaves it out"} in record[
            "generation_excluded"
        ]
        first, second = record["generation_attempts"]
        assert (first["provider"], first["pause_seconds"], first["billing"]) == ("byteplus", 7, "none")
        assert (second["provider"], second["billing"], second["price"]) == ("replicate", "certain", 0.04)


async def test_speed_is_told_once_it_is_known(tmp_path: Path) -> None:
    """Under `fastest` the record holds the expected seconds of those that were heard of, and where they come from."""
    async with house(tmp_path, config="attempts: {explore: 0}\n") as at:
        await _drafted(at)

        async def ranking() -> Any:
            _, _, said = await at.create(SEEDREAM, prompt="a seal", provider_order="fastest")
            return (await at.end(said["data"]["generation_id"]))["generation_routing"]["ranking"]

        told = None
        for _ in range(50):
            if (told := await ranking()) is not None:
                break
            await asyncio.sleep(0.2)
        assert told["source"] == "ranked"
        assert 0 < min(told["scores"].values()) < 10
        _, _, said = await at.ask("GET", "/v1/health/inference/models")
        [score] = [each["ranking"] for each in said["data"]["models"] if "ranking" in each]
        assert set(told["scores"]) <= set(score["providers_ranked"])
        assert (score["attempts_total"] > 0, score["window_hours"]) == (True, 24)


async def test_the_operator_is_told_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`tidegate explain --generation` asks the running gateway: the plan, each attempt with its moments, what was paid."""
    async with house(tmp_path, [DOWN], config=ROUTES) as at:
        generation = await _drafted(at)
        code, out, _ = await _explain(at, capsys, "--generation", generation, "--json")
        told = json.loads(out)
        assert (code, told["state"], told["charged"]) == (Exit.OK, "succeeded", 0.04)
        assert [each["state"] for each in told["history"]][:2] == ["submitting", "submitting"]
        assert [each["won"] for each in told["attempts"]] == [False, True]
        _, page, _ = await _explain(at, capsys, "--generation", generation)
        for word in ("attempt 1 at byteplus", "503", "it asked for 7 s", "delivered", "charged 0.04", "tags draft"):
            assert word in page, page


async def test_it_is_decided_again_by_another_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same request by another file: who would be asked, who not and why; nothing is sent and nothing changes."""
    async with house(tmp_path, config=ROUTES) as at:
        generation = await _drafted(at)
        other = tmp_path / "other.yaml"
        other.write_text(
            (at.folder / "config.yaml").read_text().replace("never: [cloudflare]", "only: [fal, replicate]")
        )
        jobs = len(at.sims.jobs())
        code, out, _ = await _explain(at, capsys, "--generation", generation, "--policy", str(other), "--json")
        replayed = json.loads(out)["by_policy"]
        assert code == Exit.OK
        assert [step["provider"] for step in replayed["plan"]] == ["replicate", "fal"]
        assert {"provider": "byteplus", "reason": "the route leaves it out"} in replayed["excluded"]
        assert len(at.sims.jobs()) == jobs
        other.write_text("routs: []\n")
        code, _, err = await _explain(at, capsys, "--generation", generation, "--policy", str(other))
        assert (code, "routs" in err) == (Exit.CONFIG, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--generation", "nobody"), Exit.FAILURE, "no generation"),
        (("--generation", "x", "bytedance/seedream-4.5"), Exit.USAGE, "on record"),
        ((), Exit.USAGE, "name a model"),
        (("bytedance/seedream-4.5", "--policy", "p.yaml"), Exit.USAGE, "--policy"),
    ],
)
async def test_what_cannot_be_explained_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: Exit, says: str
) -> None:
    """A wrong id or a wrong combination gets its own sentence."""
    async with house(tmp_path) as at:
        found, _, err = await _explain(at, capsys, *words)
        assert (found, says in err) == (code, True), err
