"""The three doors to the outside, and a name server whose answers a test writes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.artifacts.fault import OutputFault
from gateway.artifacts.fetch import fetch, open_session
from gateway.egress import Policy, socket_factory
from gateway.providers.pack import CallName
from gateway.providers.render import Call
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Broken, Wire
from gateway.webhooks import post
from gateway.webhooks.schedule import Answered

# Written out again rather than read from the module: the tests must not follow a row that is lost there.
TABLE = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
168.63.129.16/32 100.100.100.200/32 ::/128 ::1/128 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32
2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8 fd00:ec2::254/128
""".split()  # noqa: SIM905 - a table of words, not ninety lines
REFUSED = [
    str(network[place])
    for network in map(ip_network, TABLE)
    for place in sorted({0, network.num_addresses // 2, network.num_addresses - 1})
]
# Those of IPv4, as IPv6 writes them.
MAPPED = [f"::ffff:{address}" for address in REFUSED if "." in address]
NEIGHBOURS = """
1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0 192.88.98.255
192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255
203.0.114.0 223.255.255.255 ::1:0:0 ::fffe:ffff:ffff ::1:0:0:0 64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff 64:ff9b::1:0:0
64:ff9b:0:ffff:ffff:ffff:ffff:ffff 64:ff9b:2:: ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 100:0:0:1::
2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:200:: 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::
2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2003:: 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000::
5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 5f01:: fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::
fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff 8.8.8.8 1.1.1.1 2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8
""".split()  # noqa: SIM905 - a table of words, not ninety lines


def within(url_host: str) -> str:
    """An address as the host of a URL."""
    return f"[{url_host}]" if ":" in url_host else url_host


@dataclass
class Names(AbstractResolver):
    """Leads names where it is told: by name a list of answers, each a list of addresses; the last answer stays."""

    answers: Mapping[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - both are given, whichever is asked for
    ) -> list[ResolveResult]:
        """Give the next answer, IPv4 and IPv6 alike."""
        answers = self.answers[host]
        answer = answers[min(self.asked.count(host), len(answers) - 1)]
        self.asked.append(host)
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            ResolveResult(
                hostname=host, host=each, port=port, family=families[ip_address(each).version], proto=0, flags=0
            )
            for each in answer
        ]

    async def close(self) -> None:
        """Nothing is open."""


# Asks an address and gives what came of it: "answered", or a word or sentence for what went wrong.
Ask = Callable[[str], Awaitable[str]]
Door = Callable[..., AbstractAsyncContextManager[Ask]]


@asynccontextmanager
async def fetching(policy: Policy, names: AbstractResolver, own: Collection[str] = ()) -> AsyncIterator[Ask]:
    """The door to inputs and outputs."""
    async with open_session(policy, own, resolver=names) as session:

        async def ask(url: str) -> str:
            try:
                async with fetch(session, url, limit=1000, deadline=5, policy=policy) as arriving:
                    _ = [chunk async for chunk in arriving.body]
            except OutputFault as fault:
                return f"{fault.kind}: {fault}"
            return "answered"

        yield ask


@asynccontextmanager
async def posting(policy: Policy, names: AbstractResolver, own: Collection[str] = ()) -> AsyncIterator[Ask]:
    """The door to receivers of webhooks."""
    async with post.opened(policy, own, resolver=names) as send:

        async def ask(url: str) -> str:
            outcome = await send(url, b"{}", {}, 5)
            return "answered" if isinstance(outcome, Answered) else outcome.reason

        yield ask


@asynccontextmanager
async def calling(policy: Policy, names: AbstractResolver, own: Collection[str] = ()) -> AsyncIterator[Ask]:
    """The door to providers."""
    connector = aiohttp.TCPConnector(socket_factory=socket_factory(policy, own, any_port=True), resolver=names)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        wire = Wire(session, Secrets({"ACME_KEY": "s3cret"}, ["ACME_KEY"]), 1)

        async def ask(url: str) -> str:
            headers = {"Authorization": "Bearer $secret.ACME_KEY"}
            try:
                reply = await wire.send(Call(CallName.SUBMIT, "POST", url, headers, {}), 5)
            except Broken as broken:
                return broken.fault.message
            return "answered" if reply.status < 300 else f"answered {reply.status}"

        yield ask


DOORS: Sequence[Door] = (fetching, posting, calling)
