"""Where a value turns up again: in files, texts and bytes, in whatever spelling it took on the way."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gateway.ingress.keyform import is_key

_KEY = re.compile(rb"bye_[0-9A-Za-z]{39}(?![0-9A-Za-z])")
_LARGEST = 256 * 1024 * 1024  # bytes of a file that is searched; nothing a suite leaves is larger


def spellings(value: str | bytes) -> frozenset[bytes]:
    """The value as it is, percent-encoded, in JSON, in hexadecimal, and what only it decides of a base64 text that holds it."""
    data = value.encode() if isinstance(value, str) else value
    found = {data, data.hex().encode(), urllib.parse.quote(data, safe="").encode()}
    if isinstance(value, str):
        found |= {json.dumps(value)[1:-1].encode(), urllib.parse.quote_plus(value).encode()}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        own = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        found |= {own, own.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(found)


class Watch:
    """Values that must turn up nowhere, each under the name it is told by."""

    def __init__(self, values: Mapping[str, str | bytes]) -> None:
        """Look for these."""
        self._names = {form: name for name, value in values.items() for form in spellings(value)}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first)))

    def seen(self, data: bytes | str) -> set[str]:
        """The names of the values that occur."""
        data = data.encode() if isinstance(data, str) else data
        return {self._names[found[0]] for found in self._pattern.finditer(data)}


def keys_in(data: bytes) -> set[str]:
    """Every whole API key that occurs: its checksum tells one from a text that only looks like it."""
    return {key for found in _KEY.finditer(data) if is_key(key := found[0].decode())}


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below a folder with what is in it."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
                yield path, path.read_bytes()
        except OSError:
            continue  # it went in the meantime


def pictures(paths: Iterable[Path]) -> list[Path]:
    """Those that are outputs."""
    return [path for path in paths if path.suffix in {".png", ".jpg", ".webp", ".mp4"}]
