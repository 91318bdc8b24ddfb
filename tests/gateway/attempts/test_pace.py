"""How long to wait before the next look at a running job."""

from __future__ import annotations

import math
import random
import sys
from itertools import pairwise
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attempts.heard import Heard
from gateway.attempts.pace import Durations, Paces, half, learned, nearly_all, next_look, ran
from gateway.providers.pack import Pace

PACE = Pace(first=5_000, every=1_000, deadline=900_000)
EAGER = Pace(first=1_000, every=1, deadline=900_000)


def known(*durations: int) -> Durations | None:
    """Give what is known after jobs that ran so long."""
    found = None
    for ms in durations:
        found = learned(found, ms)
    return found


def around(middle: float, sigma: float, count: int, seed: int = 1) -> list[int]:
    """Give durations as jobs of one kind have them."""
    dice = random.Random(seed)
    return [int(middle * math.exp(dice.gauss(0, sigma))) for _ in range(count)]


def size(thing: object) -> int:
    """Give the bytes that a record takes, with all it holds."""
    parts = thing if isinstance(thing, tuple) else [getattr(thing, name) for name in getattr(thing, "__slots__", ())]
    return sys.getsizeof(thing) + sum(size(part) for part in parts)


def looks(pace: Pace, found: Durations | None, until: int, chance: float = 0.5) -> list[int]:
    """Give the moments at which a job is looked at that has not ended."""
    moments = [0]
    while moments[-1] < until:
        moments.append(moments[-1] + next_look(pace, found, moments[-1], chance))
    return moments[1:]


@pytest.mark.parametrize(
    ("elapsed", "chance", "wait"),
    [
        (0, 0.0, 5_000),
        (0, 0.5, 5_500),
        (0, 1.0, 6_000),
        (4_999, 0.0, 1),
        (5_000, 0.5, 1_000),
        (5_000, 0.0, 1_000),
        (5_000, 1.0, 1_200),
        (10_000, 0.5, 1_000),
        (20_000, 0.5, 2_000),
        (99_000, 0.5, 9_900),
        (100_000, 0.5, 10_000),
        (800_000, 0.5, 10_000),
        (800_000, 0.0, 8_000),
        (800_000, 1.0, 12_000),
    ],
)
def test_the_wait_grows_with_the_time_a_job_has_run(elapsed: int, chance: float, wait: int) -> None:
    """With nothing known: the first look when the pack says, then a tenth of the time run, within its pace and ten seconds."""
    assert next_look(PACE, None, elapsed, chance) == wait


@pytest.mark.parametrize("found", [None, known(2_000), known(*around(60_000, 0.2, 24))])
def test_a_slower_pack_is_never_hurried(found: Durations | None) -> None:
    """A pack that asks for half a minute between looks gets it, whatever is known and however chance falls."""
    slow = Pace(first=30_000, every=30_000, deadline=900_000)
    for chance in (0.0, 1.0):
        moments = [0, *looks(slow, found, 400_000, chance)]
        assert min(b - a for a, b in pairwise(moments)) >= 30_000


@given(st.integers(0, 60_000), st.integers(0, 70_000), st.floats(0, 1))
def test_one_first_look_is_enough(first: int, elapsed: int, chance: float) -> None:
    """After the first wait the job has run at least as long as the pack says, so no second look comes right behind."""
    wait = next_look(Pace(first, 1_000, 900_000), None, elapsed, chance)
    assert elapsed + wait >= first
    assert wait >= (1 if elapsed < first else 1_000)


def test_looks_come_where_ends_are_likely() -> None:
    """The first when few jobs have ended, the next ones close around the middle, few for the whole of it."""
    durations = around(60_000, 0.25, 24)
    moments = looks(EAGER, known(*durations), max(durations))
    assert 0 < sum(ms < moments[0] for ms in durations) <= 24 // 4
    gaps = [b - a for a, b in pairwise(moments)]
    assert all(gap <= 0.17 * start for start, gap in zip(moments, gaps, strict=False))
    assert sum(moment < median(durations) for moment in moments) <= 4


def test_two_lengths_are_two_places_to_look() -> None:
    """Where half the jobs take one minute and half take two, hardly anyone looks in between."""
    durations = [ms for pair in zip(around(60_000, 0.05, 12), around(120_000, 0.05, 12), strict=True) for ms in pair]
    moments = looks(EAGER, known(*durations), 140_000)
    between = sum(75_000 < moment < 100_000 for moment in moments)
    assert between <= 2
    assert all(sum(abs(moment - place) < 12_000 for moment in moments) >= 2 for place in (60_000, 120_000))


def test_a_job_slower_than_any_known_is_looked_at_for_ever_but_less_and_less() -> None:
    """Past everything known the waits grow with the time run, up to two minutes."""
    found = known(*around(20_000, 0.2, 24))
    waits = [next_look(PACE, found, elapsed, 0.5) for elapsed in (60_000, 300_000, 1_200_000, 100_000_000)]
    assert waits == [6_000, 30_000, 120_000, 5_000_000]


def test_nobody_waits_half_an_hour_for_a_first_look() -> None:
    """A job that fails at once is not found out only when it would have been done: two minutes, then as long again as it has run."""
    moments = looks(PACE, known(*around(1_800_000, 0.1, 24)), 1_400_000)
    assert moments[:3] == [120_000, 240_000, 480_000]


@given(
    st.lists(st.integers(1, 10_000_000), min_size=1, max_size=40),
    st.integers(0, 20_000_000),
    st.floats(0, 1),
    st.integers(1, 60_000),
)
def test_every_wait_is_of_use_and_ends(durations: list[int], elapsed: int, chance: float, every: int) -> None:
    """Whatever was learned: no closer than the provider allows nor than tells anything new, and never without end."""
    least = max(every, 250, elapsed // 20)
    wait = next_look(Pace(1, every, 900_000), known(*durations), elapsed, chance)
    assert least <= wait <= max(least, 120_000, elapsed)


def test_jobs_begun_together_are_not_looked_at_together() -> None:
    """A hundred first looks lie evenly over the width of one wait."""
    found = known(*around(60_000, 0.15, 24))
    firsts = sorted(next_look(EAGER, found, 0, n / 99) for n in range(100))
    assert firsts[-1] - firsts[0] > 5_000
    assert max(b - a for a, b in pairwise(firsts)) < 1_000


@pytest.mark.parametrize(
    ("seen", "found", "ms"), [(90_000, 100_000, 95_000), (0, 100_000, 82_500), (100_000, 100_000, 100_000), (0, 0, 0)]
)
def test_an_end_was_between_two_looks(seen: int, found: int, ms: int) -> None:
    """Half-way; but where there was no look before, not much earlier than it was found."""
    assert ran(seen, found) == ms


@pytest.mark.parametrize(("middle", "sigma"), [(5_000, 0.15), (20_000, 0.25), (120_000, 0.35)])
def test_learning_stays_true(middle: int, sigma: float) -> None:
    """Five hundred jobs on, what is taken for their durations is neither longer nor shorter than they were."""
    dice, found, errors = random.Random(5), None, []
    for ms in around(middle, sigma, 500):
        before = now = 0
        while now < ms:
            before, now = now, now + next_look(EAGER, found, now, dice.random())
        taken = ran(before, now)
        errors.append(math.log(taken / ms))
        found = learned(found, taken)
    assert abs(fmean(errors[:250])) < 0.025
    assert abs(fmean(errors[250:])) < 0.025


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_model_that_changes_is_followed(factor: float) -> None:
    """Forty jobs after they became twice as fast or slow, nothing is left of what they were."""
    dice, found = random.Random(5), known(*around(40_000, 0.2, 24))
    for ms in around(40_000 * factor, 0.2, 40):
        before = now = 0
        while now < ms:
            before, now = now, now + next_look(PACE, found, now, dice.random())
        found = learned(found, ran(before, now))
    assert found is not None
    assert 0.85 < median(found.all.recent) / (40_000 * factor) < 1.15


def test_each_kind_is_known_by_itself() -> None:
    """Provider, model and form each make another kind, and nothing is known of any at first."""
    paces = Paces()
    paces.note("a", "lab/m", 0, 1_000)
    paces.note("a", "lab/m", 0, 2_000)
    assert paces.of("a", "lab/m", 0) == known(1_000, 2_000)
    assert [paces.of(*other) for other in (("b", "lab/m", 0), ("a", "lab/n", 0), ("a", "lab/m", 1))] == [None] * 3


def test_what_is_known_stays_small() -> None:
    """So many kinds and no more, the one not heard of for longest going first; and of each its latest jobs, in about two KiB."""
    paces = Paces(most=3)
    for model in ("a", "b", "c", "a", "d"):
        paces.note("p", model, 0, 1_000)
    assert [model for model in "abcd" if paces.of("p", model, 0)] == ["a", "c", "d"]
    found = known(*around(300_000, 0.3, 1_000))
    assert found is not None
    assert size(found) < 2_000
    for n, ms in enumerate(around(300_000, 0.3, 200)):
        waited, shares = (0, 40_000)[n % 2], tuple((60_000 + share, share / 1_000) for share in range(1, 999, 50))
        found = learned(found, ms, Heard(waited, 50_000, shares, is_news=True))
    assert size(found) < 8_000


def test_what_nearly_all_take_is_known_after_five() -> None:
    """Of few it is the longest, of twenty-four the last but one; of fewer than five nothing is said."""
    assert nearly_all(None) is None
    assert nearly_all(known(*[1_000] * 4)) is None
    assert nearly_all(known(1_000, 9_000, 1_000, 1_000, 1_000)) == 9_000
    assert nearly_all(known(*range(1_000, 25_000, 1_000))) == 23_000


def test_what_half_of_them_take() -> None:
    """One that was very long does not count for more than another."""
    assert half(None) == 0
    assert half(known(1_000, 2_000, 90_000)) == 2_000
