"""Where a caller is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.address import Header, Proxies, client, is_within, neighbourhood, networks, parse
from gateway.providers.catalog import Catalog
from tests.gateway.ingress.house import House, opened

INSIDE = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
BEHIND = Proxies(INSIDE)
RFC = Proxies(INSIDE, Header.FORWARDED)
CONTENT = "/v1/content/list"


def found(peer: str | None, lines: list[str], proxies: Proxies = BEHIND) -> str:
    """The client as a text."""
    return str(client(peer, lines, proxies))


def test_without_a_trusted_proxy_the_peer_counts() -> None:
    """S18: whatever the header says, the caller is where the connection comes from."""
    for peer in ("203.0.113.9", "10.2.2.2", "127.0.0.1"):
        assert found(peer, ["198.51.100.1"], Proxies()) == peer
    assert found("203.0.113.9", ["198.51.100.1", "10.0.0.1"]) == "203.0.113.9"


CHAINS = [
    (["198.51.100.66, 203.0.113.9, 10.1.1.1"], "203.0.113.9"),
    (["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
    (["203.0.113.9"], "203.0.113.9"),
    (["nonsense, 203.0.113.9, 10.1.1.1"], "203.0.113.9"),
    (["10.3.3.3, 10.1.1.1"], "10.3.3.3"),
    ([], "10.2.2.2"),
    ([""], "10.2.2.2"),
    (["203.0.113.9:4711"], "203.0.113.9"),
    (["[2001:db8::7]:443, fd00::1"], "2001:db8::7"),
    (["2001:db8::7"], "2001:db8::7"),
    (["::ffff:203.0.113.9"], "203.0.113.9"),
]


@pytest.mark.parametrize(("lines", "where"), CHAINS)
def test_the_right_most_untrusted_address_is_the_client(lines: list[str], where: str) -> None:
    """S19: behind a trusted proxy the last address that is not a proxy's own counts, never what the caller put before it."""
    assert found("10.2.2.2", lines) == where


def test_several_lines_are_one() -> None:
    """S20: two lines of the header are read as one, in their order."""
    assert found("10.2.2.2", ["198.51.100.66", "203.0.113.9, 10.1.1.1"]) == "203.0.113.9"
    assert found("10.2.2.2", ["203.0.113.9", "10.1.1.1"]) == "203.0.113.9"
    assert found("10.2.2.2", ["203.0.113.9", "198.51.100.66"]) == "198.51.100.66"


UNREADABLE = [
    "unknown",
    "_hidden",
    "203.0.113.9.5",
    "fe80::1%eth0",
    "[fe80::1%25eth0]:80",
    "203.0.113.9:port",
    "[2001:db8::7",
    "1",
    "0x7f000001",
    "203.0.113.09",
    "'; DROP TABLE",
]


@pytest.mark.parametrize("written", UNREADABLE)
def test_an_unreadable_hop_is_nowhere(written: str) -> None:
    """S23: what a proxy heard from and cannot be read is no address, and the one before it is not taken in its place."""
    assert client("10.2.2.2", [f"203.0.113.9, {written}"], BEHIND) is None
    assert not is_within(None, [ip_network("0.0.0.0/0"), ip_network("::/0")])


def test_empty_hops_are_no_hops() -> None:
    """S23: ten kilobytes of commas say nothing."""
    assert found("10.2.2.2", ["," * 10_000]) == "10.2.2.2"
    assert found("10.2.2.2", [f"203.0.113.9{',' * 10_000}"]) == "203.0.113.9"
    assert found("10.2.2.2", ["," * 10_000], RFC) == "10.2.2.2"


FORWARDED = [
    (["for=203.0.113.9"], "203.0.113.9"),
    (['for="203.0.113.9:4711"'], "203.0.113.9"),
    (['For="[2001:db8::7]:4711";proto=https;by=10.0.0.1'], "2001:db8::7"),
    (["for=198.51.100.66, for=203.0.113.9;proto=http, for=10.1.1.1"], "203.0.113.9"),
    (["for=198.51.100.66", "for=203.0.113.9"], "203.0.113.9"),
    (['by="a, for=198.51.100.66";for=203.0.113.9'], "203.0.113.9"),
    (['for="203.0.113.9\\"'], "None"),
    (["for=unknown"], "None"),
    (["proto=https"], "None"),
    (["for"], "None"),
    (["for=203.0.113.9 for=198.51.100.66"], "None"),
]


@pytest.mark.parametrize(("lines", "where"), FORWARDED)
def test_forwarded_is_read_as_its_standard_says(lines: list[str], where: str) -> None:
    """S20: RFC 7239 with its pairs and quotes, from the right as well."""
    assert found("10.2.2.2", lines, RFC) == where


@given(st.lists(st.text(alphabet=st.characters(codec="latin-1"), max_size=60), max_size=4), st.sampled_from(Header))
def test_nothing_breaks_the_reading(lines: list[str], header: Header) -> None:
    """S23: whatever stands in the header, the answer is an address or none."""
    where = client("10.2.2.2", lines, Proxies(INSIDE, header))
    assert where is None or parse(str(where)) == where


def test_an_ipv4_caller_in_an_ipv6_socket_is_one_of_ipv4() -> None:
    """S22: `::ffff:a.b.c.d` matches a list of IPv4 networks, and a list that is written so matches it."""
    [allowed] = networks(["::ffff:203.0.113.0/120"])
    assert allowed == "203.0.113.0/24"
    assert is_within(client("::ffff:203.0.113.9", [], Proxies()), [ip_network(allowed)])
    assert found("::ffff:10.2.2.2", ["203.0.113.9"]) == "203.0.113.9"


def test_a_neighbourhood_is_what_one_party_has() -> None:
    """Whoever has an IPv6 network cannot pass for many by counting up addresses."""
    assert neighbourhood(parse("2001:db8::1")) == neighbourhood(parse("2001:db8::ffff:1"))
    assert neighbourhood(parse("2001:db8::1")) != neighbourhood(parse("2001:db8:0:1::1"))
    assert neighbourhood(parse("203.0.113.9")) != neighbourhood(parse("203.0.113.8"))


@pytest.fixture
async def proxied(tmp_path: Path, packs: Catalog) -> AsyncIterator[House]:
    """A house behind a proxy on this machine."""
    async with opened(tmp_path, packs, proxies=Proxies((ip_network("127.0.0.0/8"),))) as made:
        yield made


async def test_a_list_is_held_against_whom_the_proxy_names(proxied: House) -> None:
    """S19: behind a trusted proxy a key works from its networks and from nowhere else."""
    proxied.key = await proxied.new_key(networks=["203.0.113.0/24"])
    for chain, status in (
        ("203.0.113.9", 200),
        ("198.51.100.1", 403),
        ("203.0.113.9, 198.51.100.1", 403),
        ("garbage", 403),
    ):
        assert (await proxied.ask("GET", CONTENT, headers={"X-Forwarded-For": chain})).status == status, chain
    assert (await proxied.ask("GET", CONTENT, headers={"Forwarded": "for=203.0.113.9"})).status == 403


async def test_nobody_gets_inside_by_saying_so(house: House) -> None:
    """S21: a header from a peer that is no proxy opens nothing."""
    house.key = await house.new_key(networks=["10.0.0.0/8"])
    for name in ("X-Forwarded-For", "X-Real-IP"):
        answer = await house.ask("GET", CONTENT, headers={name: "10.0.0.1"})
        assert (answer.status, answer.error["code"]) == (403, "BSE1007")
