"""The document of a pack file → the records it means. The schema has passed before; what it cannot see is noted here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from gateway.documents import Document, Mistake, Path, nearest
from gateway.fault import FaultKind
from gateway.generation import FIELDS, Kind, Type, Value
from gateway.offer import MICRO, Form, Limits, Offer, Pick, Price, Unit
from gateway.providers.pack import (
    CallLine,
    CallName,
    Cost,
    Find,
    JobState,
    Lifecycle,
    Model,
    Pace,
    Provider,
    Rule,
    Shape,
    Wait,
    Words,
)
from gateway.providers.tree import compile_tree

_SPAN = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SECRET = re.compile(r"\$secret\.([A-Z][A-Z0-9_]*)")
_DEFAULT_PACE = "1s"


class Noting:
    """Collects what is wrong with one document, each with its place."""

    def __init__(self, document: Document) -> None:
        """Note about this document."""
        self.document = document
        self.mistakes: list[Mistake] = []

    def value(self, path: Path, message: str) -> None:
        """Something is wrong with the value at this path."""
        self.mistakes.append(Mistake(self.document.place(path), message))

    def key(self, path: Path, message: str) -> None:
        """Something is wrong with the key at this path."""
        self.mistakes.append(Mistake(self.document.key_place(path), message))


def provider(document: Document, note: Noting) -> Provider:
    """Compile a `provider.yaml`."""
    raw = document.value
    find = _finder(note)
    return Provider(
        id=raw["provider"],
        name=raw["name"],
        about=raw["about"],
        website=raw["website"],
        docs=raw["docs"],
        checked=raw["checked"],
        rank=raw["rank"],
        base=raw["base"],
        hosts=tuple(raw.get("hosts", ())),
        auth=raw["auth"],
        secrets=tuple(dict.fromkeys(name for value in raw["auth"].values() for name in _SECRET.findall(value))),
        code=find(("failure", "code"), raw["failure"]["code"]),
        message=find(("failure", "message"), raw["failure"]["message"]),
        rules=tuple(_rule(rule) for rule in raw["faults"]),
        waits=tuple(_waits(raw.get("retry_after", ()), find)),
        lifecycles={name: _lifecycle(part, ("lifecycles", name), find) for name, part in raw["lifecycles"].items()},
    )


def model(document: Document, model_id: str, owner: Provider, note: Noting) -> Model | None:
    """Compile a `<lab>/<model>.yaml`; None when it cannot be held (the mistakes say why)."""
    raw = document.value
    find = _finder(note)
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
                cost=Cost(find((*path, "cost", "at"), cost["at"]), cost["usd"] * MICRO) if cost else None,
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
    return Model(provider=owner, offer=offer, shapes=tuple(shapes), file=document.file)


def span(text: str) -> int:
    """A length of time such as `90s` in milliseconds; the schema has checked its form."""
    number = text.rstrip("smhd")
    return int(number) * _SPAN[text[len(number) :]]


def micros(usd: float) -> int:
    """US dollars in millionths of a credit."""
    return int((Decimal(str(usd)) * MICRO).to_integral_value())


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


def forms_of(raw: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each form of a model file with the sections it ends up with, and where it stands."""
    shared = {key: value for key, value in raw.items() if key not in {"forms", "aliases", "makes"}}
    if "forms" not in raw:
        yield (), shared
    for index, form in enumerate(raw.get("forms", ())):
        yield ("forms", index), {**shared, **form}


def _finder(note: Noting) -> Callable[[Path, str], Find]:
    def find(path: Path, text: str) -> Find:
        try:
            compiled = jmespath.compile(text)
        except JMESPathError as error:
            reason = str(error).splitlines()[0]
            note.value(path, f"not a path that can be read (JMESPath): {reason}")
            return lambda _: None
        return _safe(compiled)

    return find


def _safe(compiled: Any) -> Find:
    def search(body: Any) -> Any:
        try:
            return compiled.search(body)
        except JMESPathError:
            # A function met a type it does not take: for us that is the same as nothing there.
            return None

    return search


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        kind=FaultKind(raw["is"]),
        status=frozenset(raw.get("status", ())),
        codes=tuple(raw.get("code", ())),
        says=tuple(text.lower() for text in raw.get("says", ())),
    )


def _waits(raw: Any, find: Callable[[Path, str], Find]) -> Iterator[Wait]:
    for index, wait in enumerate(raw):
        at = find(("retry_after", index, "at"), wait["at"]) if "at" in wait else None
        yield Wait(header=wait.get("header"), at=at, unit=wait["as"])


def _lifecycle(raw: Mapping[str, Any], path: Path, find: Callable[[Path, str], Find]) -> Lifecycle:
    state = raw.get("state")
    flagged = raw.get("flagged")
    pace = raw["pace"]
    return Lifecycle(
        calls={CallName(name): _call(call) for name, call in raw["calls"].items()},
        keep={name: find((*path, "keep", name), text) for name, text in raw.get("keep", {}).items()},
        state=_words(state, (*path, "state"), find) if state else None,
        outputs=find((*path, "outputs"), raw["outputs"]),
        flagged=find((*path, "flagged"), flagged) if flagged else None,
        expires=span(raw["expires"]) if "expires" in raw else None,
        pace=Pace(
            first=span(pace.get("first", _DEFAULT_PACE)),
            every=span(pace.get("every", _DEFAULT_PACE)),
            deadline=span(pace["deadline"]),
        ),
    )


def _call(raw: Any) -> CallLine:
    if isinstance(raw, str):
        raw = {"call": raw}
    method, target = raw["call"].split(" ", 1)
    return CallLine(method, target, raw.get("headers", {}), frozenset(JobState(word) for word in raw.get("when", ())))


def _words(raw: Mapping[str, Any], path: Path, find: Callable[[Path, str], Find]) -> Words:
    return Words(
        at=find((*path, "at"), raw["at"]),
        words={str(word): state for state in JobState for word in raw.get(state.value, ())},
        failed_if=find((*path, "failed_if"), raw["failed_if"]) if "failed_if" in raw else None,
    )


def _choose_lifecycle(
    sections: Mapping[str, Any],
    path: Path,
    owner: Provider,
    raw: Mapping[str, Any],
    find: Callable[[Path, str], Find],
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


def split_pick(key: object) -> tuple[str, ...]:
    """The fields a picks table is over: `resolution, ratio` are two."""
    return tuple(name.strip() for name in str(key).split(","))


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
    return Limits(type_, raw.get("min"), raw.get("max"), raw.get("max_chars"))


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
