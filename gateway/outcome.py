"""What came of it: the attempts made, their outputs, and how the generation ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.fault import Fault, Reach


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
