"""`-c`, and what it leads to: the settings and the catalog, or every mistake in them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from gateway import settings as policy
from gateway import world
from gateway.commands.exits import Exit, Stop
from gateway.documents import Mistakes
from gateway.settings import Settings
from gateway.world import Loaded

_USUAL = (Path("config.yaml"), Path("/etc/tidegate/config.yaml"))


def option(parser: argparse.ArgumentParser) -> None:
    """Add `-c`."""
    said = "policy file (default: ./config.yaml, else /etc/tidegate/config.yaml, else none: every default holds)"
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help=said)


def path_of(asked: argparse.Namespace) -> Path | None:
    """Give the policy file that is meant; None when there is none."""
    given: Path | None = asked.config
    return given or next((path for path in _USUAL if path.is_file()), None)


def load(asked: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Read the settings; Stop with every mistake when they cannot be used."""
    try:
        return policy.load(path_of(asked), environ)
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes


def loaded(settings: Settings, environ: Mapping[str, str]) -> Loaded:
    """Load the packs and find their credentials; Stop with every mistake when they cannot be used."""
    try:
        return world.load(settings, environ)
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
