"""The operator's routes, and the rules that hold for one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from gateway.generation import Kind


class Strategy(StrEnum):
    """How the offers of a model are put in order."""

    LISTED = "listed"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True)
class Request:
    """What routes look at. `keys` are the names one API key goes by, its id among them."""

    model: str
    kind: Kind
    account: str
    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the policy. Empty or None means: says nothing about it. Amounts in millionths, times in ms."""

    model: str = "*"
    kind: Kind | None = None
    account: str | None = None
    key: str | None = None
    tag: str | None = None
    strategy: Strategy | None = None
    order: tuple[str, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    attempts: int | None = None
    deadline: int | None = None
    follow_refusal: bool = False
    max_price: int | None = None
    hedge_max_cost: int | None = None

    def matches(self, request: Request) -> bool:
        """Whether this route is for such a request."""
        return (
            fnmatchcase(request.model, self.model)
            and self.kind in {None, request.kind}
            and self.account in {None, request.account}
            and self.key in {None, *request.keys}
            and self.tag in {None, *request.tags}
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """When a running job counts as slow: after so many times what is usual for it, and not before `least` ms."""

    times: float = 3.0
    least: int = 30_000

    def lasts(self, usual: int) -> int:
        """How long to look on, in ms, where `usual` ms are usual."""
        return max(self.least, round(self.times * usual))


@dataclass(frozen=True, slots=True)
class Hedging:
    """How much a second job beside a slow one may cost, and all of them as a share of what is spent. Amounts in millionths."""

    max_cost: int
    share: float


@dataclass(frozen=True, slots=True)
class Policy:
    """All routes, first match wins, and what holds where none says otherwise. `labels` by provider, as the operator set them."""

    routes: tuple[Route, ...]
    attempts: int
    image_deadline: int
    video_deadline: int
    in_doubt_max_cost: int
    labels: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    explore: float = 0.05
    patience: Patience = Patience()
    hedge_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one request.

    `carried` are the labels of each provider, to be held against `labels`.
    """

    strategy: Strategy
    order: tuple[str, ...]
    weights: tuple[tuple[str, int], ...]
    only: tuple[str, ...]
    never: tuple[str, ...]
    labels: tuple[str, ...]
    carried: Mapping[str, frozenset[str]]
    attempts: int
    deadline: int
    follow_refusal: bool
    max_price: int | None
    in_doubt_max_cost: int
    patience: Patience
    hedging: Hedging | None = None


_SILENT = Route()  # stands in where no route matches


def rules(policy: Policy, request: Request) -> Rules:
    """The rules for a request: those of the first route that matches, filled up from the policy."""
    route = next((each for each in policy.routes if each.matches(request)), _SILENT)
    usual = policy.image_deadline if request.kind is Kind.IMAGE else policy.video_deadline
    return Rules(
        strategy=route.strategy or Strategy.FASTEST,
        order=route.order or heaviest_first(route.weights),
        weights=route.weights,
        only=route.only,
        never=route.never,
        labels=route.labels,
        carried=policy.labels,
        attempts=route.attempts if route.attempts is not None else policy.attempts,
        deadline=route.deadline if route.deadline is not None else usual,
        follow_refusal=route.follow_refusal,
        max_price=route.max_price,
        in_doubt_max_cost=policy.in_doubt_max_cost,
        patience=policy.patience,
        hedging=Hedging(route.hedge_max_cost, policy.hedge_share) if route.hedge_max_cost else None,
    )


def heeding(rules: Rules, asked: tuple[str, ...] | None) -> Rules:
    """The rules once the caller was heard: None wished nothing, an empty order is `fastest`, any other comes first as it is."""
    if asked is None:
        return rules
    return replace(rules, strategy=Strategy.LISTED if asked else Strategy.FASTEST)


def left_out(said: Route | Rules, provider: str, carried: Mapping[str, frozenset[str]]) -> str | None:
    """Say why a provider is left out whatever the request, or None; `carried` are the labels of each."""
    if provider in said.never or (said.only and provider not in said.only):
        return "the route leaves it out"
    lacking = [label for label in said.labels if label not in carried.get(provider, frozenset())]
    return f"the route asks for the label {lacking[0]!r}, which it does not carry" if lacking else None


def heaviest_first(weights: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The providers of a table of weights, the heaviest first; of equal ones the one written first."""
    return tuple(name for name, _ in sorted(weights, key=lambda each: -each[1]))
