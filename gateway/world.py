"""Settings + packs + credentials → what planning and calling look at. Replaced whole when the configuration is loaded anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway import log
from gateway.attempts.line import Target
from gateway.ingress.weigh import World
from gateway.providers import catalog as packs
from gateway.providers.catalog import Catalog
from gateway.providers.kept import Kept
from gateway.providers.render import Site
from gateway.providers.secrets import Secrets
from gateway.routing.menu import menu
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
    catalog = packs.load(settings.catalog, kept)
    secrets = secrets_of(catalog, environ)
    return Loaded(settings, catalog, secrets, world_of(settings, catalog, secrets))


def secrets_of(catalog: Catalog, environ: Mapping[str, str]) -> Secrets:
    """Find the credentials the packs ask for, and have them struck out of everything written from now on."""
    names = dict.fromkeys(name for provider in catalog.providers.values() for name in provider.secrets)
    found = Secrets(environ, names)
    for value in found.values():
        log.register(value)
    return found


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
        menus={model: menu(catalog.offers(model)) for model in catalog.ids()},
        name=catalog.name,
        policy=settings.policy,
        standing=standing,
        egress=settings.egress,
    )


def site_of(settings: Settings, catalog: Catalog, provider: str) -> Site:
    """Where a provider is reached: as its pack says, unless the settings say otherwise."""
    pack, own = catalog.providers[provider], settings.providers.get(provider)
    base = own.base if own is not None and own.base is not None else pack.base
    hosts = own.hosts if own is not None and own.hosts is not None else pack.hosts
    return Site(base.rstrip("/"), pack.base, hosts)
