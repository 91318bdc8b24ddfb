"""`tidegate simulate`: the played providers alone, for people to test their own apps against failure."""

from __future__ import annotations

import argparse
import asyncio
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.commands.exits import Exit, Stop
from gateway.commands.ports import port, refused
from gateway.commands.signals import Stopping
from gateway.commands.terminal import say, show, show_json
from gateway.simulators import Simulators, chaos

_KINDS = ("image", "video")


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=9100, metavar="N", help="port (default 9100; 0 takes a free one)")
    parser.add_argument(
        "--chaos", type=Path, metavar="FILE", help="fault script, YAML or JSON: which calls go wrong, and how"
    )
    said = "seconds a job takes (default image=0.4,video=2)"
    parser.add_argument("--pace", type=_pace, default={}, metavar="image=0.4,video=2", help=said)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the script's dice (default 0)")
    parser.add_argument("--json", action="store_true", help="print addresses and keys as JSON")
    parser.epilog = """\
Prints what a policy file and a shell need to point a gateway at it, then plays until Ctrl-C. The files it makes are real
pictures and films, marked as simulated; the keys it takes are its own.

a fault script
  - {call: submit, do: status, status: 503, times: 2}      # the first two submits are refused
  - {call: submit, chance: 0.1, do: drop_after}            # one in ten breaks after the job has begun
  - {call: submit, prompt: "*slow*", do: late, seconds: 30}

examples
  tidegate simulate
  tidegate simulate --chaos faults.yaml --pace image=0.1,video=1
  curl -s http://127.0.0.1:9100/_simulators/jobs           # every job begun, and whether it costs money
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Play until stopped."""
    del environ
    try:
        script: Sequence[chaos.Rule] = () if asked.chaos is None else chaos.load(asked.chaos)
        simulators = Simulators(
            chaos=script, seed=asked.seed, **{f"{kind}_seconds": each for kind, each in asked.pace.items()}
        )
    except (OSError, ValueError) as error:
        raise Stop(Exit.USAGE, f"{asked.chaos}: {error}") from error
    return asyncio.run(_play(simulators, asked))


async def _play(simulators: Simulators, asked: argparse.Namespace) -> int:
    async with Stopping() as stopping:
        try:
            await simulators.start(asked.host, asked.port)
        except OSError as error:
            raise Stop(Exit.FAILURE, refused(asked.host, asked.port, error, "--port {}")) from error
        try:
            if asked.json:
                show_json({"origin": simulators.origin, "bases": simulators.bases, "secrets": simulators.secrets})
            else:
                show(_lines(simulators, asked.host))
            say("playing until Ctrl-C")
            return await stopping.wait()
        finally:
            await simulators.close()


def _lines(simulators: Simulators, host: str) -> str:
    network = "127.0.0.0/8" if host == "127.0.0.1" else "the network of this machine"
    lines = ["# for the policy file", "providers:"]
    lines += [f"  {provider}: {{base: {base}}}" for provider, base in simulators.bases.items()]
    lines += [f"egress: {{allow: [{network}]}}", "", "# for the shell that starts the gateway"]
    lines += [f"export {name}={shlex.quote(secret)}" for name, secret in simulators.secrets.items()]
    return "\n".join(lines)


def _pace(written: str) -> dict[str, float]:
    """Read `image=0.4,video=2` as seconds by kind."""
    found: dict[str, float] = {}
    for part in written.split(","):
        kind, _, seconds = part.partition("=")
        try:
            found[kind] = float(seconds)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{part!r} is not KIND=SECONDS, such as image=0.4") from error
        if kind not in _KINDS or not 0 <= found[kind] < math.inf:
            raise argparse.ArgumentTypeError(f"{part!r}: the kinds are image and video, the seconds from 0")
    return found
