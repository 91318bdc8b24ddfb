"""`tidegate breakers`: which providers rest after failures, and what is held open or closed by hand."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway.commands import administration, configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import Style, say, show, show_json, style, table
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = """\
A breaker opens by itself when a provider fails too often, and closes when it does well again. By hand it is held open (nothing is
asked) or closed (it is asked whatever happened) for a while; that outlives a reload of the policy file and not a restart. Only
a running gateway has breakers.

examples
  tidegate breakers
  tidegate breakers open acme --for 2h
  tidegate breakers close acme lab/model --for 10m
  tidegate breakers auto acme
"""
    _common(parser)
    acts = parser.add_subparsers(dest="act", metavar="list | open | close | auto")
    _common(acts.add_parser("list", help="show what has ever opened, and what is held (the same as no word)"))
    for name, says in (
        ("open", "ask a provider for nothing, or not for one model"),
        ("close", "ask a provider whatever its breakers say"),
        ("auto", "leave it to the breakers again; without a model also what is held of single models"),
    ):
        each = acts.add_parser(name, help=says)
        each.add_argument("provider", metavar="PROVIDER", help="id of the provider")
        each.add_argument("model", metavar="MODEL", nargs="?", help="one model there (default: all)")
        if name != "auto":
            each.add_argument(
                "--for", dest="span", metavar="SPAN", default="30m", help="for how long, such as 2h (30m)"
            )
        _common(each)


def _common(parser: argparse.ArgumentParser) -> None:
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show breakers, hold one, or let go of it."""
    return asyncio.run(_run(asked, configuration.load(asked, environ), environ))


async def _run(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    name, given = asked.act or "list", {}
    if name != "list":
        given = {"provider": asked.provider, "model": asked.model, "for": getattr(asked, "span", None)}
        given = {word: value for word, value in given.items() if value is not None}
    async with administration.opened(settings, create=False) as act:
        told = await act(f"breakers.{name}", given)
    if asked.json:
        show_json(told)
    elif name == "list":
        show(_page(told, style(sys.stdout, environ)))
    elif name == "auto":
        say(f"{_named(told)}: {'left to its breakers again' if told['was_held'] else 'was not held, nothing changed'}")
    else:
        say(f"{_named(told)}: held {told['held']} for {told['for_seconds']} s")
    return Exit.OK


def _page(told: Mapping[str, Any], paint: Style) -> str:
    rows = [
        [each["provider"], each["model"] or "all", each["breaker"], each["state"], _wait(each)]
        for each in told["breakers"]
    ]
    page = [table(["provider", "model", "breaker", "state", "for"], rows, paint) if rows else "nothing has opened"]
    limited = [each for each in told["providers"] if each["limit"] is not None]
    if limited:
        found = [[each["provider"], str(each["under_way"]), str(each["limit"])] for each in limited]
        page += ["", table(["provider", "under way", "at most"], found, paint)]
    return "\n".join(page)


def _wait(each: Mapping[str, Any]) -> str:
    return f"{each['for_seconds']} s" if "for_seconds" in each else ""


def _named(told: Mapping[str, Any]) -> str:
    return f"{told['provider']} {told['model']}" if told["model"] else str(told["provider"])
