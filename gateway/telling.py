"""Settings + store + links → a running outbox, and who it tells. Taken over anew when the configuration is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

from gateway import log
from gateway.clock import Clock
from gateway.ingress import record
from gateway.ingress.desk import Receivers
from gateway.ingress.outputs import Links
from gateway.ledger import endpoints
from gateway.ledger.database import Database
from gateway.ledger.endpoints import Endpoint
from gateway.ledger.program import StoreError
from gateway.ledger.records import Artifact, Record
from gateway.settings import Settings
from gateway.webhooks import post
from gateway.webhooks.event import Words
from gateway.webhooks.outbox import Outbox
from gateway.webhooks.sign import OVERLAP, Secrets


class Telling:
    """The outbox of a gateway, and what of the settings it goes by."""

    def __init__(self, store: Database, outbox: Outbox, secrets: Secrets, clock: Clock) -> None:
        """Tell by this outbox what this store owes."""
        self.outbox = outbox
        self._store = store
        self._secrets = secrets
        self._clock = clock

    async def take(self, settings: Settings) -> None:
        """Take over who is told and how. A store that fails at this keeps the endpoints it has until the next time."""
        now = self._clock.now_ms()
        self.outbox.rules = settings.delivery
        self._secrets.replace(_given(settings))
        listeners = [
            replace(listener, sealed=self._secrets.seal(listener.id, each.secret))
            for listener, each in zip(_listeners(settings, now), settings.webhooks, strict=True)
        ]
        try:
            await self._store.write(endpoints.sync(listeners, now + OVERLAP, now))
        except StoreError as error:
            log.event("webhooks_not_taken", level="error", error=error)


@asynccontextmanager
async def opened(
    settings: Settings,
    store: Database,
    receivers: Receivers,
    links: Links,
    origin: Callable[[], str],
    *,
    clock: Clock,
    random: Random,
    leads: Callable[[], bool] = lambda: True,
) -> AsyncIterator[Telling]:
    """Make the outbox, which is stopped at the end; `origin` says where the gateway is reached once the outbox is started."""

    def link(generation: str, artifact: Artifact) -> str:
        return links.at(origin())(generation, artifact)

    async with post.opened(settings.egress, receivers.own) as send:
        words = Words(link, _failure)
        outbox = Outbox(
            store, send, words, receivers.secrets, rules=settings.delivery, clock=clock, random=random, leads=leads
        )
        telling = Telling(store, outbox, receivers.secrets, clock)
        await telling.take(settings)
        try:
            yield telling
        finally:
            await outbox.stop()


def receivers(settings: Settings, key: bytes, own: Collection[str]) -> Receivers:
    """What has to be known of those who are told; secrets that are not given are derived from `key`.

    `own` are the addresses of the gateway, which nobody else has.
    """
    return Receivers(Secrets(key, _given(settings)), settings.egress, own)


def _given(settings: Settings) -> dict[str, str]:
    """The secrets of the policy's endpoints, struck out of everything written from now on."""
    for each in settings.webhooks:
        log.register(each.secret)
    ids = (listener.id for listener in _listeners(settings, 0))
    return dict(zip(ids, (each.secret for each in settings.webhooks), strict=True))


def _listeners(settings: Settings, now: int) -> list[Endpoint]:
    return [endpoints.of_policy(each.account, each.url, each.events, now) for each in settings.webhooks]


def _failure(row: Record) -> tuple[str, str]:
    told = record.failure(row).error()
    return told["message"], told["code"]
