"""Every kind of fault, however far it got, concerns one breaker or none: the whole table, written out."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.routing.signal import Kind, concerned

# By kind of fault: unsent, refused, unsure, accepted. `-` none, `s` submit, `j` job, `c` credential.
TABLE: dict[FaultKind, str] = {
    FaultKind.INVALID_INPUT: "----",
    FaultKind.INPUT_UNREADABLE: "----",
    FaultKind.CONTENT_BLOCKED: "----",
    FaultKind.NOT_SERVED: "sssj",
    FaultKind.UNAUTHORIZED: "cccc",
    FaultKind.OUT_OF_CREDIT: "cccc",
    FaultKind.RATE_LIMITED: "----",
    FaultKind.OVERLOADED: "sssj",
    FaultKind.PROVIDER_ERROR: "sssj",
    FaultKind.TIMEOUT: "sssj",
    FaultKind.LOST: "sssj",
    FaultKind.UNREADABLE: "sssj",
    FaultKind.OUTPUT_LOST: "sssj",
}
REACHES = (Reach.UNSENT, Reach.REFUSED, Reach.UNSURE, Reach.ACCEPTED)
SIGNS = {"-": None, "s": Kind.SUBMIT, "j": Kind.JOB, "c": Kind.CREDENTIAL}


def test_the_table_is_whole() -> None:
    """A kind of fault or a reach that is added has to be given its row here."""
    assert set(TABLE) == set(FaultKind)
    assert set(REACHES) == set(Reach)


@pytest.mark.parametrize(("kind", "place"), list(product(FaultKind, range(len(REACHES)))))
def test_a_fault_concerns_one_breaker(kind: FaultKind, place: int) -> None:
    """Where the job was accepted it is the job's; where the one answer is the whole job there is only the submit's."""
    fault = Fault(kind, REACHES[place], "something went wrong")
    expected = SIGNS[TABLE[kind][place]]
    assert concerned(fault, immediate=False) is expected
    assert concerned(fault, immediate=True) is (Kind.SUBMIT if expected is Kind.JOB else expected)
