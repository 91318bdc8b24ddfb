"""`tidegate audit`: who changed what about keys, accounts, credits, webhooks and breakers."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import show, show_json, style, table
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
Every such change leaves a line, in the transaction that made it; lines are never changed or removed. The actor is the id of the
key that asked for it, or `operator` for commands and the private socket.

examples
  tidegate audit
  tidegate audit --who key_0123456789abcdef      what was done to a key, and with it
  tidegate audit --limit 500 --json
"""
    parser.add_argument("--who", metavar="ID", help="a key, an account, an endpoint, or `operator` (default: all)")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many, the latest first (50)")
    parser.add_argument("--before", type=int, metavar="N", help="only entries below this number, for the next page")
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show the audit."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    given = {"who": asked.who, "limit": asked.limit, "before": asked.before}
    async with administration.opened(settings, create=False) as act:
        told = await act("audit.list", {name: value for name, value in given.items() if value is not None})
    if asked.json:
        show_json(told)
        return Exit.OK
    names = ("seq", "at", "actor", "act", "subject", "said")
    rows = [[str(each[name]) for name in names] for each in told["entries"]]
    show(table(names, rows, style(sys.stdout, environ)))
    return Exit.OK
