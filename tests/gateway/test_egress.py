"""Which addresses may be dialled: the table and the guard at the socket."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from gateway.egress import Blocked, Policy, is_own, socket_factory
from tests.gateway.walls import NEIGHBOURS, REFUSED, Names

PUBLIC = Policy()
LOOPBACK = Policy.parse(["127.0.0.0/8"])


@pytest.mark.parametrize("address", REFUSED)
def test_each_row_is_refused(address: str) -> None:
    """S26: the first, a middle and the last address of every row are refused, as IPv4-mapped addresses too."""
    assert PUBLIC.refusal(address) is not None
    if "." in address:
        assert PUBLIC.refusal(f"::ffff:{address}") is not None


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_neighbours_are_public(address: str) -> None:
    """S26: addresses just outside a row, and well-known public ones, may be dialled."""
    assert PUBLIC.refusal(address) is None


def test_enough_cases() -> None:
    """S26: the table is tried with at least 120 addresses."""
    assert len({*REFUSED, *NEIGHBOURS}) >= 120


@given(st.ip_addresses())
def test_nothing_private_passes(address: IPv4Address | IPv6Address) -> None:
    """Whatever the standard library calls not global is refused by the table."""
    if not address.is_global:
        assert PUBLIC.refusal(address) is not None


@pytest.mark.parametrize("text", ["", "example.com", "1.2.3", "127.1", "fe80::1%eth0", "1.2.3.4:80"])
def test_no_address_is_refused(text: str) -> None:
    """What is no IP address, or carries a zone, is never let through."""
    assert PUBLIC.refusal(text) is not None


def test_allow_opens_just_its_network() -> None:
    """S37: an allowed network opens, in its mapped form too, and its neighbours stay shut."""
    policy = Policy.parse(["10.1.0.0/16", "::1"])
    assert [policy.refusal(a) for a in ("10.1.2.3", "::ffff:10.1.2.3", "::1")] == [None, None, None]
    assert policy.refusal("10.2.0.1")
    assert policy.refusal("127.0.0.1")


def test_a_mapped_network_is_the_network() -> None:
    """S26, S37: a network that is written as IPv6 writes those of IPv4 opens and closes the same addresses."""
    policy = Policy.parse(["::ffff:10.1.0.0/112"], ["::ffff:8.8.8.8"])
    assert (policy.refusal("10.1.2.3"), policy.opens("::ffff:10.1.2.3")) == (None, True)
    assert policy.refusal("10.2.0.1")
    assert policy.refusal("8.8.8.8")
    assert policy.refusal("8.8.8.9") is None


def test_deny_wins() -> None:
    """S26: a network the operator denied stays shut even inside an allowed one or when public."""
    policy = Policy.parse(["10.0.0.0/8"], ["10.9.0.0/16", "8.8.8.8"])
    assert policy.refusal("10.9.0.1")
    assert policy.refusal("8.8.8.8")
    assert policy.refusal("10.8.0.1") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10.1.2.3/8", "write 10.0.0.0/8"),
        ("here", "not a network"),
        ("10.0.0.0/33", "not a network"),
        ("", "not a network"),
    ],
)
def test_bad_network_is_named(text: str, says: str) -> None:
    """A network that cannot be read is quoted with what would be right."""
    with pytest.raises(ValueError, match=says) as caught:
        Policy.parse([text])
    assert repr(text) in str(caught.value)


def test_a_translator_does_not_open_what_is_behind_it() -> None:
    """S26: who opens the network of a NAT64 translator reaches public addresses through it, and private ones not."""
    policy = Policy.parse(["64:ff9b::/96"])
    assert policy.refusal("64:ff9b::808:808") is None
    for inside in ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::808:808"):
        assert policy.refusal(inside)


def test_own_addresses_are_known() -> None:
    """S38: where the gateway listens on all addresses, each one of this machine is its own on that port, and no other."""
    every = ("http://0.0.0.0:8080", "https://media.example.com", "nonsense")
    assert is_own("127.0.0.1", 8080, every)
    assert is_own("127.9.9.9", 8080, every)
    assert is_own("::ffff:127.0.0.1", 8080, every)
    for address, port in (("127.0.0.1", 8081), ("8.8.8.8", 8080), ("media.example.com", 443), ("no address", 8080)):
        assert not is_own(address, port, every)
    assert is_own("0.0.0.0", 9000, ["http://127.0.0.1:9000"])


class Told(Names):
    """A name server with the same answers for every name."""

    def __init__(self, answers: Sequence[list[str]]) -> None:
        super().__init__(defaultdict(lambda: list(answers)))


@dataclass
class Listener:
    """A real server on loopback and the number of requests it saw."""

    server: TestServer
    seen: int = 0

    def session(self, policy: Policy, *answers: list[str]) -> aiohttp.ClientSession:
        """Open a client behind the guard whose names resolve as scripted."""
        connector = aiohttp.TCPConnector(
            socket_factory=socket_factory(policy), resolver=Told(answers), use_dns_cache=False, force_close=True
        )
        return aiohttp.ClientSession(connector=connector)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A server on 127.0.0.1 that counts, and redirects on request."""

    async def answer(request: web.Request) -> web.Response:
        found.seen += 1
        if "to" in request.query:
            raise web.HTTPFound(request.query["to"])
        return web.Response(text="inside")

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        found = Listener(server)
        yield found


async def test_guard_lets_allowed_through(listener: Listener) -> None:
    """A name that resolves to an allowed address is connected to as usual."""
    async with (
        listener.session(LOOPBACK, ["127.0.0.1"]) as session,
        session.get(f"http://public.example:{listener.server.port}/") as response,
    ):
        assert await response.text() == "inside"


@pytest.mark.parametrize("host", ["public.example", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f000001", "127。0。0。1"])
async def test_guard_stops_before_connecting(listener: Listener, host: str) -> None:
    """S27, S39: whatever the host looks like, a forbidden address is never dialled and the error names none."""
    async with listener.session(PUBLIC, ["127.0.0.1"]) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://{host}:{listener.server.port}/")
    assert isinstance(caught.value.os_error, Blocked)
    assert "127.0.0.1" not in str(caught.value.os_error)
    assert listener.seen == 0


async def test_rebinding_is_stopped(listener: Listener) -> None:
    """S29: a name that changes to a forbidden address between two look-ups is stopped at the second."""
    policy = Policy.parse(["127.0.0.1"])
    url = f"http://rebind.example:{listener.server.port}/"
    async with listener.session(policy, ["127.0.0.1"], ["127.0.0.2"]) as session:
        async with session.get(url) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(url)
    assert isinstance(caught.value.os_error, Blocked)
    assert listener.seen == 1


async def test_private_second_answer_is_not_dialled(listener: Listener) -> None:
    """S28: when a name resolves to a dead allowed and a live forbidden address, the live one is left alone."""
    policy = Policy.parse(["127.0.0.9"])  # nobody listens there: the server is on 127.0.0.1
    async with listener.session(policy, ["127.0.0.9", "127.0.0.1"]) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://both.example:{listener.server.port}/")
    assert listener.seen == 0


async def test_redirects_are_guarded(listener: Listener) -> None:
    """S30: a redirect to a forbidden address is stopped at that hop."""
    policy = Policy.parse(["127.0.0.1"])
    async with listener.session(policy, ["127.0.0.1"]) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(listener.server.make_url("/").with_query(to=f"http://127.0.0.2:{listener.server.port}/"))
    assert isinstance(caught.value.os_error, Blocked)
    assert listener.seen == 1


def test_other_families_are_refused() -> None:
    """The guard opens internet sockets only."""
    with pytest.raises(Blocked):
        socket_factory(LOOPBACK)((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/some.sock",)))
