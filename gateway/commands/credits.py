"""`tidegate credits`: added to an account, what it has, and what moved between two days."""

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
  tidegate credits statement --account studio --from 2026-11-01 --to 2026-11-30
"""
    acts = parser.add_subparsers(dest="act", metavar="add | show | statement", required=True)
    adding = acts.add_parser("add", help="add credits to an account")
    adding.add_argument("amount", metavar="AMOUNT", help="credits, at most six decimals")
    adding.add_argument(
        "--reference", metavar="TEXT", help="what makes a repeated request harmless (default: a new one)"
    )
    adding.add_argument("--note", metavar="TEXT", help="a word for people")
    showing = acts.add_parser("show", help="show what an account has and its latest movements")
    stating = acts.add_parser(
        "statement", help="show what moved between two days, with what was there before and after"
    )
    stating.add_argument(
        "--from", dest="first", metavar="DAY", help="first day, in UTC (default: the first of this month)"
    )
    stating.add_argument("--to", dest="last", metavar="DAY", help="last day, whole (default: today)")
    for each in (adding, showing, stating):
        each.add_argument("--account", metavar="ID", help="account (default: the only one there is)")
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Add credits, show them, or show what moved."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    async with administration.opened(settings, create=False) as act:
        given = {"account": await administration.account_of(act, asked.account, create=False)}
        if asked.act == "add":
            more = {"amount": asked.amount, "reference": asked.reference, "note": asked.note}
            given |= {name: value for name, value in more.items() if value is not None}
        elif asked.act == "statement":
            given |= {name: day for name, day in (("from", asked.first), ("to", asked.last)) if day is not None}
        told = await act(f"credits.{asked.act}", given)
    if asked.json:
        show_json(told)
    elif asked.act == "add":
        added = f"added {_credits(told['added'])}" if told["added"] else "added before, nothing changed"
        say(f"{told['account']}: {added}; {_credits(told['available'])} available (reference {told['reference']})")
    elif asked.act == "statement":
        show(_statement(told, style(sys.stdout, environ)))
    else:
        show(_page(told, style(sys.stdout, environ)))
    return Exit.OK


def _page(told: Mapping[str, Any], paint: Style) -> str:
    head = f"{told['account']}  {paint.bold(_credits(told['available']))} available, {_credits(told['held'])} held"
    return f"{head}\n\n{_entries(told, paint)}" if told["entries"] else head


def _statement(told: Mapping[str, Any], paint: Style) -> str:
    """Word a statement for people: the sums around the movements, as on paper."""
    lines = [
        f"{told['account']}  from {told['from']} to {told['to']}, both whole days in UTC",
        "",
        f"opening  {paint.bold(_credits(told['opening']))}",
        f"added    {_credits(told['added'])}",
        f"charged  {_credits(told['charged'])}",
        f"closing  {paint.bold(_credits(told['closing']))}",
    ]
    if told["entries"]:
        lines += ["", _entries(told, paint)]
    if (more := told["movements"] - len(told["entries"])) > 0:
        lines += ["", f"and {more} more; ask for fewer days to see them"]
    return "\n".join(lines)


def _entries(told: Mapping[str, Any], paint: Style) -> str:
    rows = [
        [each["at"], each["kind"], _credits(each["amount"]), _credits(each["balance"]), each["reference"], each["note"]]
        for each in told["entries"]
    ]
    return table(["at", "kind", "amount", "balance", "reference", "note"], rows, paint)


def _credits(amount: float) -> str:
    return money.text(money.from_number(amount))
