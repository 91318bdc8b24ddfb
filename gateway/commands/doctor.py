"""`tidegate doctor`: the ledger held against its own rules, and the versions all of it runs on."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.clock import iso
from gateway.commands import administration, configuration, footing
from gateway.commands.exits import Exit
from gateway.commands.terminal import Style, printable, show, show_json, style
from gateway.settings import Settings

_SHOWN = 5  # rows of a finding; --json has all


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print findings and versions as JSON")
    parser.epilog = """\
Only reads. Works beside a running gateway, through its private socket, and on the store itself when none runs.

examples
  tidegate doctor
  tidegate doctor -c config.yaml --json | jq '.findings'

exit codes: 0 nothing found, 1 a rule of the ledger does not hold
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check the ledger."""
    settings = configuration.load(asked, environ)
    told = {
        **asyncio.run(_examined(settings)),
        "store": str(settings.store),
        "versions": footing.versions(),
        "notes": [*footing.below(in_file=settings.store.address is None), *footing.exposed(settings, environ)],
    }
    if asked.json:
        show_json(told)
    else:
        show(_page(told, style(sys.stdout, environ)))
    return Exit.FAILURE if told["findings"] else Exit.OK


async def _examined(settings: Settings) -> dict[str, Any]:
    async with administration.opened(settings, create=False) as act:
        return await act("doctor", {})


def _page(told: Mapping[str, Any], paint: Style) -> str:
    lines = ["  ".join(f"{name} {version}" for name, version in told["versions"].items()), f"store {told['store']}"]
    lines += [paint.warn(f"note: {note}") for note in told["notes"]]
    for each in told["findings"]:
        rows = [printable(row, 80) for row in each["rows"][:_SHOWN]]
        more = len(each["rows"]) - len(rows)
        lines.append(f"{paint.bad(each['check'])}  {each['says']}")
        lines.append(f"    {', '.join(rows)}{f' and {more} more' if more else ''}")
    if told["restored"] is not None:
        lines += _restored(told["restored"], paint)
    count = len(told["findings"])
    verdict = paint.good("all hold") if not count else paint.bad(f"{count} do not hold")
    return "\n".join([*lines, f"{told['checks']} checks of the ledger: {verdict}"])


def _restored(found: Mapping[str, Any], paint: Style) -> Iterator[str]:
    """What a start found in a store that was put back from a backup."""
    stands = (
        f"made good at {iso(found['ended'])}" if found["ended"] else "being made good: nothing is removed until then"
    )
    known = iso(found["known"]) if found["known"] else "nothing"
    until = f", and what happened until {iso(found['until'])} is lost to it" if found["until"] else ""
    yield paint.warn(f"restored at {iso(found['at'])}, {stands}")
    yield f"    the store knew {known}{until}; {found['live']} generations had not ended"
    orphans = found["orphans"]
    counted = {
        "with a call on its way, whose job may run": found["in_doubt"],
        "that may have been sent without the store's knowing": found["unsent"],
        "with files and no record": orphans or [],
    }
    for says, ids in counted.items():
        if ids:
            count = found["orphaned"] if ids is orphans else len(ids)
            more = count - len(ids[:_SHOWN])
            yield f"    {count} {says}: {', '.join(ids[:_SHOWN])}{f' and {more} more' if more else ''}"
    if orphans is None:
        yield "    files that no record knows have not been looked for yet, or cannot be where outputs lie"
