"""A gateway that serves, and the configuration in force: replaced whole at a reload, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway import log, metrics
from gateway.attempts.line import Target
from gateway.documents import Mistakes
from gateway.ingress.intake import Intake
from gateway.learning import Learning
from gateway.ledger.database import Database
from gateway.providers.wire import Wire
from gateway.routing.health import Health
from gateway.settings import Settings
from gateway.state import kept_packs
from gateway.telling import Telling
from gateway.world import Loaded, load


class Running:
    """A gateway that serves, and the configuration in force."""

    def __init__(self, loaded: Loaded) -> None:
        """Begin with this configuration; not ready until it listens."""
        self.loaded = loaded
        self.origin = ""
        self.ready = False
        self._store: Database | None = None
        self._intake: Intake | None = None
        self._wire: Wire | None = None
        self._telling: Telling | None = None
        self._health: Health | None = None
        self._learning: Learning | None = None

    @property
    def providers(self) -> list[tuple[str, str]]:
        """Every provider, and whether it is on or what would turn it on."""
        return self.loaded.providers()

    def target(self, provider: str, model: str) -> Target | None:
        """One offer, ready to be called; None when no pack has it."""
        return self.loaded.target(provider, model)

    def serve(
        self, store: Database, intake: Intake, wire: Wire, told: Telling, health: Health, learning: Learning
    ) -> None:
        """Know who has to be told when the configuration changes."""
        self._store, self._intake, self._wire, self._telling, self._health = store, intake, wire, told, health
        self._learning = learning

    async def reload(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take another configuration, whole; Mistakes leaves the one in force. What is under way keeps its pinned plan."""
        assert self._wire is not None
        assert self._intake is not None
        assert self._telling is not None
        try:
            loaded = await asyncio.to_thread(load, settings, environ, kept_packs(settings))
        except Mistakes:
            metrics.RELOADS.labels("refused").inc()
            raise
        self.loaded = loaded
        self._wire.secrets = loaded.secrets
        self._intake.world = loaded.world
        self._intake.most = settings.live
        if self._health is not None:
            self._health.traffic.caps, self._health.traffic.rates = settings.caps, settings.rates
        if self._learning is not None:
            self._learning.rankings.explore = settings.policy.explore
        await self._telling.take(settings)
        metrics.RELOADS.labels("loaded").inc()
        log.event("config_reloaded", **settings.describe())

    async def failed(self) -> str:
        """Wait until the store cannot be trusted any more, and say so: the process then has to end."""
        assert self._store is not None
        await self._store.failed.wait()
        return "the store cannot be written any more; a restart reads what was kept"
