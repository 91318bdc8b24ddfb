"""When a request is taken for an earlier one sent again."""

from __future__ import annotations

from gateway.ingress.repeats import AGAIN, DROPPED, Repeats
from gateway.ledger.generations import Lately

BEGAN = 1_000_000
LATER = BEGAN + 10 * DROPPED  # the process has run for a while


def covers(span: Lately, made: int, ended: int | None = None) -> bool:
    """Whether a generation of that time is meant."""
    return span.after < made < span.before and (ended is None or ended >= span.ended)


def test_a_first_request_means_none() -> None:
    """Equal requests one after the other are as many requests."""
    repeats = Repeats(BEGAN)
    assert not covers(repeats.span("n", LATER, says_again=False), LATER - 5)


def test_what_says_it_was_sent_again_means_the_latest() -> None:
    """One under way, or one that ended while a client may still have waited for it; not one that ended long ago."""
    span = Repeats(BEGAN).span("n", LATER + AGAIN, says_again=True)
    assert covers(span, LATER)
    assert covers(span, BEGAN, ended=LATER)
    assert not covers(span, BEGAN, ended=LATER - 1)


def test_after_a_refusal_what_comes_again_begins() -> None:
    """What was refused has begun nothing, so its repetition does not mean what was made before it."""
    repeats = Repeats(BEGAN)
    repeats.refuse("n", LATER)
    span = repeats.span("n", LATER + 10, says_again=True)
    assert not covers(span, LATER - 1)
    assert covers(span, LATER + 5)


def test_a_lost_connection_is_asked_for_once() -> None:
    """Whoever comes first after it was lost is taken for who lost it, under way or ended; whoever comes next is not."""
    repeats, gone = Repeats(BEGAN), [False]
    visit = repeats.enter("n", lambda: gone[0])
    assert not covers(repeats.span("n", LATER, says_again=False), LATER - 1)
    gone[0] = True
    assert covers(repeats.span("n", LATER, says_again=False), LATER - 1)
    assert not covers(repeats.span("n", LATER, says_again=False), LATER - 1)
    repeats.leave(visit, LATER)
    assert not covers(repeats.span("n", LATER + 1, says_again=False), LATER - 1), "it was asked for already"


def test_a_connection_lost_a_while_ago_is_forgotten() -> None:
    """Thirty seconds after it somebody else may want the same."""
    repeats = Repeats(BEGAN)
    repeats.leave(repeats.enter("n", lambda: True), LATER)
    repeats.leave(repeats.enter("other", lambda: True), LATER)
    assert covers(repeats.span("n", LATER + DROPPED - 1, says_again=False), LATER - 1)
    assert not covers(repeats.span("other", LATER + DROPPED, says_again=False), LATER - 1)


def test_who_was_answered_has_lost_nothing() -> None:
    """A connection that was there at the end carries the answer."""
    repeats = Repeats(BEGAN)
    repeats.leave(repeats.enter("n", lambda: False), LATER)
    assert not covers(repeats.span("n", LATER + 1, says_again=False), LATER - 1)


def test_a_restart_lost_every_connection() -> None:
    """Soon after the process began, what was under way before it is what is asked for; what is younger is not."""
    repeats = Repeats(BEGAN)
    span = repeats.span("n", BEGAN + 5, says_again=False)
    assert covers(span, BEGAN - 100)
    assert covers(span, BEGAN - 100, ended=BEGAN + 2)
    assert not covers(span, BEGAN - 100, ended=BEGAN - 1)
    assert not covers(span, BEGAN + 1)
