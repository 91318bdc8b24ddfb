"""`tidegate keys`: API keys, made, listed, replaced and ended."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import say, show, show_json, style, table
from gateway.ingress.callers import PRESETS, Scope
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
A key is printed once, on stdout alone, and cannot be shown again: the store keeps only its hash.

examples
  tidegate keys create my-app                              the first key; opens the account `default`
  tidegate keys create ci --preset generate_only --expires 30d > key.txt
  tidegate keys list
  tidegate keys rotate key_0123456789abcdef --grace 24
  tidegate keys revoke key_0123456789abcdef
"""
    acts = parser.add_subparsers(dest="act", metavar="create | list | rotate | revoke", required=True)
    making = acts.add_parser("create", help="make a key and print it")
    making.add_argument("name", metavar="NAME", help="what the key is for, for people")
    _account(making, "the only one there is; `default`, opened if need be, when there is none")
    making.add_argument("--preset", choices=list(PRESETS), help="what it may do (default full_access)")
    making.add_argument("--scopes", metavar="A,B", help=f"what it may do, one by one: {', '.join(Scope)}")
    making.add_argument("--expires", metavar="SPAN", help="how long it lives, such as 12h or 30d (default: no end)")
    making.add_argument("--networks", metavar="A,B", help="addresses and networks it may be used from (default: all)")
    listing = acts.add_parser("list", help="list keys, without the keys themselves")
    _account(listing, "all")
    rotating = acts.add_parser("rotate", help="make a successor and let the old key end")
    rotating.add_argument("id", metavar="ID", help="id of the key, such as key_0123456789abcdef")
    rotating.add_argument(
        "--grace", type=int, default=24, metavar="HOURS", help="how long the old key still works (24)"
    )
    rotating.add_argument("--expires", metavar="SPAN", help="how long the new key lives (default: as the old one)")
    revoking = acts.add_parser("revoke", help="end a key within a second")
    revoking.add_argument("id", metavar="ID", help="id of the key, such as key_0123456789abcdef")
    for each in (making, listing, rotating, revoking):
        configuration.option(each)
        each.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what is asked with a key."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    async with administration.opened(settings, create=asked.act == "create") as act:
        arguments = _arguments(asked)
        if asked.act == "create":
            arguments["account"] = await administration.account_of(act, asked.account, create=True)
        told = await act(f"keys.{asked.act}", arguments)
    if asked.json:
        show_json(told)
        return Exit.OK
    match asked.act:
        case "create" | "rotate":
            show(told["key"])
            say(f"{told['id']} of the account {told['account']}; keep it now, it cannot be shown again")
        case "list":
            rows = [_row(key) for key in told["keys"]]
            show(
                table(
                    ["id", "key", "name", "account", "status", "expires", "last used"], rows, style(sys.stdout, environ)
                )
            )
        case _:
            say(f"{told['id']} is revoked")
    return Exit.OK


def _arguments(asked: argparse.Namespace) -> dict[str, Any]:
    given = vars(asked)
    found: dict[str, Any] = {
        key: given[key] for key in ("name", "id", "account", "preset", "grace") if given.get(key) is not None
    }
    if given.get("expires"):
        found["expires_in"] = asked.expires
    for name in ("scopes", "networks"):
        if given.get(name):
            found[name] = [part.strip() for part in given[name].split(",")]
    return found


def _account(parser: argparse.ArgumentParser, usual: str) -> None:
    parser.add_argument("--account", metavar="ID", help=f"account (default: {usual})")


def _row(key: Mapping[str, Any]) -> list[str]:
    return [
        key["id"],
        f"{key['prefix']}…",
        key["name"],
        key["account"],
        key["status"],
        key["expires_at"] or "never",
        key["last_used_at"] or "never",
    ]
