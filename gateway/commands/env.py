"""`tidegate env`: what points an existing client at the gateway."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from gateway import settings as policy
from gateway.commands import policyfile
from gateway.commands.exits import Exit, Stop
from gateway.commands.pointing import KEY, Place, Pointed, clients, is_by_variables, pointed
from gateway.commands.terminal import printable, say, show, show_json, table
from gateway.documents import Mistakes
from gateway.providers import catalog
from gateway.providers.pack import Client, Provider
from gateway.settings import Address, Auth, Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read here, not listened on
_BUNDLE = "bundle.pem"  # as `tidegate serve --tls-self-signed` names it


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    said = "which client, by the word in the list that is shown without one"
    parser.add_argument("client", nargs="?", metavar="CLIENT", help=said)
    policyfile.option(parser)
    parser.add_argument(
        "--url", metavar="URL", help="where clients reach the gateway (default: as the policy file says)"
    )
    said = "the folder given to `tidegate serve --tls-self-signed`, for clients that speak TLS alone"
    parser.add_argument("--tls-self-signed", type=Path, metavar="DIR", help=said)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.epilog = f"""\
Prints lines for a shell; what is no line for it is behind a #. The API key is taken from ${KEY} when they run, so
that it stands in no history: make one with `tidegate keys create my-app`. Nothing is asked and nothing is changed.

examples
  tidegate env                                     the clients there are
  eval "$(tidegate env litellm)"                   in this shell, from now on
  tidegate env CLIENT --tls-self-signed tls        for a client that speaks TLS alone
  tidegate env litellm --url https://media.example.com --json

exit codes: 0 printed, 2 there is no such client, or more has to be said, 3 the files are wrong
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """List the clients, or point one."""
    try:
        settings = policy.load(policyfile.path_of(asked), environ)
        known = clients(catalog.providers(settings.catalog))
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
    if asked.client is None:
        return _list(asked, known)
    found = next(((provider, client) for provider, client in known if client.id == asked.client), None)
    if found is None:
        near = get_close_matches(asked.client, [client.id for _, client in known], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`tidegate env` lists them"
        raise Stop(Exit.USAGE, f"there is no client {asked.client!r}; {hint}")
    place = _place(asked, settings, found[1])
    _check(found[1], place)
    made = pointed(*found, place)
    if asked.json:
        show_json(_plain(made, place))
    else:
        show(_lines(made))
    return Exit.OK


def _list(asked: argparse.Namespace, known: list[tuple[Provider, Client]]) -> int:
    if asked.json:
        show_json(
            [
                {"client": client.id, "name": client.name, "provider": provider.id, "door": client.door.value}
                for provider, client in known
            ]
        )
        return Exit.OK
    rows = [
        (client.id, client.name, "variables" if is_by_variables(client) else "a line in the program")
        for _, client in known
    ]
    show(table(("CLIENT", "NAME", "BY"), rows))
    return Exit.OK


def _place(asked: argparse.Namespace, settings: Settings, client: Client) -> Place:
    """Where the gateway is reached: as was said, by its public address, or where it listens."""
    folder: Path | None = asked.tls_self_signed if client.is_tls_only else None
    bundle = str(folder.absolute() / _BUNDLE) if folder is not None else None
    asks = settings.auth is Auth.KEYS
    written = asked.url or settings.public_url
    if written is not None:
        return Place(_origin(written), bundle, asks)
    if not settings.listen.port:
        raise Stop(Exit.USAGE, f"{settings.listen} leaves the port to the system; name the gateway's URL with --url")
    address = Address(_EVERYWHERE.get(settings.listen.host, settings.listen.host), settings.listen.port)
    return Place(f"{'http' if bundle is None else 'https'}://{address}", bundle, asks)


def _origin(written: str) -> str:
    origin = written.strip().rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(origin)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        parts, fits = urlsplit(""), False
    if not fits or parts.query or parts.fragment or parts.username is not None:
        raise Stop(Exit.USAGE, f"expected a URL such as http://127.0.0.1:8080, found {printable(written)!r}")
    return origin


def _check(client: Client, place: Place) -> None:
    """Stop where a client that speaks TLS alone would find none; say what has to be started where it is not there yet."""
    if client.is_tls_only and not place.origin.startswith("https://"):
        raise Stop(
            Exit.USAGE,
            f"{client.name} speaks TLS alone: start the gateway with `tidegate serve --tls-self-signed tls` and ask for"
            f" `tidegate env {client.id} --tls-self-signed tls`, or name its https address with --url",
        )
    if place.bundle is not None and not Path(place.bundle).exists():
        say(f"tidegate: {place.bundle} is not there yet; `tidegate serve --tls-self-signed` makes it")


def _lines(made: Pointed) -> str:
    client = made.client
    lines = [f"# {client.name}"]
    lines += [f"export {name}={value}" for name, value in made.shell.items()]
    if made.line is not None:
        lines.append(f"# {'or, in' if is_by_variables(client) else 'in'} the program: {made.line}")
    if client.note is not None:
        lines.append(f"# {client.note}")
    return "\n".join(lines)


def _plain(made: Pointed, place: Place) -> dict[str, object]:
    return {
        "client": made.client.id,
        "name": made.client.name,
        "provider": made.provider,
        "door": made.client.door.value,
        "origin": place.origin,
        "variables": dict(made.variables),
        "line": made.line,
        "note": made.client.note,
    }
