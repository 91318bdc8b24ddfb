"""The forms of a model file and the rows of its tables, as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.documents import Path
from gateway.generation import Value


def forms_of(raw: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each form of a model file with the sections it ends up with, and where it stands."""
    shared = {key: value for key, value in raw.items() if key not in {"forms", "aliases", "makes", "answers"}}
    if "forms" not in raw:
        yield (), shared
    for index, form in enumerate(raw.get("forms", ())):
        yield ("forms", index), {**shared, **form}


def split_pick(key: object) -> tuple[str, ...]:
    """The fields a picks table is over: `resolution, ratio` are two."""
    return tuple(name.strip() for name in str(key).split(","))


def pick_rows(fields: tuple[str, ...], table: Any) -> Iterator[tuple[tuple[Value, ...], Any, Path]]:
    """The rows of a picks or price table: the values that choose it, what it says, and the path to it."""
    if len(fields) == 1 or not isinstance(table, dict):
        for key, row in table.items():
            yield (key,), row, (key,)
        return
    for key, inner in table.items():
        if isinstance(inner, dict):
            for other, row in inner.items():
                yield (key, other), row, (key, other)


def section(raw: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Give the mapping that stands at a path of the file; an empty one where something else does."""
    here: Any = raw
    for step in path:
        here = here[step]
    return here if isinstance(here, dict) else {}
