"""What an operator's act works with, and how it reads what it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.egress import Policy
from gateway.ledger.database import Database
from gateway.webhooks.sign import Secrets

Random = Callable[[int], bytes]


class AdminError(Exception):
    """An act that cannot be done as asked; the message says why and what would be right."""


class NotThere(AdminError):  # noqa: N818 - named for what happened
    """What an act is about is not there, or is another account's."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """What there is to know of those who are told: their secrets, and which addresses they may not have.

    `own` are the addresses of the gateway itself.
    """

    secrets: Secrets
    policy: Policy
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What an act works with; `now` in milliseconds since the epoch, `random` gives so many random bytes."""

    store: Database
    pepper: bytes
    receivers: Receivers
    random: Random
    now: int


Act = Callable[[Desk, Mapping[str, Any]], Awaitable[dict[str, Any]]]


def text(given: Mapping[str, Any], name: str, usual: str | None = None) -> str:
    """A text out of the arguments, `usual` when it is not there; AdminError when it is none or empty."""
    value = given.get(name)
    if value in (None, "") and usual is not None:
        return usual
    if not isinstance(value, str) or not value:
        raise AdminError(
            f"{name} is missing; it is a text" if value is None else f"{name} must be a text that is not empty"
        )
    return value
