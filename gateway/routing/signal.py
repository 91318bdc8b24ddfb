"""Which breaker an outcome concerns: a job of ten minutes must not share a window with a submit of 200 ms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.fault import Effect, Fault, Reach
from gateway.routing.breaker import PROBE


class Kind(StrEnum):
    """What a breaker watches."""

    SUBMIT = "submit"  # how an offer takes requests
    JOB = "job"  # what becomes of the jobs that an offer took
    CREDENTIAL = "credential"  # whether the provider knows us
    PROVIDER = "provider"  # whether the provider can be reached at all, over all its models
    PATH = "path"  # the way to its status calls; it slows the looks and bars nothing
    HELD = "held"  # the operator's hand, in place of all that bars


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt as the breakers see it: whom it asks, and since when.

    With `immediate` its one answer is the whole job; `spilled` is work that another provider failed at. Times in ms: a probe
    gives its place up after `answer` without an answer to its submit, or `job` without an end. It is made for `account`.
    """

    provider: str
    model: str
    began: int
    immediate: bool = False
    spilled: bool = False
    answer: int = PROBE
    job: int = PROBE
    account: str = ""


def concerned(fault: Fault, *, immediate: bool) -> Kind | None:
    """The breaker a fault counts for, by its kind and by how far it got; None when it says nothing of the provider."""
    match fault.permits.breaker:
        case Effect.NONE | Effect.PAUSE:
            return None
        case Effect.OPEN_CREDENTIAL:
            return Kind.CREDENTIAL
        case Effect.COUNT | Effect.OPEN:
            return Kind.JOB if fault.reach is Reach.ACCEPTED and not immediate else Kind.SUBMIT
