"""The gateway and the played vendors as processes of their own, to be started, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from tests.harness.warm import warm

CREDIT = 1_000_000
_PACKS = Path(__file__).parents[2] / "providers.d"
OPENING = 10_000 * CREDIT  # millionths; more than any run spends


def now_ms() -> int:
    """The time of day."""
    return time.time_ns() // 1_000_000


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def policy(folder: Path, bases: Mapping[str, str], port: int, more: str = "") -> str:
    """The policy of a gateway under test; its deadlines are short, so that what is stuck shows."""
    providers = "".join(f"  {name}: {{base: {base}}}\n" for name, base in bases.items())
    return (
        f"listen: 127.0.0.1:{port}\nstore: sqlite:gateway.db\noutputs: {{store: 'file://{folder}/outputs'}}\n"
        f"auth: none\ncredits: enforce\negress: {{allow: [127.0.0.0/8]}}\nproviders:\n{providers}"
        "log: {format: json, level: info}\n"
        "attempts: {image_deadline: 60s, video_deadline: 90s, in_doubt_max_cost: 0.5, poll_grace: 20s, submit_timeout: 10s}\n"
        + more
    )


def few(folder: Path, *providers: str) -> str:
    """The line of a policy that has it load only these providers' packs, which takes a part of the time of all."""
    (folder / "packs").mkdir()
    for name in providers:
        (folder / "packs" / name).symlink_to(_PACKS / name)
    return f"catalog: ['{folder}/packs']\n"


class Gateway:
    """The gateway in a process of its own. `wrap` is a command that runs it, such as a tracer."""

    def __init__(
        self, folder: Path, config: str, environ: Mapping[str, str], port: int, wrap: Sequence[str] = ()
    ) -> None:
        """Write its policy file; nothing runs yet."""
        self.folder = folder
        self.origin = f"http://127.0.0.1:{port}"
        self.wrap = list(wrap)
        self.environ = {**os.environ, **environ}
        self.log = folder / "gateway.log"
        self._process: asyncio.subprocess.Process | None = None
        (folder / "config.yaml").write_text(config)
        warm(folder / "gateway.db")

    async def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.wrap, sys.executable, "-m", "gateway", "serve", "-c", str(self.folder / "config.yaml"),
                env=self.environ, stdout=log, stderr=log,
            )  # fmt: skip

    async def ready(self, seconds: float = 30) -> bool:
        """Wait until it is ready; False when it ended before. RuntimeError when it is neither within so many seconds."""
        assert self._process is not None
        ends = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while time.monotonic() < ends:
                if self._process.returncode is not None:
                    return False
                try:
                    async with session.get(self.origin + "/readyz") as answer:
                        if answer.status == 200:
                            return True
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.02)
        raise RuntimeError(f"the gateway did not become ready in {seconds:g} s; see {self.log}")

    async def start(self, seconds: float = 30) -> None:
        """Start it and wait until it is ready. RuntimeError when it ends instead, or is not ready within so many seconds."""
        await self.launch()
        if not await self.ready(seconds):
            raise RuntimeError(f"the gateway ended with {self.code}: {self.log.read_text()[-2000:]}")

    @property
    def code(self) -> int | None:
        """How it ended, None while it runs."""
        assert self._process is not None
        return self._process.returncode

    @property
    def pid(self) -> int:
        """The process, or the command that runs it."""
        assert self._process is not None
        return self._process.pid

    async def ended(self, seconds: float) -> int | None:
        """Wait for its end and give the exit code; None when it still runs after so many seconds."""
        assert self._process is not None
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            return None

    async def kill(self) -> None:
        """SIGKILL: nothing is said goodbye to."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()

    def hang_up(self) -> None:
        """SIGHUP: it is to read its files again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.terminate()
        assert self._process is not None
        return await self._process.wait()


@asynccontextmanager
async def far_ends(
    chaos: Sequence[Mapping[str, Any]], seed: int, pace: str = "image=0.5,video=1.5"
) -> AsyncIterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """The played vendors in a process of their own: origin, bases and the keys they take."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.simulators", "--port", str(port), "--pace", pace, "--seed", str(seed),
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            said = await _told(session, origin)
            async with session.put(origin + "/_simulators/chaos", json=list(chaos)) as answer:
                assert answer.status < 300, await answer.text()
        yield origin, said["bases"], said["secrets"]
    finally:
        process.kill()
        await process.wait()


async def _told(session: aiohttp.ClientSession, origin: str) -> Mapping[str, Any]:
    for _ in range(200):
        try:
            async with session.get(origin + "/_simulators") as answer:
                told: Mapping[str, Any] = await answer.json()
                return told
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
    raise RuntimeError("the simulators did not start")


async def fund(folder: Path, amount: int = OPENING) -> None:
    """Open the store of a gateway that does not run, and put credits into the one account there is without keys."""
    store = await Database.open(folder / "gateway.db", now=now_ms)
    await store.write(accounts.ensure("local", "local", now_ms()))
    await store.write(credits.add("local", amount, "opening", "", now_ms()))
    await store.close()
