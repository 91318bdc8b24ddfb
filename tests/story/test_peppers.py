"""What API keys are hashed with, changed under a store that keeps its keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from gateway import app, settings
from gateway.__main__ import main
from gateway.documents import Mistakes

OLD, NEW = "an older text of thirty-two letters", "a newer text of thirty-two letters!"
SECRETS = {"OLD_PEPPER": OLD, "NEW_PEPPER": NEW}


def _config(folder: Path, *peppers: str) -> Path:
    path = folder / "config.yaml"
    said = ", ".join(f'"${{{name}}}"' for name in peppers)
    path.write_text(f"listen: 127.0.0.1:0\nstore: sqlite:keys.db\nkeys: {{peppers: [{said}]}}\n")
    return path


async def _status(path: Path, key: str) -> int:
    sent = {"Authorization": f"Bearer {key}"}
    async with (
        app.running(settings.load(path, SECRETS), SECRETS) as running,
        aiohttp.ClientSession() as client,
        client.get(f"{running.origin}/v1/status", headers=sent) as answer,
    ):
        return answer.status


async def test_a_key_moves_to_the_newest_pepper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """S17: made under the gateway's own secret it goes over to one from the policy, from that to a newer, and needs no older."""
    path = _config(tmp_path)
    assert await asyncio.to_thread(main, ("keys", "create", "app", "-c", str(path), "--json"), SECRETS) == 0
    key: str = json.loads(capsys.readouterr().out)["key"]
    assert await _status(_config(tmp_path, "OLD_PEPPER"), key) == 200
    assert await _status(_config(tmp_path, "NEW_PEPPER", "OLD_PEPPER"), key) == 200
    assert await _status(_config(tmp_path, "NEW_PEPPER"), key) == 200
    assert await _status(_config(tmp_path, "OLD_PEPPER"), key) == 401


def test_a_pepper_is_long_and_not_shown(tmp_path: Path) -> None:
    """A short one is a mistake with its place; no text made of the settings has one."""
    path = tmp_path / "config.yaml"
    path.write_text("keys:\n  peppers: [short]\n")
    with pytest.raises(Mistakes) as mistakes:
        settings.load(path, {})
    assert f"{path}:2:13: keys.peppers" in str(mistakes.value)
    found = settings.load(_config(tmp_path, "NEW_PEPPER"), SECRETS)
    assert found.keys.peppers == (NEW,)
    assert NEW not in f"{found!r} {found.describe()}"
