"""Runs the simulators alone: `python -m gateway.simulators --port 9900 --chaos script.yaml --pace image=0.1,video=1`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from typing import Any

from gateway.simulators import chaos
from gateway.simulators.server import Simulators


def _pace(asked: str) -> dict[str, float]:
    """Read `image=0.4,video=2` as seconds by kind."""
    found = {}
    for part in asked.split(","):
        kind, _, seconds = part.partition("=")
        try:
            found[kind] = float(seconds)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is not KIND=SECONDS, such as image=0.4") from None
        if kind not in ("image", "video") or not 0 <= found[kind] < float("inf"):
            raise argparse.ArgumentTypeError(f"{part!r}: the kinds are image and video, the seconds from 0")
    return found


def _script(path: str) -> tuple[chaos.Rule, ...]:
    try:
        return chaos.load(path)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.simulators", description="Play the providers' far ends.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--chaos", type=_script, default=(), metavar="FILE", help="fault script, YAML or JSON")
    parser.add_argument("--pace", type=_pace, default={}, metavar="image=0.4,video=2", help="seconds jobs take")
    parser.add_argument("--seed", type=int, default=0, help="seed of the script's dice")
    return parser.parse_args()


async def _serve(asked: argparse.Namespace) -> None:
    """Serve until asked to stop; the first line of output tells where, as JSON."""
    pace: dict[str, Any] = {f"{kind}_seconds": seconds for kind, seconds in asked.pace.items()}
    simulators = Simulators(chaos=asked.chaos, seed=asked.seed, **pace)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await simulators.start(host=asked.host, port=asked.port)
    said = {"origin": simulators.origin, "bases": simulators.bases, "secrets": simulators.secrets}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await simulators.close()


def main() -> int:
    """Run until interrupted; 2 when the script's provider or the port is wrong."""
    try:
        asyncio.run(_serve(_arguments()))
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"simulators: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
