"""Programs about the thresholds below which an account's owner is told that credits run low.

Each fires once, and is armed again when credits that are added or given back bring the balance back to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.ledger.events import EventType, announce
from gateway.ledger.program import Program, ask

MOST = 10  # thresholds of an account
USUAL = 500_000  # millionths: what an account begins with


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold in millionths of a credit; `fired` is when it was crossed, None while it is armed."""

    threshold: int
    fired: int | None


def show(account: str) -> Program[list[Alert]]:
    """The thresholds of an account, highest first."""
    return [Alert(row["threshold"], row["fired"]) for row in (yield from ask("alerts_of", account=account))]


def set_(account: str, thresholds: Iterable[int]) -> Program[list[Alert]]:
    """Set the thresholds of an account in place of those it has; one that stays keeps whether it fired.

    ValueError for more than ten, or one that is not above zero; ConstraintBroken when there is no such account.
    """
    wanted = set(thresholds)
    if len(wanted) > MOST or any(each <= 0 for each in wanted):
        raise ValueError(f"an account has at most {MOST} thresholds, each above zero")
    for alert in (yield from show(account)):
        if alert.threshold not in wanted:
            yield from ask("alert_drop", account=account, threshold=alert.threshold)
    for threshold in sorted(wanted):
        yield from ask("alert_put", account=account, threshold=threshold)
    return (yield from show(account))


def lowered(account: str, balance: int, generation: str, seq: int, at: int) -> Program[None]:
    """Note that a generation took the balance down to `balance`, and announce every threshold that it is now below."""
    crossed = yield from ask("alerts_fire", account=account, balance=balance, at=at)
    if crossed:
        thresholds = sorted((row["threshold"] for row in crossed), reverse=True)
        data = {"balance": balance, "thresholds": thresholds}
        yield from announce(EventType.LOW_BALANCE, account, generation, seq, data, at)


def raised(account: str, balance: int) -> Program[None]:
    """Note that credits were added or given back, and arm what the balance has come back to."""
    yield from ask("alerts_arm", account=account, balance=balance)
