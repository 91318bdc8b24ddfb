"""Another configuration taken while work is under way; under load it runs by hand, see tests/harness/reloads.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from gateway import settings
from gateway.documents import Mistakes
from tests.harness.process import few
from tests.story.house import house

_MODEL = "video/bytedance/seedance-1-pro"


async def test_jobs_of_a_provider_that_is_gone_end_well(tmp_path: Path) -> None:
    """F63: its packs and its credential leave the configuration, and what runs there is looked at until it ends; nothing new is asked of it."""
    packs = few(tmp_path, "byteplus", "replicate")
    async with house(tmp_path, config=packs, video=1.5) as there:
        _, _, said = await there.create(
            _MODEL, prompt="a seal", duration=5, resolution="480p", provider_order="byteplus"
        )
        running = said["data"]["generation_id"]
        await there.submitted(1)
        (tmp_path / "packs" / "byteplus").unlink()
        environ = {name: value for name, value in there.sims.secrets.items() if "REPLICATE" in name}
        await there.running.reload(settings.load(tmp_path / "config.yaml", environ), environ)
        ended = await there.end(running)
        assert (ended["generation_status"], ended["generation_provider_used"]) == ("succeeded", "byteplus")
        _, _, said = await there.create(_MODEL, prompt="a seal", duration=5, resolution="480p")
        assert said["data"]["generation_provider_order"] == ["replicate"]


async def test_prices_are_those_of_the_acceptance(tmp_path: Path) -> None:
    """F47: a price that changes on the way changes nothing of what is under way; a pack that is wrong changes nothing at all."""
    packs = few(tmp_path, "replicate")
    (tmp_path / "packs" / "replicate").unlink()
    shutil.copytree(Path("providers.d/replicate"), tmp_path / "packs" / "replicate")
    pack = tmp_path / "packs" / "replicate" / "bytedance" / "seedance-1-pro.yaml"
    async with house(tmp_path, config=packs, video=1) as there:
        _, _, said = await there.create(_MODEL, prompt="a seal", duration=5, resolution="480p")
        text = pack.read_text()
        pack.write_text(text + "\n  {")
        taken = settings.load(tmp_path / "config.yaml", there.sims.secrets)
        refused = False
        try:
            await there.running.reload(taken, there.sims.secrets)
        except Mistakes:
            refused = True
        pack.write_text(re.sub(r"(?m)^price:.*$", lambda line: line[0].replace(" 0.", " 9."), text))
        await there.running.reload(taken, there.sims.secrets)
        await there.end(said["data"]["generation_id"])
        assert refused
        assert 100 - await there.balance() < 5
