"""What a pack reads of clients' words, against the fields there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.documents import Path, nearest
from gateway.generation import FIELDS, mistake
from gateway.providers.noting import Noting


def reads(raw: Mapping[str, Mapping[Any, Mapping[str, Any]]], own: Collection[str], path: Path, note: Noting) -> None:
    """Check a `reads` section; `own` are the words of the model beside the common fields."""
    for parameter, rows in raw.items():
        for value, row in rows.items():
            for name, meant in row.items():
                at = (*path, parameter, value, name)
                if name in FIELDS:
                    if wrong := mistake(FIELDS[name].type, meant):
                        note.value(at, f"{name} {wrong}")
                elif name not in own:
                    near = nearest(name, [*FIELDS, *own])
                    hint = (
                        f": did you mean {near!r}?"
                        if near
                        else ": on the left stand the client's words, on the right ours"
                    )
                    note.key(at, f"there is no field {name!r}{hint}")
