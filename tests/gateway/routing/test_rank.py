"""The order learned from what came of attempts, and the published score of the same."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime
from math import exp, inf, isfinite, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.rank import (
    DAY,
    EXPLORE,
    UNKNOWN,
    Belief,
    Outcome,
    Past,
    Source,
    expected,
    observed,
    published,
    ranked,
)

NOW = 1_700_000_000_000
HOUR = 3_600_000
USED, FAILED, DISCARDED = Outcome.USED, Outcome.FAILED, Outcome.DISCARDED


def learned(*outcomes: tuple[Outcome, float], at: int = NOW, apart: int = 0) -> Belief:
    """A belief after outcomes of so many seconds, `apart` ms between them, the last one at `at`."""
    belief = UNKNOWN
    for n, (outcome, seconds) in enumerate(outcomes, 1):
        belief = observed(belief, outcome, int(seconds * 1000), at - (len(outcomes) - n) * apart)
    return belief


def usual(seconds: float, times: int = 30, at: int = NOW) -> Belief:
    return learned(*[(USED, seconds)] * times, at=at)


def order(beliefs: dict[str, Belief], listed: str, prices: dict[str, int] | None = None, seed: int = 1) -> str:
    return "".join(ranked(beliefs, listed, prices or {}, NOW, random.Random(seed)).order)


def leaders(beliefs: dict[str, Belief], listed: str, *, draws: int = 400) -> dict[str, int]:
    """How often each provider leads the trial."""
    found = dict.fromkeys(listed, 0)
    for seed in range(draws):
        found[ranked(beliefs, listed, {}, NOW, random.Random(seed)).trial[0]] += 1
    return found


def test_an_even_provider_is_expected_to_take_what_it_took() -> None:
    """Without failures and without spread the expected seconds are those seen, and a tenth more while little is known."""
    assert expected(usual(10, 200)) == pytest.approx(10, rel=0.01)
    assert 10 < expected(usual(10, 1)) < 11.5


def test_failures_cost_their_time_and_another_try() -> None:
    """With every other attempt lost after four seconds, an output takes ten seconds, and four and one for each failure."""
    belief = learned(*[(USED, 10), (FAILED, 4)] * 200)
    assert expected(belief) == pytest.approx(10 + 4 + 1, rel=0.05)
    quickly, slowly = (expected(learned(*[(USED, 10), (FAILED, lost)] * 50)) for lost in (0.01, 60))
    assert (quickly < 12, slowly > 60) == (True, True)


def test_what_nobody_waited_for_counts_as_failed() -> None:
    """A discarded attempt weighs as a failed one."""
    assert learned((USED, 5), (DISCARDED, 9)) == learned((USED, 5), (FAILED, 9))


def test_there_is_no_word_for_what_the_caller_gave_up_on() -> None:
    """A14: the outcomes that say something of a provider are three, and canceled is none of them."""
    assert {outcome.value for outcome in Outcome} == {"used", "failed", "discarded"}


def test_the_mean_and_not_the_median_is_expected() -> None:
    """Of two providers with the same median the one that spreads wider is expected to take longer, as on the average it does."""
    dice = random.Random(5)
    wide = [exp(dice.gauss(log(10), 0.8)) for _ in range(4000)]
    belief = learned(*[(USED, seconds) for seconds in wide])
    assert belief.variance == pytest.approx(0.64, rel=0.5)
    assert expected(belief) > expected(usual(10)) * 1.15


def test_the_last_fifty_count() -> None:
    """After seventy attempts at another speed three quarters of what is expected are new; before that, old and new are mixed."""
    belief = usual(10, 300)
    assert belief.wins == pytest.approx(50, rel=0.01)
    for _ in range(70):
        belief = observed(belief, USED, 30_000, NOW)
    assert log(20) < belief.mean < log(30)


def test_time_that_makes_no_sense_is_left_out() -> None:
    """A4: an attempt that took less than nothing, or more than a day, changes nothing."""
    assert learned((USED, -0.001)) == learned((USED, DAY / 1000 + 1)) == UNKNOWN
    assert learned((USED, 0.0)).wins == 1


def test_a_belief_fades_but_not_all_of_it_where_news_comes() -> None:
    """After an hour the past weighs as five attempts at most, so that a model asked once an hour is not judged by one alone."""
    belief = observed(usual(10, 50, at=NOW - HOUR), USED, 10_000, NOW)
    assert belief.wins == pytest.approx(5 * 0.98 + 1)
    assert observed(usual(10, 50, at=NOW - 60_000), USED, 10_000, NOW).wins > 28
    assert observed(usual(10, 2, at=NOW - HOUR), USED, 10_000, NOW).wins == pytest.approx(usual(10, 3).wins)


def test_a_clock_set_back_fades_nothing() -> None:
    """A time before the last observation counts as none gone by."""
    assert observed(usual(10, 10), USED, 10_000, NOW - DAY).wins == pytest.approx(usual(10, 11).wins)


def test_the_fastest_come_first() -> None:
    """Providers are ordered by expected seconds, whatever the list says."""
    assert order({"a": usual(30), "b": usual(10), "c": usual(20)}, "abc") == "bca"


def test_one_that_fails_comes_after_one_that_takes_longer() -> None:
    """Seconds until there is an output decide: fast and mostly failing is slow."""
    failing = learned(*[(FAILED, 5), (FAILED, 5), (FAILED, 5), (USED, 5)] * 20)
    assert order({"a": failing, "b": usual(12)}, "ab") == "ba"
    assert order({"a": failing, "b": usual(40)}, "ab") == "ab"


def test_the_unknown_follow_as_listed() -> None:
    """A25: providers nothing is known of are not left out; nor does one that only failed, however quickly, come first."""
    assert order({"c": usual(20), "e": usual(10)}, "abcde") == "ecabd"
    assert order({"a": learned((FAILED, 0.01)), "b": usual(20)}, "ab") == "ba"
    assert expected(learned((FAILED, 0.01))) == inf


def test_what_is_older_than_a_day_is_unknown() -> None:
    """Stale evidence is no evidence."""
    assert order({"a": usual(5, at=NOW - DAY - 1), "b": usual(20)}, "ab") == "ba"
    assert order({"a": usual(5, at=NOW - DAY), "b": usual(20)}, "ab") == "ab"


def test_price_decides_between_the_equally_fast() -> None:
    """The cheaper of two goes first until the dearer is more than about 5 % faster; without a price it counts as cheap."""
    prices = {"a": 50_000, "b": 10_000}
    assert order({"a": usual(10), "b": usual(10)}, "ab") == "ab"
    assert order({"a": usual(10), "b": usual(10)}, "ab", prices) == "ba"
    assert order({"a": usual(9.9), "b": usual(10)}, "ab", prices) == "ba"
    assert order({"a": usual(9.4), "b": usual(10)}, "ab", prices | {"a": 10**12}) == "ab"
    assert order({"a": usual(10), "b": usual(10)}, "ab", {"b": 10_000}) == "ab"


def test_nothing_known_is_the_listed_order() -> None:
    """Without evidence the order is the list, each provider once, nobody is tried out, and the ranking says so."""
    for beliefs in ({}, {"a": UNKNOWN}, {"a": learned((FAILED, 3))}, {"x": usual(1)}):
        ranking = ranked(beliefs, "abab", {}, NOW, random.Random(1))
        assert (ranking.order, ranking.trial, ranking.source) == (("a", "b"), ("a", "b"), Source.FALLBACK)
        assert ranking.pick(0.0) == ("a", "b")
    with pytest.raises(ValueError, match="no provider"):
        ranked({"a": usual(1)}, (), {}, NOW, random.Random(1))


@pytest.mark.parametrize(
    "broken",
    [{"wins": nan}, {"wins": -1.0}, {"losses": inf}, {"mean": nan}, {"mean": 1e9}, {"variance": -0.1}, {"lost": nan}],
)
def test_a_broken_belief_is_the_listed_order_and_heals(broken: dict[str, float]) -> None:
    """B19: a belief that cannot be makes the order the list; the next observation begins it anew."""
    belief = replace(usual(10), **broken)
    ranking = ranked({"a": usual(20), "b": belief}, "ab", {}, NOW, random.Random(1))
    assert (ranking.order, ranking.source) == (("a", "b"), Source.FALLBACK)
    assert observed(belief, USED, 10_000, NOW) == usual(10, 1)


ANY = st.floats() | st.floats(0, 60)
BELIEFS = st.builds(Belief, wins=ANY, losses=ANY, mean=ANY, variance=ANY, lost=ANY, at=st.integers())


@given(
    st.dictionaries(st.sampled_from("abcx"), BELIEFS),
    st.dictionaries(st.sampled_from("abcx"), st.integers()),
    st.integers(0, 99),
)
def test_no_state_makes_it_fail(beliefs: dict[str, Belief], prices: dict[str, int], seed: int) -> None:
    """B19: whatever is believed, every provider is in both orders once, scores are finite, and no error comes of it."""
    ranking = ranked(beliefs, "abc", prices, NOW, random.Random(seed))
    assert sorted(ranking.order) == sorted(ranking.trial) == ["a", "b", "c"]
    assert all(isfinite(score) for score in ranking.scores.values())
    for belief in beliefs.values():
        assert isfinite(observed(belief, FAILED, 5, NOW).losses)


def test_the_same_seed_gives_the_same_trial() -> None:
    """B18: chance comes from outside, so a seed decides every draw; another seed decides otherwise at some time."""
    beliefs = {"a": usual(10, 3), "b": usual(11, 3), "c": usual(12, 3)}
    made = [[ranked(beliefs, "abc", {}, NOW, random.Random(seed)).trial for seed in range(50)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 1


def test_a_trial_is_for_those_nobody_asked() -> None:
    """The first unheard-of provider in the list leads the trial, and behind it stands the best."""
    ranking = ranked({"b": usual(20), "d": usual(10)}, "abcd", {}, NOW, random.Random(1))
    assert (ranking.order, ranking.trial) == (tuple("dbac"), tuple("adbc"))


def test_the_well_known_are_tried_less_than_the_forgotten() -> None:
    """Draws stay with the best while the others' slowness is fresh; forgotten for hours, they are tried again."""
    fresh = {"a": usual(10), "b": usual(40)}
    assert leaders(fresh, "ab")["b"] == 0
    stale = leaders(fresh | {"b": usual(40, at=NOW - 5 * HOUR)}, "ab")["b"]
    assert 10 < stale < 200
    failing = learned(*[(USED, 10), *[(FAILED, 10)] * 9] * 6)
    assert leaders({"a": usual(10), "b": failing}, "ab")["b"] == 0
    assert leaders({"a": usual(10), "b": replace(failing, at=NOW - 5 * HOUR)}, "ab")["b"] > 40


def test_equals_share_the_trials() -> None:
    """Between providers nothing tells apart each leads a fair part of the draws."""
    assert min(leaders(dict.fromkeys("abc", usual(10)), "abc").values()) > 80


def test_one_that_never_finished_is_tried_less_the_more_it_fails() -> None:
    """It is drawn as fast as the others, and as failing as it is."""
    once, often = (leaders({"a": usual(10), "b": learned(*[(FAILED, 5)] * times)}, "ab")["b"] for times in (1, 40))
    assert once > 50 > often


def test_a_small_share_gets_the_trial() -> None:
    """Of evenly drawn chances those below `explore` get the trial, one in twenty where nothing else is said."""
    ranking = ranked({"b": usual(20)}, "ab", {}, NOW, random.Random(1))
    got = [ranking.pick(n / 1000) for n in range(1000)]
    assert got.count(ranking.trial) == 50 == EXPLORE * 1000
    assert ranked({"b": usual(20)}, "ab", {}, NOW, random.Random(1), explore=0).pick(0.0) == ranking.order


VECTOR = {
    "A": [(USED, 6400), (FAILED, 12000), (FAILED, 11800)],
    "B": [(USED, 4200), (USED, 4500), (USED, 4700)],
    "C": [(USED, 9000), (USED, 9400), (DISCARDED, 8800)],
}


def past(rows: list[tuple[Outcome, int]], submitted: int = NOW - HOUR) -> list[Past]:
    return [Past(outcome, ms, submitted) for outcome, ms in rows]


def test_the_published_score_is_the_contracts() -> None:
    """A8 to A11, A13: three providers with known attempts get the scores and the order that the contract gives them."""
    found = published({name: past(rows) for name, rows in VECTOR.items()}, NOW)
    assert found is not None
    assert (found.providers_ranked, found.attempts_total) == (("B", "C", "A"), 9)
    assert found.scores == pytest.approx({"B": 0.8825, "C": 0.265, "A": -0.3})


def test_only_what_was_submitted_in_the_window_is_published() -> None:
    """A7: attempts submitted before the window do not count, and where none is left there is nothing to publish."""
    old = past([(FAILED, 90_000)] * 5, NOW - DAY - 1)
    found = published({"A": old + past([(USED, 1000)], NOW - DAY), "B": old}, NOW)
    assert found is not None
    assert (found.providers_ranked, found.attempts_total) == (("A",), 1)
    assert found.scores == pytest.approx({"A": 0.7})
    assert published({"B": old}, NOW) is None
    assert published({}, NOW) is None
    assert published({"A": old}, NOW, hours=25) is not None


def test_nobody_is_slow_where_nobody_took_time() -> None:
    """A9: with no seconds at all there is no penalty for slowness."""
    found = published({"A": past([(USED, 0)])}, NOW)
    assert found is not None
    assert found.scores == {"A": 1.0}


def test_ties_go_by_slowness_and_then_by_name() -> None:
    """A11: equal scores are ordered by the 95th percentile, then by the provider's name."""
    twins = published({"B": past([(USED, 5)]), "A": past([(USED, 5)])}, NOW)
    assert twins is not None
    assert twins.providers_ranked == ("A", "B")
    uneven = published({"A": past([(USED, 40)]), "B": past([(USED, 15)] * 7 + [(FAILED, 15)])}, NOW)
    assert uneven is not None
    assert uneven.scores["A"] == uneven.scores["B"]
    assert uneven.providers_ranked == ("B", "A")


def test_the_percentile_is_a_rank() -> None:
    """A10: of twenty the 19th counts, of three the slowest."""
    twenty, three = [5] * 18 + [9, 10], [5, 5, 10]
    found = published({"A": past([(FAILED, ms) for ms in twenty]), "B": past([(FAILED, ms) for ms in three])}, NOW)
    assert found is not None
    assert found.scores == pytest.approx({"A": -0.5 - 0.3 * 9 / 10, "B": -0.8})


@given(
    st.lists(st.tuples(st.sampled_from(Outcome), st.integers(1, 100_000)), min_size=1, max_size=30),
    st.lists(st.tuples(st.sampled_from(Outcome), st.integers(1, 100_000)), min_size=1, max_size=30),
    st.data(),
)
def test_doing_better_never_lowers_the_place(
    mine: list[tuple[Outcome, int]], other: list[tuple[Outcome, int]], data: st.DataObject
) -> None:
    """A12: with an attempt turned to success, or all attempts quicker, a provider keeps its place or gains."""
    n = data.draw(st.integers(0, len(mine) - 1))
    better = [(USED if i == n else outcome, ms) for i, (outcome, ms) in enumerate(mine)]
    quicker = [(outcome, ms // 2) for outcome, ms in mine]
    places = []
    for rows in (mine, better, quicker):
        found = published({"M": past(rows), "O": past(other)}, NOW)
        assert found is not None
        places.append(found.providers_ranked.index("M"))
    assert places[1] <= places[0]
    assert places[2] <= places[0]


def test_the_payload_is_the_contracts() -> None:
    """A16: names, types, and a time with its zone."""
    found = published({name: past(rows) for name, rows in VECTOR.items()}, NOW)
    assert found is not None
    payload = json.loads(json.dumps(found.payload(), allow_nan=False))
    assert payload == {
        "providers_ranked": ["B", "C", "A"],
        "scores": {name: pytest.approx(score) for name, score in (("B", 0.8825), ("C", 0.265), ("A", -0.3))},
        "attempts_total": 9,
        "window_hours": 24,
        "computed_at": "2023-11-14T22:13:20.000+00:00",
    }
    assert datetime.fromisoformat(payload["computed_at"]).utcoffset() is not None
