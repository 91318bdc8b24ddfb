"""Keys, accounts, credits and doctor: on a store that nobody serves, and through a gateway that runs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

from gateway.ingress.keyform import is_key
from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import Shell


def _told(tidegate: Shell, *words: str) -> dict[str, Any]:
    said = tidegate(*words, "--json")
    assert said.code == 0, said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


def test_first_key_opens_the_default_account(tidegate: Shell, policy_file: Path) -> None:
    """On an empty store the first key is made with an account; it is printed alone on stdout, and never again."""
    made = tidegate("keys", "create", "my-app", "-c", str(policy_file))
    assert made.code == 0
    assert is_key(made.out.strip())
    listed = tidegate("keys", "list", "-c", str(policy_file))
    assert "my-app" in listed.out
    assert "default" in listed.out
    assert made.out.strip() not in listed.out + made.err


def test_key_says_what_it_may_do(tidegate: Shell, policy_file: Path) -> None:
    """Scopes, networks and a life are written down as asked."""
    told = _told(
        tidegate, "keys", "create", "ci", "-c", str(policy_file), "--scopes", "health:read, library:read",
        "--networks", "10.0.0.0/8", "--expires", "30d",
    )  # fmt: skip
    assert told["scopes"] == ["health:read", "library:read"]
    assert told["networks"] == ["10.0.0.0/8"]
    assert told["expires_at"] is not None


def test_key_is_rotated_and_revoked(tidegate: Shell, policy_file: Path) -> None:
    """A successor has another key and the same rights; what is revoked is shown so, and cannot be revoked twice."""
    config = ("-c", str(policy_file))
    first = _told(tidegate, "keys", "create", "app", *config, "--preset", "read_only")
    second = _told(tidegate, "keys", "rotate", first["id"], *config)
    assert second["key"] != first["key"]
    assert second["scopes"] == first["scopes"]
    assert tidegate("keys", "revoke", second["id"], *config).code == 0
    again = tidegate("keys", "revoke", second["id"], *config)
    assert again.code == 1
    assert "revoked before" in again.err
    states = {each["id"]: each["status"] for each in _told(tidegate, "keys", "list", *config)["keys"]}
    assert states == {first["id"]: "rotated", second["id"]: "revoked"}


def test_credits_are_added_once_for_a_reference(tidegate: Shell, policy_file: Path) -> None:
    """The same reference adds nothing a second time, and another amount under it is refused."""
    config = ("-c", str(policy_file))
    tidegate("accounts", "create", "studio", "--name", "The studio", *config)
    add = ("credits", "add", "12.5", "--reference", "invoice-1", *config)
    assert "12.50 available" in tidegate(*add).err
    assert "nothing changed; 12.50 available" in tidegate(*add).err
    assert tidegate("credits", "add", "13", "--reference", "invoice-1", *config).code == 1
    told = _told(tidegate, "credits", "show", *config)
    assert (told["account"], told["available"], len(told["entries"])) == ("studio", 12.5, 1)
    assert "12.50 available" in tidegate("credits", "show", *config).out


def test_several_accounts_have_to_be_told_apart(tidegate: Shell, policy_file: Path) -> None:
    """Where there is more than one account nothing is guessed."""
    config = ("-c", str(policy_file))
    for name in "one", "two":
        tidegate("accounts", "create", name, *config)
    said = tidegate("credits", "add", "1", *config)
    assert said.code == 2
    assert "--account: one, two" in said.err
    assert [each["account"] for each in _told(tidegate, "accounts", "list", *config)["accounts"]] == ["one", "two"]


def test_amount_that_is_none_is_refused(tidegate: Shell, policy_file: Path) -> None:
    """An amount finer than a millionth, negative or no number at all changes nothing."""
    config = ("-c", str(policy_file))
    tidegate("accounts", "create", "studio", *config)
    for amount in "0.0000001", "-1", "much", "0":
        assert tidegate("credits", "add", amount, *config).code == 1
    assert _told(tidegate, "credits", "show", *config)["entries"] == []


def test_looking_does_not_make_a_store(tidegate: Shell, policy_file: Path) -> None:
    """What only looks refuses a store that is not there, and leaves none behind."""
    for words in ("doctor",), ("keys", "list"), ("accounts", "list"), ("credits", "show"):
        said = tidegate(*words, "-c", str(policy_file))
        assert said.code == 1
        assert "there is no store" in said.err
    assert not (policy_file.parent / "store" / "tidegate.db").exists()


def test_doctor_finds_nothing_in_a_sound_store(tidegate: Shell, policy_file: Path) -> None:
    """A store in order passes every check, and the versions are told."""
    tidegate("keys", "create", "app", "-c", str(policy_file))
    told = _told(tidegate, "doctor", "-c", str(policy_file))
    assert told["findings"] == []
    assert {"python", "sqlite", "aiohttp"} <= set(told["versions"])
    assert "all hold" in tidegate("doctor", "-c", str(policy_file)).out


def test_doctor_fails_on_a_finding(tidegate: Shell, policy_file: Path) -> None:
    """A balance that no entry explains is a finding, and the exit code says so."""
    tidegate("accounts", "create", "studio", "-c", str(policy_file))
    store = sqlite3.connect(policy_file.parent / "store" / "tidegate.db")
    with store:
        store.execute("UPDATE account SET posted = 5 WHERE id = 'studio'")
    store.close()
    said = tidegate("doctor", "-c", str(policy_file))
    assert said.code == 1
    assert "studio" in said.out
    assert "do not hold" in said.out


async def test_running_gateway_is_asked_through_its_socket(tidegate: Shell, site: Site) -> None:
    """While a gateway owns the store every act goes through its private socket."""
    config = ("-c", str(site.policy))
    made = await asyncio.to_thread(tidegate, "keys", "create", "app", *config)
    assert is_key(made.out.strip())
    assert (await asyncio.to_thread(tidegate, "credits", "add", "5", *config)).code == 0
    shown = await asyncio.to_thread(tidegate, "credits", "show", *config)
    assert "default  5.00 available" in shown.out
    assert (await asyncio.to_thread(tidegate, "doctor", *config)).code == 0
    refused = await asyncio.to_thread(tidegate, "keys", "revoke", "key_of_nobody", *config)
    assert refused.code == 1
    assert "there is no key" in refused.err


async def test_store_in_use_without_a_socket_is_said(tidegate: Shell, site: Site) -> None:
    """A store that another process owns, and no socket to ask through, is a plain error."""
    (site.policy.parent / "store" / "tidegate.db.sock").unlink()
    said = await asyncio.to_thread(tidegate, "keys", "list", "-c", str(site.policy))
    assert said.code == 1
    assert "is in use by process" in said.err


def test_socket_left_by_a_killed_gateway_is_no_hindrance(tidegate: Shell, policy_file: Path) -> None:
    """A socket nobody listens on is passed over."""
    import socket

    tidegate("keys", "create", "app", "-c", str(policy_file))
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(policy_file.parent / "store" / "tidegate.db.sock"))
    left.close()
    assert tidegate("keys", "list", "-c", str(policy_file)).code == 0
