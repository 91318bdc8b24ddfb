"""What is fixed when a generation is accepted, and what it was decided from: enough to decide it again by another policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.generation import Kind
from gateway.ingress.weigh import Asked, Weighed, World, weigh
from gateway.routing.plan import Standing, Step, Why
from gateway.routing.policy import Hedging
from gateway.routing.rank import Ranking


def pinned(
    weighed: Weighed, asked: Asked, resting: Mapping[str, Standing], ranking: Ranking | None, chance: float
) -> dict[str, Any]:
    """The plan as it is kept, with the rules that hold for it and what it was made from."""
    step, rules = weighed.plan.steps[0], weighed.rules
    first = next(offer for offer in weighed.menu.offers if offer.provider == step.provider).forms[step.form]
    return {
        "steps": [_step(each) for each in weighed.plan.steps],
        "excluded": [
            {"provider": each.provider, "why": each.why.value, "reason": each.reason} for each in weighed.plan.excluded
        ],
        "defaults": dict(first.defaults),
        **({"door": dict(asked.door)} if asked.door else {}),
        "attempts": rules.attempts,
        "follow_refusal": rules.follow_refusal,
        "in_doubt_max_cost": rules.in_doubt_max_cost,
        "patience": {"times": rules.patience.times, "least": rules.patience.least},
        **({"hedging": _hedging(rules.hedging)} if rules.hedging is not None else {}),
        "routing": {
            "strategy": rules.strategy.value,
            "asked": asked.order,
            "keys": list(asked.keys),
            "tags": list(asked.tags),
            "chance": chance,
            "ranking": _ranking(ranking, chance),
            "resting": {provider: {"why": each.why.value, "reason": each.reason} for provider, each in resting.items()},
        },
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "provider": step.provider,
        "form": step.form,
        "native": step.native,
        "price": step.price,
        "dropped": list(step.dropped),
    }


def _hedging(hedging: Hedging) -> dict[str, Any]:
    return {"max_cost": hedging.max_cost, "share": hedging.share}


def _ranking(ranking: Ranking | None, chance: float) -> dict[str, Any] | None:
    """What was known of speed: `scores` are the expected seconds, `trial` says that another was tried first to learn of it."""
    if ranking is None:
        return None
    order = ranking.pick(chance)
    return {
        "source": ranking.source.value,
        "order": list(order),
        "trial": order != ranking.order,
        "scores": {provider: round(score, 3) for provider, score in ranking.scores.items()},
    }


def again(world: World, told: Mapping[str, Any]) -> Weighed:
    """Decide once more what was decided at acceptance, by this world's policy and packs; Refusal when it would not be taken in.

    `told` is a generation as `retelling` tells it. What rested then rests, and what was known of speed then is known.
    """
    routing = told["routing"]
    asked = Asked(
        Kind(told["kind"]),
        told["model"],
        told["request"],
        routing["asked"],
        str,
        tuple(routing["keys"]),
        tuple(routing["tags"]),
    )
    resting = {provider: Standing(Why(each["why"]), each["reason"]) for provider, each in routing["resting"].items()}
    ranking = tuple((routing["ranking"] or {"order": ()})["order"])
    return weigh(world, told["account"], asked, resting, ranking=ranking, chance=routing["chance"])
