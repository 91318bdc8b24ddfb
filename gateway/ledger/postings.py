"""Double entry: the only way credits move from one account to another."""

from __future__ import annotations

from typing import Literal

from gateway.ledger.program import ConstraintBroken, Program, ask

# The two accounts that are no customer's; the first migration opens them.
REVENUE = "@revenue"
SOURCE = "@source"


def post(
    kind: Literal["add", "settle"],
    ref: str,
    *,
    source: str,
    target: str,
    amount: int,
    at: int,
    released: int = 0,
    note: str = "",
) -> Program[None]:
    """Move `amount` millionths from source to target, once per kind and ref, and let go what the source had set aside.

    ConstraintBroken when the pair was used before or an account does not exist.
    """
    [txn] = yield from ask("txn_add", kind=kind, ref=ref, note=note, at=at)
    posted = yield from ask("accounts_post", source=source, target=target, amount=amount, released=released)
    if len(posted) != 2:
        raise ConstraintBroken(f"credits move between two accounts; {source} or {target} does not exist")
    yield from ask("entries_add", txn=txn["id"], source=source, target=target, amount=amount)
