"""API keys and what they may do."""

from __future__ import annotations

import os

import pytest

from gateway.ingress.address import networks
from gateway.ingress.keyform import PREFIX, mint
from gateway.ledger import keys
from tests.gateway.ingress.house import ACCOUNT, House

CONTENT = "/v1/content/list"


def test_networks_are_checked() -> None:
    """Addresses and networks are taken, anything else is named."""
    assert networks(["203.0.113.7", "10.0.0.0/8", "2001:db8::/32", "10.0.0.0/8"]) == (
        "203.0.113.7/32",
        "10.0.0.0/8",
        "2001:db8::/32",
    )
    for wrong in ("10.0.0.1/8", "example.com", "", 5):
        with pytest.raises(ValueError, match="expected an address"):
            networks([wrong])


NOBODY = [
    ({}, "BSE1001"),
    ({"Authorization": ""}, "BSE1001"),
    ({"Authorization": "Basic YTpi"}, "BSE1001"),
    ({"Authorization": "bye_x"}, "BSE1001"),
    ({"Authorization": "Bearer"}, "BSE1002"),
    ({"Authorization": "Bearer bye_"}, "BSE1002"),
    ({"Authorization": "Bearer " + "x" * 5000}, "BSE1002"),
    ({"Authorization": "Bearer bye_" + "a" * 39}, "BSE1002"),
    ({"Authorization": f"Bearer {mint(os.urandom)}"}, "BSE1002"),
    ({"X-Api-Key": mint(os.urandom)}, "BSE1001"),
]


@pytest.mark.parametrize(("headers", "code"), NOBODY)
async def test_who_has_no_key_is_nobody(house: House, headers: dict[str, str], code: str) -> None:
    """S05: without a key of this gateway in the right place there is one answer, and it says how to ask."""
    answer = await house.ask("GET", CONTENT, headers={"Authorization": None, **headers})
    assert (answer.status, answer.error["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_scheme_is_written_as_anyone_likes(house: House) -> None:
    """`bearer` is as good as `Bearer`."""
    assert (await house.ask("GET", CONTENT, headers={"Authorization": f"bearer {house.key}"})).status == 200


async def test_a_key_elsewhere_is_refused(house: House) -> None:
    """S05: a key in the query or in a cookie is refused even beside a good one: it has leaked into logs by then."""
    for answer in (
        await house.ask("GET", f"{CONTENT}?api_key={house.key}"),
        await house.ask("GET", f"{CONTENT}?x=bye_1"),
        await house.ask("GET", CONTENT, headers={"Cookie": f"key={house.key}"}),
    ):
        assert (answer.status, answer.error["code"]) == (401, "BSE1001")


async def test_two_keys_are_none(house: House) -> None:
    """S05: which of two headers counts would be a guess."""
    async with house.client.session.get(
        house.client.make_url(CONTENT),
        headers=[("Authorization", f"Bearer {house.key}"), ("Authorization", f"Bearer {house.key}")],
    ) as response:
        assert response.status == 401


async def test_a_revoked_key_stops_within_a_second(house: House) -> None:
    """S06: a key that was just used is refused a second after it was revoked."""
    assert (await house.ask("GET", CONTENT)).status == 200
    [listed] = (await house.act("keys.list"))["keys"]
    await house.act("keys.revoke", id=listed["id"])
    await house.clock.advance(1)
    assert (await house.ask("GET", CONTENT)).error["code"] == "BSE1002"


async def test_an_expired_key_stops_at_once(house: House) -> None:
    """S07: a key ends with its last second, also while it is remembered."""
    house.key = await house.new_key(expires_in="60s")
    await house.clock.advance(59.5)
    assert (await house.ask("GET", CONTENT)).status == 200
    await house.clock.advance(0.5)
    assert (await house.ask("GET", CONTENT)).error["code"] == "BSE1002"


async def test_every_bad_key_gets_the_same_answer(house: House) -> None:
    """S04: unknown, malformed, revoked and expired keys cannot be told apart."""
    gone, over = await house.new_key(), await house.new_key(expires_in="1s")
    for listed in (await house.act("keys.list"))["keys"]:
        if listed["prefix"] == gone[:PREFIX]:
            await house.act("keys.revoke", id=listed["id"])
    await house.clock.advance(2)
    said = []
    for key in (gone, over, mint(os.urandom), "bye_nonsense"):
        answer = await house.ask("GET", CONTENT, headers={"Authorization": f"Bearer {key}"})
        said.append((answer.status, answer.error, answer.headers["Content-Length"]))
    assert all(each == said[0] for each in said)


@pytest.mark.parametrize(
    ("allowed", "status"),
    [(["127.0.0.1"], 200), (["127.0.0.0/8"], 200), ([], 200), (["10.0.0.0/8"], 403), (["::1", "10.0.0.1"], 403)],
)
async def test_a_key_may_be_bound_to_networks(house: House, allowed: list[str], status: int) -> None:
    """S18, S21: a key with a list works from there alone, whatever the caller says of where it is."""
    house.key = await house.new_key(networks=allowed)
    answer = await house.ask("GET", CONTENT, headers={"X-Forwarded-For": "10.0.0.1"})
    assert answer.status == status
    assert status == 200 or answer.error["code"] == "BSE1007"


async def test_a_used_key_is_noted(house: House) -> None:
    """The ids of used keys are handed over once, to be written together."""
    await house.ask("GET", CONTENT)
    await house.ask("GET", CONTENT)
    used = house.callers.take_used()
    assert len(used) == 1
    assert house.callers.take_used() == frozenset()
    await house.store.write(keys.touch(used, house.clock.now_ms()))
    await house.clock.advance(1)
    assert (await house.ask("GET", "/v1/status")).data["apikey_last_used_at"] is not None


async def test_keys_are_checked_without_the_store_for_a_second(house: House) -> None:
    """A key just verified is believed without another look."""
    await house.ask("GET", "/v1/health/cache")
    await house.store.close()
    assert (await house.ask("GET", "/v1/health/cache")).status == 200
    await house.clock.advance(1)
    assert (await house.ask("GET", "/v1/health/cache")).error["code"] == "BSE5002"


async def test_a_gateway_may_ask_for_no_key(open_house: House) -> None:
    """Where keys are off everyone is the one local caller, whatever Authorization says."""
    for headers in ({"Authorization": None}, {"Authorization": "Bearer nonsense"}):
        assert (await open_house.ask("GET", "/v1/status", headers=headers)).data["account_id"] == ACCOUNT
    assert await open_house.create()


async def test_a_key_begins_when_it_says(house: House) -> None:
    """S07: before its time a key is as good as none."""
    house.key = await house.new_key(starts_in="60s")
    await house.clock.advance(59.9)
    assert (await house.ask("GET", CONTENT)).error["code"] == "BSE1002"
    await house.clock.advance(0.1)
    assert (await house.ask("GET", CONTENT)).status == 200


async def test_a_changed_list_counts_within_a_second(house: House) -> None:
    """S25: networks that a key is changed to are gone by a second later, in both directions."""
    made = await house.act("keys.create", account=ACCOUNT, networks=["127.0.0.1"])
    house.key = made["key"]
    assert (await house.ask("GET", CONTENT)).status == 200
    for allowed, status in (["10.0.0.0/8"], 403), (["127.0.0.0/8"], 200), ([], 200):
        await house.act("keys.change", id=made["id"], networks=allowed)
        await house.clock.advance(1)
        assert (await house.ask("GET", CONTENT)).status == status
