"""What a serving gateway learns from its own attempts: how fast each offer is, and how long its jobs run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from random import Random

from gateway import log
from gateway.attempts.pace import Paces
from gateway.clock import Clock
from gateway.ledger import attempts as ledger
from gateway.ledger.attempts import Finished
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.routing.menu import Menu
from gateway.routing.rank import DAY, EXPLORE
from gateway.routing.rankings import Rankings

_EVERY = 1.0  # seconds between two rankings: a request never waits for one
_RECALLED = 5_000  # attempts that a restart reads again, at the most
_AT_ONCE = 100  # of them, before others have their turn: each takes some tens of microseconds


class Learning:
    """Keeps rankings and paces; a restart recalls them from what is on record."""

    def __init__(
        self,
        store: Database,
        menus: Callable[[], Mapping[str, Menu]],
        clock: Clock,
        random: Random,
        *,
        explore: float = EXPLORE,
    ) -> None:
        """Recall from `store`; the menus are those in force whenever they are asked for.

        `explore` is the share of requests that may be spent on learning about others than the fastest.
        """
        self.rankings = Rankings(lambda model: _listed(menus().get(model)), explore=explore)
        self.paces = Paces()
        self._store = store
        self._clock = clock
        self._random = random
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._for_ever(), name="learning")

    async def stop(self) -> None:
        """End; nothing is lost, for all of it is on record."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def recall(self) -> None:
        """Take note of the attempts of the last day, a few at a time."""
        now = self._clock.now_ms()
        rows = reversed(await self._store.report(ledger.recent(now - DAY, _RECALLED)))
        while some := list(islice(rows, _AT_ONCE)):
            self.rankings.restore(some, now)
            for row in some:
                _recall_run(self.paces, row)
            await self._clock.sleep(0)

    async def _for_ever(self) -> None:
        try:
            await self.recall()
        except StoreError as error:
            log.event("learning_failed", level="warning", error=error)
        while True:
            self.rankings.refresh(self._clock.now_ms(), self._random)
            await self._clock.sleep(_EVERY)


def _listed(menu: Menu | None) -> dict[str, int]:
    """The providers of a model in the usual order, each at its lowest price."""
    offers = menu.offers if menu is not None else ()
    return {
        offer.provider: min((amount for form in offer.forms for amount in form.price.amounts.values()), default=0)
        for offer in offers
    }


def _recall_run(paces: Paces, row: Finished) -> None:
    if row.ran is not None:
        paces.note(row.provider, row.model, row.form, row.ran)
