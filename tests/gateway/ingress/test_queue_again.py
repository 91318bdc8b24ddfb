"""When a request for the queue is one sent again, and when it is one more."""

from __future__ import annotations

import pytest

from gateway.ingress.queue.again import Again


def put(again: Again, now: float, *, as_: str = "first") -> bool:
    """Whether a request at this time is taken for an earlier one; it is answered all the same."""
    is_one = again.is_one("key and body", now)
    again.answered("key and body", as_, now)
    return is_one


def test_pauses_that_double_are_one_request() -> None:
    """As the one client pauses, and as the other does, up to the last time each tries."""
    for pauses in (
        [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8],
        [1.25, 2.5, 5.0],
        [0.15, 0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 19.2, 30.0],
    ):
        again, now = Again(), 100.0
        assert not put(again, now)
        for pause in pauses:
            now += pause
            assert put(again, now), (pauses, pause)


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.04, 2.6, 60.0, 3600.0])
def test_whoever_does_not_pause_so_wants_another(pause: float) -> None:
    """At once, in a row, or much later."""
    again = Again()
    put(again, 100.0)
    assert not put(again, 100.0 + pause)


def test_a_request_that_is_followed_arrived() -> None:
    """Whoever asks how it is doing has its answer, and what is the same comes from somebody who wants more."""
    again = Again()
    put(again, 100.0)
    again.followed("first")
    assert not put(again, 100.1, as_="second")
    again.followed("first")  # long known
    assert again.is_one("key and body", 100.2)


def test_little_is_remembered() -> None:
    """However many come, no more than the latest are known."""
    again = Again()
    for number in range(10_050):
        again.answered(f"name {number}", f"generation {number}", 100.0)
    assert not again.is_one("name 0", 100.1)
    assert again.is_one("name 10049", 100.1)
    assert len(again._answered) <= 10_000
