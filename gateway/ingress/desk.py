"""What an operator's act works with, and how it reads what it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.egress import Policy
from gateway.ledger import audit
from gateway.ledger.database import Database
from gateway.ledger.program import Program
from gateway.routing.health import Health
from gateway.webhooks.sign import Secrets

T = TypeVar("T")

Random = Callable[[int], bytes]


class AdminError(Exception):
    """An act that cannot be done as asked; the message says why and what would be right."""


class NotThere(AdminError):  # noqa: N818 - named for what happened
    """What an act is about is not there, or is another account's."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """What there is to know of those who are told: their secrets, and which addresses they may not have.

    `own` are the addresses of the gateway itself, as many as are known by now.
    """

    secrets: Secrets
    policy: Policy
    own: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Switchboard:
    """What the breakers of a running gateway are reached by.

    `offers` gives every provider and model there is, `now` the ms of the clock that never steps.
    """

    health: Health
    offers: Callable[[], Collection[tuple[str, str]]]
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Desk:
    """What an act works with; `now` in milliseconds since the epoch, `random` gives so many random bytes.

    Without a `board` no gateway runs, and without `config`, which gives the settings in force. `actor` does the act `act`, and
    `said` is what it was given, as the audit shows it.
    """

    store: Database
    pepper: bytes
    receivers: Receivers
    random: Random
    now: int
    board: Switchboard | None = None
    config: Callable[[], Mapping[str, Any]] | None = None
    actor: str = audit.OPERATOR
    act: str = ""
    said: str = ""

    async def change(
        self, program: Program[T], subject: str, was_done: Callable[[T], bool] = lambda _result: True
    ) -> T:
        """Run a program that changes something, and write into the audit that it was done, in the same transaction."""
        return await self.store.write(audit.noted(program, self._entry(subject), was_done))

    async def note(self, subject: str) -> None:
        """Write into the audit that something was done which the store does not hold."""
        await self.store.write(audit.add(self._entry(subject)))

    def _entry(self, subject: str) -> audit.Entry:
        return audit.Entry(self.now, self.actor, self.act, subject, self.said)


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
