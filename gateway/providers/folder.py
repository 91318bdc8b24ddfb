"""The files of a folder of packs, behind links too: a volume that is swapped as a whole holds its folders as links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_DEEPEST = (
    4  # folders into which is looked: one more than packs have, to find what lies wrong, and links in a circle end
)


def files(folder: Path, deepest: int = _DEEPEST) -> Iterator[Path]:
    """Give every file in the order of their names; what begins with a dot is the business of whoever put it there."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return  # it went as we looked; what is left of the packs is held against itself
    for path in entries:
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            yield path
        elif deepest > 1:
            yield from files(path, deepest - 1)
