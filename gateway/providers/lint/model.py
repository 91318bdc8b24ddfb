"""One `<lab>/<model>.yaml`: forms that can serve, tables whose rows agree, defaults that are offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.documents import Document, Path, shown
from gateway.generation import FIELDS, Type, mistake
from gateway.offer import Limits
from gateway.providers.compile.table import forms_of, pick_rows, section, split_pick
from gateway.providers.lint.body import body
from gateway.providers.lint.outputs import outputs
from gateway.providers.lint.price import price
from gateway.providers.lint.reads import reads
from gateway.providers.noting import Noting


def model(document: Document, note: Noting) -> None:
    """Check a `<lab>/<model>.yaml` that its schema has passed."""
    raw = document.value
    if "outputs" in raw:
        outputs(raw["outputs"], ("outputs",), note)
    seen: list[frozenset[str]] = []
    for index, (path, sections) in enumerate(forms_of(raw)):
        given = frozenset(sections.get("given", ()))
        if any(earlier <= given for earlier in seen):
            note.value(
                path,
                f"form {index + 1} can never serve: an earlier one fits all its requests; put the one that asks for more first",
            )
        seen.append(given)
        _form(sections, path, note, raw)


def _form(sections: Mapping[str, Any], path: Path, note: Noting, raw: Mapping[str, Any]) -> None:
    def where(name: str) -> Path:
        return (*path, name) if path and name in section(raw, path) else (name,)

    takes, picks = sections.get("takes", {}), sections.get("picks", {})
    made: dict[str, Path] = {name: (*where("takes"), name) for name in takes}
    fields = set(takes)
    for key, table in picks.items():
        fields |= set(split_pick(key))
        for name, at in _rows(split_pick(key), table, (*where("picks"), key), note).items():
            if name in made and name not in split_pick(key):
                note.key(at, f"${name} is made by another table or field too, and one would take the other's place")
            made[name] = at
    for name in sections.get("drops", ()):
        if name in fields:
            note.key(where("drops"), f"{name} is both sent and dropped")
    for name in sections.get("given", ()):
        if name not in fields:
            note.value((*path, "given"), f"this form asks for {name} and has no word for it under `takes`")
    body(sections, made, where, note)
    reads(sections.get("reads", {}), fields, where("reads"), note)
    _defaults(sections, where("defaults"), note)
    price(sections, fields, where("price"), note)


def _rows(fields: tuple[str, ...], table: Any, path: Path, note: Noting) -> dict[str, Path]:
    """The names a table makes; rows that send anything must all send the same names."""
    made: dict[str, Path] = {}
    shape: tuple[frozenset[str], str] | None = None
    for values, row, at in pick_rows(fields, table):
        for name, value in zip(fields, values, strict=False):
            wrong = mistake(FIELDS[name].type if name in FIELDS else Type.TEXT, value)
            if wrong:
                note.key((*path, *at), f"{name} {wrong}")
        if not isinstance(row, dict) or not row:
            continue
        shape = shape or (frozenset(row), shown(at[-1]))
        if frozenset(row) != shape[0]:
            note.value(
                (*path, *at), f"this row makes {', '.join(row)}, that of {shape[1]} makes {', '.join(sorted(shape[0]))}"
            )
        made.update({name: (*path, *at, name) for name in row})
    return made


def _defaults(sections: Mapping[str, Any], path: Path, note: Noting) -> None:
    tables = {
        name: (split_pick(key), table) for key, table in sections.get("picks", {}).items() for name in split_pick(key)
    }
    for name, value in sections.get("defaults", {}).items():
        if name in tables:
            fields, table = tables[name]
            at = fields.index(name)
            values = {row[at] for row, _, _ in pick_rows(fields, table) if len(row) > at}
            if value not in values:
                note.value((*path, name), f"{shown(value)} is not in the table of {name}")
        elif name not in sections.get("takes", {}):
            note.key((*path, name), f"{name} has a default and is not offered")
        elif wrong := _out_of_bounds(name, value, sections["takes"][name]):
            note.value((*path, name), wrong)


def _out_of_bounds(name: str, value: Any, limits: Mapping[str, Any]) -> str | None:
    type_ = FIELDS[name].type if name in FIELDS else Type(limits.get("type", Type.TEXT))
    if wrong := mistake(type_, value):
        return f"{name} {wrong}"
    return Limits(type_, limits.get("min"), limits.get("max"), limits.get("max_chars")).refusal(name, value)
