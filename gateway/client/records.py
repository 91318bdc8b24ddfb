"""What a caller gets: frozen records of the native API's answers. `said` has the whole answer, for what is not named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any


class Status(StrEnum):
    """Where a generation is."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {Status.SUCCEEDED, Status.FAILED, Status.CANCELED}


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong: branch on `retryable` and `type`, look `code` up. `provider` where it is about one."""

    code: str
    type: str
    message: str
    retryable: bool
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider's try; `price` and `cost` in credits."""

    provider: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    error: Fault | None
    price: Decimal
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A field that the serving provider was not given as asked; `action` says what became of it."""

    field: str
    provider: str
    action: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A generation that was taken in, and held for; `is_replayed` when an earlier call with the same key had begun it."""

    id: str
    model: str
    is_replayed: bool
    is_canceled: bool


@dataclass(frozen=True, slots=True)
class Generation:
    """The record of a generation; `cost` in credits, `outputs` are links that expire.

    `attempts` are there when it was read by its id, not in lists.
    """

    id: str
    model: str
    status: Status
    prompt: str | None
    outputs: tuple[str, ...]
    provider: str | None
    providers: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cost: Decimal | None
    error: Fault | None
    attempts: tuple[Attempt, ...]
    adjustments: tuple[Adjustment, ...]
    is_removed: bool
    said: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some generations, the newest first, out of `total`."""

    generations: tuple[Generation, ...]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Canceled:
    """A generation that was stopped; `refunded` credits are back, `is_provider_told` whether its provider was asked to stop."""

    id: str
    refunded: Decimal
    is_provider_told: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `count` generations cost at the most, in credits; balance and whether it suffices are None when not known."""

    model: str
    kind: str
    count: int
    each: Decimal
    total: Decimal
    balance: Decimal | None
    can_afford: bool | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked for: an `image` or a `video`, and by which providers."""

    id: str
    kind: str
    providers: tuple[str, ...]
    said: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """An output in a file; `size` in bytes. `is_verified` when the gateway told the hash and the bytes had it."""

    path: Path
    type: str
    size: int
    sha256: str
    is_verified: bool
