"""`tidegate alerts`: the balances below which an account is told that its credits run low."""

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
A threshold fires once, when a request takes the balance below it, and is armed again when credits that are added or given back
bring the balance back to it. Endpoints that want to hear of credits.low_balance are told. An account begins with one, at 0.50.

examples
  tidegate alerts show
  tidegate alerts set 10 2.50 0.50 --account studio
  tidegate alerts off --account studio
"""
    acts = parser.add_subparsers(dest="act", metavar="set | off | show", required=True)
    setting = acts.add_parser("set", help="set the thresholds, in place of those there are")
    setting.add_argument("thresholds", metavar="AMOUNT", nargs="+", help="credits, above zero; at most ten of them")
    off = acts.add_parser("off", help="take every threshold away")
    showing = acts.add_parser("show", help="show the thresholds, and which have fired")
    for each in (setting, off, showing):
        each.add_argument("--account", metavar="ID", help="account (default: the only one there is)")
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Set thresholds, or show them."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    async with administration.opened(settings, create=False) as act:
        account = await administration.account_of(act, asked.account, create=False)
        if asked.act == "show":
            told = await act("alerts.show", {"account": account})
        else:
            wanted = asked.thresholds if asked.act == "set" else []
            told = await act("alerts.set", {"account": account, "thresholds": wanted})
    if asked.json:
        show_json(told)
    elif told["alerts"]:
        rows = [[f"{each['threshold']:.2f}", each["fired_at"] or "armed"] for each in told["alerts"]]
        show(table(["below", "fired"], rows, style(sys.stdout, environ)))
    else:
        say(f"{account} has no thresholds")
    return Exit.OK
