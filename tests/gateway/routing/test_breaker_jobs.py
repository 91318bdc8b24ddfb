"""A breaker that goes by finished jobs, and news that come after an opening."""

from __future__ import annotations

from random import Random

import pytest

from gateway.routing.breaker import (
    CLOSED,
    CLOSED_TO_JOBS,
    Breaker,
    End,
    Rule,
    Standing,
    admit,
    failed,
    opened,
    released,
    succeeded,
)

MINUTE = 60_000


def ended(breaker: Breaker, word: str, start: int = 0, gap: int = 2 * MINUTE) -> Breaker:
    """Let jobs end one after another: `+` well, `-` badly."""
    for number, sign in enumerate(word):
        now = start + number * gap
        breaker = succeeded(breaker, now) if sign == "+" else failed(breaker, now, 0)
    return breaker


def test_it_begins_closed_with_a_rule_of_its_own() -> None:
    """Nothing is known of any job."""
    assert Breaker(rule=Rule.JOBS) == CLOSED_TO_JOBS
    assert (CLOSED_TO_JOBS.rule, CLOSED.rule, CLOSED_TO_JOBS.ends) == (Rule.JOBS, Rule.CALLS, ())


@pytest.mark.parametrize(
    ("word", "standing"),
    [
        ("----", Standing.CLOSED),
        ("-----", Standing.OPEN),
        ("++---", Standing.OPEN),
        ("+++--", Standing.CLOSED),
        ("++++----", Standing.OPEN),
        ("+++++----", Standing.CLOSED),
    ],
)
def test_half_of_at_least_five_jobs_open(word: str, standing: Standing) -> None:
    """Four say nothing; from the fifth on half of them is too much, in whatever order they end."""
    assert ended(CLOSED_TO_JOBS, word).standing is standing


@pytest.mark.parametrize(("bad", "standing"), [(9, Standing.CLOSED), (10, Standing.OPEN)])
def test_the_last_twenty_count(bad: int, standing: Standing) -> None:
    """However many jobs went well before them."""
    breaker = ended(CLOSED_TO_JOBS, "+" * 40, gap=5_000)
    breaker = ended(breaker, "-" * bad, start=200_000, gap=5_000)
    assert breaker.standing is standing
    assert len(breaker.ends) == 20


@pytest.mark.parametrize(("later", "standing"), [(0, Standing.OPEN), (1, Standing.CLOSED)])
def test_an_end_counts_for_half_an_hour(later: int, standing: Standing) -> None:
    """The first of five failures is forgotten a moment after thirty minutes."""
    breaker = ended(CLOSED_TO_JOBS, "----", gap=1)
    breaker = failed(breaker, 30 * MINUTE + later, 0)
    assert breaker.standing is standing
    assert breaker.ends[-1] == End(30 * MINUTE + later, good=False)


def test_a_bad_job_in_eleven_hours_is_forgotten() -> None:
    """Jobs so far apart are never five."""
    assert ended(CLOSED_TO_JOBS, "-" * 30, gap=8 * MINUTE).standing is Standing.CLOSED
    assert ended(CLOSED_TO_JOBS, "-" * 30, gap=7 * MINUTE).standing is Standing.OPEN


def test_where_a_minute_holds_more_it_counts_by_the_minute() -> None:
    """Half of the last twenty are no reason where a hundred went well in the same minute; twenty in a row are."""
    busy = ended(CLOSED_TO_JOBS, "+" * 100, gap=100)
    assert ended(busy, "-" * 19, start=10_000, gap=100).standing is Standing.CLOSED
    assert ended(busy, "-" * 20, start=10_000, gap=100).standing is Standing.OPEN
    assert ended(busy, "-+" * 99, start=10_000, gap=10).standing is Standing.CLOSED
    assert ended(busy, "--+" * 101, start=10_000, gap=10).standing is Standing.OPEN


@pytest.mark.parametrize(("good", "standing"), [(10, Standing.OPEN), (11, Standing.CLOSED)])
def test_more_is_more_than_twenty(good: int, standing: Standing) -> None:
    """With twenty ends in the minute the last twenty count, and with twenty-one the minute, which is the same but for one."""
    assert ended(CLOSED_TO_JOBS, "+" * good + "-" * 10, gap=100).standing is standing


def test_ordinary_failures_of_jobs_never_open_a_busy_offer() -> None:
    """Fifty thousand jobs at two a second, a fifth of them failing by chance."""
    chance, breaker = Random(3), CLOSED_TO_JOBS
    for number in range(50_000):
        breaker = ended(breaker, "-" if chance.random() < 0.2 else "+", start=number * 500)
        assert breaker.standing is Standing.CLOSED, number


def test_it_closes_with_two_good_jobs_and_forgets() -> None:
    """The bad ones before the opening count no more."""
    breaker, _ = admit(ended(CLOSED_TO_JOBS, "-----", gap=1), MINUTE)
    breaker = succeeded(succeeded(breaker, MINUTE), MINUTE + 1)
    assert (breaker.standing, breaker.ends, breaker.buckets, breaker.row) == (Standing.CLOSED, (), (), ())
    assert ended(breaker, "----", start=2 * MINUTE, gap=1).standing is Standing.CLOSED


@pytest.mark.parametrize("state", ["open", "half open", "closed again"])
def test_late_news_change_nothing(state: str) -> None:
    """What left before the opening, or in its very moment, is not heard, whatever it says."""
    breaker = opened(CLOSED, 1_000, 0)
    if state != "open":
        breaker, _ = admit(breaker, 40_000)
    if state == "closed again":
        breaker = succeeded(succeeded(breaker, 41_000), 42_000)
    for began in (0, 1_000):
        assert failed(breaker, 50_000, 0, began) == breaker
        assert succeeded(breaker, 50_000, began) == breaker
        assert released(breaker, began) == breaker


def test_news_of_a_probe_are_heard() -> None:
    """It left after the opening, if only by a moment."""
    probing, _ = admit(opened(CLOSED, 1_000, 0), 40_000)
    assert failed(probing, 50_000, 0, 1_001).standing is Standing.OPEN
    assert succeeded(probing, 50_000, 1_001).probes == 1
    assert released(probing, 1_001).probing_until == 0


def test_nothing_is_late_before_the_first_opening() -> None:
    """A breaker that never opened hears of calls that left at the beginning of time."""
    assert len(failed(CLOSED, 5, 0, 0).row) == 1
    assert len(succeeded(CLOSED, 5, 0).buckets) == 1


def test_whoever_asked_all_the_same_and_was_served_counts_as_a_probe() -> None:
    """An attempt made in a panic that goes well lets the next one through at once, and the second closes."""
    breaker = succeeded(opened(CLOSED, 1_000, 0), 5_000, 4_000)
    assert (breaker.standing, breaker.probes) == (Standing.HALF_OPEN, 1)
    breaker, admitted = admit(breaker, 5_001)
    assert admitted
    assert succeeded(breaker, 6_000, 5_001).standing is Standing.CLOSED
    assert failed(opened(CLOSED, 1_000, 0), 5_000, 0, 4_000).until == 31_000


def test_an_opening_knows_whether_failures_were_counted() -> None:
    """One word of the provider is another thing than five failures; a failed probe leaves it at that."""
    counted, told = ended(CLOSED, "-----", gap=1), opened(CLOSED, 0, 0)
    assert (counted.counted, told.counted) == (True, False)
    for breaker in (counted, told):
        probing, _ = admit(breaker, MINUTE)
        assert failed(probing, MINUTE, 0).counted is breaker.counted
