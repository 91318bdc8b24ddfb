"""Files that change behind a running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway import settings as policy
from gateway.commands.reloading import Reloading
from gateway.providers.secrets import Secrets
from gateway.running import Running
from gateway.settings import Settings
from tests.gateway.commands.shell import add, content, put


class _Taken:
    """What a gateway was told to take."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.settings: asyncio.Queue[Settings] = asyncio.Queue()
        self.loaded = SimpleNamespace(secrets=Secrets(environ or {}, ["ACME_KEY"]))

    async def reload(self, settings: Settings, _environ: Mapping[str, str]) -> None:
        """Note it."""
        self.settings.put_nowait(settings)


async def _next(taken: _Taken) -> Settings:
    return await asyncio.wait_for(taken.settings.get(), 5)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A folder with one file that may change."""
    path = tmp_path / "packs" / "acme" / "provider.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("provider: acme\n")
    return path


async def test_changed_files_are_taken(policy_file: Path, packs: Path) -> None:
    """A change of the policy or of a pack is seen by its content alone, and taken once."""
    add(policy_file, "catalog: [packs]\n")
    taken = _Taken()
    reloading = Reloading(cast("Running", taken), policy.load(policy_file, {}), policy_file, {}, every=0.01)
    await reloading.start()
    try:
        add(policy_file, "")
        add(policy_file, "region: eu\n")
        assert (await _next(taken)).region == "eu"
        add(packs, "name: Acme\n")
        assert (await _next(taken)).region == "eu"
        await asyncio.sleep(0.05)
        assert taken.settings.empty()
    finally:
        await reloading.stop()


async def test_broken_policy_is_not_taken(policy_file: Path) -> None:
    """A policy with a mistake reaches nobody; the next good one does."""
    good = content(policy_file).decode()
    taken = _Taken()
    reloading = Reloading(cast("Running", taken), policy.load(policy_file, {}), policy_file, {}, every=0.01)
    await reloading.start()
    try:
        put(policy_file, "listen: nowhere\n")
        await asyncio.sleep(0.08)
        assert taken.settings.empty()
        put(policy_file, f"{good}region: jp\n")
        assert (await _next(taken)).region == "jp"
    finally:
        await reloading.stop()


async def test_a_secret_replaced_in_its_file_is_taken(policy_file: Path, tmp_path: Path) -> None:
    """S72: when the file behind a secret changes, as a mounted one does, everything is loaded anew without being asked to."""
    mounted = tmp_path / "mounted"
    put(mounted, "old-value\n")
    environ = {"ACME_KEY_FILE": str(mounted)}
    taken = _Taken(environ)
    reloading = Reloading(cast("Running", taken), policy.load(policy_file, {}), policy_file, environ, every=0.01)
    await reloading.start()
    try:
        await asyncio.sleep(0.05)
        assert taken.settings.empty()
        put(tmp_path / "next", "new-value\n")
        (tmp_path / "next").rename(mounted)
        await _next(taken)
        assert Secrets(environ, ["ACME_KEY"]).values() == ["new-value"]
    finally:
        await reloading.stop()
