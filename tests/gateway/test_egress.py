"""Which addresses may be dialled: the table, the URL check and the guard at the socket."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from gateway.egress import BadAddress, Blocked, Policy, check_url, socket_factory

PUBLIC = Policy()
LOOPBACK = Policy.parse(["127.0.0.0/8"])

# Written out again rather than read from the module: the test must not follow a row that is lost there.
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
NEIGHBOURS = """
1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0 192.88.98.255
192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255
203.0.114.0 223.255.255.255 ::1:0:0 ::fffe:ffff:ffff ::1:0:0:0 64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff 64:ff9b::1:0:0
64:ff9b:0:ffff:ffff:ffff:ffff:ffff 64:ff9b:2:: ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 100:0:0:2::
2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:200:: 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::
2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2003:: 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000::
5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 5f01:: fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::
fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff 8.8.8.8 1.1.1.1 2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8
""".split()  # noqa: SIM905 - a table of words, not ninety lines


@pytest.mark.parametrize("address", REFUSED)
def test_each_row_is_refused(address: str) -> None:
    """The first, a middle and the last address of every row are refused, as IPv4-mapped addresses too."""
    assert PUBLIC.refusal(address) is not None
    if "." in address:
        assert PUBLIC.refusal(f"::ffff:{address}") is not None


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_neighbours_are_public(address: str) -> None:
    """Addresses just outside a row, and well-known public ones, may be dialled."""
    assert PUBLIC.refusal(address) is None


def test_enough_cases() -> None:
    """The table is tried with at least 120 addresses."""
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
    """An allowed network opens, in its mapped form too, and its neighbours stay shut."""
    policy = Policy.parse(["10.1.0.0/16", "::1"])
    assert [policy.refusal(a) for a in ("10.1.2.3", "::ffff:10.1.2.3", "::1")] == [None, None, None]
    assert policy.refusal("10.2.0.1")
    assert policy.refusal("127.0.0.1")


def test_deny_wins() -> None:
    """A denied network stays shut even inside an allowed one or when public."""
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


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/a/b.png?x=%20y&z=a@b",
        "HTTP://EXAMPLE.com:80/",
        "https://example.com.:443/",
        "https://example.com:/",
        "https://a_b.example.com:8443",
        "https://münchen.example/bild.png",
        "https://8.8.8.8:1024/",
        "https://[2606:4700::1111]:65535/",
        "https://1.example.com/",
    ],
)
def test_good_urls_pass(url: str) -> None:
    """Ordinary public URLs pass."""
    check_url(url, PUBLIC)


# What may stand between "https://" and the path, and may not.
BAD_AUTHORITIES = """
:443 . a..b .example.com user@example.com user:pass@example.com @example.com example.com@127.0.0.1 example.com#@evil.example
example.com\\@evil.example example.com:22 example.com:25 example.com:1023 example.com:0 example.com:65536
example.com:99999999 example.com:-1 example.com:8o example.com:٨٠٨٠ [::1 ::1 [1.2.3.4] [fe80::1%25eth0]
a[2606:4700::1111] [2606:4700::1111]a [] exa%6dple.com -a.example a-.example exam\u00adple.com example.com\u200b
""".split()  # noqa: SIM905 - a table of words, not forty lines


@pytest.mark.parametrize("authority", ["", *BAD_AUTHORITIES, "a" * 64 + ".example", "a." * 127 + "example"])
def test_bad_authorities_are_refused(authority: str) -> None:
    """A missing, malformed or disguised host, a user name and a refused port are told in a sentence."""
    with pytest.raises(BadAddress, match=r"^the URL"):
        check_url(f"https://{authority}/", LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "//example.com/", "https:/example.com", "https:example.com", "ftp://example.com/"),
        *("file:///etc/passwd", "javascript:alert(1)", "data:,x", " https://example.com", "https://?x", "https://"),
        *("https://example.com/#part", "https://example.com/a b", "https://example.com/\t", "https://exa\nmple.com/"),
        *("https://example.com/\r\nX: y", "https://example.com/\x00", "https://example.com/\x7f"),
        "https://example.com/" + "a" * 2048,
    ],
)
def test_bad_urls_are_refused(url: str) -> None:
    """Another scheme, a fragment, an invisible character and too long a URL are told in a sentence."""
    with pytest.raises(BadAddress, match=r"^the URL"):
        check_url(url, LOOPBACK)


def test_credentials_are_named() -> None:
    """A URL with a user name or password is refused for just that."""
    with pytest.raises(BadAddress, match="user name or password"):
        check_url("https://user:pass@example.com/", PUBLIC)


INSIDE = """
127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 0177.0.0.1 017700000001 0 0.0.0.0 127.0.0.1. 127.0.0.0x1 0x
①②⑦.⓪.⓪.① 127。0。0。1 １２７．０．０．１ 127｡0｡0｡1 [::1] [::] [::ffff:127.0.0.1] [::127.0.0.1] [0:0:0:0:0:ffff:7f00:1]
[64:ff9b::7f00:1] [2002:7f00:1::] 10.0.0.1 169.254.169.254 100.100.100.200 168.63.129.16 [fd00:ec2::254] 3232235777
0xa9fea9fe localhost LOCALHOST localhost. a.localhost ｌｏｃａｌｈｏｓｔ ⓛocalhost printer printer. nas.local
metadata.internal NAS.LOCAL. 1.2.3.4.5 256.256.256.256 08.8.8.8 134744072 ８.8.8.8
""".split()  # noqa: SIM905 - a table of words, not fifty lines


@pytest.mark.parametrize("host", INSIDE)
def test_inside_hosts_are_refused(host: str) -> None:
    """Private addresses in any notation, odd spellings of any address, and names of the inside are refused."""
    with pytest.raises(BadAddress, match=r"^the URL's host "):
        check_url(f"http://{host}/", PUBLIC)


def test_allowed_loopback_passes() -> None:
    """With loopback allowed, its plain literals and `localhost` pass, odd spellings and other networks do not."""
    for good in (
        "http://127.0.0.1:8080/",
        "http://localhost:8080/",
        "http://a.localhost/",
        "http://[::ffff:127.0.0.1]/",
    ):
        check_url(good, LOOPBACK)
    for bad in ("http://127.1/", "http://2130706433/", "http://10.0.0.1/", "http://[::1]/"):
        with pytest.raises(BadAddress):
            check_url(bad, LOOPBACK)


def test_allowed_network_opens_its_names() -> None:
    """Names of the inside are left to the socket guard once a network is allowed; `localhost` needs loopback itself."""
    policy = Policy.parse(["10.0.0.0/8"])
    check_url("http://hook.default.svc.cluster.local/", policy)
    check_url("http://hook:8080/", policy)
    with pytest.raises(BadAddress):
        check_url("http://localhost/", policy)


def test_schemes_can_be_narrowed() -> None:
    """Where only https is taken, http is refused and the message says which is taken."""
    with pytest.raises(BadAddress, match=r"begin with https://$"):
        check_url("http://example.com/", PUBLIC, schemes=("https",))


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://[", "http://127."]))
def test_any_text_is_answered(text: str, start: str) -> None:
    """Whatever is typed, the check passes or raises its own error, never another."""
    try:
        check_url(start + text, PUBLIC)
    except BadAddress as refused:
        assert str(refused).startswith("the URL")  # noqa: PT017 - either outcome is right


class Names(AbstractResolver):
    """A name server whose answers are scripted: each look-up takes the next list of addresses, the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the next scripted answer."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in answer
            if ip_address(address)
        ]

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Listener:
    """A real server on loopback and the number of requests it saw."""

    server: TestServer
    seen: int = 0

    def session(self, policy: Policy, *answers: list[str]) -> aiohttp.ClientSession:
        """Open a client behind the guard whose names resolve as scripted."""
        connector = aiohttp.TCPConnector(
            socket_factory=socket_factory(policy), resolver=Names(*answers), use_dns_cache=False, force_close=True
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
    """Whatever the host looks like, a forbidden address is never dialled and the error names none."""
    async with listener.session(PUBLIC, ["127.0.0.1"]) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://{host}:{listener.server.port}/")
    assert isinstance(caught.value.os_error, Blocked)
    assert "127.0.0.1" not in str(caught.value.os_error)
    assert listener.seen == 0


async def test_rebinding_is_stopped(listener: Listener) -> None:
    """A name that changes to a forbidden address between two look-ups is stopped at the second."""
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
    """When a name resolves to a dead allowed and a live forbidden address, the live one is left alone."""
    policy = Policy.parse(["127.0.0.9"])  # nobody listens there: the server is on 127.0.0.1
    async with listener.session(policy, ["127.0.0.9", "127.0.0.1"]) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://both.example:{listener.server.port}/")
    assert listener.seen == 0


async def test_redirects_are_guarded(listener: Listener) -> None:
    """A redirect to a forbidden address is stopped at that hop."""
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
