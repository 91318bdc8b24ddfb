"""The walls around what is dialled, through each door to the outside, with real sockets and name servers of our own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.egress import AddrInfo, Blocked, Policy, socket_factory
from tests.gateway.walls import DOORS, MAPPED, NEIGHBOURS, REFUSED, Door, Names, calling, fetching, posting, within

PUBLIC = Policy()
NOBODY = Names({})
ONE = Policy.parse(["127.0.0.1"])
HOME = Policy.parse(["127.0.0.0/8"])


@dataclass
class Site:
    """A web server on one address of this machine, and the requests it saw."""

    port: int = 0
    heads: list[dict[str, str]] = field(default_factory=list)
    leads: dict[str, str] = field(default_factory=dict)  # redirects, by path

    async def answer(self, request: web.Request) -> web.Response:
        """Answer, or redirect."""
        self.heads.append(dict(request.headers))
        if request.path in self.leads:
            return web.Response(status=302, headers={"Location": self.leads[request.path], "Set-Cookie": "a=1"})
        return web.Response(text="here")


@asynccontextmanager
async def site(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Site]:
    """A site that serves."""
    found = Site()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()


def named(addresses: list[str]) -> Names:
    """A name server on which the n-th address has the name `h<n>.example`."""
    return Names({f"h{n}.example": [[address]] for n, address in enumerate(addresses)})


def says_blocked(said: str) -> bool:
    """Whether a door says that the address was blocked, and names none."""
    return "blocked_address" in said and not any(address in said for address in (*REFUSED, *MAPPED) if len(address) > 3)


@pytest.mark.parametrize("door", DOORS)
async def test_no_refused_address_is_dialled_by_name(door: Door) -> None:
    """S26, S39: first, middle and last of every row, as the answer to a name, are blocked and never told."""
    addresses = [*REFUSED, *MAPPED]
    names = named(addresses)
    async with door(PUBLIC, names) as ask:
        said = {address: await ask(f"https://h{n}.example/") for n, address in enumerate(addresses)}
    assert [address for address, each in said.items() if not says_blocked(each)] == []
    assert len(names.asked) == len(addresses) >= 120


@pytest.mark.parametrize("door", DOORS)
async def test_no_refused_address_is_dialled_as_it_is(door: Door) -> None:
    """S26, S39: every one of them written as the host is refused too, by a URL's check or at the socket."""
    async with door(PUBLIC, NOBODY) as ask:
        said = {address: await ask(f"https://{within(address)}/") for address in (*REFUSED, *MAPPED)}
    words = ("blocked_address", "refused_address")
    assert [address for address, each in said.items() if not any(word in each for word in words)] == []


async def test_no_refused_address_is_dialled_by_redirect() -> None:
    """S26, S30: a redirect to every one of them, as a host and by a name, is stopped at that hop."""
    addresses = [*REFUSED, *MAPPED]
    async with site() as far, fetching(ONE, named(addresses)) as ask:
        far.leads = {f"/host/{n}": f"http://{within(address)}/" for n, address in enumerate(addresses)}
        far.leads |= {f"/name/{n}": f"http://h{n}.example/" for n in range(len(addresses))}
        said = {path: await ask(f"http://127.0.0.1:{far.port}{path}") for path in far.leads}
        assert [path for path, each in said.items() if "blocked_address" not in each] == []
        assert len(far.heads) == len(said)


async def test_neighbours_would_be_dialled() -> None:
    """S26: addresses just outside a row pass the guard; here each is stopped one step later, at its first packet."""
    dialled: list[str] = []
    guard = socket_factory(PUBLIC)

    def stop(addr_info: AddrInfo) -> socket.socket:
        guard(addr_info).close()
        dialled.append(addr_info[4][0])
        raise OSError("not from here")

    connector = aiohttp.TCPConnector(socket_factory=stop, resolver=named(NEIGHBOURS))
    async with aiohttp.ClientSession(connector=connector) as session:
        for n in range(len(NEIGHBOURS)):
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"https://h{n}.example/")
    assert dialled == NEIGHBOURS


@pytest.mark.parametrize("door", DOORS)
async def test_of_two_answers_the_private_one_is_left_alone(door: Door) -> None:
    """S28: where the allowed address is dead, the live private one beside it is not tried, in either order."""
    async with site("127.0.0.1") as inside:
        both = {"a.example": [["127.0.0.9", "127.0.0.1"]], "b.example": [["127.0.0.1", "127.0.0.9"]]}
        async with door(Policy.parse(["127.0.0.9"]), Names(both)) as ask:
            for host in both:
                assert await ask(f"http://{host}:{inside.port}/") != "answered"
    assert inside.heads == []


@pytest.mark.parametrize("door", DOORS)
async def test_of_two_answers_the_allowed_one_is_taken(door: Door) -> None:
    """S28: a private address before it does not keep the allowed one from being reached."""
    async with site() as far, door(ONE, Names({"a.example": [["10.0.0.1", "127.0.0.1"]]})) as ask:
        assert await ask(f"http://a.example:{far.port}/") == "answered"
        assert len(far.heads) == 1


@pytest.mark.parametrize("door", DOORS)
async def test_the_address_checked_is_the_address_dialled(door: Door) -> None:
    """S29: a name is looked up once, so that an answer that changes in between leads nowhere else."""
    async with site() as far, site("127.0.0.2", far.port) as inside:
        names = Names({"turn.example": [["127.0.0.1"], ["127.0.0.2"]]})
        async with door(ONE, names) as ask:
            assert await ask(f"http://turn.example:{far.port}/") == "answered"
        assert names.asked == ["turn.example"]
        turned = Names({"turn.example": [["127.0.0.2"]]})
        async with door(ONE, turned) as ask:
            assert "blocked_address" in await ask(f"http://turn.example:{far.port}/")
    assert (len(far.heads), inside.heads) == (1, [])


@pytest.mark.parametrize("door", [posting, calling])
async def test_these_follow_no_redirect(door: Door) -> None:
    """S30, S31: webhooks and calls to providers stop at a redirect, so that nobody else hears a credential or an event."""
    async with site() as far, site("127.0.0.2", far.port) as other, door(HOME, NOBODY) as ask:
        far.leads["/"] = f"http://127.0.0.2:{far.port}/"
        assert (await ask(f"http://127.0.0.1:{far.port}/")).startswith("answered")
        assert other.heads == []
    assert len(far.heads) == 1


async def test_a_redirect_takes_nothing_along() -> None:
    """S31: on another origin an output is asked for with nothing but what every fetch says."""
    async with site() as far, site("127.0.0.2", far.port) as other, fetching(HOME, NOBODY) as ask:
        far.leads["/"] = f"http://127.0.0.2:{far.port}/end"
        assert await ask(f"http://127.0.0.1:{far.port}/") == "answered"
        [head] = other.heads
    assert {name.lower() for name in head} == {"host", "accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize("door", [fetching, posting])
async def test_odd_ports_are_for_opened_networks(door: Door) -> None:
    """S33: behind a name, too, a public address is reached on ports of the web alone, an opened network on any free one."""
    policy = Policy.parse(["127.0.0.1"])
    names = Names({"far.example": [["93.184.216.34"]], "inside.example": [["127.0.0.1"]]})
    async with site() as inside, door(policy, names) as ask:
        assert "blocked_address" in await ask("http://far.example:9000/")
        assert await ask(f"http://inside.example:{inside.port}/") == "answered"


@pytest.mark.parametrize(
    ("port", "any_port", "is_open"), [(443, False, True), (9000, False, False), (9000, True, True)]
)
def test_a_provider_may_have_any_port(port: int, *, any_port: bool, is_open: bool) -> None:
    """S33: what the operator wrote down as a provider's address is not held to the ports of the web."""
    guard = socket_factory(PUBLIC, any_port=any_port)
    with nullcontext() if is_open else pytest.raises(Blocked):
        guard((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))).close()


@pytest.mark.parametrize("door", DOORS)
async def test_no_proxy_and_no_password_from_outside(
    door: Door, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """S36: proxies and credentials that lie about in the environment are not used."""
    async with site() as far, site() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        async with door(ONE, NOBODY) as ask:
            assert await ask(f"http://127.0.0.1:{far.port}/") == "answered"
    assert (len(far.heads), proxy.heads) == (1, [])
    assert far.heads[0].get("Authorization") in (None, "Bearer s3cret")


@pytest.mark.parametrize("door", DOORS)
async def test_an_opened_network_opens_alone(door: Door) -> None:
    """S37: inside what the operator opened an address is dialled, beside it none."""
    policy = Policy.parse(["127.1.0.0/16"])
    async with site("127.1.0.1") as far, site("127.2.0.1", far.port) as beside, door(policy, NOBODY) as ask:
        assert await ask(f"http://127.1.0.1:{far.port}/") == "answered"
        assert await ask(f"http://127.2.0.1:{far.port}/") != "answered"
    assert (len(far.heads), beside.heads) == (1, [])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("listens", ["127.0.0.1", "0.0.0.0", "[::]"])
async def test_the_gateway_does_not_call_itself(door: Door, listens: str) -> None:
    """S38: where it listens, on one address or on all of this machine, nothing is sent, by whatever name; beside it is fine."""
    policy = Policy.parse(["127.0.0.0/8", "::1", "0.0.0.0/8"])
    async with site() as own, site() as beside:
        names = Names(
            {"me.example": [["127.0.0.1"]], "mapped.example": [["::ffff:127.0.0.1"]], "zero.example": [["0.0.0.0"]]}
        )
        async with door(policy, names, [f"http://{listens}:{own.port}"]) as ask:
            for host in ("127.0.0.1", "[::ffff:127.0.0.1]", *names.answers):
                said = await ask(f"http://{host}:{own.port}/")
                assert "blocked_address" in said or said == "refused_address", host
            assert await ask(f"http://127.0.0.1:{beside.port}/") == "answered"
    assert own.heads == []


@pytest.mark.parametrize("door", [fetching, posting])
async def test_what_is_listened_on_later_counts(door: Door) -> None:
    """S38: an address that is known only once it is listened on, after the door was opened, is looked at all the same."""
    origins: list[str] = []
    async with site() as own, door(ONE, NOBODY, origins) as ask:
        origins.append(f"http://127.0.0.1:{own.port}")
        assert "address" in await ask(f"http://127.0.0.1:{own.port}/")
    assert own.heads == []
