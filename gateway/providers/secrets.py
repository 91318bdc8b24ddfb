"""Credentials by name, from the environment or from files; the only place that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

_NAME = re.compile(r"\$secret\.([A-Z][A-Z0-9_]*)")
STRUCK = "***"


class Secrets:
    """What is known of the credentials the packs ask for.

    `NAME` is read from the environment, or else from the file that `NAME_FILE` names, without the line's end. An empty value
    counts as not set.
    """

    def __init__(self, environ: Mapping[str, str], names: Iterable[str]) -> None:
        """Read every name once. A file that cannot be read counts as not set; `missing` tells."""
        names = tuple(names)
        self._names = frozenset(names)
        self._values = {name: value for name in names if (value := find(environ, name))}
        # What is watched, so that a secret that is replaced in its file comes into force as a changed policy does.
        self.files = tuple(
            Path(path) for name in names if not environ.get(name) and (path := environ.get(f"{name}_FILE"))
        )

    def leave(self, older: Secrets) -> None:
        """Take over what only older packs asked for: jobs of a provider that is gone are looked at until they end."""
        self._values.update({name: value for name, value in older._values.items() if name not in self._names})

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of them are known."""
        return all(name in self._values for name in names)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that are not known."""
        return [name for name in names if name not in self._values]

    def values(self) -> list[str]:
        """Every secret value, for whoever strikes them out of what is written."""
        return list(self._values.values())

    def fill(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Put the secrets into headers that are about to leave; KeyError when one is not known."""
        return {name: _NAME.sub(lambda found: self._values[found[1]], value) for name, value in headers.items()}

    def address(self, url: str) -> str:
        """Put the secrets into an address that is about to be dialled."""
        return _NAME.sub(lambda found: quote(self._values[found[1]], safe=""), url)


def struck(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with stars where the secrets go, for people."""
    return {name: _NAME.sub(STRUCK, value) for name, value in headers.items()}


def struck_address(url: str) -> str:
    """The same address with stars where the secrets go, for people."""
    return _NAME.sub(STRUCK, url)


def find(environ: Mapping[str, str], name: str) -> str | None:
    """Read one name: from the environment, or else from the file that `NAME_FILE` names; None where neither says anything."""
    if environ.get(name):
        return environ[name].strip()
    path = environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
