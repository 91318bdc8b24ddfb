"""`tidegate keys` with all a key is held to, and `tidegate audit`."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import MODEL, Shell, told


def test_a_narrow_key_is_made_shown_and_changed(tidegate: Shell, config: tuple[str, str]) -> None:
    """Every option is kept, shown for people and as JSON, and changed or taken away again."""
    made = told(
        tidegate, "keys", "create", "shop", *config, "--preset", "generate_only", "--models", "bytedance/*, bfl/*",
        "--budget", "5/day", "--rate", "60", "--in-flight", "4", "--networks", "203.0.113.0/24", "--starts", "1h",
        "--expires", "2099-12-31",
    )  # fmt: skip
    assert made["expires_at"] == "2099-12-31T00:00:00.000Z"
    assert made["status"] == "waiting"
    shown = tidegate("keys", "show", made["id"], *config).out
    for line in ("bytedance/*, bfl/*", "5 credits a day, 5 left", "60 requests a minute", "4 generations", "203.0.113"):
        assert line in shown
    assert made["key"] not in shown
    assert tidegate("keys", "change", made["id"], *config, "--budget", "9", "--models", "", "--rate", "0").code == 0
    found = told(tidegate, "keys", "show", made["id"], *config)
    assert (found["models"], found["rate_per_minute"], found["in_flight"]) == ([], None, 4)
    assert (found["budget"]["credits"], found["budget"]["per"]) == (9, "all")
    assert found["networks"] == ["203.0.113.0/24"]
    bare = tidegate("keys", "show", told(tidegate, "keys", "create", "all", *config)["id"], *config).out
    assert "none but the account's balance" in bare


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--expires", "soon"), "expires_in is a span"),
        (("--budget", "5/week"), "budget_per is one of"),
        (("--networks", "home"), "expected an address"),
        (("--models", "a b"), "models is a list"),
        (("--scopes", "all"), "scopes is a list out of"),
    ],
)
def test_a_mistake_is_said(tidegate: Shell, config: tuple[str, str], words: tuple[str, str], said: str) -> None:
    """What a key cannot be held to ends the command with what would be right."""
    tidegate("accounts", "create", "studio", *config)
    failed = tidegate("keys", "create", "x", *words, *config)
    assert failed.code == 1
    assert said in failed.err
    assert told(tidegate, "keys", "list", *config)["keys"] == []


def test_an_unknown_key_is_said(tidegate: Shell, config: tuple[str, str]) -> None:
    """Nothing is shown, changed, rotated or revoked that is not there."""
    tidegate("accounts", "create", "studio", *config)
    for act in ("show", "change", "rotate", "revoke"):
        failed = tidegate("keys", act, "key_none", *config)
        assert failed.code == 1
        assert "there is no key" in failed.err


def test_changes_are_in_the_audit(tidegate: Shell, config: tuple[str, str]) -> None:
    """The operator's changes are listed, the latest first, by page and by what they were done to."""
    made = told(tidegate, "keys", "create", "app", *config)
    tidegate("credits", "add", "5", "--note", "first", *config)
    tidegate("keys", "revoke", made["id"], *config)
    found = told(tidegate, "audit", *config)["entries"]
    assert [each["act"] for each in found] == ["keys.revoke", "credits.add", "keys.create", "accounts.create"]
    assert {each["actor"] for each in found} == {"operator"}
    of_key = told(tidegate, "audit", "--who", made["id"], *config)["entries"]
    assert [each["act"] for each in of_key] == ["keys.revoke", "keys.create"]
    page = told(tidegate, "audit", "--limit", "1", "--before", str(found[1]["seq"]), *config)["entries"]
    assert [each["act"] for each in page] == ["keys.create"]
    shown = tidegate("audit", *config).out
    assert "keys.revoke" in shown
    assert made["key"] not in shown
    assert tidegate("audit", "--limit", "0", *config).code == 1


async def test_the_way_of_the_readme(tidegate: Shell, site: Site) -> None:
    """A narrow key is made, refused where it should be, rotated and revoked, on a gateway that runs."""
    config = ("-c", str(site.policy))
    made = await asyncio.to_thread(
        told, tidegate, "keys", "create", "shop", *config, "--preset", "generate_only", "--models", "bytedance/*"
    )
    async with aiohttp.ClientSession(site.running.origin) as session:

        async def ask(key: str, method: str, path: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            body = {"generation_prompt": "a seal"} if method == "POST" else None
            async with session.request(method, path, headers=headers, json=body) as answer:
                return answer.status

        assert await ask(made["key"], "GET", "/v1/library/models") == 200
        assert await ask(made["key"], "GET", "/v1/status") == 403
        assert await ask(made["key"], "POST", "/v1/generate/image/bfl/flux-schnell") == 403
        assert await ask(made["key"], "POST", f"/v1/generate/image/{MODEL}") == 402
        assert await ask(made["key"], "POST", "/admin/v1/doctor") == 403
        new = await asyncio.to_thread(told, tidegate, "keys", "rotate", made["id"], *config)
        assert [await ask(each["key"], "GET", "/v1/library/models") for each in (made, new)] == [200, 200]
        ops = await asyncio.to_thread(told, tidegate, "keys", "create", "ops", *config, "--scopes", "admin")
        headers = {"Authorization": f"Bearer {ops['key']}"}
        async with session.post("/admin/v1/config/show", headers=headers) as answer:
            assert (await answer.json())["data"]["credits"] == "enforce"
        async with session.post("/admin/v1/keys/revoke", headers=headers, json={"id": made["id"]}) as answer:
            assert answer.status == 200
        async with session.post("/admin/v1/breakers/open", headers=headers, json={"provider": "fal"}) as answer:
            assert answer.status == 200
    found = (await asyncio.to_thread(told, tidegate, "audit", "--who", ops["id"], *config))["entries"]
    assert [(each["act"], each["subject"]) for each in found[:2]] == [
        ("breakers.open", "fal"),
        ("keys.revoke", made["id"]),
    ]
