"""What the words of one provider usually mean: those of all its models together. Pure.

A client written for that provider knows these words whatever model it asks for, also one that the provider does not serve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.generation import FIELDS, Value
from gateway.offer import Form
from gateway.providers.matching import Way, alike, leaves
from gateway.providers.pack import Model
from gateway.providers.sizes import pixels


@dataclass(slots=True)
class Word:
    """One parameter: the fields it hands on, with the item of a list, and the values it has in tables, each with its field."""

    takes: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    rows: dict[str, tuple[Any, Counter[tuple[str, Value]]]] = field(default_factory=dict)
    sizes: bool = False

    def fields(self) -> set[str]:
        """Every field the word has to do with."""
        rows = {name for _, meant in self.rows.values() for name, _ in meant}
        return rows | {name for name, _ in self.takes} | ({"ratio"} if self.sizes else set())

    def note(self, native: Any, name: str, value: Value) -> None:
        """Note that a native value stands for a value of a field."""
        self.rows.setdefault(repr(native), (native, Counter()))[1][name, value] += 1

    def means(self, value: Any) -> tuple[str, Value] | None:
        """The field and the value that a native value usually stands for; None where no table has it."""
        for native, meant in self.rows.values():
            if alike(native, value):
                return meant.most_common(1)[0][0]
        return None

    def same(self, value: Any) -> str | None:
        """The field whose values are written here as we write them, where a table of the kind could have this one."""
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return None
        names = Counter(
            name for native, meant in self.rows.values() for name, ours in meant if str(native) == str(ours)
        )
        return names.most_common(1)[0][0] if names else None


Idiom = Mapping[Way, Word]


def idiom(models: Iterable[Model]) -> Idiom:
    """Gather the words of the models of one provider, by where they stand in a body."""
    words: dict[Way, Word] = {}
    for model in models:
        for form, shape in zip(model.offer.forms, model.shapes, strict=True):
            for way, name, item in leaves(shape.body):
                if name in form.takes and name in FIELDS:
                    words.setdefault(way, Word()).takes[name, item] += 1
                for field_name, value, native in _rows(form, name):
                    word = words.setdefault(way, Word())
                    word.sizes |= pixels(native) is not None
                    if field_name is not None and field_name in FIELDS:
                        word.note(native, field_name, value)
    return words


def _rows(form: Form, name: str) -> Iterator[tuple[str | None, Value, Any]]:
    """Each native value a name has in the tables of a form, with the one field it stands for, where it is one."""
    for pick in form.picks:
        alone = pick.fields[0] if len(pick.fields) == 1 else None
        for values, row in pick.rows.items():
            if name in row:
                yield (alone if len(row) == 1 else None), values[0], row[name]
