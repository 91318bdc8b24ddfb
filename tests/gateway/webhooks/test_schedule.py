"""What follows an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.webhooks.schedule import Again, Answered, Arrived, Outcome, Over, Unanswered, after, rest, retry_after

WAITS = (0, 1_000, 4_000, 16_000, 60_000, 300_000)
NOW = 1_764_000_000_000
EVEN = 0.5  # the chance that leaves a wait as it is


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_the_end(status: int) -> None:
    """Every 2xx says that it arrived, also at the last attempt."""
    assert after(Answered(status), 6, WAITS, NOW, EVEN) == Arrived()


@pytest.mark.parametrize(
    "outcome",
    [Answered(status) for status in (100, 301, 302, 307, 308, 400, 401, 404, 409, 500, 502, 503)]
    + [Unanswered("timeout"), Unanswered("blocked_address")],
)
def test_everything_else_is_tried_again(outcome: Outcome) -> None:
    """Redirects, refusals, errors and silence are each tried again after the wait, until there is none left."""
    assert [after(outcome, made, WAITS, NOW, EVEN) for made in range(1, 7)] == [
        *(Again(NOW + wait) for wait in WAITS[1:]),
        Over(),
    ]


def test_gone_is_final() -> None:
    """410 ends it at the first attempt."""
    assert after(Answered(410), 1, WAITS, NOW, EVEN) == Over(gone=True)


@given(made=st.integers(1, 5), chance=st.floats(0, 1))
def test_waits_differ_by_a_fifth(made: int, chance: float) -> None:
    """Chance moves a wait by no more than a fifth either way."""
    found = after(Answered(500), made, WAITS, NOW, chance)
    assert isinstance(found, Again)
    assert 0.8 * WAITS[made] - 1 <= found.at - NOW <= 1.2 * WAITS[made] + 1


@pytest.mark.parametrize(
    ("status", "made", "said", "wait"),
    [
        (429, 1, None, 60_000),
        (429, 5, None, 300_000),
        (429, 1, "90", 90_000),
        (429, 1, "3600", 120_000),
        (429, 1, "1", 60_000),
        (503, 3, "20", 20_000),
        (503, 3, "1", 16_000),
        (503, 3, "99999999", 32_000),
        (503, 3, "soon", 16_000),
        (500, 3, "20", 16_000),
    ],
)
def test_a_receiver_may_ask_for_patience(status: int, made: int, said: str | None, wait: int) -> None:
    """429 waits a minute at least; a Retry-After counts between the usual wait and twice that, where it is due."""
    assert after(Answered(status, said), made, WAITS, NOW, EVEN) == Again(NOW + wait)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (None, None),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("Mon, 24 Nov 2025 16:01:00 GMT", 60_000),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0),
        ("-1", None),
        ("1e9", None),
        ("abc", None),
        ("", None),
        ("12, 13", None),
        ("Mon, 99 Nov 2025 16:00:00 GMT", None),
        ("Mon, 24 Nov 99999999999999999999 16:00:00 GMT", None),
        ("Mon, 24 Nov 2025 16:00:00 +99999999999999999999", None),
        ("٣", None),
    ],
)
def test_forms_of_retry_after(written: str | None, found: int | None) -> None:
    """Seconds and dates are read; a past date is now, and what is neither is nothing."""
    assert retry_after(written, NOW) == found


@given(written=st.text(max_size=40))
def test_any_retry_after_is_harmless(written: str) -> None:
    """Whatever stands there, it is a wait or nothing."""
    found = retry_after(written, NOW)
    assert found is None or found >= 0


def test_rests_grow_to_a_minute() -> None:
    """An endpoint that fails rests as the schedule says, and is found to be back within a minute."""
    assert [rest(WAITS, failures) for failures in (1, 2, 3, 4, 5, 50)] == [1_000, 4_000, 16_000, 60_000, 60_000, 60_000]
    assert rest((0,), 3) == 0
