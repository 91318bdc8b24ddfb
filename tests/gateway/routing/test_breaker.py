"""One offer's recent past decides whether it may be asked; time is a plain number of milliseconds."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.breaker import (
    CLOSED,
    Breaker,
    Standing,
    admit,
    admits,
    failed,
    opened,
    released,
    succeeded,
)
from gateway.routing.window import Bucket

SECOND = 1_000
DAY = 86_400_000
LONGEST = 360_000  # 300 s and a fifth of it


def failures(breaker: Breaker, count: int, start: int, gap: int) -> Breaker:
    for number in range(count):
        breaker = failed(breaker, start + number * gap, 0)
    return breaker


def successes(breaker: Breaker, count: int, start: int, gap: int) -> Breaker:
    for number in range(count):
        breaker = succeeded(breaker, start + number * gap)
    return breaker


def rested(now: int = 0) -> Breaker:
    """A breaker that opened and whose first probe is under way."""
    breaker = opened(CLOSED, now, 0)
    breaker, admitted = admit(breaker, breaker.until)
    assert admitted
    return breaker


def test_a_closed_breaker_remembers_nothing_and_admits_everything() -> None:
    """Nothing is counted, no time is set, and admitting leaves no trace."""
    fresh = Breaker(Standing.CLOSED, (), (), openings=0, opened=0, until=0, probing_until=0, probes=0)
    assert fresh == CLOSED
    assert all(admit(CLOSED, now) == (CLOSED, True) for now in (0, 1, DAY))


def test_ordinary_errors_never_open_a_busy_offer() -> None:
    """A hundred thousand calls at twenty a second, a fifth of them failing by chance, leave it closed throughout."""
    chance, breaker = Random(7), CLOSED
    for number in range(100_000):
        now = number * 50
        breaker = failed(breaker, now, 0) if chance.random() < 0.2 else succeeded(breaker, now)
        assert breaker.standing is Standing.CLOSED, number
    assert len(breaker.buckets) == 6


@pytest.mark.parametrize("gap", [500, 10 * SECOND, 149 * SECOND])
def test_an_outage_is_noticed_at_the_fifth_failure(gap: int) -> None:
    """With little traffic five failures in a row open, at two a second as at one in two minutes."""
    assert failures(CLOSED, 4, 0, gap).standing is Standing.CLOSED
    noticed = failures(CLOSED, 5, 0, gap)
    assert noticed.standing is Standing.OPEN
    assert noticed.opened == 4 * gap


def test_failures_too_far_apart_are_no_row() -> None:
    """Five failures must lie within ten minutes; a sixth one inside opens."""
    spread = failures(CLOSED, 5, 0, 150 * SECOND)
    assert spread.standing is Standing.CLOSED
    assert failed(spread, 601 * SECOND, 0).standing is Standing.OPEN


def test_one_success_breaks_a_row() -> None:
    """Four failures, a success and four failures are not five in a row."""
    breaker = succeeded(failures(CLOSED, 4, 0, SECOND), 4 * SECOND)
    assert breaker.row == ()
    assert failures(breaker, 4, 5 * SECOND, SECOND).standing is Standing.CLOSED


@pytest.mark.parametrize(("more", "standing"), [(0, Standing.OPEN), (1, Standing.CLOSED)])
def test_half_the_calls_of_a_minute_open(more: int, standing: Standing) -> None:
    """Ten failures out of twenty calls open, ten out of twenty-one do not, though never two came in a row."""
    breaker = successes(CLOSED, more, 0, 1)
    for number in range(10):
        assert breaker.standing is Standing.CLOSED
        breaker = failed(succeeded(breaker, number * SECOND), number * SECOND + 1, 0)
    assert breaker.standing is standing


@pytest.mark.parametrize(("good", "standing"), [(14, Standing.OPEN), (15, Standing.CLOSED)])
def test_a_share_says_nothing_below_twenty_calls(good: int, standing: Standing) -> None:
    """The nineteenth call ends a row of five and opens; were it the twentieth, the share would let it pass."""
    assert failures(successes(CLOSED, good, 0, 100), 5, 2 * SECOND, 100).standing is standing


def test_a_minute_is_forgotten_after_a_minute() -> None:
    """Calls older than the window do not water down an outage."""
    breaker = successes(CLOSED, 1_000, 0, 10)
    assert failures(breaker, 5, 59_999, 0).standing is Standing.CLOSED
    assert failures(breaker, 5, 60_000, 0).standing is Standing.OPEN


def test_outcomes_are_kept_by_ten_seconds() -> None:
    """Calls of the same ten seconds of the clock share a count."""
    breaker = failed(succeeded(succeeded(CLOSED, 0), 9_999), 10_000, 0)
    assert breaker.buckets == (Bucket(0, 2, 0), Bucket(10_000, 0, 1))


@pytest.mark.parametrize("rate", [0.1, 0.5, 1, 2, 20, 100])
def test_a_long_row_opens_at_any_rate_after_good_traffic(rate: float) -> None:
    """Twenty-five failures without a success between open, however many calls went well just before."""
    gap = int(SECOND / rate)
    good = successes(CLOSED, 200, 0, gap)
    assert failures(good, 25, 200 * gap, gap).standing is Standing.OPEN


def test_a_long_row_is_twenty() -> None:
    """Nineteen in a row amid good traffic are still chance, the twentieth is not."""
    good = successes(CLOSED, 200, 0, 10)
    assert failures(good, 19, 2 * SECOND, 10).standing is Standing.CLOSED
    assert failures(good, 20, 2 * SECOND, 10).standing is Standing.OPEN


def test_an_open_breaker_admits_nothing_before_its_time() -> None:
    """Not one of a thousand callers gets through while it rests, and the first does when the rest is over."""
    breaker = opened(CLOSED, 0, 0)
    asked = [admit(breaker, now * 30) for now in range(1_000)]
    assert not any(admitted for _, admitted in asked)
    assert all(after == breaker for after, _ in asked)
    assert admit(breaker, 29_999)[1] is False
    assert admit(breaker, 30_000)[1] is True


def test_half_open_admits_one_of_a_thousand() -> None:
    """All ask at the same moment; one probe goes out."""
    breaker, through = opened(CLOSED, 0, 0), 0
    for _ in range(1_000):
        breaker, admitted = admit(breaker, 30_000)
        through += admitted
    assert through == 1
    assert breaker.standing is Standing.HALF_OPEN


def test_a_probe_that_never_returns_gives_its_place_up() -> None:
    """Half a minute after it left the next one may go."""
    breaker = rested()
    assert not admits(breaker, 59_999)
    assert admits(breaker, 60_000)
    again, admitted = admit(breaker, 60_000)
    assert admitted
    assert not admits(again, 60_001)


@pytest.mark.parametrize("lease", [5_000, 300_000])
def test_a_probe_has_its_place_for_as_long_as_it_is_given(lease: int) -> None:
    """A call that may take longer is waited for longer."""
    probing, admitted = admit(opened(CLOSED, 0, 0), 30_000, lease)
    assert admitted
    assert not admits(probing, 29_999 + lease)
    assert admits(probing, 30_000 + lease)


def test_a_probe_called_back_gives_its_place_up() -> None:
    """A caller who cancels in the middle of a probe leaves the place to the next, at once."""
    breaker = released(rested())
    assert breaker.standing is Standing.HALF_OPEN
    assert admits(breaker, 30_000)


@pytest.mark.parametrize("breaker", [CLOSED, opened(CLOSED, 0, 0)])
def test_a_call_back_elsewhere_changes_nothing(breaker: Breaker) -> None:
    """Only a half-open breaker has a place to give back."""
    assert released(breaker) == breaker


def test_two_successes_close() -> None:
    """The first lets the next probe go at once, the second closes, and the bad minute is forgotten."""
    once = succeeded(rested(), 31 * SECOND)
    assert (once.standing, once.probing_until) == (Standing.HALF_OPEN, 0)
    probe, admitted = admit(once, 31 * SECOND)
    assert admitted
    assert probe.probes == 1
    closed = succeeded(probe, 32 * SECOND)
    assert (closed.standing, closed.buckets, closed.row) == (Standing.CLOSED, (), ())
    assert (closed.probes, closed.probing_until) == (0, 0)
    assert failures(closed, 4, 33 * SECOND, SECOND).standing is Standing.CLOSED


def test_a_failed_probe_opens_for_twice_as_long() -> None:
    """One failure in half-open is enough, even after a success, and the successes have to begin anew."""
    breaker = failed(succeeded(rested(), 31 * SECOND), 32 * SECOND, 0)
    assert (breaker.standing, breaker.until) == (Standing.OPEN, 92 * SECOND)
    assert (breaker.probes, breaker.probing_until) == (0, 0)
    probing, _ = admit(breaker, 92 * SECOND)
    assert probing.probes == 0


def test_calls_that_left_before_it_opened_do_not_move_it() -> None:
    """Late news, good or bad, neither closes an open breaker nor makes its rest longer."""
    breaker = opened(CLOSED, 0, 0)
    for late in (succeeded(breaker, SECOND), failed(breaker, SECOND, 1), opened(breaker, SECOND, 1)):
        assert (late.standing, late.until, late.openings) == (Standing.OPEN, 30_000, 1)


def test_a_rest_that_is_over_can_be_renewed() -> None:
    """Once its time is over the same bad news opens it again, for longer."""
    renewed = opened(opened(CLOSED, 0, 0), 30_000, 0)
    assert (renewed.openings, renewed.until) == (2, 90_000)


def test_rests_double_up_to_five_minutes() -> None:
    """30, 60, 120, 240 and then 300 seconds, as long as the openings are close to each other."""
    breaker, now, rests = CLOSED, 0, []
    for _ in range(20):
        breaker = opened(breaker, now, 0)
        rests.append(breaker.until - now)
        now = breaker.until
    assert rests == [30_000, 60_000, 120_000, 240_000, *[300_000] * 16]


@pytest.mark.parametrize(("quiet", "rest"), [(599_999, 60_000), (600_000, 30_000)])
def test_ten_quiet_minutes_bring_the_first_rest_back(quiet: int, rest: int) -> None:
    """The minutes count from the end of the last rest."""
    first = opened(CLOSED, 0, 0)
    again = opened(first, first.until + quiet, 0)
    assert again.until - again.opened == rest


def test_the_first_opening_is_the_first_however_late() -> None:
    """A breaker that never opened rests thirty seconds, at any hour of the clock."""
    for now in (0, 599_999, 600_000, DAY):
        assert opened(CLOSED, now, 0).until == now + 30_000


@pytest.mark.parametrize(("jitter", "rest"), [(-1.0, 24_000), (0.0, 30_000), (0.5, 33_000), (1.0, 36_000)])
def test_rests_are_spread_by_a_fifth(jitter: float, rest: int) -> None:
    """Chance moves the end of a rest by up to a fifth, both ways."""
    assert opened(CLOSED, 0, jitter).until == rest


WALKS = st.lists(
    st.tuples(st.integers(0, 120_000), st.sampled_from(["ask", "good", "bad", "open", "back"]), st.floats(-1, 1)),
    max_size=60,
)


def follow(breaker: Breaker, now: int, what: str, jitter: float) -> Breaker:
    match what:
        case "ask":
            return admit(breaker, now)[0]
        case "good":
            return succeeded(breaker, now)
        case "bad":
            return failed(breaker, now, jitter)
        case "open":
            return opened(breaker, now, jitter)
        case _:
            return released(breaker)


@given(WALKS)
def test_whatever_happens_an_open_breaker_holds_and_lets_go_in_time(walk) -> None:
    """Nothing passes before the end of a rest, something may at its end, and no rest is above its bound."""
    breaker, now = CLOSED, 0
    for gap, what, jitter in walk:
        now += gap
        breaker = follow(breaker, now, what, jitter)
        assert len(breaker.buckets) <= 6
        assert len(breaker.row) <= 20
        if breaker.standing is Standing.OPEN:
            assert 24_000 <= breaker.until - breaker.opened <= LONGEST
            assert admits(breaker, now) is (now >= breaker.until)
            assert not admit(breaker, breaker.until - 1)[1]
            assert admit(breaker, breaker.until)[1]
        assert admits(breaker, now + LONGEST)


@given(st.lists(st.integers(0, 12_000), min_size=1, max_size=200))
def test_at_most_one_probe_a_lease(gaps: list[int]) -> None:
    """While no probe reports back, two admitted calls are never less than half a minute apart."""
    breaker, now, admitted = opened(CLOSED, 0, 0), 0, []
    for gap in gaps:
        now += gap
        breaker, through = admit(breaker, now)
        admitted += [now] * through
    assert all(later - earlier >= 30_000 for earlier, later in pairwise(admitted))
    assert bool(admitted) is (now >= 30_000)


@given(WALKS, st.sampled_from([-DAY, DAY, 365 * DAY]))
def test_only_differences_of_time_count(walk, jump: int) -> None:
    """The same story told by a clock that began a day earlier or later is decided alike at every step."""
    here, there, now = CLOSED, CLOSED, 400 * DAY
    for gap, what, jitter in walk:
        now += gap
        here, there = follow(here, now, what, jitter), follow(there, now + jump, what, jitter)
        assert here.standing is there.standing
        assert admits(here, now) is admits(there, now + jump)
