"""When a provider may be called that takes only so many calls a second. All in seconds.

Gaps are even: a cap that let a second's worth go at once would be heard as twice the rate wherever two such seconds meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_IN_A_ROW = 3  # urgent calls that go before a look that waits; without an end to it no job would be seen to end
_NEAR = 0.999  # of a gap: what counts in floats may never be nearer


@dataclass(frozen=True, slots=True)
class Gone:
    """When the last call had its turn, when the last was sent, and how many urgent ones in a row went past others that waited."""

    last: float | None = None
    sent: float | None = None
    in_a_row: int = 0


def opens(gone: Gone, rate: float, now: float) -> float:
    """The next moment a call may go out, at `rate` calls a second."""
    return now if gone.last is None else max(now, gone.last + 1 / rate)


def is_urgents_turn(gone: Gone, urgent: int, others: int) -> bool:
    """Whether an urgent call goes next, of so many that wait of each sort."""
    return urgent > 0 and (others == 0 or gone.in_a_row < _IN_A_ROW)


def went(gone: Gone, now: float, *, is_urgent: bool, others: int) -> Gone:
    """Take note of a call that has its turn while so many wait that are not urgent."""
    return Gone(now, gone.sent, gone.in_a_row + 1 if is_urgent and others > 0 else 0)


def sent(gone: Gone, now: float) -> Gone:
    """Take note that a call is sent: a submit is written down between its turn and that, and the next keeps its distance."""
    return replace(gone, last=now, sent=now)


def is_too_soon(gone: Gone, rate: float, now: float) -> bool:
    """Whether a call that had its turn has come too near another: what writes it down may hold up several, and let all go at once."""
    return gone.sent is not None and now < gone.sent + _NEAR / rate


def wait(gone: Gone, rate: float, urgent: int, others: int, now: float) -> float:
    """How long one more urgent call would wait behind those that do."""
    between = min(others, (gone.in_a_row + urgent) // _IN_A_ROW)
    return opens(gone, rate, now) - now + (urgent + between) / rate
