"""`tidegate serve` as a process."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import aiohttp

from tests.gateway.commands.shell import add, content, finished, line_with, put, started


async def test_serves_until_sigterm(policy_file: Path) -> None:
    """It says where it serves and what would turn a provider on, answers, and ends well when asked to."""
    cwd = policy_file.parent
    async with started("serve", "-c", str(policy_file), cwd=cwd) as process:
        origin = json.loads(await line_with(process.stderr, '"serving"'))["origin"]
        providers = json.loads(await line_with(process.stderr, '"providers_known"'))["providers"]
        warned = json.loads(await line_with(process.stderr, '"no_provider_on"'))
        async with aiohttp.ClientSession() as session, session.get(f"{origin}/readyz") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert providers["fal"] == "off: set FAL_KEY"
    assert warned["level"] == "warning"
    assert out == b""


async def test_reload_takes_good_files_and_refuses_bad_ones(policy_file: Path) -> None:
    """SIGHUP reads the policy again: a mistake keeps what is in force and is told, a good file is taken."""
    good = content(policy_file).decode()
    async with started("serve", "-c", str(policy_file), cwd=policy_file.parent) as process:
        await line_with(process.stderr, '"no_provider_on"')
        put(policy_file, f"{good}regoin: eu\n")
        process.send_signal(signal.SIGHUP)
        refused = json.loads(await line_with(process.stderr, '"config_refused"'))
        put(policy_file, f"{good}region: eu\nproviders: {{fal: {{enabled: false}}}}\n")
        process.send_signal(signal.SIGHUP)
        taken = json.loads(await line_with(process.stderr, '"config_reloaded"'))
        cold = json.loads(await line_with(process.stderr, '"restart_needed"'))
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert refused["mistakes"][0].endswith("policy.yaml:3:1: unknown key 'regoin'; did you mean 'region'?")
    assert taken["disabled"] == ["fal"]
    assert cold["settings"] == ["region"]


async def test_text_log_comes_with_a_banner(policy_file: Path) -> None:
    """For people the start is told in lines: address, providers, store and who may ask."""
    add(policy_file, "log: {format: text}\n")
    async with started(
        "serve", "-c", str(policy_file), cwd=policy_file.parent, env={"FAL_KEY": "fal:marked"}
    ) as process:
        lines = [await line_with(process.stderr, word) for word in ("tidegate ", "fal ", "store ", "auth ")]
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)
    assert "http://127.0.0.1:" in lines[0]
    assert lines[1].split()[-1] == "on"
    assert "tidegate.db" in lines[2]
    assert "keys create" in lines[3]


async def test_taken_port_names_a_free_one(policy_file: Path) -> None:
    """A port in use ends with 1 and a line to put into the policy instead."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        put(policy_file, content(policy_file).decode().replace(":0\n", f":{port}\n"))
        said = await finished("serve", "-c", str(policy_file), cwd=policy_file.parent)
    assert said.code == 1
    assert f"port {port} is taken; the next free one is" in said.err
    assert "listen: 127.0.0.1:" in said.err
