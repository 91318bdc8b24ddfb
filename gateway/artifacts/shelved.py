"""What lies in a folder of outputs, by generation, whatever the ledger knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_SHARDS = 256


def shelved(root: Path) -> Iterator[list[str]]:
    """Give the generations that have files, one of the folders they are spread over at a time."""
    for number in range(_SHARDS):
        try:
            yield [path.name for path in (root / f"{number:02x}").iterdir() if path.is_dir() and any(path.iterdir())]
        except FileNotFoundError:
            continue
