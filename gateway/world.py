"""Settings + packs + credentials → what planning and calling look at. Replaced whole when the configuration is loaded anew."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway import log
from gateway.attempts.line import Target
from gateway.ingress.weigh import World
from gateway.providers import catalog as packs
from gateway.providers.catalog import Catalog
from gateway.providers.kept import Kept
from gateway.providers.render import Site
from gateway.providers.reverse import Spellings
from gateway.providers.secrets import Secrets
from gateway.routing.menu import Menu, menu
from gateway.routing.plan import Standing, Why
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration, complete and checked."""

    settings: Settings
    catalog: Catalog
    secrets: Secrets
    world: World

    def target(self, provider: str, model: str) -> Target | None:
        """One offer, ready to be called; None when no pack has it."""
        pack = self.catalog.models.get((provider, model))
        return Target(pack, site_of(self.settings, self.catalog, provider)) if pack else None

    def providers(self) -> list[tuple[str, str]]:
        """Every provider, and whether it is on or what would turn it on."""
        found = []
        for provider in sorted(self.catalog.providers.values(), key=lambda each: (each.rank, each.id)):
            standing = self.world.standing.get(provider.id)
            missing = self.secrets.missing(provider.secrets)
            state = (
                "on" if standing is None else f"off: set {', '.join(missing)}" if missing else f"off: {standing.reason}"
            )
            found.append((provider.id, state))
        return found


def load(settings: Settings, environ: Mapping[str, str], kept: Kept | None = None) -> Loaded:
    """Read the packs the settings name and find their credentials; `kept` spares checking them again. Raises Mistakes."""
    catalog = packs.load_once(settings.catalog, kept)
    secrets = secrets_of(catalog, environ)
    return Loaded(settings, catalog, secrets, world_of(settings, catalog, secrets))


def secrets_of(catalog: Catalog, environ: Mapping[str, str]) -> Secrets:
    """Find the credentials the packs ask for, and have them struck out of everything written from now on."""
    names = dict.fromkeys(name for provider in catalog.providers.values() for name in provider.secrets)
    found = Secrets(environ, names)
    for value in found.values():
        log.register(value)
    return found


@functools.lru_cache(maxsize=2)  # of the packs in force, and of those that a reload puts in their place
def menus(catalog: Catalog) -> Mapping[str, Menu]:
    """What can be asked of each model, which the packs alone decide."""
    return {model: menu(catalog.offers(model)) for model in catalog.ids()}


def world_of(settings: Settings, catalog: Catalog, secrets: Secrets) -> World:
    """Everything planning looks at beside the request."""
    standing = {}
    for provider in catalog.providers.values():
        own = settings.providers.get(provider.id)
        missing = secrets.missing(provider.secrets)
        if own is not None and not own.enabled:
            standing[provider.id] = Standing(Why.SWITCHED_OFF, "it is switched off")
        elif missing:
            standing[provider.id] = Standing(Why.NO_CREDENTIAL, f"its credential is not set: {', '.join(missing)}")
    return World(
        menus=menus(catalog),
        name=_names(settings.aliases, catalog),
        policy=settings.policy,
        standing=standing,
        egress=settings.egress,
        spellings=Spellings(catalog.models, catalog.aliases),
    )


def _names(aliases: Mapping[str, str], catalog: Catalog) -> Callable[[str], str]:
    """Give what finds the one name of a model: by the operator's aliases first, then by those of the packs."""

    def name(model: str) -> str:
        return catalog.name(aliases.get(model, model))

    return name if aliases else catalog.name


def site_of(settings: Settings, catalog: Catalog, provider: str) -> Site:
    """Where a provider is reached: as its pack says, unless the settings say otherwise."""
    pack, own = catalog.providers[provider], settings.providers.get(provider)
    base = own.base if own is not None and own.base is not None else pack.base
    hosts = own.hosts if own is not None and own.hosts is not None else pack.hosts
    return Site(base.rstrip("/"), pack.base, hosts)
