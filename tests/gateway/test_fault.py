"""The table of faults: every kind permits something, and the rows that money leans on say what they must."""

from __future__ import annotations

import pytest

from gateway.fault import PERMITS, Again, Effect, Fault, FaultKind, Following, Reach, Whose


def test_every_kind_has_its_row():
    """No fault is without an answer to what may follow it."""
    assert set(PERMITS) == set(FaultKind)


@pytest.mark.parametrize("kind", [FaultKind.INVALID_INPUT, FaultKind.INPUT_UNREADABLE, FaultKind.CONTENT_BLOCKED])
def test_what_the_caller_did_is_not_held_against_the_provider(kind: FaultKind):
    """A caller's fault neither opens a breaker nor is worth repeating."""
    permit = PERMITS[kind]
    assert (permit.whose, permit.again, permit.breaker, permit.retryable) == (
        Whose.CALLER,
        Again.NO,
        Effect.NONE,
        False,
    )


def test_only_the_route_lets_refused_content_go_elsewhere():
    """Refused content is the one fault whose next offer is the operator's choice."""
    assert [kind for kind in FaultKind if PERMITS[kind].following is Following.IF_ROUTE_SAYS] == [
        FaultKind.CONTENT_BLOCKED
    ]


def test_a_pause_is_no_failure():
    """Being asked to slow down pauses an offer and is repeated after the pause, nothing else."""
    permit = PERMITS[FaultKind.RATE_LIMITED]
    assert (permit.again, permit.breaker) == (Again.AFTER_PAUSE, Effect.PAUSE)


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.LOST, FaultKind.UNREADABLE, FaultKind.OUTPUT_LOST])
def test_work_that_may_have_been_done_is_not_asked_for_twice(kind: FaultKind):
    """After these a job may have run, so the same offer is not asked again."""
    assert PERMITS[kind].again is Again.NO


def test_a_fault_knows_its_row():
    """A fault leads to what its kind permits."""
    fault = Fault(FaultKind.OVERLOADED, Reach.REFUSED, "busy")
    assert fault.permits is PERMITS[FaultKind.OVERLOADED]
