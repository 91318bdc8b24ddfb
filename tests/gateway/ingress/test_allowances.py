"""What accounts are held to, over HTTP and by the operator's acts."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ingress.desk import AdminError
from gateway.ingress.limiter import Rates
from gateway.ledger.accounts import Allowance
from tests.gateway.ingress.house import ACCOUNT, IMAGE, VIDEO, Answer, House

PATH = f"/v1/generate/image/{IMAGE}"  # a picture holds 0.04 credits


async def ask(house: House, **options: object) -> Answer:
    """Ask for a picture."""
    return await house.ask("POST", PATH, {"generation_prompt": "x"}, **options)


async def test_images_and_videos_have_caps_of_their_own(house: House) -> None:
    """At the cap of one kind a request is told to come back, holds nothing, and the other kind goes on."""
    house.intake.usual = Allowance(images=1, videos=5)
    first = await house.create()
    full = await ask(house)
    assert (full.status, full.error["code"], full.error["type"]) == (429, "BSE1009", "concurrency_limit_exceeded")
    assert full.error["message"] == "this account may have 1 images under way, and has; nothing was begun"
    assert int(full.headers["Retry-After"]) >= 1
    assert (await house.ask("GET", "/v1/user/billing")).data["billing_credit_balance"] == 9.96
    video = {"generation_prompt": "x", "generation_duration": 5}
    assert (await house.ask("POST", f"/v1/generate/video/{VIDEO}", video)).status == 200
    await house.succeed(first)
    assert (await ask(house)).status == 200


async def test_a_day_has_its_spend(house: House) -> None:
    """S14: of three pictures at once a day of two and a half bears two; what fails can be spent again."""
    house.intake.usual = Allowance(daily=100_000)
    answers = await asyncio.gather(*(ask(house) for _ in range(3)))
    assert sorted(each.status for each in answers) == [200, 200, 402]
    [refused] = [each for each in answers if each.status == 402]
    assert (refused.error["code"], refused.error["retryable"]) == ("BSE1004", False)
    assert refused.error["message"].endswith("the account may spend 0.02 more today")
    await house.fail(house.jobs.started[0].id)
    assert (await ask(house)).status == 200
    assert (await house.act("accounts.show", account=ACCOUNT))["spent_today"] == 0.08
    await house.clock.advance(86_400)
    assert (await ask(house)).status == 200


async def test_an_account_is_changed_alone(house: House) -> None:
    """S52: what is said of one account goes before the policy within a second, another account keeps the policy's."""
    house.pace.rates = Rates(requests=2)
    await house.act("accounts.create", account="other")
    other = (await house.act("keys.create", account="other"))["key"]
    await house.act("accounts.change", account=ACCOUNT, requests=4, images=1, daily_spend="0.5")
    shown = await house.act("accounts.show", account=ACCOUNT)
    assert shown["limits"] == {
        "requests": 4, "generations": None, "images": 1, "videos": None, "daily_spend": 0.5,
    }  # fmt: skip
    assert [(await house.ask("GET", "/v1/status")).status for _ in range(5)] == [200] * 4 + [429]
    headers = {"Authorization": f"Bearer {other}"}
    assert [(await house.ask("GET", "/v1/status", headers=headers)).status for _ in range(3)] == [200, 200, 429]
    await house.act("accounts.change", account=ACCOUNT, requests=0)
    await house.clock.advance(60)
    assert [(await house.ask("GET", "/v1/status")).status for _ in range(3)] == [200, 200, 429]
    assert (await house.act("accounts.show", account=ACCOUNT))["limits"]["images"] == 1


async def test_a_key_is_held_to_kinds(house: House) -> None:
    """A key made for one picture at a time gets one, and shows what it is held to."""
    made = await house.act("keys.create", account=ACCOUNT, images=1)
    assert (made["images"], made["videos"], made["in_flight"]) == (1, None, None)
    usual, house.key = house.key, made["key"]
    assert (await ask(house)).status == 200
    assert (await ask(house)).error["message"] == "this key may have 1 images under way, and has; nothing was begun"
    assert (await house.act("keys.change", id=made["id"], images=2))["images"] == 2
    assert (await ask(house)).status == 200
    house.key = usual
    assert (await ask(house)).status == 200


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"requests": -1}, "requests is a whole number"),
        ({"images": True}, "images is a whole number"),
        ({"videos": "3"}, "videos is a whole number"),
        ({"generations": 10**9}, "generations is a whole number"),
        ({"daily_spend": -1}, "daily_spend"),
        ({"daily_spend": "much"}, "daily_spend"),
        ({"name": "x" * 300}, "at most 200 characters"),
        ({"rate": 5}, "accounts.change takes"),
        ({"account": "nobody"}, "there is no account 'nobody'"),
    ],
)
async def test_what_cannot_be_is_refused(house: House, given: dict[str, object], says: str) -> None:
    """With a word on what would be right, and nothing changed."""
    with pytest.raises(AdminError, match=says):
        await house.act("accounts.change", **{"account": ACCOUNT, **given})
    assert set((await house.act("accounts.show", account=ACCOUNT))["limits"].values()) == {None}
