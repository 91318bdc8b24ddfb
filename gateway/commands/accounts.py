"""`tidegate accounts`: opened, listed, shown, and held to limits of their own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit, Stop
from gateway.commands.terminal import say, show, show_json, style, table
from gateway.settings import Settings

_LIMITS = {
    "requests": "requests a minute, those that begin a generation aside",
    "generations": "generations it may begin a minute",
    "images": "images under way",
    "videos": "videos under way",
    "daily_spend": "credits it may spend a day in UTC",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
An account holds credits, keys and generations; callers of one never see another's. What every account may ask for is said in the
policy file under `limits`; what is changed here is one account's own, and goes before that.

examples
  tidegate accounts create studio --name "The studio"
  tidegate accounts change studio --generations 60 --images 100 --videos 20 --daily-spend 50
  tidegate accounts change studio --videos 0               as the policy file says, again
  tidegate accounts show studio
  tidegate accounts list --json
"""
    acts = parser.add_subparsers(dest="act", metavar="create | list | show | change", required=True)
    making = acts.add_parser("create", help="open an account")
    listing = acts.add_parser("list", help="list accounts with what they have")
    showing = acts.add_parser("show", help="show one account, what it is held to and what it spent today")
    changing = acts.add_parser("change", help="change what one account is called and what it is held to")
    making.add_argument("account", metavar="ID", help="up to 64 letters, digits, '.', '_' and '-'")
    making.add_argument("--name", metavar="TEXT", help="its name for people (default: the id)")
    for each in (showing, changing):
        each.add_argument("account", metavar="ID", help="id of the account")
    changing.add_argument("--name", metavar="TEXT", help="its name for people")
    for name, says in _LIMITS.items():
        option = f"--{name.replace('_', '-')}"
        if name == "daily_spend":
            changing.add_argument(option, metavar="CREDITS", help=f"{says}; 0 for what the policy says")
        else:
            changing.add_argument(option, type=int, metavar="N", help=f"{says}; 0 for what the policy says")
    for each in (making, listing, showing, changing):
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what is asked with accounts."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    given = {name: value for name in ("account", "name", *_LIMITS) if (value := getattr(asked, name, None)) is not None}
    if asked.act == "change" and len(given) == 1:
        raise Stop(Exit.USAGE, "say what to change, such as --generations 60; --help lists it")
    async with administration.opened(settings, create=asked.act == "create") as act:
        told = await act(f"accounts.{asked.act}", given)
    if asked.json:
        show_json(told)
        return Exit.OK
    match asked.act:
        case "create":
            name = told["account"]
            say(f"the account {name} is open; `tidegate credits add AMOUNT --account {name}` fills it")
        case "change":
            say(f"{told['account']} is changed; a running gateway goes by it within a second")
        case "show":
            show("\n".join(_page(told)))
        case _:
            rows = [_row(each) for each in told["accounts"]]
            show(table(["account", "name", "available", "held", "generations"], rows, style(sys.stdout, environ)))
    return Exit.OK


def _row(account: Mapping[str, Any]) -> list[str]:
    amounts = [f"{account[name]:g}" for name in ("available", "held")]
    return [account["account"], account["name"], *amounts, str(account["generations"])]


def _page(account: Mapping[str, Any]) -> list[str]:
    """Word what is known of an account for people."""
    said = {
        "name": account["name"],
        "available": f"{account['available']:g} credits, {account['held']:g} held",
        "spent today": f"{account['spent_today']:g} credits",
        "generations": str(account["generations"]),
        "opened": account["created_at"],
    }
    limits = {
        name: f"{account['limits'][name]:g} {says}" if account["limits"][name] is not None else "as the policy says"
        for name, says in _LIMITS.items()
    }
    lines = [f"  {name:<12}  {value}" for name, value in said.items()]
    return [account["account"], *lines, "limits", *(f"  {name:<12}  {value}" for name, value in limits.items())]
