"""One form of a pack, read backwards: a native body → our fields, or what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.documents import nearest
from gateway.generation import Value
from gateway.offer import Form
from gateway.providers.declared import declared, unsaid
from gateway.providers.matching import Match, Way, alike, is_nothing, leaves, match
from gateway.providers.meaning import Around, Meaning, dotted, listed, shown
from gateway.providers.pack import Model, Reads
from gateway.providers.picked import picked, say_size
from gateway.providers.sizes import pixels


def of_form(model: Model, index: int, body: Mapping[str, Any], around: Around) -> Meaning:
    """Read a body by one form of a pack."""
    form, shape = model.offer.forms[index], model.shapes[index]
    meaning = Meaning(around)
    places = {way: name for way, name, _ in leaves(shape.body)}
    _word(meaning, form, places)
    rest = declared(meaning, body, shape.reads, places, lambda _way, _value: False)

    def has_row(way: Way, value: Any) -> bool:
        """Whether a table of the form itself has this value: it says more than what holds for all models."""
        name = places.get(way, "")
        return any(name in row and alike(row[name], value) for pick in form.picks for row in pick.rows.values())

    usual = {path: rows for path, rows in model.provider.reads.items() if path not in shape.reads}
    rest = declared(meaning, rest, usual, places, has_row)
    found = match(shape.body, rest)
    _take(meaning, model, form, found)
    for pick in form.picks:
        picked(meaning, form, pick, found, {name: way for way, name in places.items()})
    reads = {**usual, **shape.reads}
    for way, value in _sized(meaning, found.strange):
        _strange(meaning, way, value, _parameters(model), reads)
    for way, wanted, value in found.fixed:
        meaning.wrong(way, f"{dotted(way)} is always {shown(wanted)} here; {shown(value)} is not offered")
    meaning.gather()
    unsaid(meaning, body, reads, _values(form))
    return meaning


def of_words(body: Mapping[str, Any], reads: Reads, around: Around) -> Meaning:
    """Read a body for a model that the provider does not serve: by what its words usually mean, and by ours."""
    meaning = Meaning(around)
    for way, word in around.idiom.items():
        for name in word.fields():
            meaning.words.setdefault(name, dotted(way))
    rest = declared(meaning, body, reads, {}, lambda _way, _value: False)
    known = [dotted((*around.within, name)) for name in around.types]
    known += [dotted(way) for way, word in around.idiom.items() if word.fields() & around.types.keys()]
    for way, value in _sized(meaning, list(_flat(rest, around.within))):
        _strange(meaning, way, value, known, reads)
    meaning.gather()
    unsaid(meaning, body, reads, around.values)
    return meaning


def _values(form: Form) -> Mapping[str, tuple[Value, ...]]:
    """The values of each field that is chosen from a table."""
    return {name: tuple(pick.values(name)) for pick in form.picks for name in pick.fields}


def _word(meaning: Meaning, form: Form, places: Mapping[Way, str]) -> None:
    """Note the client's word for every field that the body can say."""
    for way, name in places.items():
        if name in form.takes:
            meaning.words.setdefault(name, dotted(way))
        for pick in form.picks:
            if any(name in row for row in pick.rows.values()):
                for each in pick.fields:
                    meaning.words.setdefault(each, dotted(way))


def _take(meaning: Meaning, model: Model, form: Form, found: Match) -> None:
    for name, (value, way) in found.names.items():
        if name == "model":
            names = {shape.native for shape in model.shapes} | {model.offer.model, *model.offer.aliases}
            if value not in names:
                meaning.wrong(way, f"{dotted(way)} is {shown(value)}, and the model asked for is {model.offer.model}")
        elif name in form.takes:
            meaning.hand_on(name, form.takes[name].type, value, way)
    for name, items in found.items.items():
        if name in form.takes:
            meaning.items.setdefault(name, {}).update(items)


def _sized(meaning: Meaning, strange: list[tuple[Way, Any]]) -> list[tuple[Way, Any]]:
    """Read a width and a height that stand beside each other as one size; what is left is given back."""
    sides = {way: value for way, value in strange if way[-1] in {"width", "height"}}
    for way in [way for way in sides if way[-1] == "width"]:
        other = (*way[:-1], "height")
        size = pixels({"width": sides[way], "height": sides.get(other)})
        if size is not None and not {way, other} & meaning.around.idiom.keys() and say_size(meaning, size, (), way):
            strange = [each for each in strange if each[0] not in {way, other}]
    return strange


def _parameters(model: Model) -> list[str]:
    """Everything a body may say in one form or another."""
    return [dotted(way) for shape in model.shapes for way, _, _ in leaves(shape.body)]


def _strange(meaning: Meaning, way: Way, value: Any, known: list[str], reads: Reads) -> None:
    """A parameter the form has no place for: a usual word of the provider's, or one of ours."""
    around = meaning.around
    if _by_idiom(meaning, way, value):
        return
    name = str(way[-1])
    if way[:-1] == around.within and name in around.types:
        meaning.hand_on(name, around.types[name], value, way)
        return
    word = dotted(way)
    if word in known:
        meaning.wrong(way, f"{word} is not offered together with what else is asked for")
        return
    ends = {path.rpartition(".")[2]: path for path in (*reads, *known)}
    near = nearest(name, ends)
    hint = f": did you mean {ends[near]}?" if near else ";"
    meaning.wrong(way, f"{word} is not known for this model{hint} it takes {listed(sorted(set(known)))}")


def _by_idiom(meaning: Meaning, way: Way, value: Any) -> bool:
    """Read a parameter as the provider's other models have it; whether that can be done."""
    word, around = meaning.around.idiom.get(way), meaning.around
    if word is None:
        return False
    size = pixels(value) if word.sizes else None
    if size is not None:
        if not say_size(meaning, size, (), way):
            known = listed(f"{width}x{height}" for (width, height), _ in around.sizes)
            meaning.wrong(way, f"{dotted(way)} {shown(value)} is not offered; it takes {known or 'no size here'}")
        return True
    meant = word.means(value)
    if meant is not None and meant[0] in around.types:
        meaning.say(*meant, way)
        return True
    same = word.same(value)
    if same is not None and same in around.types:
        ours = (each for each in around.values.get(same, ()) if alike(each, value))
        meaning.say(same, next(ours, value), way)
        return True
    for (name, item), _ in word.takes.most_common():
        if name in around.types:
            if item is None or isinstance(value, list):
                meaning.hand_on(name, around.types[name], value, way)
            else:
                meaning.items.setdefault(name, {})[item - 1] = (value, way)
            return True
    return False


def _flat(body: Mapping[str, Any], within: Way) -> Iterable[tuple[Way, Any]]:
    """The parameters of a body where they stand; what stands beside that place is a parameter too."""
    for key, value in body.items():
        if within and key == within[0] and isinstance(value, Mapping):
            yield from (((key, *way), inner) for way, inner in _flat(value, within[1:]))
        elif not is_nothing(value):
            yield (key,), value
