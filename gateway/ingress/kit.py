"""What the doors are made with: whoever opens one is handed all of it, and takes what it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.ingress.delivery import Delivery
from gateway.ingress.desk import Receivers
from gateway.ingress.reception import Reception
from gateway.ingress.record import Link
from gateway.ledger.database import Database
from gateway.providers.catalog import Catalog
from gateway.webhooks.event import Dialect


@dataclass(frozen=True, slots=True)
class Hooks:
    """How those are told who were named with a generation: which addresses they may have, what signs, what makes links.

    A door enters under its name in `dialects` how it tells.
    """

    receivers: Receivers
    dialects: MutableMapping[str, Dialect]
    link: Callable[[], Link]
    origin: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Kit:
    """What a door is made with.

    `cancel` stops a generation whose cancellation is committed and says whether its provider was told; `remove` takes its files away
    and counts them; `catalog` gives the packs in force. `share` is how much of a generation's work is done, from 0 to 1, where its
    provider tells; `keep` how many ms its files are kept after its end, None for ever.
    """

    reception: Reception
    delivery: Delivery
    store: Database
    clock: Clock
    cancel: Callable[[str], Awaitable[bool]]
    remove: Callable[[str], Awaitable[int]]
    catalog: Callable[[], Catalog]
    hooks: Hooks
    share: Callable[[str], float | None]
    keep: int | None
