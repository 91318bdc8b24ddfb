"""Keys, accounts, credits, webhooks and checks: what an operator does, on the private socket or on the store itself.

The acts are one table of functions, so that the commands do the same whether a gateway runs or not. Whoever can open the
socket or the store is the operator: there is no key for these. From elsewhere they are done with a key of the scope `admin`.
Each act that changes something leaves a line in the audit.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from gateway import log
from gateway.clock import Clock, iso
from gateway.ingress import alerting, allowances, auditing, body, endpoints, keyring, retelling, statement, switches
from gateway.ingress.desk import Act, AdminError, Desk, Random, Receivers, Switchboard, text
from gateway.ingress.refusal import Refusal
from gateway.ledger import accounts, audit, checks, credits, restores
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.money import as_number, parse

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_CHECK_GRACE = 120_000  # ms past its deadline after which a generation that has not ended is a finding


@dataclass(frozen=True, slots=True)
class Office:
    """Where acts are done. Without a `board` and a `config` no gateway runs; `random` gives so many random bytes."""

    store: Database
    pepper: bytes
    clock: Clock
    receivers: Receivers
    random: Random = secrets.token_bytes
    board: Switchboard | None = None
    config: Callable[[], Mapping[str, Any]] | None = None

    async def do(self, name: str, given: Mapping[str, Any], actor: str = audit.OPERATOR) -> dict[str, Any]:
        """Do one act, such as `keys.create`; AdminError when it cannot be done, StoreError when the store fails."""
        if name not in ACTS:
            raise AdminError(f"there is no act {name!r}; there are {', '.join(ACTS)}")
        do, takes = ACTS[name]
        unknown = [each for each in given if each not in takes]
        if unknown:
            known = ", ".join(takes) or "nothing"
            raise AdminError(f"{name} takes {known}; not {unknown[0]!r}")
        desk = Desk(
            self.store,
            self.pepper,
            self.receivers,
            self.random,
            self.clock.now_ms(),
            self.board,
            self.config,
            actor=actor,
            act=name,
            said=auditing.said(given),
        )
        done = await do(desk, given)
        if name in _UNSTORED:
            await desk.note(f"{given.get('provider', '')} {given.get('model') or ''}".strip())
        return done


async def act(
    store: Database,
    pepper: bytes,
    clock: Clock,
    name: str,
    arguments: Mapping[str, Any],
    *,
    receivers: Receivers,
    random: Random = secrets.token_bytes,
    board: Switchboard | None = None,
) -> dict[str, Any]:
    """Do one act as the operator; AdminError when it cannot be done, StoreError when the store fails."""
    return await Office(store, pepper, clock, receivers, random, board).do(name, arguments)


def application(office: Office) -> web.Application:
    """The acts over HTTP, for a socket that the operator alone can open: `POST /admin/keys/create` and so on, JSON both ways."""

    async def handle(request: web.Request) -> web.Response:
        name = request.match_info["act"].replace("/", ".")
        try:
            arguments = await body.read(request) if request.can_read_body else {}
            return web.json_response(await office.do(name, arguments))
        except AdminError as error:
            return web.json_response({"error": str(error)}, status=400)
        except Refusal as refusal:
            return web.json_response({"error": refusal.message}, status=refusal.code.status)
        except StoreError as error:
            log.event("store_refused", level="error", act=name, error=error)
            return web.json_response({"error": str(error)}, status=503)

    app = web.Application()
    app.router.add_post("/admin/{act:.+}", handle)
    return app


async def _accounts_create(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Open an account."""
    account = text(given, "account")
    if not _ACCOUNT.fullmatch(account):
        raise AdminError("the id of an account is up to 64 letters, digits, '.', '_' and '-', such as acme")
    name = text(given, "name", account)
    if not await desk.change(accounts.create(account, name, desk.now), account, was_done=bool):
        raise AdminError(f"the account {account!r} is there already")
    return {"account": account, "name": name}


async def _accounts_list(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    """Every account, with what it has."""
    rows = await desk.store.report(accounts.list_())
    found = [
        {
            "account": row.id,
            "name": row.name,
            **_balance(row.balance),
            "generations": row.generations,
            "created_at": iso(row.created),
        }
        for row in rows
    ]
    return {"accounts": found}


async def _credits_add(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Add credits to an account; the same reference adds once."""
    account = text(given, "account")
    reference = text(given, "reference", str(uuid.UUID(bytes=desk.random(16), version=4)))
    try:
        amount = parse(str(given.get("amount", "")))
        adding = credits.add(account, amount, reference, text(given, "note", ""), desk.now)
        done = await desk.change(adding, account, was_done=lambda result: isinstance(result, credits.Added))
    except ValueError as exc:
        raise AdminError(f"amount: {exc}") from exc
    match done:
        case credits.Added(balance) | credits.Repeated(_, balance):
            repeated = isinstance(done, credits.Repeated)
            return {
                "account": account,
                "added": 0 if repeated else as_number(amount),
                "reference": reference,
                **_balance(balance),
            }
        case credits.Mismatch(before):
            raise AdminError(f"the reference {reference!r} added {as_number(before)} before; take a new one")
        case credits.NoAccount():
            raise AdminError(f"there is no account {account!r}; open it with accounts create")


async def _credits_show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """What an account has, and what moved last."""
    account = text(given, "account")
    found = await desk.store.report(accounts.find(account))
    if found is None:
        raise AdminError(f"there is no account {account!r}; open it with accounts create")
    rows = await desk.store.report(credits.entries(account))
    entries = [statement.entry(row) for row in rows]
    return {"account": account, **_balance(found.balance), "entries": entries}


async def _doctor(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    """Check the ledger."""
    found = await desk.store.report(checks.run_checks(desk.now, _CHECK_GRACE))
    findings = [{"check": each.check.name, "says": each.check.sentence, "rows": list(each.rows)} for each in found]
    restored = await desk.store.report(restores.report())
    return {
        "checks": len(checks.CHECKS),
        "findings": findings,
        "restored": restored.row() if restored is not None else None,
    }


async def _config_show(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in force."""
    if desk.config is None:
        raise AdminError("no gateway runs on this store; `tidegate check` says what a policy file means")
    return dict(desk.config())


# Every act: what does it, and the arguments it takes.
ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {
        **keyring.ACTS,
        "accounts.create": (_accounts_create, ("account", "name")),
        "accounts.list": (_accounts_list, ()),
        **allowances.ACTS,
        "credits.add": (_credits_add, ("account", "amount", "reference", "note")),
        "credits.show": (_credits_show, ("account",)),
        **statement.ACTS,
        **endpoints.ACTS,
        **alerting.ACTS,
        **switches.ACTS,
        **auditing.ACTS,
        **retelling.ACTS,
        "config.show": (_config_show, ()),
        "doctor": (_doctor, ()),
    }
)
# Acts that change what the memory of a running gateway holds.
_UNSTORED = frozenset({"breakers.open", "breakers.close", "breakers.auto"})


def _balance(balance: credits.Balance) -> dict[str, Any]:
    return {
        "available": as_number(balance.available),
        "held": as_number(balance.held),
        "balance": as_number(balance.posted),
    }
