"""What is kept between requests: news in, rankings out, and nothing that grows."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from math import nan

import pytest

from gateway.routing.rank import DAY, Outcome, Source
from gateway.routing.rankings import Rankings

NOW = 1_700_000_000_000
USED, FAILED = Outcome.USED, Outcome.FAILED
OFFERS = {"lab/image": {"a": 0, "b": 0, "c": 0}, "lab/video": {"a": 0, "b": 0}}


@dataclass(frozen=True)
class Row:
    """A finished attempt as the store gives it."""

    provider: str
    model: str
    outcome: str
    started: int
    ended: int


@pytest.fixture
def rankings() -> Rankings:
    """Rankings of two models of which nothing is known."""
    return Rankings(lambda model: OFFERS.get(model, {}))


def told(rankings: Rankings, seconds: dict[str, float], model: str = "lab/image", at: int = NOW) -> Rankings:
    """Tell of one success of each provider, and rank."""
    for provider, each in seconds.items():
        rankings.note(provider, model, USED, int(each * 1000), at)
    rankings.refresh(at, random.Random(1))
    return rankings


def order(rankings: Rankings, model: str = "lab/image") -> str:
    ranking = rankings.of(model)
    return "".join(ranking.order) if ranking else ""


def test_news_becomes_a_ranking_at_the_next_refresh(rankings: Rankings) -> None:
    """Nothing is known at first; what was noted shows once it is ranked, in the model it belongs to."""
    assert rankings.of("lab/image") is None
    rankings.note("b", "lab/image", USED, 5000, NOW)
    assert rankings.of("lab/image") is None
    rankings.refresh(NOW, random.Random(1))
    assert (order(rankings), order(rankings, "lab/video")) == ("bac", "")
    assert order(told(rankings, {"c": 1.0})) == "cba"


def test_only_models_with_news_are_ranked_anew(rankings: Rankings) -> None:
    """A ranking stays the same object until something is noted of its model."""
    told(rankings, {"a": 1.0, "b": 2.0})
    before = rankings.of("lab/image")
    told(rankings, {"a": 1.0}, "lab/video")
    assert rankings.of("lab/image") is before
    assert rankings.of("lab/video") is not None
    assert told(rankings, {"c": 1.0}).of("lab/image") is not before


def test_prices_come_with_the_list() -> None:
    """The list's prices decide between the equally fast."""
    rankings = Rankings(lambda _: {"a": 30_000, "b": 10_000})
    assert order(told(rankings, {"a": 5.0, "b": 5.0})) == "ba"


def test_the_same_seed_makes_the_same_rankings() -> None:
    """B18: told the same with the same seed, every ranking and every pick is the same; another seed draws other trials."""

    def made(seed: int) -> list[object]:
        dice, rankings = random.Random(seed), Rankings(lambda model: OFFERS.get(model, {}))
        found: list[object] = []
        for n in range(200):
            for model, providers in OFFERS.items():
                for provider in providers:
                    rankings.note(provider, model, FAILED if n % 7 == 0 else USED, 5000 + n * 37 % 900, NOW + n * 1000)
            rankings.refresh(NOW + n * 1000, dice)
            found += [rankings.of(model) for model in OFFERS]
        return found

    assert made(1) == made(1) != made(2)


def test_a_corrupted_state_is_the_listed_order(rankings: Rankings) -> None:
    """B19: with a belief that makes no sense the order is the list, without an error, until that provider is heard of again."""
    told(rankings, {"b": 5.0, "c": 9.0})
    beliefs = rankings._models["lab/image"].beliefs
    beliefs["b"] = replace(beliefs["b"], mean=nan)
    told(rankings, {"c": 9.0})
    ranking = rankings.of("lab/image")
    assert ranking is not None
    assert (ranking.order, ranking.source) == (("a", "b", "c"), Source.FALLBACK)
    assert order(told(rankings, {"b": 5.0})) == "bca"


def test_switched_off_it_is_the_listed_order(rankings: Rankings) -> None:
    """A22: a ranking that is switched off says so, and still knows what to publish."""
    off = told(Rankings(lambda model: OFFERS.get(model, {}), enabled=False), {"c": 1.0})
    ranking = off.of("lab/image")
    assert ranking is not None
    assert (ranking.pick(0.0), ranking.source) == (("a", "b", "c"), Source.DISABLED)
    assert off.published("lab/image", NOW) == told(rankings, {"c": 1.0}).published("lab/image", NOW)


def test_nothing_to_learn_is_nothing_tried() -> None:
    """The share of trials is the one that was asked for."""
    rankings = told(Rankings(lambda model: OFFERS.get(model, {}), explore=0.0), {"c": 1.0})
    ranking = rankings.of("lab/image")
    assert ranking is not None
    assert ranking.trial != ranking.order == ranking.pick(0.0)


def test_published_is_of_the_last_day_and_of_the_latest_five_hundred(rankings: Rankings) -> None:
    """The score goes by bounded memory: at most 500 attempts of each offer, and none submitted a day ago."""
    assert rankings.published("lab/image", NOW) is None
    for n in range(700):
        rankings.note("a", "lab/image", FAILED if n < 200 else USED, 1000, NOW + n)
    rankings.note("b", "lab/image", USED, 4000, NOW + 700)
    found = rankings.published("lab/image", NOW + 700)
    assert found is not None
    assert found.attempts_total == 501
    assert found.scores == pytest.approx({"a": 1 - 0.3 / 4, "b": 0.7})
    assert rankings.published("lab/image", NOW + 700 + DAY) is None


def test_a_model_not_heard_of_for_a_day_is_forgotten(rankings: Rankings) -> None:
    """After a day without news a model is as if it had never been asked."""
    told(rankings, {"a": 1.0, "b": 2.0})
    told(rankings, {"a": 1.0}, "lab/video", NOW + 10)
    rankings.refresh(NOW + DAY + 5, random.Random(1))
    assert (order(rankings), order(rankings, "lab/video")) == ("", "ab")
    assert rankings.published("lab/image", NOW) is None


def test_what_is_no_longer_offered_is_forgotten() -> None:
    """A provider that leaves the list leaves the ranking and the score; a model nobody offers is not kept."""
    offered = {"lab/image": {"a": 0, "b": 0}}
    rankings = told(Rankings(lambda model: offered.get(model, {})), {"a": 1.0, "b": 2.0, "x": 0.1})
    assert order(rankings) == "ab"
    offered["lab/image"] = {"b": 0}
    told(rankings, {"b": 2.0})
    found = rankings.published("lab/image", NOW)
    assert found is not None
    assert (order(rankings), found.providers_ranked) == ("b", ("b",))
    offered.clear()
    told(rankings, {"b": 2.0})
    assert (order(rankings), rankings.published("lab/image", NOW)) == ("", None)


def test_impossible_times_are_not_noted(rankings: Rankings) -> None:
    """An attempt that ended before it began is not heard of at all."""
    rankings.note("a", "lab/image", USED, -1, NOW)
    rankings.refresh(NOW, random.Random(1))
    assert (rankings.of("lab/image"), rankings.published("lab/image", NOW)) == (None, None)


def test_a_restart_learns_from_the_store(rankings: Rankings) -> None:
    """Restored rows, in whatever order they come, leave the same knowledge as noting each when it ended."""
    rows = [Row("ab"[n % 2], "lab/image", "failed" if n % 5 == 0 else "used", NOW - n * 999 - 4000, NOW - n * 999) for n in range(50)]  # fmt: skip
    for row in reversed(rows):
        rankings.note(row.provider, row.model, Outcome(row.outcome), row.ended - row.started, row.ended)
    rankings.refresh(NOW, random.Random(1))
    restored = Rankings(lambda model: OFFERS.get(model, {}))
    restored.restore(rows, NOW)
    restored.refresh(NOW, random.Random(1))
    assert restored.of("lab/image") == rankings.of("lab/image")
    assert restored.published("lab/image", NOW) == rankings.published("lab/image", NOW)


def test_a_restart_learns_nothing_from_other_days(rankings: Rankings) -> None:
    """What ended more than a day ago, or in the future of a clock that was set, is left out."""
    first, last, future = (Row("a", "lab/image", "used", at - 1000, at) for at in (NOW - DAY - 1, NOW, NOW + 1))
    rankings.restore([first, last, future], NOW)
    rankings.refresh(NOW, random.Random(1))
    alone = told(Rankings(lambda model: OFFERS.get(model, {})), {"a": 1.0})
    assert rankings.of("lab/image") == alone.of("lab/image")
