"""The operator's acts on alerts: the thresholds below which an account is told that its credits run low."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import iso
from gateway.ingress.desk import Act, AdminError, Desk, text
from gateway.ledger import accounts, alerts
from gateway.ledger.alerts import Alert
from gateway.ledger.program import ConstraintBroken
from gateway.money import as_number, parse


async def set_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Set the thresholds of an account, in place of those it has; none at all switches alerts off."""
    account, written = text(given, "account"), given.get("thresholds")
    if not isinstance(written, list):
        raise AdminError(f"thresholds is a list of at most {alerts.MOST} amounts of credits")
    try:
        found = await desk.change(alerts.set_(account, [parse(str(each)) for each in written]), account)
    except ValueError as exc:
        raise AdminError(f"thresholds: {exc}") from exc
    except ConstraintBroken as exc:
        raise _nobody(account) from exc
    return _shown(account, found)


async def show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """The thresholds of an account, and which have fired."""
    account = text(given, "account")
    if await desk.store.report(accounts.find(account)) is None:
        raise _nobody(account)
    return _shown(account, await desk.store.report(alerts.show(account)))


def _nobody(account: str) -> AdminError:
    return AdminError(f"there is no account {account!r}; open it with accounts create")


def _shown(account: str, found: list[Alert]) -> dict[str, Any]:
    shown = [
        {
            "threshold": as_number(each.threshold),
            "fired_at": iso(each.fired) if each.fired is not None else None,
        }
        for each in found
    ]
    return {"account": account, "alerts": shown}


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {"alerts.set": (set_, ("account", "thresholds")), "alerts.show": (show, ("account",))}
)
