"""A gateway that serves, and the configuration in force: replaced whole at a reload, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gateway import log, metrics
from gateway.attempts.line import Target
from gateway.clock import Clock
from gateway.documents import Mistakes
from gateway.ingress.drain import Drain
from gateway.ingress.intake import Intake
from gateway.ingress.limiter import Pace, Rates
from gateway.learning import Learning
from gateway.ledger.accounts import Allowance
from gateway.ledger.database import Database
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.settings import Settings
from gateway.state import kept_packs
from gateway.telling import Telling
from gateway.world import Loaded, load


@dataclass(frozen=True, slots=True)
class Served:
    """Whoever has to be told when the configuration changes."""

    store: Database
    intake: Intake
    wire: Wire
    telling: Telling
    health: Health
    learning: Learning
    pace: Pace

    async def take(self, loaded: Loaded, settings: Settings) -> None:
        """Tell them."""
        loaded.secrets.leave(self.wire.secrets)
        self.wire.secrets = loaded.secrets
        self.intake.world = loaded.world
        self.intake.most, self.intake.usual = settings.limits.live, account_caps(settings)
        self.health.traffic.caps, self.health.traffic.rates = settings.caps, settings.rates
        self.learning.rankings.explore = settings.policy.explore
        self.pace.rates = account_rates(settings)
        await self.telling.take(settings)


class Running:
    """A gateway that serves, and the configuration in force."""

    def __init__(self, loaded: Loaded, drain: Drain, clock: Clock) -> None:
        """Begin with this configuration; not ready until it listens, and clients are sent away by `drain` at the end."""
        self.loaded = loaded
        self.origin = ""
        self.apart = ""  # where metrics have an address of their own
        self.own = list(loaded.settings.origins)  # sent to by nobody; grows as it listens
        self.ready = False
        self.drain = drain
        self.clock = clock
        self.served: Served | None = None
        # Under the configuration they are of. Offers that are asked for are as many as there are models in use.
        self._targets: tuple[Loaded, dict[tuple[str, str], Target | None]] = (loaded, {})

    @property
    def providers(self) -> list[tuple[str, str]]:
        """Every provider, and whether it is on or what would turn it on."""
        return self.loaded.providers()

    def name(self, model: str) -> str:
        """The one name of a model, out of its aliases."""
        return self.loaded.world.name(model)

    def target(self, provider: str, model: str) -> Target | None:
        """One offer, ready to be called, the same for all who ask while nothing is loaded anew; None when no pack has it."""
        of, found = self._targets
        if of is not self.loaded:
            of, found = self._targets = self.loaded, {}
        if (provider, model) not in found:
            found[provider, model] = self.loaded.target(provider, model)
        return found[provider, model]

    async def reload(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take another configuration, whole; Mistakes leaves the one in force. What is under way keeps its pinned plan."""
        assert self.served is not None
        try:
            loaded = await asyncio.to_thread(load, settings, environ, kept_packs(settings))
        except Mistakes:
            metrics.RELOADS.labels("refused").inc()
            raise
        self.loaded = loaded
        await self.served.take(loaded, settings)
        metrics.RELOADS.labels("loaded").inc()
        log.event("config_reloaded", **settings.describe())

    async def part(self, seconds: float) -> None:
        """Serve on for so long and say not to be ready, so that balancers send nobody any more."""
        if not seconds:
            return
        self.ready = False
        self.drain.part()
        log.event("parting", seconds=seconds)
        await self.clock.sleep(seconds)

    async def failed(self) -> str:
        """Wait until the store cannot be trusted any more, and say so: the process then has to end."""
        assert self.served is not None
        await self.served.store.failed.wait()
        return "the store cannot be written any more; a restart reads what was kept"


def account_caps(settings: Settings) -> Allowance:
    """What an account is held to of which nothing else is said."""
    limits = settings.limits
    return Allowance(limits.requests, limits.generations, limits.images, limits.videos, limits.daily_spend)


def account_rates(settings: Settings) -> Rates:
    """How much an account may ask a minute."""
    return Rates(settings.limits.requests, settings.limits.generations)
