"""What the schema of a pack cannot say: names made by nothing, tables that disagree, calls that use what was never kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gateway.documents import Document, Mistake, Path, nearest, shown
from gateway.generation import FIELDS, Type, mistake
from gateway.offer import MICRO, Limits, Unit
from gateway.providers.compile import Noting, forms_of, pick_rows, split_pick
from gateway.providers.pack import Model
from gateway.providers.tree import uses

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
        stands = [path if "defaults" in _at(document.value, path) else () for path, _ in forms_of(document.value)]
        for form, path in zip(pack.offer.forms, stands, strict=True):
            for name, value in form.defaults.items():
                said = theirs.get(form.given, {}).get(name, value)
                if said != value:
                    note.value(
                        (*path, "defaults", name),
                        f"{name} is {shown(value)} here and {shown(said)} in {elsewhere.file}: a model means the same everywhere",
                    )
        mistakes += note.mistakes
    return mistakes


def _lifecycle(raw: Mapping[str, Any], path: Path, note: Noting) -> None:
    calls = raw["calls"]
    kept = set(raw.get("keep", {}))
    for name, call in calls.items():
        _call(name, call, kept, (*path, "calls", name), note)
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


def _call(name: str, call: Any, kept: set[str], path: Path, note: Noting) -> None:
    target = (call if isinstance(call, str) else call["call"]).split(" ", 1)[1]
    allowed = {"model"} if name == "submit" else kept | {"model"}
    for used in _NAME.findall(target):
        if used not in allowed:
            near = nearest(used, allowed)
            hint = f"did you mean ${near}?" if near else "keep it from the submit reply, under `keep`"
            note.value(path, f"${used} is never kept: {hint}")
    if "$" in _NAME.sub("", target):
        note.value(path, "a name is a dollar sign and small letters, such as $id")
    elif target.startswith("$") and name == "submit":
        note.value(path, "a submit call needs a path of its own")
    elif target.startswith("$") and not _NAME.fullmatch(target):
        note.value(path, "an address that was kept stands alone, such as `GET $poll`")
    for header, value in ({} if isinstance(call, str) else call.get("headers", {})).items():
        if "$" in value:
            note.value(
                (*path, "headers", header), "the header of a call is a plain text; a credential goes under `auth`"
            )


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
    _items(sections, where("takes"), note)
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


def _body(sections: Mapping[str, Any], made: Mapping[str, Path], path: Path, note: Noting) -> None:
    if "body" not in sections:
        return
    used = {name for name, _ in uses(sections["body"])}
    for name in sorted(used - set(made) - {"model"}):
        near = nearest(name, made)
        hint = f"did you mean ${near}?" if near else "add it to `takes`, or to the rows of a table under `picks`"
        note.value(path, f"{name if name.startswith('$') else '$' + name} is made by nothing: {hint}")
    for name, at in made.items():
        if name not in used:
            note.key(at, f"{name} is taken and never sent: use ${name} in the body, or move the field to `drops`")


def _items(sections: Mapping[str, Any], path: Path, note: Noting) -> None:
    """Of a list that is sent item by item, no more may be taken than are sent."""
    asked: dict[str, set[int | None]] = {}
    for name, item in uses(sections.get("body", {})):
        asked.setdefault(name, set()).add(item)
    for name, limits in sections.get("takes", {}).items():
        items = asked.get(name, set()) - {None}
        is_list = (FIELDS[name].type if name in FIELDS else limits.get("type")) == Type.URLS
        if items and not is_list:
            note.key((*path, name), f"{name} is one value: write ${name}, without a number")
        elif items and None not in asked[name]:
            sent = next(count for count in range(len(items) + 1) if count + 1 not in items)
            if limits.get("max", sent + 1) > sent:
                note.key(
                    (*path, name), f"more {name} are taken than sent: the body sends {sent}, so give `max: {sent}`"
                )


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


def _price(sections: Mapping[str, Any], fields: set[str], path: Path, note: Noting) -> None:
    price = sections.get("price")
    if not price:
        return
    by, usd = tuple(price.get("by", ())), price["usd"]
    _multipliers(sections, fields, (*path, "per"), note)
    _fractions(usd, (*path, "usd"), note)
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


def _multipliers(sections: Mapping[str, Any], fields: set[str], path: Path, note: Noting) -> None:
    if sections["price"]["per"] == Unit.SECOND and "duration" not in fields:
        note.value(path, "a price per second needs `duration`, which this model does not offer")
    for name in ("count", "duration"):
        if name in sections.get("takes", {}) and not sections["takes"][name].get("min", 0) > 0:
            note.value(path, f"{name} multiplies the price: give it a `min` above 0 under `takes`")


def _fractions(usd: Any, path: Path, note: Noting) -> None:
    if isinstance(usd, dict):
        for key, part in usd.items():
            _fractions(part, (*path, key), note)
    elif Decimal(str(usd)) * MICRO % 1:
        note.value(path, "an amount is a whole number of millionths; six digits after the point")


def _values(sections: Mapping[str, Any], name: str) -> set[Any]:
    for key, table in sections.get("picks", {}).items():
        fields = split_pick(key)
        if name in fields:
            at = fields.index(name)
            return {row[at] for row, _, _ in pick_rows(fields, table) if len(row) > at}
    return set()
