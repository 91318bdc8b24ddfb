"""A `<lab>/<model>.yaml` → what is offered, and per form how it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.documents import Document, Path, nearest
from gateway.generation import FIELDS, Kind, Type
from gateway.offer import MICRO, Form, Handing, Limits, Offer, Pick, Price, Unit
from gateway.providers.compile.finder import Finder, finder
from gateway.providers.compile.table import forms_of, pick_rows, split_pick
from gateway.providers.compile.unit import micros
from gateway.providers.noting import Noting
from gateway.providers.pack import Answers, Cost, Encoding, Lifecycle, Model, Provider, Shape
from gateway.providers.tree import compile_tree


def model(document: Document, model_id: str, owner: Provider, note: Noting) -> Model | None:
    """Compile a `<lab>/<model>.yaml`; None when it cannot be held (the mistakes say why)."""
    raw = document.value
    find = finder(note)
    forms: list[Form] = []
    shapes: list[Shape] = []
    types: dict[str, Type] = {}
    deadline = 0
    for path, sections in forms_of(raw):
        lifecycle = _choose_lifecycle(sections, path, owner, raw, find, note)
        missing = [name for name in ("body", "price", "native") if name not in sections]
        for name in missing:
            note.value(path, f"{name} is missing: it must stand here or in the file's own sections")
        if lifecycle is None or missing:
            continue
        own = _types(sections, path, note)
        types.update(own)
        forms.append(_form(sections, path, own, note))
        cost = sections.get("cost")
        shapes.append(
            Shape(
                native=sections["native"],
                lifecycle=lifecycle,
                build=compile_tree(sections["body"]),
                encoding=Encoding(sections.get("encoding", Encoding.JSON)),
                cost=Cost(find((*path, "cost", "at"), cost["at"]), cost["usd"] * MICRO) if cost else None,
                body=sections["body"],
                reads=sections.get("reads", {}),
            ),
        )
        deadline = max(deadline, lifecycle.pace.deadline)
    if note.mistakes or not forms:
        return None
    offer = Offer(
        provider=owner.id,
        model=model_id,
        kind=Kind(raw["makes"]),
        rank=owner.rank,
        deadline=deadline,
        forms=tuple(forms),
        types=types,
        aliases=tuple(raw.get("aliases", ())),
    )
    answers = Answers(raw.get("answers", Answers.LIST if offer.kind is Kind.IMAGE else Answers.ONE))
    return Model(provider=owner, offer=offer, shapes=tuple(shapes), file=document.file, answers=answers)


def _choose_lifecycle(
    sections: Mapping[str, Any],
    path: Path,
    owner: Provider,
    raw: Mapping[str, Any],
    find: Finder,
    note: Noting,
) -> Lifecycle | None:
    name = sections.get("lifecycle") or (next(iter(owner.lifecycles)) if len(owner.lifecycles) == 1 else None)
    if name is None:
        note.value(path, f"lifecycle is missing: say which one runs this model: {', '.join(owner.lifecycles)}")
        return None
    if name not in owner.lifecycles:
        near = nearest(name, owner.lifecycles)
        hint = f"; did you mean {near!r}?" if near else f"; there are: {', '.join(owner.lifecycles)}"
        note.value((*path, "lifecycle"), f"no lifecycle {name!r} in provider.yaml{hint}")
        return None
    lifecycle = owner.lifecycles[name]
    if "outputs" in raw:
        lifecycle = replace(lifecycle, outputs=find(("outputs",), raw["outputs"]))
    if "flagged" in raw:
        lifecycle = replace(lifecycle, flagged=find(("flagged",), raw["flagged"]))
    return lifecycle


def _types(sections: Mapping[str, Any], path: Path, note: Noting) -> dict[str, Type]:
    types: dict[str, Type] = {}
    for name, limits in sections.get("takes", {}).items():
        if name in FIELDS:
            if "type" in limits:
                note.key(
                    (*path, "takes", name, "type"), f"{name} is a common field; its type is {FIELDS[name].type.value}"
                )
            types[name] = FIELDS[name].type
        elif "type" in limits:
            types[name] = Type(limits["type"])
        else:
            near = nearest(name, FIELDS)
            hint = f"did you mean {near!r}? " if near else ""
            note.key((*path, "takes", name), f"unknown field {name!r}: {hint}a field of the model's own needs a type")
    for key in sections.get("picks", {}):
        for name in split_pick(key):
            if name not in FIELDS:
                types.setdefault(name, Type.TEXT)
            else:
                types[name] = FIELDS[name].type
    for name in sections.get("drops", ()):
        types.setdefault(name, FIELDS[name].type if name in FIELDS else Type.TEXT)
    return types


def _form(sections: Mapping[str, Any], path: Path, types: Mapping[str, Type], note: Noting) -> Form:
    takes = sections.get("takes", {})
    price = _price(sections["price"])
    # Without a length there is no price by the second, and none is guessed.
    priced = {"duration"} if price.per is Unit.SECOND else set()
    return Form(
        native=sections["native"],
        given=frozenset(sections.get("given", ())),
        needs=frozenset(priced | {name for name, limits in takes.items() if limits.get("required")}),
        takes={name: _limits(limits, types.get(name, Type.TEXT)) for name, limits in takes.items()},
        picks=tuple(_pick(key, table, (*path, "picks", key), note) for key, table in sections.get("picks", {}).items()),
        drops=frozenset(sections.get("drops", ())),
        defaults=dict(sections.get("defaults", {})),
        price=price,
    )


def _limits(raw: Mapping[str, Any], type_: Type) -> Limits:
    is_file = type_ in {Type.URL, Type.URLS}
    takes = tuple(Handing(way) for way in raw.get("as", ("url",))) if is_file else ()
    return Limits(type_, raw.get("min"), raw.get("max"), raw.get("max_chars"), takes)


def _pick(key: object, table: Mapping[Any, Any], path: Path, note: Noting) -> Pick:
    fields = split_pick(key)
    if len(fields) > 2:
        note.key(path, "a table is over one field or two")
        return Pick(fields, {})
    if len(fields) == 2 and not all(isinstance(inner, dict) and inner for inner in table.values()):
        note.value(
            path, f"a table over {fields[0]} and {fields[1]} nests: {fields[0]}, then {fields[1]}, then the names"
        )
        return Pick(fields, {})
    rows = {}
    for values, row, at in pick_rows(fields, table):
        if not isinstance(row, dict):
            note.value((*path, *at), "a row is a mapping of names to native values, or {} for nothing sent")
            continue
        rows[values] = row
    return Pick(fields, rows)


def _price(raw: Mapping[str, Any]) -> Price:
    by = tuple(raw.get("by", ()))
    usd = raw["usd"]
    if not by or not isinstance(usd, dict):
        return Price(Unit(raw["per"]), (), {} if isinstance(usd, dict) else {(): micros(usd)})
    amounts = {values: micros(amount) for values, amount, _ in pick_rows(by, usd) if not isinstance(amount, dict)}
    return Price(Unit(raw["per"]), by, amounts)
