"""Too much of something: a process that stands still, no descriptors left, no memory left. Real processes, real limits."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.harness.application import settle
from tests.harness.process import Gateway, far_ends, free_port, fund, policy

IMAGE = "/v1/generate/image/bytedance/seedream-4.5"
NOBODYS = "/v1/generate/image/lab/none"  # read whole, then refused
CONNECTIONS = 400
BODY = 95_000  # bytes, within what the API takes
BODIES = 3_500  # more than fit into what the limit leaves
LONG = json.dumps({"generation_prompt": "seal"}).encode().rjust(BODY)


@dataclass
class Pressed:
    """A gateway under a limit, and a client that has its line to it already."""

    gateway: Gateway
    client: aiohttp.ClientSession

    async def ask(self, number: int) -> str:
        """Have a picture made."""
        async with self.client.post(
            self.gateway.origin + IMAGE, json={"generation_prompt": f"seal number {number}"}
        ) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["data"]["generation_id"]

    async def state(self, generation: str) -> str:
        """How a generation stands."""
        async with self.client.get(f"{self.gateway.origin}/v1/content/{generation}") as answer:
            return (await answer.json())["data"]["generation_status"]

    async def all_well(self, made: Sequence[str]) -> None:
        """Wait until all have ended, and find each of them succeeded, and nothing of ours broken on the way."""
        await settle(self.client, self.gateway.origin)
        assert Counter([await self.state(each) for each in made]) == {"succeeded": len(made)}
        said = self.gateway.log.read_text()
        assert not re.search(r"Traceback|_broke", said), said[-3000:]
        async with self.client.get(self.gateway.origin + "/metrics") as answer:
            assert not re.search(r'http_requests_total\{[^}]*status="500"', await answer.text())


@asynccontextmanager
async def pressed(folder: Path, limits: str = "") -> AsyncIterator[Pressed]:
    """A gateway started by a shell that first sets these limits."""
    port = free_port()
    wrap = ["sh", "-c", f'{limits}\nexec "$@"', "sh"] if limits else []
    async with far_ends((), 1, "image=0.3,video=1") as (_, bases, secrets):
        await fund(folder)
        gateway = Gateway(folder, policy(folder, bases, port), secrets, port, wrap)
        await gateway.start()
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client:
                await client.get(gateway.origin + "/livez")
                yield Pressed(gateway, client)
        finally:
            await gateway.kill()


async def test_a_loop_that_stands_still_is_measured_and_costs_nothing(tmp_path: Path) -> None:
    """F60: two seconds without a turn: the probe waits and is answered, the lag is on record, all work goes on."""
    async with pressed(tmp_path) as at:
        made = [await at.ask(number) for number in range(10)]
        os.kill(at.gateway.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2, os.kill, at.gateway.pid, signal.SIGCONT)
        async with at.client.get(at.gateway.origin + "/livez", timeout=aiohttp.ClientTimeout(total=10)) as answer:
            assert answer.status == 200
        await at.all_well(made)
        async with at.client.get(at.gateway.origin + "/metrics") as answer:
            text = await answer.text()
        [lag] = re.findall(r"tidegate_loop_lag_seconds_sum (\S+)", text)
        assert 1.4 < float(lag) < 10
        assert "loop_blocked" in at.gateway.log.read_text()


async def test_no_descriptors_left(tmp_path: Path) -> None:
    """F61: more connections than descriptors: taking them pauses, submits go on, nothing is answered 500, and it recovers."""
    async with pressed(tmp_path, "ulimit -n 256") as at:
        port = int(at.gateway.origin.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        await asyncio.sleep(0.5)
        assert 150 < _descriptors(at.gateway.pid) <= 200
        assert "accepting_paused" in at.gateway.log.read_text()
        made = [await at.ask(number) for number in range(10)]
        await at.all_well(made)
        for _, writer in idle:
            writer.close()
        patient = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        async with patient as another, another.get(at.gateway.origin + "/readyz") as answer:
            assert answer.status == 200
        assert "accepting_resumed" in at.gateway.log.read_text()
        assert _descriptors(at.gateway.pid) < 100


async def test_no_memory_left(tmp_path: Path) -> None:
    """F62: more bodies under way than there is memory for: some are told to come again, none is answered 500, and it recovers."""
    async with pressed(tmp_path, "ulimit -v 900000") as at:
        port, whole = int(at.gateway.origin.rpartition(":")[2]), asyncio.Event()
        sent = [asyncio.create_task(_long_body(port, whole)) for _ in range(BODIES)]
        await _as_large_as_it_gets(at.gateway.pid)
        whole.set()
        answers = Counter(await asyncio.gather(*sent))
        assert set(answers) == {(404, False), (503, True)}, answers
        assert min(answers.values()) >= BODIES // 6
        assert at.gateway.code is None
        await at.all_well([await at.ask(number) for number in range(10)])


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _mebibytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) >> 8  # pages have 4 KiB


async def _as_large_as_it_gets(pid: int) -> None:
    """Wait until a process takes no more memory."""
    seen = [0]
    while len(seen) < 3 or len(set(seen[-3:])) > 1:
        await asyncio.sleep(1)
        seen.append(_mebibytes(pid))


async def _long_body(port: int, whole: asyncio.Event) -> tuple[int, bool]:
    """Send all of a request but its last byte, and that once everybody is so far; the status, and whether to come again."""
    head = f"POST {NOBODYS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + LONG[:-1])
    answered = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    await whole.wait()
    writer.write(LONG[-1:])
    said = (await answered).decode()
    writer.close()
    return int(said.split()[1]), "\r\nRetry-After: " in said
