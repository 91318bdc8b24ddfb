"""What a pack says of clients' words beside its bodies, under `reads`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.generation import Value
from gateway.providers.matching import Way, alike, is_nothing
from gateway.providers.meaning import Meaning, listed, shown
from gateway.providers.pack import Reads

ANY, NONE = "(any)", "(none)"

# Whether the body's own tree reads a value at a place: then what is declared for all models gives way.
IsRead = Callable[[Way, Any], bool]


def declared(
    meaning: Meaning, body: Mapping[str, Any], reads: Reads, places: Mapping[Way, str], is_read: IsRead
) -> Mapping[str, Any]:
    """Say what the declared parameters of a body mean, and give the rest of it. `places` is what its tree has a place for."""
    rest = dict(body)
    for path, rows in reads.items():
        way = tuple(path.split("."))
        value = _at(body, way)
        if is_nothing(value) or is_read(way, value):
            continue
        row = next((row for key, row in rows.items() if key not in {ANY, NONE} and alike(key, value)), None)
        if row is not None:
            for name, meant in row.items():
                meaning.say(name, meant, way)
        elif way in places or _of_ours(meaning, way):
            continue
        elif ANY in rows:
            meaning.tell(way, f"{path} is not handed on")
        else:
            takes = listed(key for key in rows if key != NONE)
            meaning.wrong(way, f"{path} {shown(value)} is not offered; it takes {takes or 'nothing'}")
        rest = _without(rest, way)
    return rest


def unsaid(meaning: Meaning, body: Mapping[str, Any], reads: Reads, values: Mapping[str, tuple[Value, ...]]) -> None:
    """Set what holds for parameters that are not there; `values` are those a field may have, where they are a list.

    A field with one value has that one, whatever is usual.
    """
    for path, rows in reads.items():
        if NONE not in rows or not is_nothing(_at(body, tuple(path.split(".")))):
            continue
        for name, value in rows[NONE].items():
            known = values.get(name, ())
            if name in meaning.fields or name not in meaning.around.types:
                continue
            if value in known or len(known) == 1:
                meaning.fields[name] = value if value in known else known[0]


def _of_ours(meaning: Meaning, way: Way) -> bool:
    """Whether the model has a field of this name, or the provider another model that takes it."""
    around = meaning.around
    return way in around.idiom or (way[:-1] == around.within and way[-1] in around.types)


def _at(body: Any, way: Way) -> Any:
    for step in way:
        body = body.get(step) if isinstance(body, Mapping) else None
    return body


def _without(body: dict[str, Any], way: Way) -> dict[str, Any]:
    key, *deeper = way
    if not deeper:
        return {name: value for name, value in body.items() if name != key}
    inner = body.get(str(key))
    return {**body, str(key): _without(inner, tuple(deeper))} if isinstance(inner, dict) else body
