"""A shell in an empty folder, and a running gateway in front of played providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import app
from gateway import settings as policy
from gateway.running import Running
from gateway.simulators import Simulators
from tests.gateway.commands.shell import Shell, shell


@pytest.fixture
def tidegate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command, in a folder that holds nothing, with an environment that holds no key."""
    monkeypatch.chdir(tmp_path)
    return shell(capsys, {"HOME": str(tmp_path)})


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """A policy file whose store lies in the test's own folder."""
    path = tmp_path / "policy.yaml"
    path.write_text("listen: 127.0.0.1:0\nstore: sqlite:store/tidegate.db\n")
    return path


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway under test: its policy file, and the providers it believes in."""

    running: Running
    policy: Path
    simulators: Simulators


@pytest.fixture
async def site(policy_file: Path) -> AsyncIterator[Site]:
    """A gateway that asks for keys and credits."""
    async with AsyncExitStack() as stack:
        simulators = Simulators(image_seconds=0.05, video_seconds=0.1)
        await simulators.start()
        stack.push_async_callback(simulators.close)
        bases = "".join(f"  {name}: {{base: {base}}}\n" for name, base in simulators.bases.items())
        with policy_file.open("a") as file:
            file.write(f"providers:\n{bases}egress: {{allow: [127.0.0.0/8]}}\n")
        settings = policy.load(policy_file, {})
        running = await stack.enter_async_context(app.running(settings, simulators.secrets))
        yield Site(running, policy_file, simulators)


@pytest.fixture
def config(policy_file: Path) -> tuple[str, str]:
    """The policy of an empty store."""
    return ("-c", str(policy_file))
