"""A body in a provider's spelling → our fields: the packs, read backwards. Pure.

A client written for one provider asks in that provider's words. The pack that renders them says what they mean, so it also
reads them: a name in the body is a field or the row of a table, a constant has to be as it is sent. What a provider's clients
may say beside the body, and what they mean when they say nothing, stands in the pack under `reads`.

A door asks twice: `find` for the model a name means, `read` for what a body asks of it.

    named = spellings.find("lab-at-vendor/model:version", speaks="vendor")
    if named is None: …                                   # 404; `spellings.nearest(name)` is the closest name there is
    heard = spellings.read(named, {"input": {…}}, within=("input",))
    match heard:
        case Heard(): Asked(heard.kind, heard.model, heard.fields, order, heard.spell, …)
        case Unheard(): …                                 # `heard.problems`: every parameter, and what is wrong with it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.documents import nearest
from gateway.generation import Kind, Type, Value
from gateway.offer import Form
from gateway.providers.heard import Heard, Problem, Unheard
from gateway.providers.idiom import Idiom, idiom
from gateway.providers.matching import leaves
from gateway.providers.meaning import Around, Meaning
from gateway.providers.pack import Answers, Model, Reads
from gateway.providers.picked import sizes_of
from gateway.providers.sizes import Size
from gateway.providers.unrender import of_form, of_words


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way the body may be written: as this provider writes it for this model, in these of its forms."""

    provider: str
    model: str
    forms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a name means: our model, the name without its version, and whose spelling may follow, the likeliest first."""

    model: str
    kind: Kind
    name: str
    version: str | None
    spellings: tuple[Spelling, ...]
    speaks: str | None


class Spellings:
    """Every name under which the models of a catalog are known anywhere."""

    def __init__(self, models: Mapping[tuple[str, str], Model], aliases: Mapping[str, str]) -> None:
        """Read by these packs, keyed by provider and model; aliases lead to our ids."""
        self._models = models
        self._of: dict[str, list[Model]] = {}  # our id → who has it, in the usual order
        for pack in sorted(models.values(), key=lambda each: (each.offer.rank, each.offer.provider)):
            self._of.setdefault(pack.offer.model, []).append(pack)
        self._natives: dict[str, list[tuple[Model, int]]] = {}
        for packs in self._of.values():
            for pack in packs:
                for index, shape in enumerate(pack.shapes):
                    self._natives.setdefault(shape.native, []).append((pack, index))
        self._names: dict[str, str] = {name: found[0][0].offer.model for name, found in self._natives.items()}
        self._names.update(aliases)
        self._names.update((model, model) for model in self._of)
        self._versions = {version_of(name): name for name in self._names}
        self._idioms: dict[str, Idiom] = {}
        self._arounds: dict[tuple[str, str | None], Around] = {}

    def find(self, name: str, speaks: str | None = None) -> Named | None:
        """The model a name means: ours, an alias, or any provider's, with or without `:version`; None when nobody knows it.

        A version alone, as `version_of` gives it, is a name too. `speaks` is the provider whose clients come through this door:
        its spelling is tried first, and its words are known for models it does not serve.
        """
        version = None
        if name not in self._names:
            bare, _, version = name.rpartition(":")
            if name in self._versions:
                bare, version = self._versions[name], name
            name = bare
        if name not in self._names:
            return None
        model = self._names[name]
        spellings = tuple(self._spellings(model, name, speaks))
        return Named(model, self._of[model][0].offer.kind, name, version or None, spellings, speaks)

    def nearest(self, name: str) -> str | None:
        """The closest name there is to one that nobody knows."""
        return nearest(name, self._names)

    def names(self, provider: str) -> Mapping[str, str]:
        """Every name a provider has for a model, and our id of that model."""
        return {
            shape.native: pack.offer.model
            for (owner, _), pack in self._models.items()
            if owner == provider
            for shape in pack.shapes
        }

    def answers(self, named: Named) -> Answers:
        """How clients of the door's own provider are handed a single output of a model; as is usual where it does not serve it."""
        own = next((each for each in named.spellings if each.provider == named.speaks), None)
        if own is not None:
            return self._models[own.provider, own.model].answers
        return Answers.LIST if named.kind is Kind.IMAGE else Answers.ONE

    def read(self, named: Named, body: Mapping[str, Any], within: tuple[str, ...] = ()) -> Heard | Unheard:
        """Read a body by the first spelling that knows all of it; else say what is wrong in the likeliest.

        `within` is where the parameters stand in the body; there our own words are understood too.
        """
        first: Meaning | None = None
        for spelling, meaning in self._tries(named, body, within):
            if not meaning.problems:
                return _heard(spelling, named, meaning)
            first = first or meaning
        assert first is not None, "our own words are always tried"
        return Unheard(tuple(dict.fromkeys(first.problems)))

    def _tries(
        self, named: Named, body: Mapping[str, Any], within: tuple[str, ...]
    ) -> Iterator[tuple[Spelling | None, Meaning]]:
        """Read the body in each way there is, the likeliest first; each with the best of its forms.

        What the door's own provider serves is asked for in its spelling, and ours, alone; unless the name is another's.
        """
        own = [each for each in named.spellings if each.provider == named.speaks]
        so_named = [each for each in named.spellings if self._is_native(each, named.name)]
        if any(each in own for each in so_named):
            so_named = []
        for spelling in so_named:
            yield spelling, self._by_forms(spelling, named, body, within)
        for spelling in own:
            meaning = self._by_forms(spelling, named, body, within)
            self._check_given(meaning, [self._forms(each) for each in so_named])
            yield spelling, meaning
        if own:
            return
        meaning = of_words(body, self._reads(named.speaks), self._around(named.model, named.speaks, within))
        self._check_given(meaning, [self._forms(each) for each in so_named])
        yield None, meaning
        for spelling in named.spellings:
            if spelling not in so_named:
                yield spelling, self._by_forms(spelling, named, body, within)

    def _is_native(self, spelling: Spelling, name: str) -> bool:
        return any(shape.native == name for shape in self._models[spelling.provider, spelling.model].shapes)

    def _forms(self, spelling: Spelling) -> list[Form]:
        forms = self._models[spelling.provider, spelling.model].offer.forms
        return [forms[index] for index in spelling.forms]

    def _check_given(self, meaning: Meaning, named: list[list[Form]]) -> None:
        """A name that stands for some forms alone asks for what one of them is for, whoever serves."""
        givens = [form.given for forms in named for form in forms]
        if givens and not any(given <= meaning.fields.keys() for given in givens):
            for name in sorted(givens[-1] - meaning.fields.keys()):
                word = meaning.words.get(name, name)
                meaning.problems.append(Problem(word, f"{word} is required"))

    def _by_forms(self, spelling: Spelling, named: Named, body: Mapping[str, Any], within: tuple[str, ...]) -> Meaning:
        """Read the body by the first form that knows all of it; else by the one that knows the most."""
        pack = self._models[spelling.provider, spelling.model]
        tried: list[Meaning] = []
        for index in spelling.forms:
            meaning = self._by_form(pack, index, named, body, within)
            if not meaning.problems:
                return meaning
            tried.insert(0, meaning)
        # Of two that know as much the later one: it asks for less.
        return min(tried, key=lambda each: len(each.problems))

    def _by_form(
        self, pack: Model, index: int, named: Named, body: Mapping[str, Any], within: tuple[str, ...]
    ) -> Meaning:
        tree, form = pack.shapes[index].body, pack.offer.forms[index]
        around = self._around(pack.offer.model, named.speaks, within)
        if not within and len(tree) == 1 and isinstance(inner := next(iter(tree.values())), dict):
            key = next(iter(tree))
            if key not in body:  # this provider wraps what stands bare at this door
                around = self._around(pack.offer.model, named.speaks, (key,))
                body = {key: body} if inner else body
        elif within and within[0] not in tree:
            # … and here it is the other way round.
            wrapped = body.get(within[0])
            if isinstance(wrapped, Mapping):
                body = {**{key: value for key, value in body.items() if key != within[0]}, **wrapped}
            around = self._around(pack.offer.model, named.speaks, ())
        meaning = of_form(pack, index, body, around)
        self._check_given(meaning, [[form]])
        return meaning

    def _spellings(self, model: str, name: str, speaks: str | None) -> Iterator[Spelling]:
        """Whose spelling may follow a name, the likeliest first: of those who call it so, of the door's own, of the others."""
        by_name: dict[tuple[str, str], list[int]] = {}
        for pack, index in self._natives.get(name, ()):
            by_name.setdefault((pack.offer.provider, pack.offer.model), []).append(index)
        found = [Spelling(provider, owner, tuple(forms)) for (provider, owner), forms in by_name.items()]
        others = (pack for pack in self._of[model] if (pack.offer.provider, model) not in by_name)
        found += (Spelling(pack.offer.provider, model, tuple(range(len(pack.shapes)))) for pack in others)
        yield from sorted(found, key=lambda each: (each.provider != speaks, (each.provider, each.model) not in by_name))

    def _reads(self, speaks: str | None) -> Reads:
        return next((pack.provider.reads for (owner, _), pack in self._models.items() if owner == speaks), {})

    def _around(self, model: str, speaks: str | None, within: tuple[str, ...]) -> Around:
        known = self._arounds.get((model, speaks))
        if known is None:
            packs = self._of[model]
            types: dict[str, Type] = {}
            values: dict[str, dict[Value, None]] = {}
            for pack in packs:
                types.update(pack.offer.types)
                for form in pack.offer.forms:
                    for pick in form.picks:
                        for name in pick.fields:
                            values.setdefault(name, {}).update(dict.fromkeys(pick.values(name)))
            listed = {name: tuple(each) for name, each in values.items()}
            known = Around(model, types, listed, tuple(_sizes(packs)), self._idiom(speaks), ())
            self._arounds[model, speaks] = known
        return Around(known.model, known.types, known.values, known.sizes, known.idiom, within)

    def _idiom(self, speaks: str | None) -> Idiom:
        if speaks is None:
            return {}
        if speaks not in self._idioms:
            self._idioms[speaks] = idiom(pack for (owner, _), pack in self._models.items() if owner == speaks)
        return self._idioms[speaks]


def version_of(name: str) -> str:
    """The version under which a name's model may be asked for alone: 64 hexadecimal digits, the same at every start."""
    return hashlib.sha256(name.encode()).hexdigest()


def _sizes(packs: Iterable[Model]) -> Iterator[tuple[Size, Mapping[str, Value]]]:
    """Every size that a model's providers send for a shape and class."""
    for pack in packs:
        for form, shape in zip(pack.offer.forms, pack.shapes, strict=True):
            places = {name: way for way, name, _ in leaves(shape.body)}
            for pick in form.picks:
                yield from sizes_of(pick, places)


def _heard(spelling: Spelling | None, named: Named, meaning: Meaning) -> Heard:
    model = spelling.model if spelling is not None else named.model
    provider = spelling.provider if spelling is not None else None
    return Heard(model, named.kind, provider, dict(meaning.fields), dict(meaning.words), tuple(meaning.adjusted))
