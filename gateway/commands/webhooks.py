"""`tidegate webhooks`: who is told what became of the work, and what was told."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import Style, say, show, show_json, style, table
from gateway.ledger.events import OFFERED
from gateway.settings import Settings

# What is done to one endpoint, and its line in the help.
_TO_ONE: Mapping[str, str] = {
    "enable": "tell an endpoint again, beginning with what was queued",
    "disable": "stop telling an endpoint; what it would be told is queued",
    "rotate": "give an endpoint a new secret; for a day the old one signs beside it",
    "delete": "delete an endpoint; what waits for it is given up",
    "test": "send an endpoint an event that only tries it out",
    "drain": "send what an endpoint has queued, one after the other",
    "deliveries": "show what an endpoint was told, newest first",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
A secret is printed once, on stdout alone, when it is made. Endpoints of the policy file are listed here too; they are changed
there, but enabled, tried out and looked at here.

examples
  tidegate webhooks create https://app.example.com/hooks > secret.txt
  tidegate webhooks create https://app.example.com/money --events credits.low_balance --account studio
  tidegate webhooks list
  tidegate webhooks test we_0123456789abcdef
  tidegate webhooks deliveries we_0123456789abcdef
  tidegate webhooks replay 6f1c2f9e-5a51-5d2c-9a4b-1d2f3c4b5a69
"""
    acts = parser.add_subparsers(dest="act", metavar=" | ".join(("create", "list", *_TO_ONE, "replay")), required=True)
    making = acts.add_parser("create", help="make an endpoint and print its secret")
    making.add_argument("url", metavar="URL", help="where events are posted: https, public, default port")
    making.add_argument("--events", metavar="A,B", help=f"out of {', '.join(OFFERED)} (default: all about generations)")
    making.add_argument("--account", metavar="ID", help="account (default: the only one there is)")
    listing = acts.add_parser("list", help="list endpoints")
    listing.add_argument("--account", metavar="ID", help="account (default: all)")
    ones = []
    for act, says in _TO_ONE.items():
        one = acts.add_parser(act, help=says)
        one.add_argument("id", metavar="ID", help="id of the endpoint, such as we_0123456789abcdef")
        ones.append(one)
    ones[-1].add_argument("--limit", type=int, default=50, metavar="N", help="how many, at most 100 (50)")
    ones[-1].add_argument("--offset", type=int, default=0, metavar="N", help="how many to pass over (0)")
    replaying = acts.add_parser("replay", help="tell once more what a delivery told")
    replaying.add_argument("delivery", metavar="DELIVERY", help="id of the delivery")
    for each in (making, listing, *ones, replaying):
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what is asked with an endpoint or a delivery."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    async with administration.opened(settings, create=False) as act:
        given = vars(asked)
        names = ("id", "url", "account", "delivery", "limit", "offset")
        arguments = {name: given[name] for name in names if given.get(name) is not None}
        if asked.act == "create":
            arguments["account"] = await administration.account_of(act, asked.account, create=False)
            if asked.events:
                arguments["events"] = [part.strip() for part in asked.events.split(",")]
        told = await act(f"webhooks.{asked.act}", arguments)
    if asked.json:
        show_json(told)
    else:
        _tell(asked.act, told, style(sys.stdout, environ))
    return Exit.OK


def _tell(act: str, told: Mapping[str, Any], paint: Style) -> None:
    match act:
        case "create" | "rotate":
            show(told["secret"])
            say(f"{told['id']} of the account {told['account']}; keep the secret now, it is not shown again")
        case "list":
            head = ["id", "account", "status", "failures", "from", "url", "events"]
            show(table(head, map(_endpoint, told["webhooks"]), paint))
        case "deliveries":
            head = ["delivery", "event", "generation", "status", "attempts", "answer", "attempted"]
            show(table(head, map(_delivery, told["deliveries"]), paint))
        case "test" | "replay":
            say(f"the delivery {told['delivery']} is on its way; `tidegate webhooks deliveries {told['id']}` shows it")
        case "drain":
            say(f"{told['queued']} queued for {told['id']} are being sent")
        case "delete":
            say(f"{told['id']} is deleted")
        case _:
            say(f"{told['id']} is {told['status']}")


def _endpoint(each: Mapping[str, Any]) -> list[str]:
    status = each["status"] if each["disabled_by"] is None else f"{each['status']} by {each['disabled_by']}"
    source = "policy" if each["source"] == "config" else "command or call"
    failures = str(each["failures_in_a_row"])
    return [each["id"], each["account"] or "all", status, failures, source, each["url"], ", ".join(each["events"])]


def _delivery(each: Mapping[str, Any]) -> list[str]:
    answer = each["error"] or (str(each["response_status"]) if each["response_status"] is not None else "none yet")
    generation, attempted = each["generation_id"] or "none", each["attempted_at"] or "never"
    return [each["id"], each["event"], generation, each["status"], str(each["attempts"]), answer, attempted]
