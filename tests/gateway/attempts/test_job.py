"""A job is read back from what was written at acceptance and from its attempts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.attempts.job import Job, accepted, fault_of, fault_row, from_record
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind, State
from gateway.ledger.records import Attempt, Record
from gateway.outcome import AttemptState, Billing, ProviderError
from gateway.routing.plan import Step
from gateway.routing.policy import Patience

STEPS = (Step("a", 0, "native/a", 40_000, ("seed",)), Step("b", 1, "native/b", 30_000, ()))
PLAN = {
    "steps": [{**asdict(step), "dropped": list(step.dropped)} for step in STEPS],
    "excluded": [{"provider": "c", "why": "misfit", "reason": "seed is not offered"}],
    "attempts": 3,
    "follow_refusal": True,
    "in_doubt_max_cost": 100_000,
}
REQUEST = {"prompt": "a seal", "images": ["https://x.example/1.png"], "count": 2}
LOST = Fault(FaultKind.LOST, Reach.ACCEPTED, "the job is gone", code="gone", status=404)


def attempt(n: int, provider: str, fault: Fault | None = None) -> Attempt:
    return Attempt(
        id=n,
        generation="g",
        n=n,
        provider=provider,
        native="native",
        form=0,
        state=AttemptState.ERROR if fault else AttemptState.SUBMITTED,
        ref=None,
        kept=None,
        outputs=None,
        fault=fault_row(fault) if fault else None,
        price=40_000,
        billing=Billing.NONE,
        cost=None,
        won=False,
        double_spend=False,
        started=0,
        submitted=None,
        ended=None,
    )


def record(*attempts: Attempt) -> Record:
    return Record(
        id="g",
        account="acme",
        kind=Kind.IMAGE,
        model="lab/model",
        request=json.loads(json.dumps(REQUEST)),
        plan=json.loads(json.dumps(PLAN)),
        adjustments=(),
        order=("a", "b"),
        state=State.RUNNING,
        price=40_000,
        settled=None,
        provider_used=None,
        prediction=None,
        error=None,
        created=1_000,
        changed=1_000,
        started=None,
        ended=None,
        deadline=301_000,
        removed=None,
        artifacts=(),
        attempts=attempts,
    )


def job(**request: Any) -> Job:
    return accepted("g", "acme", Kind.IMAGE, "lab/model", request, PLAN, created=1_000, deadline=301_000)


def test_a_job_is_what_was_accepted() -> None:
    """Lists become tuples again, steps records, and what was pinned is kept."""
    expected = Job(
        id="g",
        account="acme",
        kind=Kind.IMAGE,
        model="lab/model",
        fields={"prompt": "a seal", "images": ("https://x.example/1.png",), "count": 2},
        steps=STEPS,
        allowed=3,
        follow_refusal=True,
        in_doubt_max_cost=100_000,
        created=1_000,
        deadline=301_000,
    )
    assert job(**REQUEST) == expected
    assert from_record(record()) == expected


def test_a_job_that_was_never_tried_begins_at_nothing() -> None:
    """No attempt made, nobody tried, nothing gone wrong, and nothing that a caller or a provider has said since."""
    fresh = from_record(record())
    assert (fresh.made, fresh.tried, fresh.repeated, fresh.errors) == (0, set(), set(), [])
    assert not fresh.resting
    assert not fresh.canceled
    assert not fresh.nudged


def test_attempts_on_record_are_counted() -> None:
    """Who was tried once, who twice, how many in all, and every fault in order; an open attempt has none."""
    timeout = Fault(FaultKind.OVERLOADED, Reach.REFUSED, "busy", pause=2_000)
    taken = from_record(record(attempt(1, "a", timeout), attempt(2, "a", LOST), attempt(3, "b")))
    assert taken.made == 3
    assert taken.tried == {"a", "b"}
    assert taken.repeated == {"a"}
    assert taken.errors == [ProviderError("a", timeout), ProviderError("a", LOST)]


def test_the_number_of_attempts_is_the_highest_on_record() -> None:
    """The order of the rows does not matter."""
    assert from_record(record(attempt(2, "b", LOST), attempt(1, "a", LOST))).made == 2


def test_how_many_outputs_are_asked_for() -> None:
    """The count of the request, and one where it says none or nonsense."""
    assert job(count=4).asked == 4
    assert job().asked == 1
    assert job(count="many").asked == 1


def test_a_step_is_found_by_its_provider() -> None:
    """Each provider of the plan has one step; another has none."""
    assert job().step("b") == STEPS[1]
    assert job().step("c") is None


FAULTS = st.builds(
    Fault,
    st.sampled_from(FaultKind),
    st.sampled_from(Reach),
    st.text(),
    st.none() | st.text(),
    st.none() | st.integers(100, 599),
    st.none() | st.integers(1, 300_000),
)


@given(FAULTS)
def test_a_fault_comes_back_as_it_was_written(fault: Fault) -> None:
    """Through the store and back nothing is lost, and what is not known is not written."""
    row = json.loads(json.dumps(fault_row(fault)))
    assert None not in row.values()
    assert fault_of(from_row(row)) == fault


def from_row(row: dict[str, Any]) -> Attempt:
    return Attempt(**{**asdict(attempt(1, "a")), "fault": row})


def test_the_patience_of_a_job_is_pinned() -> None:
    """What was accepted before it was has none, and is never slow."""
    pinned = {**PLAN, "patience": {"times": 2.5, "least": 10_000}}
    taken = accepted("g", "acme", Kind.IMAGE, "lab/model", REQUEST, pinned, created=1_000, deadline=301_000)
    assert taken.patience == Patience(2.5, 10_000)
    assert job().patience is None
