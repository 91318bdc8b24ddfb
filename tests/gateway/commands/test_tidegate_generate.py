"""`tidegate generate` against a running gateway."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import MODEL, Said, Shell, content, put, started

_VIDEO = "bytedance/seedance-1-pro"


async def _key(tidegate: Shell, site: Site, *, amount: str | None = "5") -> str:
    config = ("-c", str(site.policy))
    made = await asyncio.to_thread(tidegate, "keys", "create", "app", *config)
    if amount is not None:
        await asyncio.to_thread(tidegate, "credits", "add", amount, *config)
    return made.out.strip()


async def _until_begun(site: Site) -> None:
    """Wait until a provider has taken the job, and the gateway knows."""
    for _ in range(200):
        if site.simulators.jobs():
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)


async def _generate(tidegate: Shell, site: Site, key: str, *words: str) -> Said:
    env = {"TIDEGATE_URL": f"{site.running.origin}/v1/", "TIDEGATE_API_KEY": key}
    return await asyncio.to_thread(tidegate, "generate", *words, env=env)


async def test_picture_is_saved_under_its_usual_name(tidegate: Shell, site: Site) -> None:
    """The path goes to stdout; who served, the cost and the attempts go to stderr."""
    said = await _generate(tidegate, site, await _key(tidegate, site), MODEL, "prompt=seal", "ratio=16:9")
    assert said.code == 0
    path = Path(said.out.strip())
    assert path.name.startswith("bytedance-seedream-4.5-")
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
    assert "✓ byteplus" in said.err
    assert "byteplus, 0.04 credits" in said.err


async def test_failover_is_seen(tidegate: Shell, site: Site) -> None:
    """Each attempt is a line: who failed and how, then who served."""
    site.simulators.set_chaos([{"provider": "byteplus", "call": "submit", "do": "status", "status": 503}])
    said = await _generate(tidegate, site, await _key(tidegate, site), MODEL, "prompt=seal", "-o", "seal.png", "--json")
    assert said.code == 0
    lines = said.err.splitlines()
    assert "✗ byteplus" in lines[0]
    assert "provider_unavailable" in lines[0]
    assert "✓ replicate" in lines[1]
    told = json.loads(said.out)
    assert told["files"] == ["seal.png"]
    assert told["generation"]["generation_provider_used"] == "replicate"


async def test_several_outputs_are_numbered(tidegate: Shell, site: Site) -> None:
    """Outputs beyond one get numbers before the ending."""
    said = await _generate(tidegate, site, await _key(tidegate, site), MODEL, "prompt=seal", "count=2", "-o", "s.jpg")
    assert said.out.split() == ["s-1.jpg", "s-2.jpg"]
    assert content("s-2.jpg")


async def test_folder_takes_the_film(tidegate: Shell, site: Site) -> None:
    """A video is asked for as one, and a folder takes it under its usual name."""
    said = await _generate(
        tidegate, site, await _key(tidegate, site), _VIDEO, "prompt=seal", "duration=5", "-o", ".", "order=fal"
    )
    assert said.code == 0
    assert Path(said.out.strip()).suffix == ".mp4"
    assert content(said.out.strip())[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ((MODEL, "prompt=seal", "ratio=7:2"), 2, "ratio must be one of"),
        (("bytedance/seedream-45", "prompt=seal"), 2, f"did you mean '{MODEL}'?"),
        ((MODEL,), 2, "prompt is required"),
        ((MODEL, "prompt=seal", "-o", "nowhere/a.jpg"), 1, "cannot be written"),
    ],
)
async def test_request_that_cannot_be(
    tidegate: Shell, site: Site, words: tuple[str, ...], code: int, expected: str
) -> None:
    """What is wrong with a request is said in the words it was typed in."""
    said = await _generate(tidegate, site, await _key(tidegate, site), *words)
    assert said.code == code
    assert expected in said.err
    assert said.out == ""


async def test_wrong_key_is_told_from_an_empty_account(tidegate: Shell, site: Site) -> None:
    """No key and a wrong one end with 4, an account without credits with 6."""
    key = await _key(tidegate, site, amount=None)
    assert (await _generate(tidegate, site, "", MODEL, "prompt=seal")).code == 4
    assert (await _generate(tidegate, site, f"{key[:-1]}!", MODEL, "prompt=seal")).code == 4
    poor = await _generate(tidegate, site, key, MODEL, "prompt=seal")
    assert poor.code == 6
    assert "0.04 credits" in poor.err


async def test_key_comes_from_a_file(tidegate: Shell, site: Site) -> None:
    """A key file is read to its first line's end and wins over the environment."""
    put(Path("key.txt"), f"{await _key(tidegate, site)}\n")
    said = await _generate(tidegate, site, "bye_wrong", MODEL, "prompt=seal", "--api-key-file", "key.txt")
    assert said.code == 0


async def test_all_providers_failing_has_its_own_code(tidegate: Shell, site: Site) -> None:
    """When nobody serves, each attempt is told and the code is 5."""
    site.simulators.set_chaos([{"call": "submit", "do": "status", "status": 500}])
    said = await _generate(tidegate, site, await _key(tidegate, site), MODEL, "prompt=seal")
    assert said.code == 5
    assert sum("✗" in line for line in said.err.splitlines()) >= 3
    assert "every provider failed" in said.err


async def test_no_patience_leaves_the_generation_running(tidegate: Shell, site: Site) -> None:
    """When the time given is over the generation goes on, and where to read it is said."""
    site.simulators.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    said = await _generate(
        tidegate, site, await _key(tidegate, site), MODEL, "prompt=x", "order=fal", "--timeout", "200ms"
    )
    assert said.code == 1
    assert f"{site.running.origin}/v1/content/" in said.err


async def test_interrupt_cancels_at_the_gateway(tidegate: Shell, site: Site, tmp_path: Path) -> None:
    """Ctrl-C cancels the generation, says what came back, and ends with 130."""
    site.simulators.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    env = {"TIDEGATE_URL": site.running.origin, "TIDEGATE_API_KEY": await _key(tidegate, site)}
    async with started("generate", MODEL, "prompt=x", "order=fal", cwd=tmp_path, env=env) as process:
        await _until_begun(site)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert b"0.04 credits given back" in err
    assert [job.state for job in site.simulators.jobs()] != ["succeeded"]


async def test_interrupt_before_the_answer_still_cancels(tmp_path: Path) -> None:
    """A generation that is only being begun is canceled too, as soon as its id is known."""
    begun, canceled = asyncio.Event(), asyncio.Event()

    async def create(_request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(0.15)  # long enough for the signal to come first
        return web.json_response({"status": "success", "data": {"generation_id": "g-1"}})

    async def cancel(_request: web.Request) -> web.Response:
        canceled.set()
        return web.json_response({"status": "success", "data": {"credits_refunded": 0}})

    app = web.Application()
    app.router.add_post("/v1/generate/image/a/b", create)
    app.router.add_post("/v1/content/generation/cancel/g-1", cancel)
    app.router.add_get("/v1/library/models", _no_models)
    async with TestServer(app) as far:
        url = f"http://127.0.0.1:{far.port}"
        async with started("generate", "a/b", "prompt=x", "--url", url, cwd=tmp_path) as process:
            await asyncio.wait_for(begun.wait(), 20)
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert canceled.is_set()


async def _no_models(_request: web.Request) -> web.Response:
    return web.json_response({"status": "success", "data": {"models": []}})


async def test_output_to_stdout_is_bytes_alone(tidegate: Shell, site: Site, tmp_path: Path) -> None:
    """With `-o -` a pipe gets the picture and nothing else."""
    env = {"TIDEGATE_URL": site.running.origin, "TIDEGATE_API_KEY": await _key(tidegate, site)}
    async with started("generate", MODEL, "prompt=x", "-o", "-", cwd=tmp_path, env=env) as process:
        out, _ = await asyncio.wait_for(process.communicate(), 30)
    with Image.open(io.BytesIO(out)) as picture:
        picture.load()
    assert process.returncode == 0
