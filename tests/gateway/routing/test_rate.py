"""When the next call may go out to a provider that takes only so many a second."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.rate import Gone, is_too_soon, is_urgents_turn, opens, wait, went
from gateway.routing.rate import sent as sent_at


def sent(rate: float, urgent: int, others: int) -> list[tuple[float, bool]]:
    """Give the moments at which calls that all wait from 0 on go out, and whether each was an urgent one."""
    gone, now, moments = Gone(), 0.0, []
    while urgent or others:
        now = opens(gone, rate, now)
        is_urgent = is_urgents_turn(gone, urgent, others)
        gone = went(gone, now, is_urgent=is_urgent, others=others)
        urgent, others = urgent - is_urgent, others - (not is_urgent)
        moments.append((now, is_urgent))
    return moments


def test_the_first_call_goes_at_once() -> None:
    """And so does one after a long silence."""
    assert opens(Gone(), 2, 7.0) == 7.0
    assert opens(Gone(last=1.0), 2, 7.0) == 7.0


def test_the_next_one_waits_its_part_of_a_second() -> None:
    """Half a second at two a second, two seconds at one in two."""
    assert opens(Gone(last=7.0), 2, 7.1) == 7.5
    assert opens(Gone(last=7.0), 0.5, 7.1) == 9.0


@given(rate=st.floats(0.01, 200), urgent=st.integers(0, 60), others=st.integers(0, 60))
def test_no_span_holds_more_than_the_rate(rate: float, urgent: int, others: int) -> None:
    """Whatever waits: within any second go out as many as the rate says, and one more on its edge."""
    moments = [at for at, _ in sent(rate, urgent, others)]
    assert len(moments) == urgent + others
    assert max((bisect_right(moments, at + 1) - n for n, at in enumerate(moments)), default=0) <= rate + 1.001


def test_urgent_calls_go_first() -> None:
    """While only a few of them wait, all go before the looks."""
    assert [is_urgent for _, is_urgent in sent(1, 3, 2)] == [True, True, True, False, False]


def test_looks_are_not_starved() -> None:
    """Of many that wait every fourth is a look: otherwise no job would be seen to end."""
    order = [is_urgent for _, is_urgent in sent(1, 7, 2)]
    assert order == [True, True, True, False, True, True, True, False, True]


@pytest.mark.parametrize("others", [0, 1, 5])
@pytest.mark.parametrize("urgent", [0, 1, 4, 9])
def test_the_wait_is_foreseen(urgent: int, others: int) -> None:
    """What is said to the last of the urgent ones is when it goes."""
    goes = [at for at, is_urgent in sent(4, urgent + 1, others) if is_urgent][-1]
    assert wait(Gone(), 4, urgent, others, 0.0) == pytest.approx(goes)


def test_one_that_is_sent_late_keeps_the_next_at_a_distance() -> None:
    """What counts is when calls are sent, not when they had their turn."""
    late = sent_at(went(Gone(), 0.0, is_urgent=True, others=0), 0.3)
    assert opens(late, 1, 0.4) == 1.3
    assert is_too_soon(late, 1, 1.2)
    assert not is_too_soon(late, 1, 1.3)
    assert not is_too_soon(Gone(last=1.0), 1, 1.1)
