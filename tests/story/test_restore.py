"""A store put back from a backup; with a continuous copier it runs by hand, see tests/harness/backup.py."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway import app, settings
from gateway.simulators import Simulators
from tests.harness.process import few
from tests.story.house import House, house


def _copy(folder: Path) -> None:
    with sqlite3.connect(folder / "story.db") as source, sqlite3.connect(folder / "copy.db") as copy:
        source.backup(copy)
    source.close()
    copy.close()


async def _doctor(there: House) -> Any:
    from gateway.clock import SystemClock
    from gateway.ingress import admin

    assert there.running.served is not None
    return await admin.act(
        there.running.served.store,
        b"",
        SystemClock(),
        "doctor",
        {},
        receivers=None,  # type: ignore[arg-type] # it asks for none
    )


@asynccontextmanager
async def _again(before: House) -> AsyncIterator[House]:
    """Serve once more, before the very vendors that a house had."""
    sims: Simulators = before.sims
    await sims.start(port=sims.port)
    try:
        taken = settings.load(before.folder / "config.yaml", sims.secrets)
        async with app.running(taken, sims.secrets) as running, aiohttp.ClientSession() as client:
            yield House(running, sims, client, before.folder)
    finally:
        await sims.close()


async def test_what_is_in_the_copy_goes_on(tmp_path: Path) -> None:
    """F69: jobs that ended in the lost part end again, are paid for once, and are told under the ids they had; nothing is submitted twice."""
    films = 3
    async with house(tmp_path, config=few(tmp_path, "replicate"), video=1) as there:
        made = [
            await there.create("video/bytedance/seedance-1-pro", prompt=f"seal {n}", duration=5, resolution="480p")
            for n in range(films)
        ]
        names = [said["data"]["generation_id"] for _, _, said in made]
        await there.submitted(films)
        _copy(tmp_path)
        for name in names:
            await there.end(name)
        spent = await there.balance()
    (tmp_path / "copy.db").replace(tmp_path / "story.db")
    async with _again(there) as mended:
        for name in names:
            assert (await mended.end(name))["generation_status"] == "succeeded"
        found = await _doctor(mended)
        assert found["restored"]["why"] in {"behind", "moved"}
        assert (found["restored"]["live"], found["findings"]) == (films, [])
        assert await mended.balance() == spent
        async with mended.client.get(mended.sims.origin + "/_simulators/jobs") as answer:
            assert len(await answer.json()) == films


async def test_nothing_is_made_of_an_ordinary_restart(tmp_path: Path) -> None:
    """Neither a first start nor one after it takes the store for a copy."""
    for _ in range(2):
        async with house(tmp_path) as there:
            assert (await _doctor(there))["restored"] is None


async def test_outputs_that_no_record_knows_are_listed_and_kept(tmp_path: Path) -> None:
    """A copy from before a generation: its files are named, its record is gone, and the credits are those of the copy."""
    async with house(tmp_path) as there:
        _, _, said = await there.create("image/bytedance/seedream-4.5", prompt="a seal", ratio="1:1")
        known = said["data"]["generation_id"]
        await there.end(known)
    _copy(tmp_path)
    async with house(tmp_path, credits=0) as there:
        _, _, said = await there.create("image/bytedance/seedream-4.5", prompt="another seal", ratio="1:1")
        forgotten = said["data"]["generation_id"]
        await there.end(forgotten)
        spent = await there.balance()
    shutil.copy(tmp_path / "copy.db", tmp_path / "story.db")  # into the very file, as some tools do
    async with house(tmp_path, credits=0) as there:
        await there.until(lambda: b'"orphans": ["' in (tmp_path / "story.db-wal").read_bytes())
        found = (await _doctor(there))["restored"]
        assert found["why"] == "behind"
        assert list(found["orphans"]) == [forgotten]
        assert list((tmp_path / "outputs").glob(f"*/{forgotten}/*"))
        assert (await there.ask("GET", f"/v1/content/{forgotten}"))[0] == 404
        assert (await there.ask("GET", f"/v1/content/{known}"))[0] == 200
        assert await there.balance() > spent
        assert (await _doctor(there))["findings"] == []


async def test_a_secret_that_was_not_put_back_is_told(tmp_path: Path, caplog) -> None:
    """Without the secret beside the store no key of the copy works: the log says what to put back."""
    async with house(tmp_path):
        pass
    (tmp_path / "story.db.secret").unlink()
    async with house(tmp_path, credits=0):
        assert "secret_replaced" in caplog.text
