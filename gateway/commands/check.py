"""`tidegate check`: the policy file and every provider file, each mistake as `file:line:column: what is wrong`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway import app, documents, world
from gateway import settings as policy
from gateway.commands import administration, configuration
from gateway.commands.exits import Exit, Stop
from gateway.commands.terminal import say, show, show_json, style, table
from gateway.documents import Mistake, Mistakes
from gateway.providers import guide, samples
from gateway.providers.catalog import Catalog
from gateway.routing import audit
from gateway.settings import Auth, Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument("--json", action="store_true", help="print mistakes, warnings, models and providers as JSON")
    parser.add_argument("--reference", action="store_true", help="print the page on how a provider file is written")
    parser.epilog = """\
Loads the policy file and every provider file the way `serve` does, and holds each provider file against the samples beside
it. Nothing is sent. Each mistake is one line, `file:line:column: what is wrong, what would be right`; without any, the models
and who serves them are listed. Routes that can never count are found too: names nobody has and constraints that leave nobody
are mistakes, and what an earlier route takes away or what is named in vain is a warning.

examples
  tidegate check
  tidegate check -c config.yaml
  tidegate check --json | jq '.models[].model'
  tidegate check --reference | less

exit codes: 0 all is well or there are warnings alone, 1 there are mistakes
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check everything that people wrote, or print how it is written."""
    if asked.reference:
        show(guide.page().rstrip())
        return Exit.OK
    try:
        loaded = world.load(policy.load(configuration.path_of(asked), environ), environ)
        wrong, odd = _in_vain(loaded.settings, loaded.catalog, asyncio.run(_callers(loaded.settings)))
        mistakes = [*wrong, *samples.check_catalog(loaded.catalog)]
    except Mistakes as found:
        return _wrong(found.mistakes, [], as_json=asked.json)
    if mistakes:
        return _wrong(mistakes, odd, as_json=asked.json)
    catalog, states = loaded.catalog, dict(loaded.providers())
    models = [_model(catalog, model, states) for model in catalog.ids()]
    if asked.json:
        show_json({"mistakes": [], "warnings": _told(odd), "providers": states, "models": models})
        return Exit.OK
    _warn(odd)
    paint = style(sys.stdout, environ)
    rows = [[each["model"], each["kind"], *(_cell(each["providers"].get(name)) for name in states)] for each in models]
    show(table(["model", "kind", *states], rows, paint))
    show("")
    show(table(["provider", "state"], states.items(), paint))
    few = f", {_count(len(odd), 'warning')}" if odd else ""
    say(f"no mistakes{few}: {_said(loaded.settings)}, {len(states)} providers, {len(models)} models")
    return Exit.OK


def _wrong(mistakes: Sequence[Mistake], odd: Sequence[Mistake], *, as_json: bool) -> int:
    if as_json:
        show_json({"mistakes": _told(mistakes), "warnings": _told(odd), "providers": {}, "models": []})
    else:
        for mistake in mistakes:
            show(str(mistake))
        _warn(odd)
    say(_count(len(mistakes), "mistake"))
    return Exit.FAILURE


def _warn(odd: Sequence[Mistake]) -> None:
    for each in odd:
        show(f"{each.place}: warning: {each.message}")


def _told(mistakes: Sequence[Mistake]) -> list[dict[str, Any]]:
    return [{**asdict(mistake.place), "message": mistake.message} for mistake in mistakes]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


@dataclass(frozen=True, slots=True)
class _Callers:
    """Accounts, and the ids and names of keys; None where nobody can say."""

    accounts: frozenset[str] | None = None
    keys: frozenset[str] | None = None


async def _callers(settings: Settings) -> _Callers:
    """Ask the gateway that runs on the store who its callers are: a check opens no store itself."""
    if settings.auth is Auth.NONE:
        return _Callers(frozenset({app.LOCAL}), frozenset({app.LOCAL}))
    if not any(route.account or route.key for route in settings.policy.routes):
        return _Callers()
    try:
        async with administration.running(settings) as act:
            if act is None:
                return _Callers()
            accounts = (await act("accounts.list", {}))["accounts"]
            keys = (await act("keys.list", {}))["keys"]
    except Stop:
        return _Callers()
    names = frozenset(str(key[word]) for key in keys for word in ("id", "name"))
    return _Callers(frozenset(str(each["account"]) for each in accounts), names)


def _in_vain(settings: Settings, catalog: Catalog, callers: _Callers) -> tuple[list[Mistake], list[Mistake]]:
    """Find what the policy says for nobody: what is wrong, and what only deserves a look."""
    if settings.source is None:
        return [], []
    document = documents.read(settings.source)
    wrong = [
        Mistake(document.key_place(("providers", name)), audit.unknown_provider(name, catalog.providers))
        for name in settings.providers
        if name not in catalog.providers
    ]
    wrong += [
        Mistake(
            document.place(("aliases", alias)),
            f"aliases.{alias}: no provider here serves a model {model!r}{_hint(model, catalog)}",
        )
        for alias, model in settings.aliases.items()
        if catalog.name(model) not in set(catalog.ids())
    ]
    odd: list[Mistake] = []
    for finding in audit.unreachable(settings.policy, _facts(settings, catalog, callers)):
        # Weights stand under the names they are for; everywhere else the value is what is meant.
        by_name = finding.path[:1] == ("order",) and isinstance(finding.path[-1], str)
        path = ("routes", finding.route, *finding.path)
        place = document.key_place(path) if by_name else document.place(path)
        (wrong if finding.is_mistake else odd).append(Mistake(place, finding.message))
    return wrong, odd


def _hint(model: str, catalog: Catalog) -> str:
    near = documents.nearest(model, catalog.ids())
    return f"; did you mean {near!r}?" if near else ""


def _facts(settings: Settings, catalog: Catalog, callers: _Callers) -> audit.Facts:
    offers = {model: catalog.offers(model) for model in catalog.ids()}
    return audit.Facts(
        models={
            model: audit.Served(each[0].kind, tuple(offer.provider for offer in each)) for model, each in offers.items()
        },
        providers=frozenset(catalog.providers),
        off=frozenset(name for name, provider in settings.providers.items() if not provider.enabled),
        aliases=catalog.aliases,
        accounts=callers.accounts,
        keys=callers.keys,
    )


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
