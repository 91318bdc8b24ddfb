"""`tidegate doctor`: the ledger held against its own rules, and the versions all of it runs on."""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp
import yaml
from aiohttp import http_parser

from gateway import __version__
from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import Style, printable, show, show_json, style
from gateway.ledger.database import ENGINE_VERSION
from gateway.settings import Settings

# Before it, a second process that writes or checkpoints the same file could damage it while the log was reset.
_SOUND = (3, 51, 3)
_SHOWN = 5  # rows of a finding; --json has all


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print findings and versions as JSON")
    parser.epilog = """\
Only reads. Works beside a running gateway, through its private socket, and on the store itself when none runs.

examples
  tidegate doctor
  tidegate doctor -c config.yaml --json | jq '.findings'

exit codes: 0 nothing found, 1 a rule of the ledger does not hold
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check the ledger."""
    settings = configuration.load(asked, environ)
    told = {
        **asyncio.run(_examined(settings)),
        "store": str(settings.store.path),
        "versions": _versions(),
        "notes": _notes(),
    }
    if asked.json:
        show_json(told)
    else:
        show(_page(told, style(sys.stdout, environ)))
    return Exit.FAILURE if told["findings"] else Exit.OK


async def _examined(settings: Settings) -> dict[str, Any]:
    async with administration.opened(settings, create=False) as act:
        return await act("doctor", {})


def _versions() -> dict[str, str]:
    return {
        "tidegate": __version__,
        "python": platform.python_version(),
        "sqlite": ".".join(map(str, ENGINE_VERSION)),
        "aiohttp": aiohttp.__version__,
        "pyyaml": yaml.__version__,
    }


def _notes() -> list[str]:
    """Give what is not wrong, and worth knowing."""
    notes = []
    if ENGINE_VERSION < _SOUND:
        sound = ".".join(map(str, _SOUND))
        engine = ".".join(map(str, ENGINE_VERSION))
        said = f"SQLite {engine} is older than {sound}: let no other process, such as a backup tool, write the store"
        notes.append(said)
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        notes.append(
            "aiohttp runs without its C parser: HTTP is several times slower; install a wheel for this platform"
        )
    if not yaml.__with_libyaml__:
        notes.append("PyYAML runs without its C parser: loading provider files takes several times as long")
    return notes


def _page(told: Mapping[str, Any], paint: Style) -> str:
    lines = ["  ".join(f"{name} {version}" for name, version in told["versions"].items()), f"store {told['store']}"]
    lines += [paint.warn(f"note: {note}") for note in told["notes"]]
    for each in told["findings"]:
        rows = [printable(row, 80) for row in each["rows"][:_SHOWN]]
        more = len(each["rows"]) - len(rows)
        lines.append(f"{paint.bad(each['check'])}  {each['says']}")
        lines.append(f"    {', '.join(rows)}{f' and {more} more' if more else ''}")
    count = len(told["findings"])
    verdict = paint.good("all hold") if not count else paint.bad(f"{count} do not hold")
    return "\n".join([*lines, f"{told['checks']} checks of the ledger: {verdict}"])
