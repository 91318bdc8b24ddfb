"""What the schema of a pack cannot say: names made by nothing, tables that disagree, calls that use what was never kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.documents import Document, Mistake, Path, nearest, shown
from gateway.generation import FIELDS, Type, mistake
from gateway.providers.compile import Noting, forms_of, pick_rows, split_pick
from gateway.providers.pack import Model
from gateway.providers.tree import names

_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_SECRET = re.compile(r"\$secret\.[A-Z][A-Z0-9_]*")
_HTTP_NAME = re.compile(r"^[A-Za-z0-9-]+$")


def provider(document: Document, folder: str, note: Noting) -> None:
    """Check a `provider.yaml` that its schema has passed."""
    raw = document.value
    if raw["provider"] != folder:
        note.value(("provider",), f"the id is {raw['provider']!r} and the folder {folder!r}; they must be the same")
    for header, value in raw["auth"].items():
        if not _HTTP_NAME.match(str(header)):
            note.key(("auth", header), f"{header!r} is not the name of a header")
        if not _SECRET.search(value):
            note.value(("auth", header), "no `$secret.NAME` here: a credential never stands in a file")
    for index, wait in enumerate(raw.get("retry_after", ())):
        if ("header" in wait) == ("at" in wait):
            note.value(("retry_after", index), "say where: either `header` or `at`, not both")
    for name, lifecycle in raw["lifecycles"].items():
        _lifecycle(lifecycle, ("lifecycles", name), note)


def model(document: Document, note: Noting) -> None:
    """Check a `<lab>/<model>.yaml` that its schema has passed."""
    raw = document.value
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


def agreement(models: Iterable[tuple[Model, Document]]) -> list[Mistake]:
    """Check that every provider of a model means the same by it: kind and defaults, so that failing over keeps the meaning."""
    mistakes: list[Mistake] = []
    first: dict[str, tuple[Model, Document]] = {}
    for pack, document in models:
        note = Noting(document)
        other, elsewhere = first.setdefault(pack.offer.model, (pack, document))
        if pack.offer.kind is not other.offer.kind:
            note.value(("makes",), f"{pack.offer.model} makes {other.offer.kind.value} in {elsewhere.file}")
        theirs = {form.given: form.defaults for form in other.offer.forms}
        for form in pack.offer.forms:
            for name, value in form.defaults.items():
                said = theirs.get(form.given, {}).get(name, value)
                if said != value:
                    note.value(
                        ("defaults", name),
                        f"{name} is {shown(value)} here and {shown(said)} in {elsewhere.file}: a model means the same everywhere",
                    )
        mistakes += note.mistakes
    return mistakes


def _lifecycle(raw: Mapping[str, Any], path: Path, note: Noting) -> None:
    calls = raw["calls"]
    kept = set(raw.get("keep", {}))
    for name, call in calls.items():
        target = call if isinstance(call, str) else call["call"]
        allowed = {"model"} if name == "submit" else kept | {"model"}
        for used in _NAME.findall(target):
            if used not in allowed:
                near = nearest(used, allowed)
                hint = f"did you mean ${near}?" if near else "keep it from the submit reply, under `keep`"
                note.value((*path, "calls", name), f"${used} is never kept: {hint}")
        if name == "submit" and target.split(" ", 1)[1].startswith("$"):
            note.value((*path, "calls", name), "a submit call needs a path of its own")
    if "status" in calls:
        if "state" not in raw:
            note.key(
                (*path, "calls", "status"), "a job that is looked at needs `state`: where its word is and what it means"
            )
        elif not {"failed", "failed_if"} & set(raw["state"]):
            note.key((*path, "state"), "a job must be able to fail: give `failed` words or a `failed_if` path")
        if "id" not in kept:
            note.key((*path, "calls", "status"), "`keep` needs an `id`: it finds the job again after a restart")
        _doubles(raw.get("state", {}), (*path, "state"), note)
    elif {"result", "cancel"} & set(calls) or "state" in raw:
        note.key((*path, "calls"), "without a `status` call there is nothing to fetch, cancel or read a state from")


def _doubles(state: Mapping[str, Any], path: Path, note: Noting) -> None:
    seen: dict[str, str] = {}
    for name, words in state.items():
        if not isinstance(words, list):
            continue
        for index, word in enumerate(words):
            if seen.setdefault(str(word), name) != name:
                note.value((*path, name, index), f"{shown(word)} already means {seen[str(word)]}")


def _form(sections: Mapping[str, Any], path: Path, note: Noting, raw: Mapping[str, Any]) -> None:
    def where(name: str) -> Path:
        return (*path, name) if path and name in _at(raw, path) else (name,)

    takes, picks = sections.get("takes", {}), sections.get("picks", {})
    made: dict[str, Path] = {name: (*where("takes"), name) for name in takes}
    fields = set(takes)
    for key, table in picks.items():
        fields |= set(split_pick(key))
        made.update(_rows(split_pick(key), table, (*where("picks"), key), note))
    for name in sections.get("drops", ()):
        if name in fields:
            note.key(where("drops"), f"{name} is both sent and dropped")
    for name in sections.get("given", ()):
        if name not in fields:
            note.value((*path, "given"), f"this form asks for {name} and has no word for it under `takes`")
    _body(sections, made, where("body"), note)
    _defaults(sections, where("defaults"), note)
    _price(sections, fields, where("price"), note)


def _at(raw: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    here: Any = raw
    for step in path:
        here = here[step]
    return here if isinstance(here, dict) else {}


def _rows(fields: tuple[str, ...], table: Any, path: Path, note: Noting) -> dict[str, Path]:
    """The names a table makes; rows that send anything must all send the same names."""
    made: dict[str, Path] = {}
    shape: tuple[frozenset[str], str] | None = None
    for values, row, at in pick_rows(fields, table):
        for name, value in zip(fields, values, strict=False):
            wrong = mistake(FIELDS[name].type, value) if name in FIELDS and FIELDS[name].type is not Type.URLS else None
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


def _body(sections: Mapping[str, Any], made: Mapping[str, Path], path: Path, note: Noting) -> None:
    if "body" not in sections:
        return
    used = set(names(sections["body"]))
    for name in sorted(used - set(made) - {"model"}):
        near = nearest(name, made)
        hint = f"did you mean ${near}?" if near else "add it to `takes`, or to the rows of a table under `picks`"
        note.value(path, f"{name if name.startswith('$') else '$' + name} is made by nothing: {hint}")
    for name, at in made.items():
        if name not in used:
            note.key(at, f"{name} is taken and never sent: use ${name} in the body, or move the field to `drops`")


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


def _price(sections: Mapping[str, Any], fields: set[str], path: Path, note: Noting) -> None:
    price = sections.get("price")
    if not price:
        return
    by, usd = tuple(price.get("by", ())), price["usd"]
    if bool(by) != isinstance(usd, dict):
        note.value(
            (*path, "usd"),
            "a table of amounts needs `by`, the fields it goes by"
            if isinstance(usd, dict)
            else "`by` needs a table of amounts",
        )
        return
    for name in by:
        if name not in fields:
            note.value((*path, "by"), f"the price goes by {name}, which this model does not offer")
    if not by:
        return
    priced = {row for row, _, _ in pick_rows(by, usd)}
    offered = {name: _values(sections, name) for name in by}
    for at, name in enumerate(by):
        for value in offered[name] - {row[at] for row in priced if len(row) > at}:
            note.value((*path, "usd"), f"no price for {name} {shown(value)}")


def _values(sections: Mapping[str, Any], name: str) -> set[Any]:
    for key, table in sections.get("picks", {}).items():
        fields = split_pick(key)
        if name in fields:
            at = fields.index(name)
            return {row[at] for row, _, _ in pick_rows(fields, table) if len(row) > at}
    return set()
