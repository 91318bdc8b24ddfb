"""Keys, tried as somebody new would from the README alone: real processes, the commands as printed, and no failed request."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from tests.harness.process import OPENING, Gateway, far_ends, free_port, now_ms, policy

README = Path(__file__).parents[2] / "README.md"
PLACEHOLDER = "key_0123456789abcdef"
TIDEGATE = f'tidegate() {{ "{sys.executable}" -m gateway "$@"; }}\n'


@dataclass
class Place:
    """A gateway that asks for keys, and a shell beside it."""

    gateway: Gateway
    client: aiohttp.ClientSession

    async def shell(self, script: str) -> tuple[str, str]:
        """Run lines as a user types them; both streams."""
        process = await asyncio.create_subprocess_exec(
            "bash", "-ec", TIDEGATE + script, cwd=self.gateway.folder, env=self.gateway.environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode(), err.decode()

    async def status(self, key: str, path: str = "/v1/content/list?limit=1") -> int:
        """How a key is answered."""
        async with self.client.get(self.gateway.origin + path, headers={"Authorization": f"Bearer {key}"}) as answer:
            await answer.read()
            return answer.status

    async def begin(self, key: str, model: str) -> tuple[int, Any]:
        """Ask for a picture; status and what was said."""
        async with self.client.post(
            f"{self.gateway.origin}/v1/generate/image/{model}",
            json={"generation_prompt": "a seal"},
            headers={"Authorization": f"Bearer {key}"},
        ) as answer:
            return answer.status, await answer.json()

    async def until(self, key: str, status: int) -> float:
        """Ask until a key is answered so; the seconds that took."""
        began = time.monotonic()
        for _ in range(200):
            if await self.status(key) == status:
                return time.monotonic() - began
            await asyncio.sleep(0.02)
        raise AssertionError(f"never {status}")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A gateway with one account that has credits, on played vendors."""
    port = free_port()
    async with far_ends((), 1, "image=0.2,video=1") as (_, bases, secrets):
        config = policy(tmp_path, bases, port).replace("auth: none", "auth: keys")
        gateway = Gateway(tmp_path, config, {**secrets, "PYTHONPATH": str(README.parent)}, port)
        store = await Database.open(tmp_path / "gateway.db", now=now_ms)
        await store.write(accounts.create("default", "default", now_ms()))
        await store.write(credits.add("default", OPENING, "opening", "", now_ms()))
        await store.close()
        await gateway.start()
        try:
            async with aiohttp.ClientSession() as client:
                yield Place(gateway, client)
        finally:
            await gateway.kill()


def printed(chapter: str) -> list[str]:
    """The blocks of commands in a chapter of the README."""
    text = README.read_text(encoding="utf-8").partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks]


@dataclass
class Asking:
    """A client that goes on asking, with one key after the other."""

    keys: list[str]
    answers: Counter[int] = field(default_factory=Counter)

    async def run(self, place: Place, over: asyncio.Event) -> None:
        """Ask without a pause, turn about with every key there is."""
        number = 0
        while not over.is_set():
            number += 1
            self.answers[await place.status(self.keys[number % len(self.keys)])] += 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README asks with curl")
async def test_the_readme_teaches_a_narrow_key(place: Place) -> None:
    """Each command works as printed; the key is refused as said, is replaced, changed and ended, and spends within its budget."""
    make, refused, *rest, last = printed("Keys")
    script = (make + refused).replace("8080", place.gateway.origin.rpartition(":")[2]) + 'echo; echo "$KEY"\n'
    out, said = await place.shell(script)
    told = [json.loads(each) for each in re.findall(r"\{.*?\}\}", out)]
    assert [each["error"]["code"] for each in told] == ["BSE1003", "BSE1003"]
    assert "account:read" in told[0]["error"]["message"]
    assert "bfl/flux-schnell" in told[1]["error"]["message"]
    key, old = out.split()[-1], said.split()[0]
    assert (await place.begin(key, "bytedance/seedream-4.5"))[0] == 200

    out, _ = await place.shell("".join(rest).replace(PLACEHOLDER, old) + 'echo "$NEW"\n')
    new = out.split()[-1]
    assert "10 credits a day" in out
    assert "3 images, 1 videos" in out
    await place.until(key, 401)
    assert await place.status(new) == 200
    out, _ = await place.shell(last + "tidegate accounts show default --json -c config.yaml")
    assert (json.loads(out)["limits"]["videos"], json.loads(out)["limits"]["daily_spend"]) == (20, 50)

    await place.shell("tidegate keys change shop --budget 0.05 -c config.yaml")
    status, answer = await place.begin(new, "bytedance/seedream-4.5")
    assert (status, answer["error"]["code"]) == (402, "BSE1004")


async def test_a_rotation_fails_no_request(place: Place) -> None:
    """S06, S25: under load a key is replaced and the old one ended: no request that carries a valid key fails, a change counts in a second."""
    out, said = await place.shell("tidegate keys create app -c config.yaml")
    old, first = out.strip(), said.split()[0]
    over, asking = asyncio.Event(), Asking([old])
    tasks = [asyncio.create_task(asking.run(place, over)) for _ in range(8)]
    new = (await place.shell("tidegate keys rotate app --grace 1 -c config.yaml"))[0].strip()
    asking.keys = [old, new]
    before = asking.answers.total()
    while asking.answers.total() < before + 200:  # noqa: ASYNC110 - as many as matter
        await asyncio.sleep(0.01)
    asking.keys = [new]
    await asyncio.sleep(0.1)  # what is on its way with the old one
    await place.shell(f"tidegate keys revoke {first} -c config.yaml")
    assert await place.until(old, 401) < 1.5
    await place.shell("tidegate keys change app --networks 203.0.113.7 -c config.yaml")
    over.set()
    await asyncio.gather(*tasks)
    assert await place.until(new, 403) < 1.5
    failed = {status: count for status, count in asking.answers.items() if status != 200}
    assert set(failed) <= {403}, failed  # the network was changed while some still asked
    assert asking.answers[200] > 300
    listed: Mapping[str, Any] = json.loads((await place.shell("tidegate keys list --json -c config.yaml"))[0])
    assert {each["status"] for each in listed["keys"]} == {"revoked", "active"}
    assert all(each["last_used_at"] for each in listed["keys"])
