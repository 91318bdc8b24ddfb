"""How a generation that failed is summed up, and what its attempts may have cost."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gateway.attempts.decide import Reason
from gateway.fault import PERMITS, Again, Effect, Fault, FaultKind, Following, Reach, Whose
from gateway.ingress.refusal import CODES, OF_ENDING, OF_FAULT
from gateway.outcome import AttemptState, Billing, Ending, Output, ProviderError, billing_after, ending

PACKAGE = Path(__file__).parents[2] / "gateway"
RETRYABLE = {
    FaultKind.RATE_LIMITED,
    FaultKind.OVERLOADED,
    FaultKind.PROVIDER_ERROR,
    FaultKind.TIMEOUT,
    FaultKind.LOST,
    FaultKind.UNREADABLE,
    FaultKind.OUTPUT_LOST,
}


def errors(*kinds: FaultKind) -> list[ProviderError]:
    return [ProviderError(f"p{n}", Fault(kind, Reach.REFUSED, f"said {n}")) for n, kind in enumerate(kinds)]


def endings() -> set[str]:
    """Every name that the package ends a generation with, read from its source."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Ending"
    )
    names = [call.args[0] for call in calls]
    assert all(isinstance(name, ast.Constant) for name in names)
    return {name.value for name in names if isinstance(name, ast.Constant)}


def test_every_ending_has_a_code() -> None:
    """What a generation ends with has a row for the caller, except a defect of ours, which is what no row means."""
    found = endings()
    assert {"submit_in_doubt", "all_providers_failed", "storage_failed"} <= found
    assert found - {"internal_error"} == set(OF_ENDING)
    assert set(OF_ENDING.values()) <= set(CODES)


def test_every_fault_has_a_code() -> None:
    """The caller hears of each kind of fault by a code of the table."""
    assert set(OF_FAULT) == set(FaultKind)
    assert set(OF_FAULT.values()) <= set(CODES)


def test_every_fault_says_whose_it_is() -> None:
    """Callers mend their input, operators their credentials, and all else is the provider's and may pass."""
    callers = {kind for kind, permit in PERMITS.items() if permit.whose is Whose.CALLER}
    operators = {kind for kind, permit in PERMITS.items() if permit.whose is Whose.OPERATOR}
    assert callers == {FaultKind.INVALID_INPUT, FaultKind.INPUT_UNREADABLE, FaultKind.CONTENT_BLOCKED}
    assert operators == {FaultKind.NOT_SERVED, FaultKind.UNAUTHORIZED, FaultKind.OUT_OF_CREDIT}
    assert {kind for kind, permit in PERMITS.items() if permit.retryable} == set(FaultKind) - callers - operators


def test_every_permission_is_used() -> None:
    """No word of the table is without a kind of fault."""
    permits = list(PERMITS.values())
    assert {permit.again for permit in permits} == set(Again)
    assert {permit.following for permit in permits} == set(Following)
    assert {permit.breaker for permit in permits} == set(Effect)


@pytest.mark.parametrize(
    ("kinds", "reason", "name", "retryable"),
    [
        ((FaultKind.TIMEOUT,), Reason.IN_DOUBT, "submit_in_doubt", False),
        ((FaultKind.CONTENT_BLOCKED,), Reason.IN_DOUBT, "submit_in_doubt", False),
        ((FaultKind.CONTENT_BLOCKED,), Reason.REFUSED, "content_refused", False),
        ((FaultKind.OVERLOADED, FaultKind.CONTENT_BLOCKED), Reason.REFUSED, "content_refused", False),
        ((FaultKind.CONTENT_BLOCKED, FaultKind.CONTENT_BLOCKED), Reason.EXHAUSTED, "content_refused", False),
        ((FaultKind.CONTENT_BLOCKED, FaultKind.OVERLOADED), Reason.EXHAUSTED, "all_providers_failed", True),
        ((FaultKind.INVALID_INPUT,), Reason.EXHAUSTED, "input_refused", False),
        ((FaultKind.INVALID_INPUT, FaultKind.INPUT_UNREADABLE), Reason.LATE, "input_refused", False),
        ((FaultKind.INVALID_INPUT, FaultKind.UNAUTHORIZED), Reason.EXHAUSTED, "all_providers_failed", False),
        ((FaultKind.TIMEOUT,), Reason.LATE, "deadline_passed", True),
        ((FaultKind.UNAUTHORIZED,), Reason.LATE, "deadline_passed", False),
        ((), Reason.LATE, "deadline_passed", False),
        ((), Reason.EXHAUSTED, "no_provider", True),
    ],
)
def test_faults_are_summed_up(kinds: tuple[FaultKind, ...], reason: Reason, name: str, retryable: bool) -> None:  # noqa: FBT001 - a column of the table
    """The reason and the kinds of all faults together name the ending; one that may pass makes it worth asking again."""
    found = ending(errors(*kinds), reason)
    assert (found.name, found.retryable) == (name, retryable)
    assert found.message


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if PERMITS[kind].whose is not Whose.CALLER])
def test_a_lone_fault_is_worth_asking_again_when_it_may_pass(kind: FaultKind) -> None:
    """What the provider can mend may pass, what the operator must mend does not."""
    assert ending(errors(kind), Reason.EXHAUSTED).retryable is (kind in RETRYABLE)


def test_the_ending_says_who_failed_and_how() -> None:
    """Every provider is named with its fault; refused input is told in the provider's last words."""
    found = ending(errors(FaultKind.OVERLOADED, FaultKind.UNAUTHORIZED), Reason.EXHAUSTED)
    assert found == Ending(
        "all_providers_failed", "every provider failed: p0: overloaded; p1: unauthorized", retryable=True
    )
    refused = ending(errors(FaultKind.INVALID_INPUT, FaultKind.INVALID_INPUT), Reason.EXHAUSTED)
    assert refused.message == "the input was refused: said 1"


@pytest.mark.parametrize(
    ("reach", "billing"),
    [
        (Reach.UNSENT, Billing.NONE),
        (Reach.REFUSED, Billing.NONE),
        (Reach.UNSURE, Billing.POSSIBLE),
        (Reach.ACCEPTED, Billing.POSSIBLE),
    ],
)
def test_what_got_far_enough_may_be_billed(reach: Reach, billing: Billing) -> None:
    """From how far a call got follows whether the provider may charge for it."""
    assert billing_after(Fault(FaultKind.TIMEOUT, reach, "too late")) is billing


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("reach", Reach)
def test_only_work_that_was_done_is_billed_for_certain(kind: FaultKind, reach: Reach) -> None:
    """A job that was done and gave nothing that can be had is charged for; nothing else is known so well."""
    done = reach is Reach.ACCEPTED and kind in {FaultKind.OUTPUT_LOST, FaultKind.UNREADABLE}
    assert (billing_after(Fault(kind, reach, "x")) is Billing.CERTAIN) is done


def test_an_output_is_fit_to_be_shown_unless_the_provider_flags_it() -> None:
    """What a provider says nothing about is not flagged."""
    assert not Output(url="https://x.example/1.png").flagged


def test_an_attempt_is_open_until_it_ends() -> None:
    """Three states are open, and every other is an end."""
    assert {state for state in AttemptState if state.is_open} == {
        AttemptState.SUBMITTING,
        AttemptState.SUBMITTED,
        AttemptState.STORING,
    }
