"""`tidegate generate`: asks a running gateway, shows each attempt, saves the outputs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import money
from gateway.clock import Clock, SystemClock
from gateway.commands import request
from gateway.commands.client import Gateway, Lost, Told, exit_of, reached
from gateway.commands.exits import Exit, Stop
from gateway.commands.index import MODEL
from gateway.commands.journey import Journey, TooLong
from gateway.commands.saving import STDOUT, save
from gateway.commands.terminal import printable, say, show, show_json, style
from gateway.generation import FIELDS
from gateway.ingress import fields as native
from gateway.settings.values import duration

_URL = "http://127.0.0.1:8080"
_CANCEL = 10.0  # seconds the gateway has to hear that nobody waits any more


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", metavar="MODEL", help=f"lab/model, such as {MODEL}")
    parser.add_argument("fields", metavar="field=value", nargs="*", help=request.HELP)
    said = "save to this file, numbered if there are several outputs, or into this folder; - is stdout"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=said)
    parser.add_argument("--url", metavar="URL", help=f"the gateway (default: $TIDEGATE_URL, else {_URL})")
    said = "file that holds the API key, - for stdin (default: $TIDEGATE_API_KEY, else none)"
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help=said)
    said = "how long to wait, such as 90s or 30m (default 30m); the generation goes on without us"
    parser.add_argument("--timeout", type=_duration, default=1800.0, metavar="TIME", help=said)
    parser.add_argument("--json", action="store_true", help="print the record and the files as JSON")
    parser.epilog = f"""\
The paths of what was saved go to stdout, everything else to stderr. Ctrl-C cancels the generation at the gateway.

{request.EXAMPLES}
examples
  tidegate generate {MODEL} prompt="a baby seal" ratio=16:9
  tidegate generate {MODEL} prompt=seal -o - | display
  TIDEGATE_API_KEY=bye_… tidegate generate {MODEL} prompt=seal --url https://media.example.com

exit codes: 0 saved, 1 failure, 2 the request is wrong, 4 the key is, 5 the providers failed, 6 credits or limits
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Generate and save."""
    if asked.json and asked.output == STDOUT:
        raise Stop(Exit.USAGE, "--json and -o - both want stdout; name a file for one of them")
    return asyncio.run(_generate(asked, environ, SystemClock()))


async def _generate(asked: argparse.Namespace, environ: Mapping[str, str], clock: Clock) -> int:
    words = request.parse(asked.fields, {name: field.type for name, field in FIELDS.items()})
    body = {native.spell(name): value for name, value in words.fields.items()}
    if words.order is not None:
        body[native.ORDER] = words.order
    journey = Journey(sys.stderr, style(sys.stderr, environ), clock)
    url = asked.url or environ.get("TIDEGATE_URL") or _URL
    async with reached(url, _key(asked, environ)) as gateway:
        try:
            generation = await _begun(gateway, await _kind(gateway, asked.model, words), asked.model, body)
            record = await _followed(gateway, journey, generation, asked.timeout)
            return await _saved(gateway, record, asked)
        except Told as told:
            raise _refused(told.error) from told
        except Lost as lost:
            raise Stop(Exit.FAILURE, str(lost)) from lost


async def _kind(gateway: Gateway, model: str, words: request.Words) -> str:
    """Tell whether the model makes images or videos; guessed where the gateway does not list it, or not to this key."""
    guess = "video" if "duration" in words.fields else "image"
    try:
        return (await gateway.models()).get(model, guess)
    except Told as told:
        if told.error.get("type") == "insufficient_permissions":
            return guess
        raise


async def _begun(gateway: Gateway, kind: str, model: str, body: Mapping[str, Any]) -> str:
    """Begin the generation and give its id; interrupted in between, wait for the id, for nothing else could be canceled."""
    asking = asyncio.ensure_future(gateway.create(kind, model, body))
    try:
        return str((await asyncio.shield(asking))["generation_id"])
    except asyncio.CancelledError:
        try:
            made = await asyncio.wait_for(asking, _CANCEL)
        except (Told, Lost, TimeoutError):
            say("tidegate: stopped before the gateway answered; look there whether something was begun")
        else:
            await _cancel(gateway, str(made["generation_id"]))
        raise


async def _followed(gateway: Gateway, journey: Journey, generation: str, limit: float) -> dict[str, Any]:
    try:
        return await journey.follow(gateway, generation, limit)
    except TooLong as late:
        said = f"{generation} is not over after {limit:g} s and goes on; read it at {gateway.origin}/v1/content/{generation}"
        raise Stop(Exit.FAILURE, said) from late
    except asyncio.CancelledError:
        await _cancel(gateway, generation)
        raise


async def _cancel(gateway: Gateway, generation: str) -> None:
    """Cancel, and say what came of it; whoever interrupts a second time does not wait for that."""
    try:
        told = await asyncio.wait_for(gateway.cancel(generation), _CANCEL)
    except (Told, Lost, TimeoutError) as error:
        say(f"tidegate: {generation} could not be canceled: {printable(str(error)) or 'no answer in time'}")
    else:
        say(f"tidegate: canceled {generation}, {_credits(told.get('credits_refunded'))} credits given back")


async def _saved(gateway: Gateway, record: Mapping[str, Any], asked: argparse.Namespace) -> int:
    match record["generation_status"]:
        case "succeeded":
            pass
        case "failed":
            raise _refused(record["error"])
        case _:
            raise Stop(Exit.FAILURE, f"{record['generation_id']} was canceled")
    usual = f"{record['model_identifier'].replace('/', '-')}-{record['generation_id'][:8]}"
    paths = await save(gateway, record["generation_output_file"] or (), asked.output, usual)
    if asked.json:
        show_json({"generation": record, "files": [str(path) for path in paths]})
    for path in paths if not asked.json else ():
        show(str(path))
    for each in record.get("generation_adjustments", ()):
        say(f"  {request.reworded(each['field'])} was not sent: {each['provider']} has no word for it")
    took = record.get("generation_metrics_total_time") or 0
    say(f"  {record['generation_provider_used']}, {_credits(record.get('generation_cost'))} credits, {took:.1f} s")
    return Exit.OK


def _refused(error: Mapping[str, Any]) -> Stop:
    """Word an error object of the API for the terminal."""
    lines = [printable(request.reworded(str(error.get("message", "refused"))), 500)]
    lines += [
        f"  {each['provider']}: {printable(str(each['message']))}"
        for each in error.get("provider_errors", ())
        if str(each["message"]) not in lines[0]
    ]
    if error.get("type") == "authentication_required":
        lines.append(
            "  give an API key with $TIDEGATE_API_KEY or --api-key-file; `tidegate keys create NAME` makes one"
        )
    return Stop(exit_of(error), "\n".join(lines))


def _key(asked: argparse.Namespace, environ: Mapping[str, str]) -> str | None:
    path: Path | None = asked.api_key_file
    if path is None:
        return environ.get("TIDEGATE_API_KEY", "").strip() or None
    try:
        key = (sys.stdin.readline() if path == STDOUT else path.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(Exit.USAGE, f"the API key cannot be read from {path}: {error}") from error
    if not key.isprintable() or not key.isascii() or not key:
        raise Stop(Exit.USAGE, f"{path} holds no API key: expected one line such as bye_…")
    return key


def _duration(written: str) -> float:
    """Read a time in seconds, plain or as settings spell it."""
    try:
        seconds = float(written) if written.replace(".", "", 1).isdigit() else duration(written) / 1000
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not seconds:
        raise argparse.ArgumentTypeError("expected more than no time")
    return seconds


def _credits(amount: float | None) -> str:
    return money.text(money.from_number(amount or 0))
