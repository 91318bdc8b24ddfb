"""Files that change behind a running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway import settings as policy
from gateway.commands.reloading import Reloading
from gateway.documents import Mistake, Mistakes, Place
from gateway.providers.secrets import Secrets
from gateway.running import Running
from gateway.settings import Settings
from tests.gateway.commands.shell import add, content, put


class _Taken:
    """What a gateway was told to take."""

    def __init__(self, environ: Mapping[str, str] | None = None, *, refuses: int = 0, breaks: int = 0) -> None:
        self._refuses, self._breaks = refuses, breaks
        self.settings: asyncio.Queue[Settings] = asyncio.Queue()
        self.loaded = SimpleNamespace(secrets=Secrets(environ or {}, ["ACME_KEY"]))

    async def reload(self, settings: Settings, _environ: Mapping[str, str]) -> None:
        """Note it, and refuse it or break at it as often as was said."""
        self.settings.put_nowait(settings)
        self._refuses, self._breaks = self._refuses - 1, self._breaks - 1
        if self._refuses >= 0:
            raise Mistakes([Mistake(Place("packs", 1, 1), "wrong")])
        if self._breaks >= 0:
            raise RuntimeError("broken")


@asynccontextmanager
async def _watching(path: Path, taken: _Taken) -> AsyncIterator[_Taken]:
    reloading = Reloading(policy.load(path, {}), path, {}, every=0.01)
    await reloading.listen()
    await reloading.start(cast("Running", taken))
    try:
        yield taken
    finally:
        await reloading.stop()


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
    reloading = Reloading(policy.load(policy_file, {}), policy_file, {}, every=0.01)
    await reloading.listen()
    await reloading.start(cast("Running", taken))
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
    reloading = Reloading(policy.load(policy_file, {}), policy_file, {}, every=0.01)
    await reloading.listen()
    await reloading.start(cast("Running", taken))
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
    reloading = Reloading(policy.load(policy_file, {}), policy_file, environ, every=0.01)
    await reloading.listen()
    await reloading.start(cast("Running", taken))
    try:
        await asyncio.sleep(0.05)
        assert taken.settings.empty()
        put(tmp_path / "next", "new-value\n")
        (tmp_path / "next").rename(mounted)
        await _next(taken)
        assert Secrets(environ, ["ACME_KEY"]).values() == ["new-value"]
    finally:
        await reloading.stop()


async def test_a_volume_swapped_behind_its_links_is_taken(policy_file: Path, tmp_path: Path) -> None:
    """F63: a mounted ConfigMap holds links to what lies behind one link; when that is swapped the packs are read again."""
    mount = tmp_path / "packs"
    for number in (1, 2):
        folder = mount / f"..{number}" / "acme" / "lab"
        folder.mkdir(parents=True)
        put(folder / "model.yaml", f"native: model-{number}\n")
    (mount / "..data").symlink_to("..1")
    (mount / "acme").symlink_to("..data/acme")
    add(policy_file, "catalog: [packs]\n")
    async with _watching(policy_file, _Taken()) as taken:
        (mount / "..next").symlink_to("..2")
        (mount / "..next").rename(mount / "..data")
        await _next(taken)


async def test_what_changes_while_it_starts_is_taken(policy_file: Path) -> None:
    """Between the first reading of the files and the moment it serves nothing is missed."""
    taken = _Taken()
    reloading = Reloading(policy.load(policy_file, {}), policy_file, {}, every=0.01)
    await reloading.listen()
    add(policy_file, "region: eu\n")
    await reloading.start(cast("Running", taken))
    try:
        assert (await _next(taken)).region == "eu"
    finally:
        await reloading.stop()


async def test_packs_that_were_refused_are_tried_again_when_they_change_and_no_sooner(
    policy_file: Path, packs: Path
) -> None:
    """A policy that names other packs, which are wrong, is refused once; putting the packs right is enough."""
    async with _watching(policy_file, _Taken(refuses=2)) as taken:
        add(policy_file, "catalog: [packs]\n")
        await _next(taken)
        await asyncio.sleep(0.1)
        assert taken.settings.empty()
        add(packs, "name: Acme\n")
        assert (await _next(taken)).catalog == (packs.parents[1],)


async def test_a_reload_that_breaks_is_not_the_last_one(policy_file: Path) -> None:
    """A defect of ours at one change is told, and the next change is seen."""
    async with _watching(policy_file, _Taken(breaks=1)) as taken:
        add(policy_file, "region: eu\n")
        await _next(taken)
        put(policy_file, content(policy_file).decode().replace("eu", "jp"))
        assert (await _next(taken)).region == "jp"
