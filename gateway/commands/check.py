"""`tidegate check`: the policy file and every provider file, each mistake as `file:line:column: what is wrong`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from gateway import documents, world
from gateway import settings as policy
from gateway.commands import configuration
from gateway.commands.exits import Exit
from gateway.commands.terminal import say, show, show_json, style, table
from gateway.documents import Document, Mistake, Mistakes, nearest
from gateway.providers import guide, samples
from gateway.providers.catalog import Catalog
from gateway.settings import Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print mistakes, models and providers as JSON")
    parser.add_argument("--reference", action="store_true", help="print the page on how a provider file is written")
    parser.epilog = """\
Loads the policy file and every provider file the way `serve` does, and holds each provider file against the samples beside
it. Nothing is sent. Each mistake is one line, `file:line:column: what is wrong, what would be right`; without any, the models
and who serves them are listed.

examples
  tidegate check
  tidegate check -c config.yaml
  tidegate check --json | jq '.models[].model'
  tidegate check --reference | less

exit codes: 0 all is well, 1 there are mistakes
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check everything that people wrote, or print how it is written."""
    if asked.reference:
        show(guide.page().rstrip())
        return Exit.OK
    try:
        loaded = world.load(policy.load(configuration.path_of(asked), environ), environ)
        mistakes = [*_strangers(loaded.settings, loaded.catalog), *samples.check_catalog(loaded.catalog)]
    except Mistakes as found:
        return _wrong(found.mistakes, as_json=asked.json)
    if mistakes:
        return _wrong(mistakes, as_json=asked.json)
    catalog, states = loaded.catalog, dict(loaded.providers())
    models = [_model(catalog, model, states) for model in catalog.ids()]
    if asked.json:
        show_json({"mistakes": [], "providers": states, "models": models})
        return Exit.OK
    paint = style(sys.stdout, environ)
    rows = [[each["model"], each["kind"], *(_cell(each["providers"].get(name)) for name in states)] for each in models]
    show(table(["model", "kind", *states], rows, paint))
    show("")
    show(table(["provider", "state"], states.items(), paint))
    say(f"no mistakes: {_said(loaded.settings)}, {len(states)} providers, {len(models)} models")
    return Exit.OK


def _wrong(mistakes: Sequence[Mistake], *, as_json: bool) -> int:
    if as_json:
        found = [{**asdict(mistake.place), "message": mistake.message} for mistake in mistakes]
        show_json({"mistakes": found, "providers": {}, "models": []})
    else:
        for mistake in mistakes:
            show(str(mistake))
    say(f"{len(mistakes)} mistake{'s' * (len(mistakes) != 1)}")
    return Exit.FAILURE


def _strangers(settings: Settings, catalog: Catalog) -> Iterator[Mistake]:
    """Find the providers and models the policy names and no pack knows: what is said of them would hold for nobody."""
    if settings.source is None:
        return
    document = documents.read(settings.source)
    for name in settings.providers:
        if name not in catalog.providers:
            yield Mistake(document.key_place(("providers", name)), _unknown(name, catalog))
    for at, route in enumerate(settings.policy.routes):
        for key, names in (("order", route.order), ("only", route.only), ("never", route.never)):
            for index, name in enumerate(names):
                if name not in catalog.providers:
                    yield Mistake(document.place(("routes", at, key, index)), _unknown(name, catalog))
        if not any(fnmatchcase(model, route.model) for model in catalog.ids()):
            yield _unmatched(document, at, route.model, catalog)


def _unknown(name: str, catalog: Catalog) -> str:
    near = nearest(name, catalog.providers)
    return f"no pack is called {name!r}" + (f"; did you mean {near!r}?" if near else "")


def _unmatched(document: Document, at: int, pattern: str, catalog: Catalog) -> Mistake:
    near = catalog.name(pattern) if pattern in catalog.aliases else nearest(pattern, catalog.ids())
    hint = f"; did you mean {near!r}?" if near else ""
    return Mistake(document.place(("routes", at, "match", "model")), f"no model is matched by {pattern!r}{hint}")


def _model(catalog: Catalog, model: str, states: Mapping[str, str]) -> dict[str, Any]:
    offers = catalog.offers(model)
    return {
        "model": model,
        "kind": offers[0].kind.value,
        "providers": {each.provider: states[each.provider] for each in offers},
    }


def _cell(found: str | None) -> str:
    return "" if found is None else found.partition(":")[0]


def _said(settings: Settings) -> str:
    return str(settings.source) if settings.source else "no policy file"
