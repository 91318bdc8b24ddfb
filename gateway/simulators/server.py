"""The simulators' one server: every vendor on one port, told apart by the first part of the path.

`/_files` holds what the vendors' jobs made, `/_simulators` the log, the jobs and the script for a
harness in another process.
"""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from gateway.simulators.alibabacloud import ALIBABACLOUD
from gateway.simulators.bfl import BFL
from gateway.simulators.byteplus import BYTEPLUS
from gateway.simulators.chaos import Chaos, Rule, read
from gateway.simulators.cloudflare import CLOUDFLARE
from gateway.simulators.fal import FAL
from gateway.simulators.google import GOOGLE
from gateway.simulators.jobs import Jobs
from gateway.simulators.log import Log, Seen
from gateway.simulators.openai import OPENAI
from gateway.simulators.replicate import REPLICATE
from gateway.simulators.runway import RUNWAY
from gateway.simulators.stage import Stage
from gateway.simulators.vendor import Vendor

VENDORS: tuple[Vendor, ...] = (BYTEPLUS, REPLICATE, FAL, OPENAI, BFL, CLOUDFLARE, RUNWAY, ALIBABACLOUD, GOOGLE)

# Inputs may come as data URIs, and the vendors' own limits lie well above those of a web server.
_MOST_BYTES = 128 * 1024 * 1024
_HARNESS = "GET /_simulators, /_simulators/log, /_simulators/jobs; PUT /_simulators/chaos; POST /_simulators/reset"
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 (compared with, not listened on)


@dataclass(frozen=True, slots=True)
class Begun:
    """A job as a harness sees it: the proof that a submit arrived, and whether it costs money."""

    provider: str
    id: str
    model: str
    body: Any
    state: str
    created: int
    billed: bool


class Simulators:
    """All played vendors behind one port."""

    def __init__(
        self,
        *,
        chaos: Iterable[Mapping[str, Any] | Rule] = (),
        image_seconds: float = 0.4,
        video_seconds: float = 2.0,
        seed: int = 0,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """Take the fault script, how long jobs take, the seed of its dice, and a clock in ms."""
        self._pace = {"image": image_seconds, "video": video_seconds}
        self._seed = seed
        self._runner: web.AppRunner | None = None
        self._origin = ""
        self._port = 0
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._stage = Stage(VENDORS, self._no_jobs(), self._script(chaos), self._clock)

    def _no_jobs(self) -> Jobs:
        # Identifiers come from no seed: a simulator that restarts must not give old ones out again.
        return Jobs(self._pace, random.Random())

    def _script(self, chaos: Iterable[Mapping[str, Any] | Rule]) -> Chaos:
        return Chaos(read(chaos), [vendor.name for vendor in VENDORS], random.Random(self._seed))

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssl_context: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 takes a free one."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_route("*", "/_simulators{rest:(/.*)?}", self._harness)
        app.router.add_route("*", "/_files/{vendor}/{name}", self._stage.file)
        app.router.add_route("*", "/{path:.*}", self._stage.call)
        # A held line must not outlive its caller.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=ssl_context).start()
        self._port = self._runner.addresses[0][1]
        scheme = "http" if ssl_context is None else "https"
        self._origin = f"{scheme}://{'127.0.0.1' if host in _EVERYWHERE else host}:{self._port}"

    async def close(self) -> None:
        """Stop listening and cut every line still held."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._origin

    @property
    def bases(self) -> dict[str, str]:
        """What each provider's base address is set to, by provider."""
        return {vendor.name: self._origin + vendor.base for vendor in VENDORS}

    @property
    def secrets(self) -> dict[str, str]:
        """The keys that are accepted, by the names people keep them under."""
        return {name: key for vendor in VENDORS for name, key in vendor.secrets.items()}

    @property
    def log(self) -> list[Seen]:
        """Every call received, the newest 50,000 of them."""
        return list(self._stage.log.calls)

    def jobs(self, provider: str | None = None) -> list[Begun]:
        """Return every job begun, in order."""
        now = self._clock()
        billed = {vendor.name: vendor.is_billed for vendor in VENDORS}
        return [
            Begun(
                provider=job.provider,
                id=job.id,
                model=job.model,
                body=job.body,
                state=job.state(now).value,
                created=job.created,
                billed=billed[job.provider](job, now),
            )
            for job in self._stage.jobs.every(provider)
        ]

    def set_chaos(self, chaos: Iterable[Mapping[str, Any] | Rule]) -> None:
        """Put another script in place, its counts at zero; `ValueError` says what is wrong with it."""
        self._stage.chaos = self._script(chaos)

    def reset(self) -> None:
        """Forget every job and call, and put an empty script in place."""
        self._stage.jobs, self._stage.log = self._no_jobs(), Log()
        self.set_chaos(())

    async def _harness(self, request: web.Request) -> web.Response:
        """Answer a harness in another process."""
        try:
            found = self._told(
                request.method, request.match_info["rest"].rstrip("/"), await request.read(), request.query
            )
        except ValueError as exc:
            return web.json_response({"error": str(exc)}, status=400)
        if found is None:
            return web.json_response({"error": f"no such call; there are {_HARNESS}"}, status=404)
        return web.json_response(found)

    def _told(self, method: str, path: str, body: bytes, query: Mapping[str, str]) -> Any:
        """Do what a harness asks and return the answer, nothing if there is no such call."""
        match method, path:
            case "GET", "":
                found: Any = {"bases": self.bases, "secrets": self.secrets}
            case "GET", "/log":
                since = int(query.get("since", "0"))
                found = [asdict(seen) for seen in self.log if seen.n > since]
            case "GET", "/jobs":
                found = [asdict(begun) for begun in self.jobs(query.get("provider"))]
            case "PUT", "/chaos":
                self.set_chaos(json.loads(body))
                found = {}
            case "POST", "/reset":
                self.reset()
                found = {}
            case _:
                found = None
        return found
