"""/v1/library and /v1/health: what is served, by whom, and how they are doing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.artifacts.fault import StorageFault
from gateway.clock import Clock
from gateway.ingress import shelf, switches
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.envelope import success
from gateway.ingress.weigh import World
from gateway.providers.pack import CallName, Lifecycle, Provider
from gateway.routing.breaker import Standing
from gateway.routing.health import WHOLE, Health, Seen, Tally
from gateway.routing.menu import Menu
from gateway.routing.rankings import Rankings

_PROBE_LIFE = 5.0  # seconds; asking more often would only make the disk busy

Probe = Callable[[], Awaitable[float]]


class Library:
    """Answers for what there is."""

    def __init__(
        self,
        world: Callable[[], World],
        providers: Callable[[], Mapping[str, Provider]],
        health: Health,
        clock: Clock,
        rankings: Rankings | None = None,
    ) -> None:
        """Answer from the world and the packs as they are when asked, and from the health and the speed of all offers."""
        self._rankings = rankings or Rankings(lambda _model: {})
        self._world = world
        self._providers = providers
        self._health = health
        self._clock = clock
        self._began = clock.monotonic()

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, each behind its scope."""
        return [
            web.get("/v1/library/models", guard(Scope.LIBRARY_READ, self.models)),
            web.get("/v1/library/providers", guard(Scope.LIBRARY_READ, self.providers)),
            web.get("/v1/health/inference/providers", guard(Scope.HEALTH_READ, self.health_of_providers)),
            web.get("/v1/health/inference/models", guard(Scope.HEALTH_READ, self.health_of_models)),
        ]

    async def models(self, request: web.Request, _caller: Caller) -> web.Response:
        """Every model with its schema."""
        models = [shelf.entry(card) for card in self._menus()]
        return success(request, "Models retrieved", {"models": models, "models_total": len(models)})

    async def providers(self, request: web.Request, _caller: Caller) -> web.Response:
        """Every provider."""
        served = _served(self._menus())
        standing = self._world().standing
        found = [
            _provider(each, served.get(each.id, []), usable=each.id not in standing)
            for each in sorted(self._providers().values(), key=lambda each: each.id)
        ]
        return success(request, "Providers retrieved", {"providers": found, "providers_total": len(found)})

    async def health_of_providers(self, request: web.Request, _caller: Caller) -> web.Response:
        """How each provider has been doing since the process started."""
        served, seen = _served(self._menus()), self._health.seen(self._now())
        found = [
            self._provider_health(each, served.get(each, []), [one for one in seen if one.provider == each])
            for each in sorted(self._providers())
        ]
        healthy = all(each["status"] != "degraded" for each in found)
        data = {"service": "providers", "healthy": healthy, "providers": found, "providers_total": len(found)}
        return success(request, "Provider health retrieved", data)

    async def health_of_models(self, request: web.Request, _caller: Caller) -> web.Response:
        """Which provider of each model can be asked now."""
        seen = self._health.seen(self._now())
        found = [self._model_health(card, seen) for card in self._menus()]
        healthy = all(any(each["available"] for each in model["providers"].values()) for model in found)
        data = {"service": "models", "healthy": healthy, "models": found, "models_total": len(found)}
        return success(request, "Model health retrieved", data)

    def _menus(self) -> tuple[Menu, ...]:
        return tuple(self._world().menus.values())

    def _provider_health(self, provider: str, served: Iterable[Menu], seen: Sequence[Seen]) -> dict[str, Any]:
        tallies = self._health.tallies()
        known = [tallies.get((provider, card.model), Tally()) for card in served]
        attempts, failures = sum(each.attempts for each in known), sum(each.failures for each in known)
        return {
            "provider": provider,
            "status": _status(seen, attempts),
            "breakers": self._told(seen),
            "failure_rate": round(failures / attempts, 4) if attempts else 0,
            "window": {
                "total_attempts": attempts,
                "failures": failures,
                "successes": sum(each.successes for each in known),
                "duration_seconds": int(self._clock.monotonic() - self._began),
            },
        }

    def _model_health(self, card: Menu, seen: Iterable[Seen]) -> dict[str, Any]:
        priced = shelf.pricing(card.prices())
        flat = {"model_pricing": priced} if isinstance(priced, int | float) else {}
        barred, now = self._world().standing, self._now()
        moved: dict[str, list[Seen]] = {}
        for each in seen:
            if each.model in {card.model, WHOLE}:
                moved.setdefault(each.provider, []).append(each)
        providers = {
            offer.provider: {
                "available": offer.provider not in barred
                and self._health.standing(offer.provider, card.model, now) is None,
                "raw_model_id": offer.forms[-1].native,
                "breakers": self._told(moved.get(offer.provider, [])),
            }
            for offer in card.offers
        }
        ranking = self._rankings.published(card.model, self._clock.now_ms())
        return {
            "model_identifier": card.model,
            "model_type": card.kind.value,
            **flat,
            "providers": providers,
            **({"ranking": ranking.payload()} if ranking is not None else {}),
        }

    def _told(self, seen: Iterable[Seen]) -> list[dict[str, Any]]:
        now = self._now()
        return [{name: what for name, what in switches.shown(each, now).items() if name != "provider"} for each in seen]

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1000)


class Dependencies:
    """Answers for what the gateway itself leans on."""

    def __init__(self, name: str, probe: Probe | None, clock: Clock) -> None:
        """`probe` writes to where outputs are kept under `name` and gives the seconds it took; None where none are kept."""
        self._name = name
        self._probe = probe
        self._clock = clock
        self._last: dict[str, Any] = {}
        self._until = clock.monotonic()

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, each behind its scope."""
        return [
            web.get("/v1/health/storage", guard(Scope.HEALTH_READ, self.storage)),
            web.get("/v1/health/cache", guard(Scope.HEALTH_READ, self.cache)),
        ]

    async def storage(self, request: web.Request, _caller: Caller) -> web.Response:
        """Whether outputs can be stored, and how quickly."""
        if self._clock.monotonic() >= self._until:
            self._until = self._clock.monotonic() + _PROBE_LIFE
            self._last = await self._ask()
        data = {"service": "storage", "bucket": self._name, **(self._last or {"healthy": True, "latency_ms": 0})}
        return success(request, "Storage health retrieved", data)

    async def cache(self, request: web.Request, _caller: Caller) -> web.Response:
        """The native API promises this service by this name; what it stands for is kept in memory here."""
        data = {"service": "redis", "healthy": True, "latency_ms": 0}
        return success(request, "Cache health retrieved", data)

    async def _ask(self) -> dict[str, Any]:
        if self._probe is None:
            return {"healthy": True, "latency_ms": 0}
        began = self._clock.monotonic()
        try:
            seconds = await self._probe()
        except StorageFault as fault:
            waited = round((self._clock.monotonic() - began) * 1000, 1)
            return {"healthy": False, "latency_ms": waited, "error": str(fault)}
        return {"healthy": True, "latency_ms": round(seconds * 1000, 1)}


def _status(seen: Iterable[Seen], attempts: int) -> str:
    """Degraded while a breaker is open, recovering while one lets probes through."""
    standings = {each.standing for each in seen}
    if Standing.OPEN in standings:
        return "degraded"
    if Standing.HALF_OPEN in standings:
        return "recovering"
    return "healthy" if attempts else "unknown"


def _served(cards: Iterable[Menu]) -> dict[str, list[Menu]]:
    served: dict[str, list[Menu]] = {}
    for card in cards:
        for provider in card.providers:
            served.setdefault(provider, []).append(card)
    return served


def _provider(pack: Provider, served: Iterable[Menu], *, usable: bool) -> dict[str, Any]:
    cards = list(served)
    lifecycles = list(pack.lifecycles.values())
    return {
        "provider_id": pack.id,
        "provider_name": pack.name,
        "provider_description": pack.about,
        "provider_website": pack.website,
        "provider_docs": pack.docs,
        "provider_status": "active" if usable else "inactive",
        "babysea_implementation": {
            "delivery_method": "synchronous" if all(each.is_immediate for each in lifecycles) else "polling",
            "cancel_method": _cancel_method(lifecycles),
            "webhook_verification": None,
            "error_mapping": "bse_error_codes",
            "cost_tracking": "per_generation_usd",
            "schema_conversion": "unified_to_native",
            "failover_strategy": "sequential_provider_chain",
            "health_monitoring": "circuit_breaker",
            "supported_media_types": sorted({card.kind.value for card in cards}),
            "supported_models_total": len(cards),
        },
    }


def _cancel_method(lifecycles: Iterable[Lifecycle]) -> str | None:
    """The native word for how a job is canceled: queues are told by PUT, predictions by the other methods."""
    lines = [each.calls[CallName.CANCEL] for each in lifecycles if CallName.CANCEL in each.calls]
    if not lines:
        return None
    return "queue_cancel_api" if all(line.method == "PUT" for line in lines) else "prediction_cancel_api"
