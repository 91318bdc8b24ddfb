"""`-c`: which policy file is meant. Apart from what reads it, for commands that have to be quick."""

from __future__ import annotations

import argparse
from pathlib import Path

_USUAL = (Path("config.yaml"), Path("/etc/tidegate/config.yaml"))


def option(parser: argparse.ArgumentParser) -> None:
    """Add `-c`."""
    said = "policy file (default: ./config.yaml, else /etc/tidegate/config.yaml, else none: every default holds)"
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help=said)


def path_of(asked: argparse.Namespace) -> Path | None:
    """Give the policy file that is meant; None when there is none."""
    given: Path | None = asked.config
    return given or next((path for path in _USUAL if path.is_file()), None)
