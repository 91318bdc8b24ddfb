"""LangChain's image tool, unmodified, pointed as `tidegate env` says; it reads nothing of an answer but links."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.clients import installed
from tests.clients.stage import stage, told

PROGRAM = """
import hashlib, json, os, sys
from concurrent.futures import ThreadPoolExecutor

asked = json.loads(sys.argv[1])
os.environ.update(asked["at"]["variables"])
import httpx
from langchain_community.tools.openai_dalle_image_generation import OpenAIDALLEImageGenerationTool
from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

MODEL = "bytedance/seedream-4.5"
line = asked["line"]["variables"]["OPENAI_BASE_URL"]

def drawn(prompt, model=MODEL, **more):
    tool = OpenAIDALLEImageGenerationTool(api_wrapper=DallEAPIWrapper(model=model, **more))
    data = httpx.get(tool.run(prompt)).raise_for_status().content
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}

stories = {
    "success": lambda: drawn("a seal"),
    "several": lambda: {"links": DallEAPIWrapper(model=MODEL, n=2).run("two seals").splitlines()},
    "failure": lambda: drawn("a broken seal"),
    "refused": lambda: drawn("a refused seal", n=11),
    "forbidden": lambda: drawn("a forbidden seal"),
    "storm": lambda: drawn("a seal in a storm", base_url=line),
    "large": lambda: drawn("a large seal", "acme/still"),
}

def tell(story):
    try:
        return story()
    except Exception as error:
        return {"error": type(error).__name__, "status": getattr(error, "status_code", None), "says": str(error)}

with ThreadPoolExecutor(len(stories)) as pool:
    print(json.dumps(dict(zip(stories, pool.map(tell, stories.values())))))
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where it is."""
    return installed.python()


async def test_the_tool_draws_here(packages: Path, tmp_path: Path) -> None:
    """Success by another vendor, failure, refusal, a storm of repeats and a large picture."""
    async with stage(tmp_path) as on:
        on.line.spoil = 2
        asked = json.dumps(on.pointing("langchain"))
        environ = {"PYTHONPATH": str(packages)}
        found = await told(sys.executable, "-W", "ignore", "-c", PROGRAM, asked, environ=environ)

        assert on.holds(found["success"])
        assert on.by("a seal") == [("succeeded", "byteplus", 1)]
        assert len(set(found["several"]["links"])) == 2

        assert found["failure"]["status"] == 502
        assert "every provider failed: byteplus: overloaded" in found["failure"]["says"]
        assert on.by("a broken seal") == [("failed", None, 0)]
        assert (found["refused"]["error"], found["refused"]["status"]) == ("BadRequestError", 400)
        assert "n must be a whole number from 1 to 10" in found["refused"]["says"]
        assert on.by("a refused seal") == []
        assert found["forbidden"]["error"] == "BadRequestError"
        assert on.by("a forbidden seal") == [("failed", None, 0)]

        assert on.holds(found["storm"])
        assert [status for status, _ in on.line.told] == [200, 200, 200]
        assert on.by("a seal in a storm") == [("succeeded", "byteplus", 1)]
        assert on.is_large(found["large"])
