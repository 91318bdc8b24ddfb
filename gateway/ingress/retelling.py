"""A generation retold to its operator: what was decided and from what, what was tried, and what each try cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.generation import State
from gateway.ingress.desk import Act, Desk, NotThere, text
from gateway.ledger import generations
from gateway.ledger.records import Attempt, Record
from gateway.money import as_number


def retold(row: Record, history: Sequence[tuple[State, int]]) -> dict[str, Any]:
    """All that is on record; moments in seconds since it was accepted, amounts in credits.

    `routing` is None where it was not kept, which is so for what an older gateway took in.
    """
    charged = as_number(row.settled) if row.settled is not None else 0
    return {
        "generation": row.id,
        "account": row.account,
        "kind": row.kind.value,
        "model": row.model,
        "state": row.state.value,
        "created_at": iso(row.created),
        "held": as_number(row.price),
        "charged": charged,
        "request": row.request,
        "routing": row.plan.get("routing"),
        "plan": [
            {"provider": step["provider"], "native": step["native"], "price": as_number(step["price"])}
            for step in row.plan.get("steps", ())
        ],
        "excluded": list(row.plan.get("excluded", ())),
        "attempts": [_attempt(each, row.created) for each in row.attempts],
        "history": [{"state": state.value, "after": _after(at, row.created)} for state, at in history],
        "error": row.error,
    }


def _attempt(attempt: Attempt, created: int) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "provider": attempt.provider,
        "native": attempt.native,
        "job": attempt.ref,
        "state": attempt.state.value,
        "began": _after(attempt.started, created),
        "submitted": _after(attempt.submitted, created),
        "ended": _after(attempt.ended, created),
        "fault": attempt.fault,
        "won": attempt.won,
        "price": as_number(attempt.price),
        "billing": attempt.billing.value,
        "double_spend": attempt.double_spend,
        "cost": as_number(attempt.cost) if attempt.cost is not None else None,
    }


def _after(at: int | None, created: int) -> float | None:
    return (at - created) / 1000 if at is not None else None


async def _show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided for a generation, from what, and what came of it."""
    wanted = text(given, "generation")
    row = await desk.store.read(generations.find_any(wanted, attempts=True))
    if row is None:
        raise NotThere(f"there is no generation {wanted!r}; it may have been deleted")
    return retold(row, await desk.store.read(generations.history(wanted)))


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType({"generations.show": (_show, ("generation",))})
