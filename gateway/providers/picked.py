"""The tables of a form, read backwards: native values → the row that sends them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.generation import Value
from gateway.offer import Form, Pick
from gateway.providers.matching import Match, Way, alike
from gateway.providers.meaning import Meaning, dotted, listed, shown
from gateway.providers.sizes import Size, is_shape, nearest, pixels

# Native values by name, each with where it stands.
Bound = Mapping[str, tuple[Any, Way]]
_CLASS = "resolution"


def picked(meaning: Meaning, form: Form, pick: Pick, found: Match, places: Mapping[str, Way]) -> None:
    """Find the rows of a table that send what the body holds, and say what they agree on.

    `places` is where the names of the form's body stand.
    """
    names = {name for row in pick.rows.values() for name in row}
    bound = {name: found.names[name] for name in sorted(names) if name in found.names}
    if not bound:
        # Where every other row sends something, sending nothing means the one that sends nothing.
        rows = [values for values, row in pick.rows.items() if not row] if names else []
        _assume(meaning, form, pick, rows)
        return
    rows = [
        values
        for values, row in pick.rows.items()
        if all(name in row and alike(row[name], value) for name, (value, _) in bound.items())
    ]
    if rows:
        _agree(meaning, form, pick, rows, bound)
    elif not _by_size(meaning, pick, bound, places) and not _by_our_word(meaning, pick, bound):
        _refuse(meaning, pick, bound)


def sizes_of(pick: Pick, places: Mapping[str, Way]) -> Iterable[tuple[Size, Mapping[str, Value]]]:
    """Each row of a table that sends a size, with the fields it stands for."""
    if not {"ratio"} <= set(pick.fields) <= {"ratio", _CLASS}:
        return
    for values, row in pick.rows.items():
        size = _sides(row, places)
        if size is not None:
            yield size, dict(zip(pick.fields, values, strict=True))


def say_size(meaning: Meaning, asked: Size, own: Iterable[tuple[Size, Mapping[str, Value]]], way: Way) -> bool:
    """Read a size by the exact one of any provider of the model, or by its shape and class; whether there is one.

    Where it is served in other pixels, that is told.
    """
    around = meaning.around
    exact = next((row for size, row in around.sizes if size == asked), None)
    if exact is not None:
        _say(meaning, exact, way)
        return True
    close = nearest(asked, own) or nearest(asked, around.sizes)
    if close is None:
        return _by_shape(meaning, asked, way)
    size, row = close
    _say(meaning, row, way)
    what = ", ".join(f"{name} {value}" for name, value in row.items())
    meaning.tell(way, f"{dotted(way)} {asked[0]}x{asked[1]} is served as {what}, such as {size[0]}x{size[1]}")
    return True


def _by_shape(meaning: Meaning, asked: Size, way: Way) -> bool:
    """Read a size by its shape alone, for a model that has no classes of sizes: it draws each shape in pixels of its own."""
    around = meaning.around
    if _CLASS in around.types:
        return False
    ratio = next((each for each in around.values.get("ratio", ()) if is_shape(asked, str(each))), None)
    if ratio is None:
        return False
    meaning.say("ratio", ratio, way)
    said = f"{dotted(way)} {asked[0]}x{asked[1]} is served as ratio {ratio}, in the model's own pixels"
    meaning.tell(way, said)
    return True


def _assume(meaning: Meaning, form: Form, pick: Pick, rows: list[tuple[Value, ...]]) -> None:
    for at, name in enumerate(pick.fields):
        values = {row[at] for row in rows}
        if len(values) == 1 and name in form.defaults and form.defaults[name] not in values:
            meaning.fields.setdefault(name, values.pop())


def _agree(meaning: Meaning, form: Form, pick: Pick, rows: list[tuple[Value, ...]], bound: Bound) -> None:
    """Say the fields on which the rows agree; what they leave open has to be what holds anyhow."""
    way = next(iter(bound.values()))[1]
    for at, name in enumerate(pick.fields):
        values = list(dict.fromkeys(row[at] for row in rows))
        if len(values) > 1:
            if form.defaults.get(name) not in values:
                meaning.wrong(way, f"{dotted(way)} alone does not say the {name}: it may be {listed(values)}")
        elif name != _CLASS or len(pick.fields) == 1 or values[0] != form.defaults.get(name):
            # The class that a size in pixels implies is not said for its own sake: where it is the usual one, others need not
            # have a word for it.
            meaning.say(name, values[0], way)


def _by_size(meaning: Meaning, pick: Pick, bound: Bound, places: Mapping[str, Way]) -> bool:
    asked = _sides({name: value for name, (value, _) in bound.items()}, places)
    if asked is None or "ratio" not in pick.fields:
        return False
    return say_size(meaning, asked, list(sizes_of(pick, places)), next(iter(bound.values()))[1])


def _by_our_word(meaning: Meaning, pick: Pick, bound: Bound) -> bool:
    """Read a value this provider does not have and another does, where it writes such values as we do."""
    name, (value, way) = next(iter(bound.items()))
    if len(pick.fields) != 1 or len(bound) != 1 or not isinstance(value, str | int | float):
        return False
    is_ours = any(name in row and str(row[name]) == str(values[0]) for values, row in pick.rows.items())
    ours = next((known for known in meaning.around.values.get(pick.fields[0], ()) if alike(known, value)), None)
    if not is_ours or ours is None:
        return False
    meaning.say(pick.fields[0], ours, way)
    return True


def _refuse(meaning: Meaning, pick: Pick, bound: Bound) -> None:
    asked = ", ".join(f"{dotted(at)} {shown(value)}" for value, at in bound.values())
    name, (_, way) = next(iter(bound.items()))
    takes = listed(row[name] for row in pick.rows.values() if name in row)
    meaning.wrong(way, f"{asked} is not offered; {dotted(way)} takes {takes}")


def _say(meaning: Meaning, row: Mapping[str, Value], way: Way) -> None:
    for name, value in row.items():
        meaning.say(name, value, way)


def _sides(row: Mapping[str, Any], places: Mapping[str, Way]) -> Size | None:
    """The size in a row: one value that is written so, or a width and a height."""
    if len(row) == 1:
        return pixels(next(iter(row.values())))
    return pixels({str(places[name][-1]): value for name, value in row.items() if name in places})
