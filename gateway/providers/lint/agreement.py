"""Every provider of a model means the same by it, so that failing over keeps the meaning."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.documents import Document, Mistake, shown
from gateway.providers.compile.table import forms_of, section
from gateway.providers.noting import Noting
from gateway.providers.pack import Model

# What a request may hold beside words; the forms that serve each must mean the same at every provider.
_HELD = tuple(frozenset(held) for held in ((), ("images",), ("images", "last_image"), ("video",)))


def agreement(models: Iterable[tuple[Model, Document]]) -> list[Mistake]:
    """Check that every provider of a model means the same by it: kind and defaults, so that failing over keeps the meaning."""
    mistakes: list[Mistake] = []
    first: dict[str, tuple[Model, Document]] = {}
    for pack, document in models:
        note = Noting(document)
        other, elsewhere = first.setdefault(pack.offer.model, (pack, document))
        if pack.offer.kind is not other.offer.kind:
            note.value(("makes",), f"{pack.offer.model} makes {other.offer.kind.value} in {elsewhere.file}")
        stands = [path if "defaults" in section(document.value, path) else () for path, _ in forms_of(document.value)]
        for given in _HELD:
            ours, theirs = _serving(pack, given), _serving(other, given)
            if ours is None or theirs is None:
                continue
            path, form = stands[ours], pack.offer.forms[ours]
            for name, value in form.defaults.items():
                said = other.offer.forms[theirs].defaults.get(name, value)
                if said != value:
                    note.value(
                        (*path, "defaults", name),
                        f"{name} is {shown(value)} here and {shown(said)} in {elsewhere.file}: a model means the same everywhere",
                    )
        mistakes += note.mistakes
    return mistakes


def _serving(pack: Model, held: frozenset[str]) -> int | None:
    """The form that serves a request that holds these inputs, if one takes them all."""
    for index, form in enumerate(pack.offer.forms):
        if form.given <= held:
            return index if all(form.knows(name) for name in held) else None
    return None
