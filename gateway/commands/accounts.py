"""`tidegate accounts`: opened and listed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import say, show, show_json, style, table
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
An account holds credits, keys and generations; callers of one never see another's.

examples
  tidegate accounts create studio --name "The studio"
  tidegate accounts list --json
"""
    acts = parser.add_subparsers(dest="act", metavar="create | list", required=True)
    making = acts.add_parser("create", help="open an account")
    making.add_argument("account", metavar="ID", help="up to 64 letters, digits, '.', '_' and '-'")
    making.add_argument("--name", metavar="TEXT", help="its name for people (default: the id)")
    listing = acts.add_parser("list", help="list accounts with what they have")
    for each in (making, listing):
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Open an account, or list them."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    makes = asked.act == "create"
    async with administration.opened(settings, create=makes) as act:
        given = {"account": asked.account, **({"name": asked.name} if asked.name else {})} if makes else {}
        told = await act(f"accounts.{asked.act}", given)
    if asked.json:
        show_json(told)
    elif makes:
        say(
            f"the account {told['account']} is open; `tidegate credits add AMOUNT --account {told['account']}` fills it"
        )
    else:
        rows = [
            [
                each["account"],
                each["name"],
                *(f"{each[name]:g}" for name in ("available", "held")),
                str(each["generations"]),
            ]
            for each in told["accounts"]
        ]
        show(table(["account", "name", "available", "held", "generations"], rows, style(sys.stdout, environ)))
    return Exit.OK
