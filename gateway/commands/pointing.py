"""What points a client at a gateway: the texts of its pack, with the gateway's own address in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.providers.pack import Client, Provider

_NAME = re.compile(r"\$([a-z]+)")
KEY = "TIDEGATE_API_KEY"  # the variable that `tidegate generate` reads too
_ASKED = f'"${{{KEY}:?make one with: tidegate keys create my-app}}"'
# What stands in the README, where nobody's gateway is meant.
EXAMPLE = "http://127.0.0.1:8080"
EXAMPLE_KEY = "bye_…"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway is reached. `bundle` is the file of certificates its clients need; `asks` says that it asks for a key."""

    origin: str
    bundle: str | None = None
    asks: bool = True


@dataclass(frozen=True, slots=True)
class Pointed:
    """A client with what points it at one gateway: variables, a line, or both. The key is `$TIDEGATE_API_KEY` in the first form."""

    client: Client
    provider: str
    variables: Mapping[str, str]
    shell: Mapping[str, str]
    line: str | None


def pointed(provider: Provider, client: Client, place: Place) -> Pointed:
    """Fill in the texts of one client; a variable for certificates is left out where none of our own are needed."""
    names = {
        "origin": place.origin,
        "host": place.origin.partition("://")[2],
        "mount": provider.doors[client.door].prefix,
        "bundle": place.bundle or "",
    }
    kept = {
        variable: text
        for variable, text in client.variables.items()
        if place.bundle is not None or "bundle" not in _NAME.findall(text)
    }
    key = f"${KEY}" if place.asks else "none"
    return Pointed(
        client,
        provider.id,
        {variable: _filled(text, {**names, "key": key}) for variable, text in kept.items()},
        {variable: _quoted(text, names, place) for variable, text in kept.items()},
        _filled(client.line, {**names, "key": EXAMPLE_KEY if place.asks else "none"}) if client.line else None,
    )


def clients(providers: Iterable[Provider]) -> list[tuple[Provider, Client]]:
    """Every client of every pack, in the order of the packs."""
    return [(provider, client) for provider in providers for client in provider.clients]


def is_by_variables(client: Client) -> bool:
    """Whether variables alone point it at a gateway, and nothing in its program has to change."""
    return any({"origin", "host"} & set(_NAME.findall(text)) for text in client.variables.values())


def row(provider: Provider, client: Client) -> tuple[str, str]:
    """A client for a table: its name with the word `tidegate env` knows it by, and what to change for a gateway on this machine."""
    scheme = "https" if client.is_tls_only else "http"
    place = Place(f"{scheme}://localhost:8080" if client.is_tls_only else EXAMPLE, "tls/bundle.pem")
    made = pointed(provider, client, place)
    variables = " ".join(f"{name}={value}" for name, value in made.variables.items())
    said = variables if is_by_variables(client) else made.line or variables
    return f"{client.name}, `{client.id}`", f"`{said.replace(f'${KEY}', EXAMPLE_KEY)}`"


def _filled(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda found: names.get(found[1], found[0]), text)


def _quoted(text: str, names: Mapping[str, str], place: Place) -> str:
    """One value for a shell: every part of it as it stands, but the key by its variable, so that it is neither shown nor stored."""
    parts = [_filled(part, names) for part in text.split("$key")]
    return (_ASKED if place.asks else "none").join(shlex.quote(part) if part else "" for part in parts)
