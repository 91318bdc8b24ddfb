"""`tidegate keys`: API keys, made, listed, changed, replaced and ended."""

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

_UNDER_WAY = {"in_flight": "generations", "images": "images", "videos": "videos"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
A key is printed once, on stdout alone, and cannot be shown again: the store keeps only its hash. Make one for every app and let
it do no more than that app needs: its scopes, the models, the addresses it comes from, how much it may spend and how often it
may ask. A key that replaces another shares its budget and its limits.

examples
  tidegate keys create my-app                              the first key; opens the account `default`
  tidegate keys create ci --preset generate_only --expires 30d > key.txt
  tidegate keys create shop --preset generate_only --models 'bytedance/*' --budget 5/day --rate 60 --networks 203.0.113.0/24
  tidegate keys create ops --scopes admin --networks 10.0.0.0/8
  tidegate keys show shop
  tidegate keys change shop --networks 203.0.113.0/24,198.51.100.7
  tidegate keys rotate shop --grace 24
  tidegate keys revoke key_0123456789abcdef
"""
    acts = parser.add_subparsers(dest="act", metavar="create | list | show | change | rotate | revoke", required=True)
    making = acts.add_parser("create", help="make a key and print it")
    making.add_argument("name", metavar="NAME", help="what the key is for, for people")
    _account(making, "the only one there is; `default`, opened if need be, when there is none")
    making.add_argument("--preset", choices=list(PRESETS), help="what it may do (default full_access)")
    making.add_argument("--scopes", metavar="A,B", help=f"what it may do, one by one: {', '.join(Scope)}")
    making.add_argument("--starts", metavar="TIME", help="from when on it works: a span such as 2h, or a day in UTC")
    making.add_argument("--expires", metavar="TIME", help="until when: a span such as 30d, or a day (default: no end)")
    _caps(making)
    listing = acts.add_parser("list", help="list keys, without the keys themselves")
    _account(listing, "all")
    showing = acts.add_parser("show", help="show one key, with what is left of its budget")
    changing = acts.add_parser("change", help="change what a key is called, and what it is held to; never its scopes")
    changing.add_argument("--name", help="what it is for, for people")
    _caps(changing)
    rotating = acts.add_parser("rotate", help="make a successor and let the old key end")
    rotating.add_argument(
        "--grace", type=int, default=24, metavar="HOURS", help="how long the old key still works (24)"
    )
    rotating.add_argument("--expires", metavar="TIME", help="until when the new key works (default: as the old one)")
    revoking = acts.add_parser("revoke", help="end a key within a second")
    for each in (showing, changing, rotating, revoking):
        each.add_argument("id", metavar="KEY", help="its name, or its id where several have that name")
    for each in (making, listing, showing, changing, rotating, revoking):
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
            if asked.act == "rotate":
                say(f"{told['replaces']} works for {asked.grace} h more")
        case "list":
            head = ["id", "key", "name", "account", "status", "expires", "last used"]
            show(table(head, [_row(key) for key in told["keys"]], style(sys.stdout, environ)))
        case "show":
            show("\n".join(_page(told)))
        case "change":
            say(f"{told['id']} is changed; a running gateway goes by it within a second")
        case _:
            say(f"{told['id']} is revoked")
    return Exit.OK


def _arguments(asked: argparse.Namespace) -> dict[str, Any]:
    given = vars(asked)
    plain = ("name", "id", "account", "preset", "grace", "rate", "in_flight", "images", "videos")
    found: dict[str, Any] = {name: given[name] for name in plain if given.get(name) is not None}
    found |= {f"{name}_in": given[name] for name in ("starts", "expires") if given.get(name)}
    for name in ("scopes", "networks", "models"):
        if given.get(name) is not None:
            found[name] = [part.strip() for part in given[name].split(",") if part.strip()]
    if given.get("budget") is not None:
        found["budget"], _, per = given["budget"].partition("/")
        found["budget_per"] = per or "all"
    return found


def _caps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--networks", metavar="A,B", help="addresses and networks it is used from; '' for all")
    parser.add_argument("--models", metavar="A,B", help="models it may begin, or patterns such as lab/*; '' for all")
    parser.add_argument("--budget", metavar="N[/day]", help="credits it may spend, in all or each day; 0 for any")
    parser.add_argument("--rate", type=int, metavar="N", help="requests a minute; 0 for any number")
    parser.add_argument("--in-flight", type=int, metavar="N", help="generations under way; 0 for any number")
    parser.add_argument("--images", type=int, metavar="N", help="images among them; 0 for any number")
    parser.add_argument("--videos", type=int, metavar="N", help="videos among them; 0 for any number")


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


def _page(key: Mapping[str, Any]) -> list[str]:
    """Word what is known of a key for people."""
    budget = key["budget"]
    said = {
        "key": f"{key['prefix']}…  {key['name']}",
        "account": key["account"],
        "status": key["status"] + (f", by {key['replaced_by']}" if key["replaced_by"] else ""),
        "scopes": ", ".join(key["scopes"]),
        "networks": ", ".join(key["networks"]) or "all",
        "models": ", ".join(key["models"]) or "all",
        "budget": _budget(budget) if budget else "none but the account's balance",
        "rate": f"{key['rate_per_minute']} requests a minute" if key["rate_per_minute"] else "the account's",
        "in flight": _under_way(key),
        "created": key["created_at"],
        "starts": key["starts_at"] or "at once",
        "expires": key["expires_at"] or "never",
        "last used": key["last_used_at"] or "never",
    }
    return [key["id"], *(f"  {name:<9}  {value}" for name, value in said.items())]


def _under_way(key: Mapping[str, Any]) -> str:
    caps = [f"{key[name]} {word}" for name, word in _UNDER_WAY.items() if key[name]]
    return ", ".join(caps) or "as many as the account may have"


def _budget(budget: Mapping[str, Any]) -> str:
    span = "a day" if budget["per"] == "day" else "in all"
    return f"{budget['credits']:g} credits {span}, {budget['left']:g} left"
