"""`tidegate demo` and `tidegate simulate` as processes: what is printed works as it stands."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
from pathlib import Path

import aiohttp
import yaml
from PIL import Image

from tests.gateway.commands.shell import finished, line_with, started


async def test_once_shows_a_failover_and_saves_a_picture(tmp_path: Path) -> None:
    """Without key or network the story runs: the first provider refuses, the second serves, a real picture is saved."""
    said = await finished("demo", "--once", "--json", "--port", "0", "-o", "out", cwd=tmp_path, env={"FAL_KEY": "real"})
    told = json.loads(said.out)
    assert said.code == 0
    assert [(each["provider"], each["state"]) for each in told["attempts"]] == [
        ("byteplus", "error"),
        ("replicate", "done"),
    ]
    assert told["attempts"][0]["error"]["type"] == "provider_unavailable"
    assert told["cost"] == 0.04
    [path] = told["files"]
    with Image.open(tmp_path / path) as picture:
        picture.load()
        assert picture.width > picture.height
    assert "✗ byteplus" in said.err
    assert "curl" not in said.err, "nobody is there to be asked any more"


async def test_printed_lines_work_while_it_serves(tmp_path: Path) -> None:
    """The lines to try are complete: each of them, as printed, is answered with what it promises."""
    async with started("demo", "--port", "0", cwd=tmp_path) as process:
        lines = [await line_with(process.stdout, "curl ") for _ in range(4)]
        answers = [await _curl(line) for line in lines]
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert json.loads(answers[0])["data"]["generation_initialized"] is True
    assert json.loads(answers[1])["data"]["generation_status"] == "succeeded"
    assert json.loads(answers[2])["total"] == 2
    assert "tidegate_failovers_total" in answers[3]


async def test_busy_port_is_passed_over(tmp_path: Path) -> None:
    """Where the port is taken the next free one is used, and that is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = await finished("demo", "--once", "--json", "--port", str(port), cwd=tmp_path)
    assert said.code == 0
    assert f"port {port} is taken" in said.err
    assert json.loads(said.out)["origin"] != f"http://127.0.0.1:{port}"


async def test_open_address_asks_for_the_key_it_prints(tmp_path: Path) -> None:
    """On an address others can reach a key is made, printed with the lines, and asked for."""
    async with started("demo", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path) as process:
        line = [await line_with(process.stdout, "curl ") for _ in range(3)][2]
        url = shlex.split(line)[2]
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 401
        assert json.loads(await _curl(line))["total"] == 1
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0


async def test_simulate_prints_what_a_policy_needs(tmp_path: Path) -> None:
    """The lines for the policy are YAML, those for the shell name the keys, and the script of faults is played."""
    (tmp_path / "faults.yaml").write_text("- {call: submit, do: status, status: 503}\n")
    async with started("simulate", "--port", "0", "--chaos", "faults.yaml", cwd=tmp_path) as process:
        assert process.stdout is not None
        await line_with(process.stderr, "playing")
        text = (await process.stdout.read(4096)).decode()
        policy, _, exports = text.partition("# for the shell")
        base = yaml.safe_load(policy)["providers"]["byteplus"]["base"]
        async with aiohttp.ClientSession() as session, session.post(f"{base}/images/generations", json={}) as answer:
            assert answer.status == 503
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert "export ARK_API_KEY=" in exports


async def _curl(line: str) -> str:
    """Send what a printed line would send: its address, headers and body."""
    words = shlex.split(line)
    assert words[:2] == ["curl", "-s"]
    options = list(zip(words[3::2], words[4::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    body = next((value for name, value in options if name == "-d"), None)
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, words[2], headers=headers, data=body) as answer,
    ):
        return await answer.text()
