"""What came of it: the attempts made, their outputs, and how the generation ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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


def billing_after(fault: Fault) -> Billing:
    """Judge from how far a failed call got whether the provider may charge for it."""
    match fault.reach:
        case Reach.UNSENT | Reach.REFUSED:
            return Billing.NONE
        case Reach.UNSURE | Reach.ACCEPTED:
            return Billing.POSSIBLE


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
