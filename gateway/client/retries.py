"""Whether to ask again, and after which pause."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.client.calls import Call
from gateway.client.errors import GatewayError, RefusedError, UnreachableError


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is: `tries` of one call in all, pauses from `first` to `longest` seconds.

    A gateway that asks for a longer pause than `longest` is not waited for: its refusal is raised and says how long.
    """

    tries: int = 4
    first: float = 0.5
    longest: float = 60.0


def pause(
    retries: Retries, call: Call, error: GatewayError, tried: int, chance: float, *, unsent: bool
) -> float | None:
    """The seconds to wait before the next try, None for no further one.

    `tried` counts those made, `chance` from 0 to 1 spreads callers that failed together, `unsent` when no byte left.
    """
    if tried >= retries.tries or not error.retryable:
        return None
    # A refusal is retryable only when nothing was begun; an answer that was lost may have been to something that was.
    if (
        not isinstance(error, RefusedError)
        and not call.repeats
        and not (isinstance(error, UnreachableError) and unsent)
    ):
        return None
    if isinstance(error, RefusedError) and error.retry_after is not None:
        asked = float(error.retry_after)
        # Up to a tenth more: all that were told the same moment shall not come back at it.
        return asked * (1 + chance / 10) if asked <= retries.longest else None
    return float(min(retries.longest, retries.first * 2 ** (tried - 1))) * (0.5 + chance / 2)
