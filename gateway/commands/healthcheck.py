"""`tidegate healthcheck`: whether a gateway serves, for an image's HEALTHCHECK and for whoever has no other client there."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from gateway import settings as policy
from gateway.commands import policyfile
from gateway.commands.exits import Exit, Stop
from gateway.commands.terminal import printable, say, show
from gateway.documents import Mistakes
from gateway.settings import Address

_PATIENCE = aiohttp.ClientTimeout(total=4)  # seconds; the image's HEALTHCHECK gives five in all
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read here, not listened on
_SHOWN = 200  # characters of an answer


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    said = (
        "gateway to ask, such as http://tidegate:8080 (default: the one on this machine that the policy file describes)"
    )
    parser.add_argument("url", nargs="?", metavar="URL", help=said)
    policyfile.option(parser)
    parser.add_argument("--live", action="store_true", help="ask whether it is alive, not whether it takes requests")
    parser.epilog = """\
Asks /readyz, or /livez with --live, at the address of `metrics` where it has one of its own, else at `listen`. No key is needed
and no provider is asked. Other mistakes in the policy file do not matter: a running gateway goes on with what it had.

examples
  tidegate healthcheck
  tidegate healthcheck -c config.yaml --live
  tidegate healthcheck http://127.0.0.1:8080

exit codes: 0 it serves, 1 it does not, or nobody answers
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Ask once."""
    address = _given(asked.url) if asked.url else _described(asked, environ)
    path = "/livez" if asked.live else "/readyz"
    status, told = asyncio.run(_ask(address, path))
    if status != 200:
        raise Stop(Exit.FAILURE, f"http://{address}{path} answers {status}: {told}")
    show(told)
    return Exit.OK


def _given(url: str) -> Address:
    """Read the address out of a URL as its clients are told it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        parts, host, port = urlsplit(""), None, 80
    if parts.scheme != "http" or not host or parts.path.rstrip("/") not in {"", "/v1"}:
        raise Stop(Exit.USAGE, f"expected a URL such as http://127.0.0.1:8080, found {printable(url)!r}")
    return Address(host, port)


def _described(asked: argparse.Namespace, environ: Mapping[str, str]) -> Address:
    """Find where the gateway of the policy file answers probes; a file nobody can read any more may have said the default."""
    try:
        listen, apart = policy.addresses(policyfile.path_of(asked), environ)
    except Mistakes as mistakes:
        say(f"tidegate: {mistakes}")
        listen, apart = policy.addresses(None, {})
    address = apart or listen
    if not address.port:
        raise Stop(Exit.USAGE, f"{address} leaves the port to the system; name the gateway's URL")
    return Address(_EVERYWHERE.get(address.host, address.host), address.port)


async def _ask(address: Address, path: str) -> tuple[int, str]:
    """Give the status and the beginning of the answer; Stop when there is none."""
    url = f"http://{address}{path}"
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            told = await answer.content.read(_SHOWN)
            return answer.status, printable(told.decode(errors="replace").strip())
    except TimeoutError as error:
        raise Stop(Exit.FAILURE, f"{url} does not answer within {_PATIENCE.total:g} seconds") from error
    except aiohttp.ClientConnectorError as error:
        said = f"nobody answers at {url}: {_why(error.os_error)}"
        raise Stop(Exit.FAILURE, f"{said}; is the gateway running, and does it listen there?") from error
    except aiohttp.ClientError as error:
        raise Stop(Exit.FAILURE, f"what answers at {url} is no gateway: {type(error).__name__}") from error


def _why(error: OSError) -> str:
    """Say why no connection came about: by its number where it has one, for the loop words it by addresses."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or "no connection"
