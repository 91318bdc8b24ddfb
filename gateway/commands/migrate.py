"""`tidegate migrate`: brings a store to this version before anything serves on it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping

from gateway.clock import SystemClock
from gateway.commands import configuration
from gateway.commands.exits import Exit, Stop
from gateway.commands.terminal import show, show_json
from gateway.ledger import checks
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print the version as JSON")
    parser.epilog = """\
`tidegate serve` does the same when it starts; this is for a database whose tables another user makes than the one that serves,
and for a deployment that wants it done before the first new process comes up. Whoever comes second finds nothing to do.

A release works with the store of the next one: processes of the old one go on beside those of the new, and may be started
again. A store that is too new is refused before anything is touched.

examples
  tidegate migrate -c config.yaml
  STORE=postgresql://owner:password@db/tidegate tidegate migrate -c config.yaml     where the file says `store: ${STORE}`

exit codes: 0 the store is at this version, 1 it is newer or cannot be reached, 3 the policy file is wrong
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Migrate."""
    settings = configuration.load(asked, environ)
    version = asyncio.run(_migrated(settings))
    if asked.json:
        show_json({"store": str(settings.store), "version": version})
    else:
        show(f"{settings.store} is at version {version}")
    return Exit.OK


async def _migrated(settings: Settings) -> int:
    try:
        store = await Database.open(settings.store.place, now=SystemClock().now_ms)
    except StoreError as error:
        raise Stop(Exit.FAILURE, str(error)) from error
    try:
        return await store.read(checks.version())
    finally:
        await store.close()
