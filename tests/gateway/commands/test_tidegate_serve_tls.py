"""`tidegate serve --tls-self-signed` as a process."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
from pathlib import Path

import aiohttp

from tests.gateway.commands.shell import Shell, content, finished, line_with, put, started


async def test_it_speaks_both_on_its_port(policy_file: Path) -> None:
    """It says which file to trust; who trusts that is served over TLS, under each name of it, and everybody else as before."""
    words = ("serve", "-c", str(policy_file), "--tls-self-signed", "tls", "--tls-host", "gateway.test")
    async with started(*words, cwd=policy_file.parent) as process:
        ready = json.loads(await line_with(process.stderr, '"tls_ready"'))
        origin = json.loads(await line_with(process.stderr, '"serving"'))["origin"]
        trusting = ssl.create_default_context(cafile=ready["authority"])
        sealed = origin.replace("http:", "https:")
        async with aiohttp.ClientSession() as session:
            for url, name in ((sealed, None), (sealed, "gateway.test"), (sealed, "localhost"), (origin, None)):
                async with session.get(f"{url}/readyz", ssl=trusting, server_hostname=name) as answer:
                    assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert ready["made"]
    assert content(ready["authority"]) in content(ready["bundle"])


async def test_a_folder_that_is_none_is_told(policy_file: Path) -> None:
    """Where nothing can be written it says what, and does not serve."""
    cwd = policy_file.parent
    put(cwd / "tls", "a file")
    said = await finished("serve", "-c", str(policy_file), "--tls-self-signed", "tls", cwd=cwd)
    assert said.code == 1
    assert "--tls-self-signed:" in said.err
    assert "tls cannot be used" in said.err


async def test_a_host_without_a_certificate_is_told(policy_file: Path) -> None:
    """`--tls-host` alone means nothing."""
    said = await finished("serve", "-c", str(policy_file), "--tls-host", "gateway.test", cwd=policy_file.parent)
    assert said.code == 2
    assert "--tls-self-signed DIR" in said.err


def test_a_host_that_is_none_is_told(tidegate: Shell) -> None:
    """What cannot be a name or an address is refused before anything is read."""
    said = tidegate("serve", "--tls-host", "a b")
    assert said.code == 2
    assert "expected a name or an address" in said.err
