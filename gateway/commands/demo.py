"""`tidegate demo`: a gateway and played providers on loopback, and one request that fails over before your eyes."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TextIO

from gateway import __version__, app, log, money
from gateway import settings as policy
from gateway.clock import SystemClock
from gateway.commands import administration, ports, saving
from gateway.commands.client import Gateway, Lost, Told, reached
from gateway.commands.exits import Exit, Stop
from gateway.commands.index import MODEL
from gateway.commands.journey import Journey, TooLong, seconds
from gateway.commands.signals import Stopping
from gateway.commands.terminal import Style, say, show_json, style
from gateway.documents import Mistakes
from gateway.ingress import fields as native
from gateway.ingress.callers import PRESETS, Scope
from gateway.ledger.program import StoreError
from gateway.running import Running
from gateway.settings import Address, Auth, Settings
from gateway.simulators import Simulators

_LIMIT = 60.0  # seconds; it takes two
_ACCOUNT = "demo"
_FIELDS = {
    "prompt": "a baby seal plays in the Arctic",
    "ratio": "16:9",
    "images": ["https://example.com/reference.jpg"],
}
_NEXT = {"generation_prompt": "a red boat at dawn", "generation_ratio": "3:2"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--once", action="store_true", help="end when the picture is saved")
    parser.add_argument(
        "--port", type=ports.port, default=8080, metavar="N", help="port (default 8080, or the next free one)"
    )
    said = "address to listen on (default 127.0.0.1; on any other an API key is made and asked for)"
    parser.add_argument("--host", default="127.0.0.1", help=said)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder for the picture (default: here)"
    )
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")
    parser.epilog = """\
The gateway is the real one, with a store of its own that is thrown away at the end. The providers are played on this machine in
their own wire formats: no key, no network, no cost. The first of them is made to refuse, so that failover is seen.

examples
  tidegate demo
  tidegate demo --once -o /tmp
  docker run --rm -p 8080:8080 tidegate demo --host 0.0.0.0
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show it, and go on serving unless told otherwise."""
    log.setup(format="text", level="error")
    out = sys.stderr if asked.json else sys.stdout
    with tempfile.TemporaryDirectory(prefix="tidegate-demo-") as folder:
        return asyncio.run(_demo(asked, Path(folder), out, style(out, environ)))


async def _demo(asked: argparse.Namespace, folder: Path, out: TextIO, paint: Style) -> int:
    async with Stopping() as stopping, AsyncExitStack() as stack:
        simulators = Simulators()
        await simulators.start()
        stack.push_async_callback(simulators.close)
        settings = _settings(folder, simulators, asked.host, _port(asked.host, asked.port))
        try:
            # Real credentials in the environment stay out of it: nothing here may cost anything.
            running = await stack.enter_async_context(app.running(settings, simulators.secrets))
        except (StoreError, OSError) as error:
            raise Stop(Exit.FAILURE, str(error)) from error
        key = None if settings.auth is Auth.NONE else await _key(settings)
        story = _Story(running, simulators, key, out, paint)
        told = await stopping.unless(story.tell(asked.output))
        if isinstance(told, Exit):
            return told
        if asked.json:
            show_json(told)
        if asked.once:
            return Exit.OK
        story.invite(told["generation"])
        say("serving until Ctrl-C")
        return await stopping.wait()


class _Story:
    """The one request, told as it happens."""

    def __init__(self, running: Running, simulators: Simulators, key: str | None, out: TextIO, paint: Style) -> None:
        self._order = [
            offer.provider for offer in running.loaded.catalog.offers(MODEL) if offer.provider in simulators.bases
        ]
        self._simulators = simulators
        self._origin = running.origin.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        self._key = key
        self._out = out
        self._paint = paint

    async def tell(self, folder: Path) -> dict[str, Any]:
        """Send the request through the public API, follow it, save the picture; gives what happened."""
        body: dict[str, Any] = {native.spell(name): value for name, value in _FIELDS.items()}
        body[native.ORDER] = ", ".join(self._order)
        self._print(self._paint.bold(f"tidegate {__version__}  demo: played providers, no key, no network"), "")
        self._print(f"POST {self._origin}/v1/generate/image/{MODEL}", json.dumps(body, indent=2), "")
        self._simulators.set_chaos([{"provider": self._order[0], "call": "submit", "do": "status", "status": 503}])
        try:
            async with reached(self._origin, self._key) as gateway:
                record = await self._followed(gateway, body)
                await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
                paths = await saving.save(gateway, record["generation_output_file"], folder, "tidegate-demo")
        except (Told, Lost, TooLong, OSError) as error:
            raise Stop(Exit.FAILURE, f"the demo did not work: {str(error) or 'it took too long'}") from error
        finally:
            self._simulators.set_chaos([])
        told = _told(record, paths, self._origin)
        cost = money.text(money.from_number(told["cost"]))
        self._print("", f"saved  {paths[0]}", f"cost   {cost} credits (simulated)   total {told['seconds']:.1f} s", "")
        return told

    def invite(self, generation: str) -> None:
        """Show what can be asked of it now."""
        self._print("now try", *(f"  {line}" for line in self._lines(generation)), "")

    async def _followed(self, gateway: Gateway, body: Mapping[str, Any]) -> dict[str, Any]:
        made = await gateway.create("image", MODEL, body)
        journey = Journey(self._out, self._paint, SystemClock())
        record = await journey.follow(gateway, str(made["generation_id"]), _LIMIT)
        if record["generation_status"] != "succeeded":
            raise Told(record.get("error", {}))
        return record

    def _lines(self, generation: str) -> list[str]:
        """Give commands that work as they stand while the demo serves."""
        key = [] if self._key is None else ["-H", f"Authorization: Bearer {self._key}"]
        create = ["-H", "Content-Type: application/json", "-d", json.dumps(_NEXT)]
        return [
            shlex.join(["curl", "-s", self._origin + path, *more])
            for path, more in (
                (f"/v1/generate/image/{MODEL}", [*key, *create]),
                (f"/v1/content/{generation}", key),
                ("/v1/content/list?limit=5", key),
                ("/metrics", key),
            )
        ]

    def _print(self, *lines: str) -> None:
        print(*lines, sep="\n", file=self._out, flush=True)


def _told(record: Mapping[str, Any], paths: Sequence[Path], origin: str) -> dict[str, Any]:
    return {
        "origin": origin,
        "generation": record["generation_id"],
        "model": record["model_identifier"],
        "attempts": [
            {
                "provider": each["provider"],
                "state": each["state"],
                "seconds": seconds(each),
                **({"error": each["error"]} if "error" in each else {}),
            }
            for each in record["generation_attempts"]
        ],
        "provider": record["generation_provider_used"],
        "files": [str(path) for path in paths],
        "cost": record["generation_cost"],
        "seconds": record["generation_metrics_total_time"],
    }


def _settings(folder: Path, simulators: Simulators, host: str, port: int) -> Settings:
    """Write the policy a user would write for these providers, and read it as theirs is read."""
    address = Address(host, port)
    written = {
        "listen": str(address),
        "store": "sqlite:tidegate.db",
        "auth": (Auth.NONE if address.is_loopback else Auth.KEYS).value,
        "credits": "track",
        "providers": {provider: {"base": base} for provider, base in simulators.bases.items()},
        "egress": {"allow": ["127.0.0.0/8"]},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(written), encoding="utf-8")
    try:
        return policy.load(path, {})
    except Mistakes as mistakes:
        raise Stop(Exit.USAGE, str(mistakes)) from mistakes


async def _key(settings: Settings) -> str:
    """Make a key for whoever reads the lines to try, metrics included; the account needs no credits here."""
    scopes = [*PRESETS["full_access"], Scope.METRICS_READ.value]
    async with administration.opened(settings, create=False) as act:
        await act("accounts.create", {"account": _ACCOUNT})
        return str((await act("keys.create", {"account": _ACCOUNT, "name": "demo", "scopes": scopes}))["key"])


def _port(host: str, wanted: int) -> int:
    """Give the port, or the next free one with a word about it."""
    try:
        free = wanted if not wanted or ports.is_free(host, wanted) else ports.next_free(host, wanted)
    except OSError as error:
        raise Stop(Exit.USAGE, f"cannot listen on {host}: {error.strerror or error}") from error
    if free is None:
        raise Stop(Exit.FAILURE, f"port {wanted} is taken, and so are those after it; name one with --port")
    if free != wanted:
        say(f"port {wanted} is taken, so it is {free}")
    return free
