"""The operator's acts: through the private socket of a running gateway, or on the store itself when none runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gateway import app, state
from gateway.clock import SystemClock
from gateway.commands.exits import Exit, Stop
from gateway.ingress import admin
from gateway.ingress.desk import AdminError, Receivers
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.settings import Settings

Act = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]

_WAIT = aiohttp.ClientTimeout(total=60, sock_connect=5)  # seconds; a check of a large ledger takes some
DEFAULT = "default"  # the account that is opened with the first key where there is none


@asynccontextmanager
async def opened(settings: Settings, *, create: bool) -> AsyncIterator[Act]:
    """Open the way to the store's owner; acts raise Stop. A store that is not there is made only with `create`."""
    async with running(settings) as act:
        if act is not None:
            yield act
            return
    if not create and settings.store.address is None and not await asyncio.to_thread(settings.store.path.exists):
        said = (
            f"there is no store at {settings.store.path} yet; `tidegate serve` makes it, -c names another policy file"
        )
        raise Stop(Exit.FAILURE, said)
    store = await _store(settings)
    try:
        yield _direct(store, state.peppers(settings)[0], app.receivers(settings))
    finally:
        await store.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Act | None]:
    """Open the way to the gateway that runs on the store; None when there is none."""
    socket = state.socket_path(settings)
    if not await asyncio.to_thread(socket.is_socket):
        yield None
        return
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=_WAIT) as session:
        yield _remote(session) if await _answers(session) else None


async def account_of(act: Act, given: str | None, *, create: bool) -> str:
    """Give the account that is meant: the one given, or the only one there is; with `create` one is opened if there is none."""
    if given is not None:
        return given
    ids = [str(each["account"]) for each in (await act("accounts.list", {}))["accounts"]]
    match ids:
        case [only]:
            return only
        case [] if create:
            await act("accounts.create", {"account": DEFAULT})
            return DEFAULT
        case []:
            raise Stop(Exit.FAILURE, "there is no account yet; `tidegate accounts create ID` opens one")
        case _:
            raise Stop(Exit.USAGE, f"there are several accounts; name one with --account: {', '.join(ids)}")


async def _answers(session: aiohttp.ClientSession) -> bool:
    """Tell whether a gateway is behind the socket; one that was killed leaves it lying."""
    try:
        async with session.post("http://tidegate/admin/accounts/list") as answer:
            return answer.status == 200
    except (aiohttp.ClientConnectorError, TimeoutError):
        return False
    except aiohttp.ClientError as error:
        raise Stop(Exit.FAILURE, f"the running gateway broke off: {type(error).__name__}; ask again") from error


def _remote(session: aiohttp.ClientSession) -> Act:
    async def act(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        url = f"http://tidegate/admin/{name.replace('.', '/')}"
        try:
            async with session.post(url, json=dict(arguments)) as answer:
                told: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            said = (
                f"the running gateway broke off: {type(error).__name__}; look whether it was done before asking again"
            )
            raise Stop(Exit.FAILURE, said) from error
        if answer.status != 200:
            raise Stop(Exit.FAILURE, str(told.get("error", f"the running gateway answered {answer.status}")))
        return told

    return act


async def _store(settings: Settings) -> Database:
    try:
        return await Database.open(settings.store.place, now=SystemClock().now_ms)
    except StoreError as error:
        raise Stop(Exit.FAILURE, str(error)) from error
    except OSError as error:
        raise Stop(Exit.FAILURE, f"the store {settings.store} cannot be opened: {error.strerror or error}") from error


def _direct(store: Database, pepper: bytes, receivers: Receivers) -> Act:
    async def act(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await admin.act(store, pepper, SystemClock(), name, arguments, receivers=receivers)
        except (AdminError, StoreError) as error:
            raise Stop(Exit.FAILURE, str(error)) from error

    return act
