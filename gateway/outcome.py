"""What came of it: the attempts made, their outputs, and how the generation ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.fault import Fault, FaultKind, Reach


class AttemptState(StrEnum):
    """How far one attempt on one offer has come."""

    SUBMITTING = "submitting"  # written before the first byte leaves
    SUBMITTED = "submitted"  # the provider took it; how to find it again is kept
    STORING = "storing"  # it succeeded at the provider; the outputs are being made ours
    DONE = "done"
    ERROR = "error"
    IN_DOUBT = "in_doubt"  # a job may have begun and can no longer be found
    ABANDONED = "abandoned"  # it may still be running, and nobody waits for it

    @property
    def is_open(self) -> bool:
        """Whether the attempt still goes on."""
        return self in {AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.STORING}


class Billing(StrEnum):
    """What is known about the provider having charged us for an attempt."""

    NONE = "none"
    POSSIBLE = "possible"
    CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class Output:
    """One output as the provider hands it over: a link or the bytes in base64, and what it says about them."""

    url: str | None = None
    b64: str | None = None
    mime: str | None = None
    width: int | None = None
    height: int | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class ProviderError:
    """Why one provider did not serve, as told to the caller."""

    provider: str
    fault: Fault


# What a failed attempt may have cost, by how far its call got: nothing that never began is charged for, all else may be.
BILLING: Mapping[Reach, Billing] = MappingProxyType(
    {
        Reach.UNSENT: Billing.NONE,
        Reach.REFUSED: Billing.NONE,
        Reach.UNSURE: Billing.POSSIBLE,
        Reach.ACCEPTED: Billing.POSSIBLE,
    }
)
# The job was done and what it made cannot be had: that is charged for everywhere.
_DONE = frozenset({FaultKind.OUTPUT_LOST, FaultKind.UNREADABLE})


def billing_after(fault: Fault) -> Billing:
    """Judge from a fault and how far the call got whether the provider charges for the attempt."""
    if fault.reach is Reach.ACCEPTED and fault.kind in _DONE:
        return Billing.CERTAIN
    return BILLING[fault.reach]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a failed generation ends, in words a dialect can put its own code to."""

    name: str
    message: str
    retryable: bool


def ending(errors: Sequence[ProviderError], reason: str) -> Ending:
    """Sum up the faults of a generation that failed; `reason` is why no further attempt is made.

    Asking again makes sense when one of the faults may pass and no job may still be running at our cost.
    """
    may_pass = any(error.fault.permits.retryable for error in errors)
    if reason == "in_doubt":
        return Ending(
            "submit_in_doubt",
            "a provider may have begun the work and cannot be asked again without paying twice",
            retryable=False,
        )
    kinds = {error.fault.kind for error in errors}
    if reason == "refused" or (kinds and kinds == {FaultKind.CONTENT_BLOCKED}):
        return Ending("content_refused", "the provider refused the content", retryable=False)
    if kinds and kinds <= {FaultKind.INVALID_INPUT, FaultKind.INPUT_UNREADABLE}:
        return Ending("input_refused", f"the input was refused: {errors[-1].fault.message}", retryable=False)
    if reason == "late":
        return Ending("deadline_passed", "no provider finished in time", retryable=may_pass)
    if not errors:
        return Ending("no_provider", "no provider could be asked", retryable=True)
    return Ending("all_providers_failed", "every provider failed: " + _listed(errors), retryable=may_pass)


def _listed(errors: Sequence[ProviderError]) -> str:
    return "; ".join(f"{error.provider}: {error.fault.kind.value}" for error in errors)
