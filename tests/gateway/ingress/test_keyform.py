"""The form of a key, and what the store keeps of it."""

from __future__ import annotations

import logging
import math
import os
import statistics
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress import keyform
from gateway.ingress.keyform import PREFIX, digest_of, is_key, mint
from tests.gateway.ingress.house import ACCOUNT, PEPPER, House

CONTENT = "/v1/content/list"
BITS = 33 * math.log2(62)


def test_a_key_has_its_form() -> None:
    """S01: a new key is 43 plain characters, 196 random bits and a checksum among them, and no two are alike."""
    made = {mint(os.urandom) for _ in range(200)}
    assert len(made) == 200
    assert all(len(key) == 43 and key.startswith("bye_") and is_key(key) for key in made)
    assert BITS > 178


def test_every_character_is_likely() -> None:
    """S01, S16: over many keys each place takes every character, so that none follows from the one before."""
    made = [mint(os.urandom)[4:37] for _ in range(3000)]
    assert all(len({key[place] for key in made}) == 62 for place in range(33))
    assert len({key[:8] for key in made}) == 3000


@given(st.binary(min_size=32, max_size=32), st.integers(0, 42), st.characters(codec="utf-8"))
def test_a_mistyped_key_is_told_by_its_checksum(seed: bytes, at: int, other: str) -> None:
    """S01: a single changed character makes it no key."""
    key = mint(lambda _: seed)
    changed = key[:at] + other + key[at + 1 :]
    assert is_key(changed) == (changed == key)


def test_a_bad_checksum_is_told_in_no_time() -> None:
    """S03: ten thousand well-formed keys with a wrong checksum are refused, each far below a millisecond."""
    good = [mint(os.urandom) for _ in range(100)]
    taken = []
    for n in range(10_000):
        key = good[n % 100]
        wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
        before = time.perf_counter()
        assert not is_key(wrong)
        taken.append(time.perf_counter() - before)
    assert statistics.quantiles(taken, n=100)[98] < 0.001


def test_the_hash_needs_the_pepper() -> None:
    """S02: what the store keeps follows from key and pepper together, and shows nothing of either."""
    key = mint(os.urandom)
    digest = digest_of(PEPPER, key)
    assert digest == digest_of(PEPPER, key) != digest_of(b"another", key)
    assert len(digest) == 64
    assert key[4:12] not in digest


async def test_a_key_is_nowhere_but_in_the_answer(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """S02: neither the store nor the log holds a key, or its last twenty characters, after it was made and used."""
    caplog.set_level(logging.DEBUG)
    key = await house.new_key(networks=["127.0.0.1"])
    house.key = key
    await house.ask("GET", CONTENT)
    await house.ask("GET", f"{CONTENT}?key={key}")
    await house.act("keys.rotate", id=(await house.act("keys.list"))["keys"][0]["id"])
    found = b"".join(file.read_bytes() for file in _files(house.store.path.parent))
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("gateway"))
    for secret in (key, key[-20:], key[PREFIX:]):
        assert secret.encode() not in found
        assert secret not in logged
    assert digest_of(PEPPER, key).encode() in found


async def test_ids_are_no_sequence(house: House) -> None:
    """S16: the id of a generation has 122 random bits and none follows from another."""
    made = [uuid.UUID(await house.create()) for _ in range(20)]
    assert all(each.version == 4 for each in made)
    assert made != sorted(made)
    assert len({str(each)[:8] for each in made}) == 20


async def test_ids_of_keys_are_no_sequence(house: House) -> None:
    """S16: ids of keys and of endpoints are 128 random bits each, and fit into an address."""
    keys = [(await house.act("keys.create", account=ACCOUNT))["id"] for _ in range(20)]
    url = "https://app.example.com/hooks"
    endpoints = [(await house.act("webhooks.create", account=ACCOUNT, url=url))["id"] for _ in range(20)]
    for made, brand in ((keys, "key_"), (endpoints, "we_")):
        assert made != sorted(made)
        assert all(int(each.removeprefix(brand), 16) < 2**128 and len(each) == len(brand) + 32 for each in made)


def test_the_checksum_is_of_all_before_it() -> None:
    """S01: two keys with another brand or another random part have other checksums."""
    assert keyform._checksum("bye_" + "a" * 33) != keyform._checksum("byf_" + "a" * 33)
    assert len(keyform._checksum("")) == 6


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("store.db*"))
