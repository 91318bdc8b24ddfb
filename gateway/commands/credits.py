"""`tidegate credits`: added to an account, and what it has."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway import money
from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import Style, say, show, show_json, style, table
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
One credit is one US dollar. The same reference adds the same amount once, however often it is asked for.

examples
  tidegate credits add 25
  tidegate credits add 12.50 --account studio --reference invoice-1042 --note "November"
  tidegate credits show --account studio
"""
    acts = parser.add_subparsers(dest="act", metavar="add | show", required=True)
    adding = acts.add_parser("add", help="add credits to an account")
    adding.add_argument("amount", metavar="AMOUNT", help="credits, at most six decimals")
    adding.add_argument(
        "--reference", metavar="TEXT", help="what makes a repeated request harmless (default: a new one)"
    )
    adding.add_argument("--note", metavar="TEXT", help="a word for people")
    showing = acts.add_parser("show", help="show what an account has and its latest movements")
    for each in (adding, showing):
        each.add_argument("--account", metavar="ID", help="account (default: the only one there is)")
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Add credits, or show them."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    async with administration.opened(settings, create=False) as act:
        given = {"account": await administration.account_of(act, asked.account, create=False)}
        if asked.act == "add":
            more = {"amount": asked.amount, "reference": asked.reference, "note": asked.note}
            given |= {name: value for name, value in more.items() if value is not None}
        told = await act(f"credits.{asked.act}", given)
    if asked.json:
        show_json(told)
    elif asked.act == "add":
        added = f"added {_credits(told['added'])}" if told["added"] else "added before, nothing changed"
        say(f"{told['account']}: {added}; {_credits(told['available'])} available (reference {told['reference']})")
    else:
        show(_page(told, style(sys.stdout, environ)))
    return Exit.OK


def _page(told: Mapping[str, Any], paint: Style) -> str:
    head = f"{told['account']}  {paint.bold(_credits(told['available']))} available, {_credits(told['held'])} held"
    rows = [
        [each["at"], each["kind"], _credits(each["amount"]), _credits(each["balance"]), each["reference"], each["note"]]
        for each in told["entries"]
    ]
    return (
        head
        if not rows
        else f"{head}\n\n{table(['at', 'kind', 'amount', 'balance', 'reference', 'note'], rows, paint)}"
    )


def _credits(amount: float) -> str:
    return money.text(money.from_number(amount))
