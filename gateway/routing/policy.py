"""The operator's routes, and the rules that hold for one request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from gateway.generation import Kind


class Strategy(StrEnum):
    """How the offers of a model are put in order."""

    LISTED = "listed"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the policy. Empty or None means: says nothing about it. Amounts in millionths, times in ms."""

    model: str = "*"
    kind: Kind | None = None
    account: str | None = None
    strategy: Strategy = Strategy.LISTED
    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    attempts: int | None = None
    deadline: int | None = None
    follow_refusal: bool = False
    max_price: int | None = None

    def matches(self, model: str, kind: Kind, account: str) -> bool:
        """Whether this route is for such a request."""
        return fnmatchcase(model, self.model) and self.kind in {None, kind} and self.account in {None, account}


@dataclass(frozen=True, slots=True)
class Policy:
    """All routes, first match wins, and what holds where none says otherwise."""

    routes: tuple[Route, ...]
    attempts: int
    image_deadline: int
    video_deadline: int
    in_doubt_max_cost: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one request."""

    strategy: Strategy
    order: tuple[str, ...]
    only: tuple[str, ...]
    never: tuple[str, ...]
    attempts: int
    deadline: int
    follow_refusal: bool
    max_price: int | None
    in_doubt_max_cost: int


def rules(policy: Policy, model: str, kind: Kind, account: str) -> Rules:
    """The rules for a request: those of the first route that matches, filled up from the policy."""
    route = _first(policy.routes, model, kind, account)
    usual = policy.image_deadline if kind is Kind.IMAGE else policy.video_deadline
    return Rules(
        strategy=route.strategy,
        order=route.order,
        only=route.only,
        never=route.never,
        attempts=route.attempts if route.attempts is not None else policy.attempts,
        deadline=route.deadline if route.deadline is not None else usual,
        follow_refusal=route.follow_refusal,
        max_price=route.max_price,
        in_doubt_max_cost=policy.in_doubt_max_cost,
    )


def _first(routes: Iterable[Route], model: str, kind: Kind, account: str) -> Route:
    return next((route for route in routes if route.matches(model, kind, account)), Route())
