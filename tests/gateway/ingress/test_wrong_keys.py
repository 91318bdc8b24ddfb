"""Keys that are wrong, sent too often, hashed under another pepper, or carried another way."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import suppress
from typing import Any

import pytest
from multidict import CIMultiDict

from gateway.ingress import keyform
from gateway.ingress.callers import Callers
from gateway.ingress.credential import CLIENTS
from gateway.ingress.keyform import PREFIX, mint
from gateway.ingress.refusal import Refusal
from gateway.ledger.database import Database
from tests.gateway.ingress.house import ACCOUNT, PEPPER, House

CONTENT = "/v1/content/list"


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, store: Database) -> None:
        self.store = store
        self.asked = 0

    async def read(self, program: Any) -> Any:
        """Run a program that only looks."""
        self.asked += 1
        return await self.store.read(program)

    async def write(self, program: Any) -> Any:
        """Run a program."""
        self.asked += 1
        return await self.store.write(program)


class Asking:
    """A request as far as callers look at one."""

    query_string = ""
    remote = "127.0.0.1"

    def __init__(self, key: str) -> None:
        self.headers = CIMultiDict({"Authorization": f"Bearer {key}"})


async def refused(callers: Callers, key: str) -> str:
    """The code a key is refused with."""
    with pytest.raises(Refusal) as told:
        await callers.identify(Asking(key))  # type: ignore[arg-type]  # as far as it is looked at
    return told.value.code.code


async def wrong_keys(house: House) -> dict[str, str]:
    """One key for every way to be wrong, each with a right checksum."""
    right, gone, over = await house.new_key(), await house.new_key(), await house.new_key(expires_in="1s")
    late = await house.new_key(starts_in="9d")
    for listed in (await house.act("keys.list"))["keys"]:
        if listed["prefix"] == gone[:PREFIX]:
            await house.act("keys.revoke", id=listed["id"])
    await house.clock.advance(2)
    twin = right[:PREFIX] + mint(os.urandom)[PREFIX:37]
    keys = {"revoked": gone, "expired": over, "not yet": late, "unknown": mint(os.urandom)}
    return {**keys, "same beginning": twin + keyform._checksum(twin)}


async def test_every_wrong_key_is_the_same_work(house: House) -> None:
    """S04: whatever is wrong with a key, the store is asked once for it, time after time, and the answer is one."""
    store = Counting(house.store)
    callers = Callers(store, PEPPER, house.clock, guesses=None)  # type: ignore[arg-type]  # a double that counts
    for what, key in (await wrong_keys(house)).items():
        for _ in range(3):
            store.asked = 0
            assert await refused(callers, key) == "BSE1002"
            assert store.asked == 1, what
    store.asked = 0
    assert await refused(callers, "bye_" + "a" * 39) == "BSE1002"
    assert store.asked == 0


async def test_a_bad_checksum_asks_nobody(house: House) -> None:
    """S03: ten thousand well-formed keys with a wrong checksum cost the store nothing, and each a small part of a millisecond."""
    store = Counting(house.store)
    callers = Callers(store, PEPPER, house.clock, guesses=None)  # type: ignore[arg-type]  # a double that counts
    taken = []
    for _ in range(10_000):
        key = mint(os.urandom)
        request: Any = Asking(key[:-1] + ("0" if key[-1] != "0" else "1"))
        began = time.thread_time()
        with suppress(Refusal):
            await callers.identify(request)
            raise AssertionError("a key with a wrong checksum was taken")
        taken.append(time.thread_time() - began)
    assert store.asked == 0
    assert statistics.quantiles(taken, n=100)[98] < 0.001


async def test_every_wrong_key_takes_the_same_time(house: House) -> None:
    """S04: the medians of the ways to be wrong lie close together; generously, where `tests.harness.timing` holds guesses to 5 %."""
    callers = Callers(house.store, PEPPER, house.clock, guesses=None)
    wrong = await wrong_keys(house)
    taken: dict[str, list[float]] = {what: [] for what in wrong}
    for _ in range(150):
        for what, key in wrong.items():
            before = time.perf_counter()
            await refused(callers, key)
            taken[what].append(time.perf_counter() - before)
    medians = [statistics.median(each) for each in taken.values()]
    assert max(medians) < 2 * min(medians), taken.keys()


async def test_who_guesses_is_slowed_down(house: House) -> None:
    """S12: after twenty wrong keys in a minute an address is told to wait; keys that were right before go on there."""

    async def guess() -> int:
        headers = {"Authorization": f"Bearer {mint(os.urandom)}"}
        return (await house.ask("GET", CONTENT, headers=headers)).status

    fresh = await house.new_key()
    assert (await house.ask("GET", CONTENT)).status == 200
    assert [await guess() for _ in range(21)] == [401] * 20 + [429]
    answer = await house.ask("GET", CONTENT, headers={"Authorization": f"Bearer {fresh}"})
    assert (answer.error["code"], answer.error["retryable"], answer.headers["Retry-After"]) == ("BSE1006", True, "3")
    await house.clock.advance(1)
    assert (await house.ask("GET", CONTENT)).status == 200
    await house.clock.advance(2)
    assert (await house.ask("GET", CONTENT, headers={"Authorization": f"Bearer {fresh}"})).status == 200
    assert await guess() == 401
    assert await guess() == 429


async def test_a_guess_elsewhere_is_nobodys_business(house: House) -> None:
    """S12: who comes from another address is not slowed down, and good keys that come many at once are no guesses."""
    callers = Callers(house.store, PEPPER, house.clock)
    good = [Asking(await house.new_key()) for _ in range(30)]
    found = await asyncio.gather(*(callers.identify(each) for each in good))  # type: ignore[arg-type]  # as far as it is looked at
    assert {each.account for each in found} == {ACCOUNT}
    await asyncio.gather(*(refused(callers, mint(os.urandom)) for _ in range(30)))
    assert await refused(callers, mint(os.urandom)) == "BSE1006"
    request = Asking(await house.new_key())
    request.remote = "203.0.113.9"
    assert (await callers.identify(request)).account == ACCOUNT  # type: ignore[arg-type]  # as far as it is looked at


async def test_keys_survive_another_pepper(house: House) -> None:
    """S17: a key hashed under an older pepper works, is hashed anew once, and then needs the older one no more."""
    made = await house.act("keys.create", account=ACCOUNT)
    both = Callers(house.store, b"new", house.clock, older=(PEPPER,))
    request: Any = Asking(made["key"])
    assert (await both.identify(request)).key_id == made["id"]
    store = Counting(house.store)
    new = Callers(store, b"new", house.clock)  # type: ignore[arg-type]  # a double that counts
    assert (await new.identify(request)).key_id == made["id"]
    assert store.asked == 1
    assert await refused(Callers(house.store, PEPPER, house.clock), made["key"]) == "BSE1002"


WAYS = [
    {"Authorization": "Key {}"},
    {"Authorization": "Token {}"},
    {"authorization": "bearer {}"},
    {"api-key": "{}"},
    {"x-api-key": "{}"},
    {"x-key": "{}"},
    {"x-goog-api-key": "{}"},
]
NO_WAYS = [
    {"Authorization": "Basic {}"},
    {"x-other-key": "{}"},
    {"x-key": "{}", "api-key": "{}"},
    {"x-key": "{}", "Authorization": "Bearer {}"},
]


def sent(house: House, headers: dict[str, str]) -> Any:
    """A request that carries the usual key so."""
    request = Asking(house.key)
    request.headers = CIMultiDict({name: value.format(house.key) for name, value in headers.items()})
    return request


@pytest.mark.parametrize("headers", WAYS)
async def test_other_dialects_send_keys_their_own_way(house: House, headers: dict[str, str]) -> None:
    """Where it is allowed a key is found in the headers that clients of other dialects write."""
    assert (await house.callers.identify(sent(house, headers), CLIENTS)).account == ACCOUNT


@pytest.mark.parametrize("headers", NO_WAYS)
async def test_one_way_at_a_time(house: House, headers: dict[str, str]) -> None:
    """S05: another scheme, another header and two credentials at once are none, for every dialect."""
    with pytest.raises(Refusal) as told:
        await house.callers.identify(sent(house, headers), CLIENTS)
    assert told.value.code.code == "BSE1001"
