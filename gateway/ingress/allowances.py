"""The operator's acts on what one account is held to: show, change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.ingress import keyterms
from gateway.ingress.desk import Act, AdminError, Desk, NotThere, text
from gateway.ledger import accounts
from gateway.ledger.accounts import Account, Allowance
from gateway.ledger.spending import DAY
from gateway.money import as_number

_LONGEST_NAME = 200  # characters
LIMITS = ("requests", "generations", "images", "videos", "daily_spend")


async def show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """One account, with what it spent today."""
    found = await _found(desk, given)
    spent = await desk.store.report(accounts.spent(found.id, desk.now // DAY))
    return {**_shown(found), "spent_today": as_number(spent)}


async def change(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Change an account's name and what it alone is held to; what is not given stays, and 0 is as the policy says."""
    old = await _found(desk, given)
    name = text(given, "name", old.name)
    if len(name) > _LONGEST_NAME:
        raise AdminError(f"the name of an account has at most {_LONGEST_NAME} characters")
    own = Allowance(
        requests=keyterms.whole(given, "requests", old.own.requests, keyterms.MOST_RATE),
        generations=keyterms.whole(given, "generations", old.own.generations, keyterms.MOST_RATE),
        images=keyterms.whole(given, "images", old.own.images, keyterms.MOST_UNDER_WAY),
        videos=keyterms.whole(given, "videos", old.own.videos, keyterms.MOST_UNDER_WAY),
        daily=keyterms.amount(given, "daily_spend", old.own.daily),
    )
    if not await desk.change(accounts.change(old.id, name, own), old.id, was_done=bool):
        raise NotThere(f"there is no account {old.id!r} any more")
    return _shown(replace(old, name=name, own=own))


async def _found(desk: Desk, given: Mapping[str, Any]) -> Account:
    wanted = text(given, "account")
    found = await desk.store.report(accounts.find(wanted))
    if found is None:
        raise NotThere(f"there is no account {wanted!r}; accounts list shows them")
    return found


def _shown(account: Account) -> dict[str, Any]:
    """An account as people may see it; a limit of None is what the policy says."""
    own, balance = account.own, account.balance
    return {
        "account": account.id,
        "name": account.name,
        "available": as_number(balance.available),
        "held": as_number(balance.held),
        "balance": as_number(balance.posted),
        "generations": account.generations,
        "limits": {
            "requests": own.requests,
            "generations": own.generations,
            "images": own.images,
            "videos": own.videos,
            "daily_spend": as_number(own.daily) if own.daily is not None else None,
        },
        "created_at": iso(account.created),
    }


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {
        "accounts.show": (show, ("account",)),
        "accounts.change": (change, ("account", "name", *LIMITS)),
    }
)
