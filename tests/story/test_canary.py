"""Nothing that is secret is seen again, in short: the whole form runs by hand, see tests/harness/canary.py."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.ingress.keyform import mint
from tests.harness import canary
from tests.harness.spellings import Watch, keys_in

VALUE = "canary/Zt+55xQ=="


async def test_nothing_planted_is_seen_again(tmp_path: Path) -> None:
    """S63, S66: after failures, abuse and a kill no key, secret or prompt is in a log, answer, event, metric or file of others."""
    left = await canary.run(tmp_path, whole=False)
    assert left.found == []
    assert left.lines > 50


@pytest.mark.parametrize(
    "data",
    [
        VALUE.encode(),
        b"%2e canary%2FZt%2B55xQ%3D%3D",
        base64.b64encode(b"Bearer " + VALUE.encode()),
        base64.urlsafe_b64encode(b"x" + VALUE.encode() + b"yz"),
        VALUE.encode().hex().encode(),
    ],
)
def test_a_planted_value_is_found_in_every_spelling(data: bytes) -> None:
    """The search knows a value as it is, percent-encoded, in hexadecimal and in base64 at any place."""
    assert Watch({"it": VALUE}).seen(b"<" + data + b">") == {"it"}


def test_a_key_is_found_wherever_it_stands() -> None:
    """A whole API key is told by its checksum; one with a wrong one, or a longer word, is none."""
    key = mint(lambda count: b"\x07" * count)
    assert keys_in(f"a {key}. b".encode()) == {key}
    assert keys_in(f"{key}0 {key[:-1]}".encode()) == set()
