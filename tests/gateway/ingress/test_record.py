"""A stored generation in native words, without a store."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.fault import FaultKind
from gateway.generation import Kind, State
from gateway.ingress.record import STATUS, failure, record, whole
from gateway.ingress.refusal import OF_ENDING
from gateway.ledger.records import Artifact, Attempt, Record
from gateway.outcome import AttemptState, Billing


def row(**changes: Any) -> Record:
    """A generation just accepted."""
    fields: dict[str, Any] = {
        "id": "g1",
        "account": "acme",
        "kind": Kind.IMAGE,
        "model": "lab/model",
        "request": {"prompt": "a seal"},
        "plan": {
            "steps": [
                {"provider": "one", "dropped": ["seed"], "price": 40_000},
                {"provider": "two", "dropped": [], "price": 30_000},
            ],
            "excluded": [],
        },
        "adjustments": [],
        "order": ("one", "two"),
        "state": State.ACCEPTED,
        "price": 40_000,
        "settled": None,
        "provider_used": None,
        "prediction": None,
        "error": None,
        "created": 1000,
        "changed": 1000,
        "started": None,
        "ended": None,
        "deadline": 9000,
        "removed": None,
        "artifacts": (),
        "attempts": (),
    }
    return Record(**{**fields, **changes})


def link(generation: str, artifact: Artifact) -> str:
    """A plain link."""
    return f"https://x/{generation}/{artifact.index}"


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_native_word(state: State) -> None:
    """Clients poll on until they read one of three words, so each state needs one of the five."""
    assert STATUS[state] in {"pending", "processing", "succeeded", "failed", "canceled"}
    assert (STATUS[state] in {"succeeded", "failed", "canceled"}) == state.is_final


def test_what_the_serving_provider_left_out_is_told() -> None:
    """Dropped fields are those of the provider that served, in native words."""
    served = {"state": State.SUCCEEDED, "settled": 40_000, "ended": 2500}
    assert record(row(**served, provider_used="one"), link)["generation_adjustments"] == [
        {"field": "generation_seed", "provider": "one", "action": "dropped"}
    ]
    assert record(row(**served, provider_used="two"), link)["generation_adjustments"] == []


def test_files_are_there_with_success_only() -> None:
    """Outputs of anything but a success are never shown."""
    files = (Artifact(0, "file:x", "ab", 3, "image/png", 1, 1),)
    for state in State:
        shown = record(row(state=state, artifacts=files, error={}), link)["generation_output_file"]
        assert shown == (["https://x/g1/0"] if state is State.SUCCEEDED else None)


@pytest.mark.parametrize("name", [*OF_ENDING, "never heard of", None])
def test_every_end_can_be_told(name: str | None) -> None:
    """Each way to fail becomes an error, and so does one that is not in the table or holds nothing."""
    error = {"name": name, "message": "it failed", "retryable": True} if name else {}
    told = failure(row(state=State.FAILED, error=error, ended=2000))
    assert told.code.status >= 400
    assert told.retryable is bool(name)
    assert told.details == {"generation_id": "g1"}


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_can_be_told(kind: FaultKind) -> None:
    """Each fault of an attempt has a code for the caller."""
    attempt = Attempt(
        id=1, generation="g1", n=1, provider="one", native="m", form=0, state=AttemptState.ERROR, ref=None, kept=None,
        outputs=None, fault={"kind": kind.value, "reach": "refused", "message": "no"}, price=5, billing=Billing.NONE,
        cost=None, won=False, double_spend=False, started=1000, submitted=None, ended=1500,
    )  # fmt: skip
    [shown] = whole(row(attempts=(attempt,)), link)["generation_attempts"]
    assert shown["error"]["code"].startswith("BSE")
    assert shown["error"]["message"] == "no"
