"""Trouble that is a provider's as a whole, and the way to its status calls."""

from __future__ import annotations

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.routing import breaker
from gateway.routing.health import WHOLE, Health
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Kind
from tests.gateway.routing.trials import MODEL, OTHER, SEVERAL, THIRD, UNREACHED, A, B, ask, fail, fault, sent, why


def test_a_provider_nobody_answers_at_rests_with_all_its_models() -> None:
    """Five calls in a row that were not sent, to whatever models, are the provider's trouble."""
    health = Health()
    for number in range(5):
        fail(health, FaultKind.PROVIDER_ERROR, number, model=f"lab/{number}", reach=Reach.UNSENT)
    assert why(health, 5, model=THIRD) == UNREACHED
    assert why(health, 5, B) is None


@pytest.mark.parametrize("reach", [Reach.REFUSED, Reach.UNSURE])
def test_any_answer_says_that_the_provider_can_be_reached(reach: Reach) -> None:
    """An error, or an answer that was lost, breaks the row."""
    health = Health()
    for number in range(40):
        unreached = number % 5 != 4
        model = f"lab/{number}"
        fail(health, FaultKind.PROVIDER_ERROR, number * 60_001, model=model, reach=Reach.UNSENT if unreached else reach)
        assert why(health, number * 60_001 + 1, model=THIRD) is None


def test_a_provider_that_answers_again_closes() -> None:
    """Two probes that reach it are enough, though it refuses them."""
    health = Health()
    fail(health, FaultKind.TIMEOUT, 0, times=5, reach=Reach.UNSENT)
    for number in range(2):
        trial = sent(health, 30_000 + number, THIRD)
        assert not ask(health, 30_000 + number, OTHER)
        health.failed(trial, fault(FaultKind.INVALID_INPUT), 30_000 + number, 0)
    assert why(health, 30_002, model=THIRD) is None


def test_a_bad_input_that_was_never_sent_says_nothing_of_the_line() -> None:
    """It was not the provider who could not be reached."""
    health = Health()
    fail(health, FaultKind.INPUT_UNREADABLE, 0, times=50, reach=Reach.UNSENT)
    assert health.breaker(Kind.PROVIDER, A, WHOLE) == breaker.CLOSED


def test_two_models_at_rest_are_the_providers_trouble() -> None:
    """Every other model rests as well, until the first of the two may be asked again."""
    health = Health()
    fail(health, FaultKind.OVERLOADED, 0, times=5)
    assert why(health, 1, model=THIRD) is None
    fail(health, FaultKind.PROVIDER_ERROR, 10_000, times=5, model=OTHER, reach=Reach.ACCEPTED)
    assert health.standing(A, THIRD, 10_000) == Standing(Why.RESTING, SEVERAL, 30_000)
    assert not ask(health, 29_999, THIRD)
    assert why(health, 30_000, model=THIRD) is None
    assert why(health, 10_000, B) is None


def test_one_model_with_two_breakers_open_is_one_model() -> None:
    """Its submits and its jobs are no two models."""
    health = Health()
    fail(health, FaultKind.OVERLOADED, 0, times=5)
    fail(health, FaultKind.OVERLOADED, 0, times=5, reach=Reach.ACCEPTED)
    assert why(health, 1, model=THIRD) is None


def test_of_three_models_at_rest_two_have_to_come_back_first() -> None:
    """Until then at least two are at rest."""
    health = Health()
    for number, model in enumerate((MODEL, OTHER, "lab/fourth")):
        fail(health, FaultKind.OVERLOADED, number * 1_000, times=5, model=model)
    standing = health.standing(A, THIRD, 3_000)
    assert standing is not None
    assert standing.until == 31_000


def test_models_a_provider_does_not_have_are_not_its_trouble() -> None:
    """A word of the provider about one model is none about the others."""
    health = Health()
    for model in (MODEL, OTHER):
        fail(health, FaultKind.NOT_SERVED, 0, model=model)
    assert why(health, 1, model=THIRD) is None


def test_a_model_that_probes_is_at_rest_no_more() -> None:
    """As soon as one of two is half open the others may be asked."""
    health = Health()
    for model in (MODEL, OTHER):
        fail(health, FaultKind.OVERLOADED, 0, times=5, model=model)
    health.submitted(sent(health, 30_000), 30_001)
    assert why(health, 30_001, model=THIRD) is None


def test_looks_that_do_not_arrive_bar_nothing() -> None:
    """They make further ones slower and are told, and the provider may be asked all the same."""
    health = Health()
    for number in range(20):
        health.looked(A, fault(FaultKind.TIMEOUT, reach=Reach.UNSURE), number)
    assert health.paths.slower(A) > 1
    assert why(health, 20) is None
    assert [(each.kind, each.standing) for each in health.changes()] == [(Kind.PATH, breaker.Standing.OPEN)]
    assert [each.kind for each in health.seen(20)] == [Kind.PATH]


@pytest.mark.parametrize(("status", "slower"), [(404, 1), (429, 1), (499, 1), (500, 3), (503, 3)])
def test_only_errors_of_the_providers_own_make_a_path_broken(status: int, slower: int) -> None:
    """What it refuses has arrived there."""
    health = Health()
    for number in range(20):
        health.looked(A, Fault(FaultKind.PROVIDER_ERROR, Reach.ACCEPTED, "no", status=status), number)
    assert health.paths.slower(A) == slower
