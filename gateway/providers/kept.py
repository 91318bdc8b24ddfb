"""Packs that were once found right, kept so that the next start need not check them again.

Reading and checking all packs is most of what a start costs, and nothing of it changes while neither a pack nor the rules do.
So what the files hold is kept beside the store under a digest of both. What does not fit, or was not written by this very
gateway, is no reason to complain: everything is checked as if nothing had been kept.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gateway.documents import Key

_TAG = hashlib.sha256().digest_size
# Whatever decides what a right pack is, beside the packs themselves.
_RULES = ("providers", "documents", "generation.py", "offer.py", "fault.py")

_MARK = "\0"

Values = Mapping[PurePosixPath, Any]


class Kept:
    """The one file in which the values of all packs are kept."""

    def __init__(self, path: Path, key: Callable[[], bytes]) -> None:
        """Keep them in `path`, signed with what `key` gives: nothing is believed that somebody else has written there."""
        self._path = path
        self._key = key

    def read(self, digest: bytes) -> Values | None:
        """The values of the packs with this digest, or None when they are not kept."""
        try:
            data = self._path.read_bytes()
            tag, packed = data[:_TAG], data[_TAG:]
            if not hmac.compare_digest(tag, self._sign(digest, packed)):
                return None
        except OSError:
            return None
        values: dict[str, Any] = json.loads(packed, object_pairs_hook=_unmarked)
        return {PurePosixPath(name): value for name, value in values.items()}

    def write(self, digest: bytes, values: Values) -> None:
        """Keep the values of packs that were found right. Where nothing can be written, nothing is kept."""
        packed = json.dumps(_marked({str(name): value for name, value in values.items()})).encode()
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            signed = self._sign(digest, packed) + packed
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(signed)
            fresh.replace(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)

    def _sign(self, digest: bytes, packed: bytes) -> bytes:
        return hmac.digest(self._key(), digest + packed, "sha256")


def _marked(value: Any) -> Any:
    """The value as JSON can hold it: a key that is no text is written as JSON behind a mark."""
    match value:
        case dict():
            return {_key(key): _marked(part) for key, part in value.items()}
        case list():
            return [_marked(part) for part in value]
        case _:
            return value


def _key(key: Key) -> str:
    return key if isinstance(key, str) and not key.startswith(_MARK) else _MARK + json.dumps(key)


def _unmarked(pairs: list[tuple[str, Any]]) -> dict[Key, Any]:
    return {json.loads(key[1:]) if key[:1] == _MARK else key: part for key, part in pairs}


def digest_of(contents: Mapping[PurePosixPath, bytes]) -> bytes:
    """What tells these files under these rules from any others."""
    found = hashlib.sha256(f"{sys.version}\0{importlib.metadata.version('jsonschema')}".encode())
    rules = {PurePosixPath(path.relative_to(_HERE).as_posix()): path.read_bytes() for path in _rules()}
    for name, content in (*sorted(rules.items()), *sorted(contents.items())):
        found.update(f"\0{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.digest()


_HERE = Path(__file__).parent.parent


def _rules() -> list[Path]:
    found: list[Path] = []
    for name in _RULES:
        path = _HERE / name
        found += path.rglob("*.py") if path.is_dir() else [path]
    return found
