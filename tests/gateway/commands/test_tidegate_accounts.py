"""`tidegate accounts`, and keys that are called by their names."""

from __future__ import annotations

import pytest

from tests.gateway.commands.shell import Shell, told


def test_an_account_is_held_to_limits_of_its_own(tidegate: Shell, config: tuple[str, str]) -> None:
    """What is said is kept and shown, 0 is what the policy says again, and what is not said stays."""
    assert tidegate("accounts", "create", "studio", *config).code == 0
    made = tidegate(
        "accounts", "change", "studio", *config, "--name", "The studio", "--requests", "600", "--generations", "60",
        "--images", "100", "--videos", "20", "--daily-spend", "50.5",
    )  # fmt: skip
    assert (made.code, made.out) == (0, "")
    assert "studio is changed" in made.err
    shown = tidegate("accounts", "show", "studio", *config).out
    for line in (
        "The studio",
        "0 credits, 0 held",
        "600 requests a minute",
        "20 videos under way",
        "50.5 credits it may",
    ):
        assert line in shown
    assert tidegate("accounts", "change", "studio", *config, "--videos", "0").code == 0
    found = told(tidegate, "accounts", "show", "studio", *config)
    assert found["limits"] == {
        "requests": 600, "generations": 60, "images": 100, "videos": None, "daily_spend": 50.5,
    }  # fmt: skip
    assert "accounts.change" in tidegate("audit", *config).out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("studio",), 2, "say what to change"),
        (("studio", "--images", "-1"), 1, "images is a whole number"),
        (("studio", "--daily-spend", "much"), 1, "daily_spend"),
        (("nobody", "--images", "1"), 1, "there is no account 'nobody'"),
    ],
)
def test_what_cannot_be_is_said(
    tidegate: Shell, config: tuple[str, str], words: tuple[str, ...], code: int, says: str
) -> None:
    """With a word on what would be right."""
    tidegate("accounts", "create", "studio", *config)
    said = tidegate("accounts", "change", *words, *config)
    assert (said.code, says in said.err) == (code, True), said.err


def test_a_key_is_called_by_its_name(tidegate: Shell, config: tuple[str, str]) -> None:
    """Where one in use has it; of a replaced key and its successor the latter, except when one is to end."""
    old = told(tidegate, "keys", "create", "shop", *config)
    new = told(tidegate, "keys", "rotate", "shop", *config)
    assert new["replaces"] == old["id"]
    assert told(tidegate, "keys", "show", "shop", *config)["id"] == new["id"]
    both = tidegate("keys", "revoke", "shop", *config)
    assert both.code == 1
    assert old["id"] in both.err
    assert new["id"] in both.err
    assert tidegate("keys", "revoke", old["id"], *config).code == 0
    assert tidegate("keys", "revoke", "shop", *config).code == 0
    assert "no key in use" in tidegate("keys", "show", "shop", *config).err
    for _ in range(2):
        told(tidegate, "keys", "create", "twin", *config)
    assert "several keys are called 'twin'" in tidegate("keys", "show", "twin", *config).err
