"""LiteLLM's SDK, unmodified, pointed as `tidegate env` says: by its way to OpenAI's doors, to a gateway like its own, and to Fal's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients import installed
from tests.clients.stage import Stage, stage, told

# A program of its own: it is not installed with the tests, and is imported for seconds.
PROGRAM = """
import base64, hashlib, json, os, sys, time

asked = json.loads(sys.argv[1])
os.environ.update(asked["at"]["variables"])
import httpx, litellm

MODEL = "openai/bytedance/seedream-4.5"
here, line = (asked[way]["variables"]["OPENAI_BASE_URL"] for way in ("at", "line"))

def picture(data, **more):
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), **more}

def held(said):
    [found] = said.data
    return picture(base64.b64decode(found.b64_json))

def drawn(prompt, model=MODEL, **more):
    return held(litellm.image_generation(model=model, prompt=prompt, **more))

def run():
    model = "fal_ai/fal-ai/bytedance/seedream/v4.5/text-to-image"
    said = litellm.image_generation(model=model, prompt="a run seal", api_base=here.removesuffix("/v1"), api_key="none")
    return picture(httpx.get(said.data[0].url).content)

def edited():
    with open(asked["file"], "rb") as file:
        return held(litellm.image_edit(model="openai/acme/still", image=file, prompt="a large walrus"))

def film():
    made = litellm.video_generation(model="openai/kling/kling-3-pro", prompt="waves", seconds="5", api_base=here)
    for _ in range(200):
        if made.status not in {"queued", "in_progress"}:
            break
        time.sleep(0.1)
        made = litellm.video_status(video_id=made.id, api_base=here)
    return picture(litellm.video_content(video_id=made.id, api_base=here), status=made.status)

stories = {
    "success": lambda: drawn("a seal", size="2048x2048"),
    "proxied": lambda: drawn("a proxied seal", "litellm_proxy/bytedance/seedream-4.5", api_base=here, api_key="none"),
    "run": run,
    "failure": lambda: drawn("a broken seal"),
    "refused": lambda: drawn("a refused seal", n=11),
    "forbidden": lambda: drawn("a forbidden seal"),
    "storm": lambda: drawn("a seal in a storm", api_base=line),
    "large": lambda: drawn("a large seal", "openai/acme/still"),
    "edited": edited,
    "film": film,
}

def tell(story):
    try:
        return story()
    except Exception as error:
        return {"error": type(error).__name__, "status": getattr(error, "status_code", None), "says": str(error)}

# One after the other: it imports much of itself when it is first used, and not always well from several threads at once.
print(json.dumps({name: tell(story) for name, story in stories.items()}))
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where it is."""
    return installed.python()


async def test_every_way_it_has_leads_here(packages: Path, tmp_path: Path) -> None:
    """Success by another vendor, failure, refusal, a storm of repeats, large pictures both ways, and a film."""
    async with stage(tmp_path) as on:
        on.line.spoil = 2
        found = await tell(packages, on)

        for story, prompt in (("success", "a seal"), ("proxied", "a proxied seal"), ("run", "a run seal")):
            assert on.holds(found[story])
            assert on.by(prompt) == [("succeeded", "byteplus", 1)]

        assert (found["failure"]["error"], found["failure"]["status"]) == ("BadGatewayError", 502)
        assert "every provider failed: byteplus: overloaded" in found["failure"]["says"]
        assert on.by("a broken seal") == [("failed", None, 0)]
        assert (found["refused"]["error"], found["refused"]["status"]) == ("BadRequestError", 400)
        assert "n must be a whole number from 1 to 10" in found["refused"]["says"]
        assert on.by("a refused seal") == []
        assert found["forbidden"]["status"] == 400
        assert "the provider refused the content" in found["forbidden"]["says"]
        assert on.by("a forbidden seal") == [("failed", None, 0)]

        assert on.holds(found["storm"])
        assert [status for status, _ in on.line.told] == [200, 200, 200]
        assert on.by("a seal in a storm") == [("succeeded", "byteplus", 1)]

        assert on.is_large(found["large"])
        assert on.is_large(found["edited"])
        assert on.given == [on.sha256]
        assert found["film"]["status"] == "completed"
        assert on.holds(found["film"])


async def tell(packages: Path, on: Stage) -> dict[str, Any]:
    """What the program tells; prices of models are not asked for over the network."""
    asked = json.dumps({**on.pointing("litellm"), "file": str(on.picture)})
    environ = {"PYTHONPATH": str(packages), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return await told(sys.executable, "-W", "ignore", "-c", PROGRAM, asked, environ=environ)
