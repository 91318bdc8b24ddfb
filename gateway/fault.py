"""The ways it goes wrong, how far it got, and what each permits.

Two questions decide what may follow a fault. Whose is it? (the kind) And how far did the request get? (the reach). Both are
closed sets, and the table below answers for each kind; nobody else decides from a kind by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Reach(StrEnum):
    """How far a call got before it failed: what it may have cost."""

    UNSENT = "unsent"  # no byte of the request left: nothing can have begun
    REFUSED = "refused"  # the provider answered no: nothing began
    UNSURE = "unsure"  # the request left and no clear answer came: a job may have begun
    ACCEPTED = "accepted"  # the provider took the job and it failed later


class FaultKind(StrEnum):
    """What went wrong, in our words."""

    INVALID_INPUT = "invalid_input"
    INPUT_UNREADABLE = "input_unreadable"
    CONTENT_BLOCKED = "content_blocked"
    NOT_SERVED = "not_served"
    UNAUTHORIZED = "unauthorized"
    OUT_OF_CREDIT = "out_of_credit"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    PROVIDER_ERROR = "provider_error"
    TIMEOUT = "timeout"
    LOST = "lost"
    UNREADABLE = "unreadable"
    OUTPUT_LOST = "output_lost"


class Whose(StrEnum):
    """Who can mend it."""

    CALLER = "caller"
    OPERATOR = "operator"
    PROVIDER = "provider"


class Again(StrEnum):
    """Whether the same offer may be asked once more."""

    NO = "no"
    IF_UNSENT = "if_unsent"  # once, only when no byte left
    ONCE = "once"  # once, when nothing can have begun
    AFTER_PAUSE = "after_pause"  # once, after the pause the provider asked for


class Following(StrEnum):
    """Whether another offer may be asked."""

    YES = "yes"
    IF_ROUTE_SAYS = "if_route_says"


class Effect(StrEnum):
    """What the fault does to the breaker of its offer."""

    NONE = "none"
    PAUSE = "pause"  # not a failure: nothing is asked until the pause is over
    COUNT = "count"
    OPEN = "open"
    OPEN_CREDENTIAL = "open_credential"  # every model behind the same credential is as badly off


@dataclass(frozen=True, slots=True)
class Permit:
    """What a kind of fault permits, and whether the caller may sensibly ask again later."""

    whose: Whose
    again: Again
    following: Following
    breaker: Effect
    retryable: bool


PERMITS: Mapping[FaultKind, Permit] = MappingProxyType(
    {
        # The plan had admitted the request, so a refusal means that pack and provider have drifted apart: others may do.
        FaultKind.INVALID_INPUT: Permit(Whose.CALLER, Again.NO, Following.YES, Effect.NONE, retryable=False),
        FaultKind.INPUT_UNREADABLE: Permit(Whose.CALLER, Again.NO, Following.YES, Effect.NONE, retryable=False),
        # Another provider with laxer rules is the operator's choice, never the default.
        FaultKind.CONTENT_BLOCKED: Permit(
            Whose.CALLER, Again.NO, Following.IF_ROUTE_SAYS, Effect.NONE, retryable=False
        ),
        FaultKind.NOT_SERVED: Permit(Whose.OPERATOR, Again.NO, Following.YES, Effect.OPEN, retryable=False),
        FaultKind.UNAUTHORIZED: Permit(
            Whose.OPERATOR, Again.NO, Following.YES, Effect.OPEN_CREDENTIAL, retryable=False
        ),
        FaultKind.OUT_OF_CREDIT: Permit(
            Whose.OPERATOR, Again.NO, Following.YES, Effect.OPEN_CREDENTIAL, retryable=False
        ),
        FaultKind.RATE_LIMITED: Permit(Whose.PROVIDER, Again.AFTER_PAUSE, Following.YES, Effect.PAUSE, retryable=True),
        FaultKind.OVERLOADED: Permit(Whose.PROVIDER, Again.ONCE, Following.YES, Effect.COUNT, retryable=True),
        FaultKind.PROVIDER_ERROR: Permit(Whose.PROVIDER, Again.IF_UNSENT, Following.YES, Effect.COUNT, retryable=True),
        FaultKind.TIMEOUT: Permit(Whose.PROVIDER, Again.NO, Following.YES, Effect.COUNT, retryable=True),
        FaultKind.LOST: Permit(Whose.PROVIDER, Again.NO, Following.YES, Effect.COUNT, retryable=True),
        FaultKind.UNREADABLE: Permit(Whose.PROVIDER, Again.NO, Following.YES, Effect.COUNT, retryable=True),
        FaultKind.OUTPUT_LOST: Permit(Whose.PROVIDER, Again.NO, Following.YES, Effect.COUNT, retryable=True),
    },
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure of one call.

    `message` is for people and holds no secret once it is written down. `code` is the provider's own word for it, `status` its
    HTTP status; both may be missing. `pause` is how long the provider asked us to wait, in milliseconds. `quoted` tells that the
    message is in the provider's words, which may repeat the caller's.
    """

    kind: FaultKind
    reach: Reach
    message: str
    code: str | None = None
    status: int | None = None
    pause: int | None = None
    quoted: bool = False

    @property
    def permits(self) -> Permit:
        """What this fault permits."""
        return PERMITS[self.kind]
