"""What looks at a job tell of how far it is, and what the next look makes of it."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attempts.heard import AWAY, NOTHING, Heard, hear
from gateway.attempts.pace import Durations, learned, next_look
from gateway.providers.pack import JobState, Pace
from tests.harness import told
from tests.harness.looks import lognormal

PACE = Pace(first=1_000, every=250, deadline=900_000)
QUEUED, RUNNING = JobState.QUEUED, JobState.RUNNING
Look = tuple[JobState | None, float | None, int]


def after(*looks: Look, before: Heard = NOTHING) -> Heard:
    """Give what is told by these looks: state, share, and ms since the submit."""
    for state, share, at in looks:
        before = hear(before, state, share, at)
    return before


def kind(*jobs: tuple[int, Heard]) -> Durations:
    """Give what is known after jobs that took so long and told so much."""
    found = None
    for ms, heard in jobs:
        found = learned(found, ms, heard)
    assert found is not None
    return found


def at_work(*shares: float, every: int = 10_000) -> Heard:
    """Give what is told by a job that begins at once and tells these shares, at even distances."""
    return after(*((RUNNING, share, every * n) for n, share in enumerate(shares, 1)))


@pytest.mark.parametrize(
    ("looks", "start"),
    [
        ([], None),
        ([(QUEUED, None, 10)], None),
        ([(RUNNING, None, 10)], 0),
        ([(RUNNING, None, 10), (RUNNING, None, 30)], 0),
        ([(QUEUED, None, 10), (RUNNING, None, 30)], 20),
        ([(QUEUED, None, 10), (QUEUED, None, 20), (None, None, 40), (RUNNING, None, 60)], 40),
        ([(RUNNING, 0.5, 10), (QUEUED, None, 30), (RUNNING, None, 50)], 40),
    ],
)
def test_a_job_began_between_two_looks(looks: list[Look], start: int | None) -> None:
    """Half-way between the last that saw it waiting and the first that saw it at work; with the submit where none saw it waiting."""
    assert after(*looks).start == start


def test_a_start_that_nobody_saw_is_not_known() -> None:
    """After a restart a job at work may have begun at any time, and one that waits has not begun."""
    assert after((RUNNING, None, 50), before=AWAY).start is None
    assert after((QUEUED, None, 50), (RUNNING, None, 70), before=AWAY).start == 60


def test_only_a_share_that_rises_is_news() -> None:
    """One that stays, falls, or is not there tells nothing, and does not undo what was told."""
    heard = after((RUNNING, 0.0, 10), (RUNNING, 0.4, 20))
    assert (heard.shares, heard.is_news) == (((20, 0.4),), True)
    for share in (0.4, 0.1, None):
        later = hear(heard, RUNNING, share, 30)
        assert (later.shares, later.is_news) == (heard.shares, False)
    assert not hear(heard, None, None, 30).is_news


def test_what_one_job_tells_stays_small() -> None:
    """A job that tells another share at each of a thousand looks holds the latest few."""
    heard = after(*((RUNNING, n / 1_000, n * 1_000) for n in range(1_000)))
    assert [at for at, _ in heard.shares] == [ms * 1_000 for ms in range(992, 1_000)]


def test_the_time_in_a_queue_is_not_learned_as_a_run() -> None:
    """Jobs that waited for a minute, five or none, and then ran for as long as each other, are known by that length."""
    waits = [(0, at_work()), *((ms, after((QUEUED, None, ms), (RUNNING, None, ms))) for ms in (60_000, 300_000))]
    found = kind((60_000, hear(NOTHING, RUNNING, None, 100)), *((wait + 60_000, heard) for wait, heard in waits[1:]))
    assert found.prompt is not None
    assert found.runs is not None
    assert (found.prompt.recent, found.runs.recent) == ((60_000,), (60_000, 60_000))
    assert found.all.recent == (60_000, 120_000, 360_000)


def test_a_job_that_waits_is_looked_at_as_one_that_has_not_begun() -> None:
    """However long it waited: the next look is due when one that began now might end, not when most jobs have ended."""
    found = kind(*[(60_000, hear(NOTHING, RUNNING, None, 50_000))] * 12)
    for waited in (30_000, 70_000, 200_000):
        wait = next_look(PACE, found, waited, 0.5, after((QUEUED, None, waited)))
        assert 50_000 < wait < 75_000
    assert next_look(PACE, found, 70_000, 0.5) < 8_000


def test_a_job_that_has_begun_is_looked_at_when_its_run_may_end() -> None:
    """Seen waiting after 100 s and at work 2 s later, where jobs run for 60 s, it is seen again around 160 s."""
    found = kind(*[(60_000, hear(NOTHING, RUNNING, None, 50_000))] * 12)
    heard = after((QUEUED, None, 100_000), (RUNNING, None, 102_000))
    assert 150_000 < 102_000 + next_look(PACE, found, 102_000, 0.5, heard) < 168_000


def test_where_nobody_says_that_a_job_is_at_work_nothing_changes() -> None:
    """A provider whose jobs all wait until they end, by its words, is looked at by durations alone."""
    heard = after((QUEUED, None, 40_000), (QUEUED, None, 55_000))
    told_of, silent = kind(*[(60_000, heard)] * 12), kind(*[(60_000, AWAY)] * 12)
    assert told_of == silent
    assert next_look(PACE, told_of, 55_000, 0.3, heard) == next_look(PACE, silent, 55_000, 0.3)


def test_a_share_that_was_right_before_tells_the_end() -> None:
    """Jobs of 20 to 120 s told the truth; one that has done half in 50 s is seen again when it may be done, at 100 s."""
    lengths = (20_000, 40_000, 60_000, 80_000, 100_000, 120_000) * 2
    found = kind(*((ms, at_work(*(n / 10 for n in range(1, 10)), every=ms // 10)) for ms in lengths))
    heard = after((RUNNING, 0.5, 50_000))
    assert 90_000 < 50_000 + next_look(PACE, found, 50_000, 0.5, heard) < 105_000
    assert next_look(PACE, found, 50_000, 0.5, after((RUNNING, None, 50_000))) < 20_000


def test_a_share_that_was_always_too_small_is_taken_for_what_it_meant() -> None:
    """Jobs that told a third when they had done two were not in their first third."""
    lengths = (30_000, 60_000, 90_000, 120_000) * 3
    found = kind(*((ms, after((RUNNING, 0.33, ms * 2 // 3))) for ms in lengths))
    assert 55_000 < 40_000 + next_look(PACE, found, 40_000, 0.5, after((RUNNING, 0.33, 40_000))) < 63_000


@pytest.mark.parametrize("shares", [(0.9,), (0.0, 0.9), (0.001,), (1.0,)])
def test_a_share_that_meant_nothing_before_moves_no_look(shares: tuple[float, ...]) -> None:
    """The same word was told at any time of earlier runs: the next look is due when it is due without."""
    times = (3_000, 20_000, 35_000, 50_000, 57_000) * 3
    found = kind(*((60_000, after((RUNNING, shares[-1], at))) for at in times))
    heard = after(*((RUNNING, share, 20_000 + 1_000 * n) for n, share in enumerate(shares)))
    plain = after((RUNNING, None, 20_000))
    now = 20_000 + 1_000 * (len(shares) - 1)
    assert next_look(PACE, found, now, 0.5, heard) == next_look(PACE, found, now, 0.5, plain)


def test_a_few_shares_prove_nothing() -> None:
    """From four on that were told alike something is made of one."""
    durations = [(ms, AWAY) for ms in (20_000, 40_000, 60_000, 80_000) * 3]
    waits = []
    for true in (3, 4):
        found = kind(
            *durations, *((ms, after((RUNNING, 0.5, ms // 2))) for ms in (30_000, 60_000, 90_000, 120_000)[:true])
        )
        heard = after((RUNNING, 0.5, 30_000))
        waits.append(next_look(PACE, found, 30_000, 0.5, heard))
        waits.append(next_look(PACE, found, 30_000, 0.5, after((RUNNING, None, 30_000))))
    assert waits[0] == waits[1]
    assert waits[2] != waits[3]


_LOOKS = st.lists(
    st.tuples(st.sampled_from([QUEUED, RUNNING, None]), st.none() | st.floats(0, 1), st.integers(1, 600_000)),
    max_size=9,
)


@given(
    st.lists(st.tuples(st.integers(1, 10_000_000), _LOOKS), min_size=1, max_size=30),
    _LOOKS,
    st.floats(0, 1),
    st.integers(1, 60_000),
    st.sampled_from([NOTHING, AWAY]),
)
def test_whatever_is_told_a_wait_is_of_use_and_ends(
    jobs: list[tuple[int, list[Look]]], looks: list[Look], chance: float, every: int, before: Heard
) -> None:
    """No closer than the provider allows nor than tells anything new, and never without end."""
    found = kind(*((ms, after(*sorted(seen, key=lambda one: one[2]), before=before)) for ms, seen in jobs))
    looks = sorted(looks, key=lambda one: one[2])
    elapsed = looks[-1][2] if looks else 0
    least = max(every, 250, elapsed // 20)
    wait = next_look(Pace(1, every, 900_000), found, elapsed, chance, after(*looks, before=before))
    assert least <= wait <= max(least, 120_000, elapsed)


def share_of_good(seen: list[told.Seen]) -> float:
    """Give the share of jobs with few calls whose end was seen in time."""
    return sum(one.is_good for one in seen) / len(seen)


def late(seen: list[told.Seen]) -> float:
    """Give how late the end of half the jobs was seen, of what is aimed at."""
    return median(one.of_goal for one in seen)


@pytest.mark.parametrize("shares", ["honest", "curved", "another curve each"])
def test_shares_that_mean_something_save_looks(shares: str) -> None:
    """Fewer calls, and nearly twice as many jobs that few looks see end in time."""
    provider = told.Provider(lognormal(60_000, 0.25), told.nobody, told.SHARES[shares])
    alone, heard = told.both_ways(provider, 1_000, 3)
    assert told.mean(heard) < told.mean(alone) * 0.92
    assert late(heard) < late(alone) * 0.8
    assert share_of_good(heard) > 1.8 * share_of_good(alone)


@pytest.mark.parametrize(
    "shares", ["none", "0, then 0.9 some time", "0.9 at once", "0.99 from half-way on", "any", "impossible"]
)
def test_shares_that_mean_nothing_cost_nothing(shares: str) -> None:
    """As many calls as without, up to chance, and ends seen no later by half of the jobs."""
    provider = told.Provider(lognormal(60_000, 0.25), told.nobody, told.SHARES[shares])
    alone, heard = told.both_ways(provider, 1_000, 4)
    assert told.mean(heard) < told.mean(alone) * 1.04
    assert late(heard) < late(alone) * 1.08


@pytest.mark.parametrize("queue", ["a third wait 60 s", "all wait 60 s", "all wait 0-300 s"])
def test_queues_are_seen_through(queue: str) -> None:
    """Where jobs wait for unknown times, looks that know it are fewer and see ends earlier."""
    provider = told.Provider(lognormal(60_000, 0.25), told.QUEUES[queue], told.SHARES["none"])
    alone, heard = told.both_ways(provider, 1_000, 3)
    assert told.mean(heard) < told.mean(alone) * 0.95
    assert late(heard) < late(alone) * 0.9
