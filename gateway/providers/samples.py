"""The proof beside a pack: every sample reads and renders as it says, and on request nothing may be without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from jsonschema import Draft202012Validator

from gateway.documents import Document, Mistake, Mistakes, Place, against, nearest, read
from gateway.offer import Form
from gateway.providers import proof, schema
from gateway.providers.catalog import Catalog
from gateway.providers.noting import Noting
from gateway.providers.pack import Lifecycle, Model, Provider, Rule
from gateway.providers.proof import FAILED_IF, Shown

# Samples are read as if it were this moment, 2026-11-22T00:00:00Z, so that a pause given as a date stays true.
MOMENT = 1_795_305_600_000


def check_catalog(catalog: Catalog, *, coverage: bool = False) -> list[Mistake]:
    """Hold every pack against its samples; with `coverage`, all that a pack can read or send needs one."""
    return run(catalog, MOMENT, coverage=coverage)


def run(catalog: Catalog, now: int, *, coverage: bool = False) -> list[Mistake]:
    """Hold every pack against its samples, read at the moment `now` (ms).

    `coverage` is for packs that are handed on to others: somebody's own model, beside packs that have their proof, needs none.
    """
    mistakes: list[Mistake] = []
    for provider in catalog.providers.values():
        path = catalog.samples.get(provider.id)
        if path is None:
            if not coverage:
                continue
            said = f"{provider.id} has no samples.yaml: a pack carries replies and requests with what they must become"
            mistakes.append(Mistake(Place(f"{provider.id}/samples.yaml", 1, 1), said))
            continue
        document = _document(path, mistakes)
        if document is not None:
            mistakes += _check(document, provider, catalog, now, coverage=coverage)
    return sorted(mistakes)


def _document(path: Path, mistakes: list[Mistake]) -> Document | None:
    try:
        document = read(path)
    except Mistakes as found:
        mistakes += found.mistakes
        return None
    wrong = against(document, Draft202012Validator(schema.samples_schema()))
    mistakes += wrong
    return None if wrong else document


def _check(document: Document, provider: Provider, catalog: Catalog, now: int, *, coverage: bool) -> list[Mistake]:
    models = {name: model for (owner, name), model in catalog.models.items() if owner == provider.id}
    note = Noting(document)
    shown: list[Shown] = []
    for index, sample in enumerate(document.value):
        path = (index,) if "call" in sample else (index, "asks")
        name = sample["model"] if "call" in sample else sample["asks"]["model"]
        if name not in models:
            near = nearest(name, models)
            hint = f"; did you mean {near!r}?" if near else ""
            note.value((*path, "model"), f"{provider.id} has no model {name!r}{hint}")
        elif "call" in sample:
            shown.append(proof.reply(sample, models[name], (index,), note, now))
        else:
            shown.append(proof.request(sample, models[name], (index,), note))
    for lack in _lacks(provider, models.values(), shown) if coverage else ():
        note.mistakes.append(Mistake(Place(document.file, 1, 1), f"no sample shows {lack}"))
    return note.mistakes


def _lacks(provider: Provider, models: Iterable[Model], shown: list[Shown]) -> Iterator[str]:
    """Name everything of a pack that no sample shows."""
    rules = {found.rule for found in shown}
    yield from (
        f"rule {index + 1} of `faults` ({_rule(rule)})"
        for index, rule in enumerate(provider.rules)
        if index not in rules
    )
    waits = {index for found in shown for index in found.waits}
    yield from (
        f"line {index + 1} of `retry_after` ({wait.header or 'a path into the body'})"
        for index, wait in enumerate(provider.waits)
        if index not in waits
    )
    words = {found.word for found in shown}
    yield from (
        f"the state {word!r} of the lifecycle {name!r}"
        for name, lifecycle in provider.lifecycles.items()
        for word in _words(lifecycle)
        if (name, word) not in words
    )
    told = {found.progress for found in shown}
    yield from (
        f"the progress of the lifecycle {name!r}"
        for name, lifecycle in provider.lifecycles.items()
        if lifecycle.state is not None and lifecycle.state.progress is not None and name not in told
    )
    forms = {found.form for found in shown}
    yield from (
        f"a request for {model.offer.model} by its form {index + 1}{_given(form)}"
        for model in models
        for index, form in enumerate(model.offer.forms)
        if (model.offer.model, index) not in forms
    )


def _words(lifecycle: Lifecycle) -> tuple[str, ...]:
    if lifecycle.state is None:
        return ()
    return (*lifecycle.state.words, *([FAILED_IF] if lifecycle.state.failed_if else ()))


def _given(form: Form) -> str:
    return f" (given {', '.join(sorted(form.given))})" if form.given else ""


def _rule(rule: Rule) -> str:
    conditions = [*map(str, sorted(rule.status)), *rule.codes, *rule.says]
    return f"{rule.kind.value}: {', '.join(conditions)}"
