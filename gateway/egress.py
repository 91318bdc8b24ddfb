"""Which addresses may be dialled.

Two guards, for two moments. `check_url` refuses a URL when it is written down, with a sentence a person can act on; it asks
no name server. `socket_factory` refuses at the moment of dialling, when the address is known: it is the guard that counts,
because the address it checks is the address that is connected to, however the name resolves and whatever redirects say.

The table is our own and complete: the standard library's idea of a global address changes between releases and lets
multicast, NAT64, 6to4 and IPv4-compatible addresses pass.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network
AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

# From the IANA special-purpose registries for IPv4 and IPv6 unless a line says otherwise.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "an address of this network"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),  # also where some clouds answer metadata, 100.100.100.200
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud platform's own address"),  # public by registry, answers guests' agents
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address for protocol use"),
        ("192.0.2.0/24", "an address for documentation"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "an address for benchmarks"),
        ("198.51.100.0/24", "an address for documentation"),
        ("203.0.113.0/24", "an address for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),  # the broadcast address is its last
        ("::/96", "an IPv4-compatible address"),  # holds the unspecified and the loopback address
        ("::ffff:0:0/96", "an IPv4-mapped address"),  # unwrapped before the table is asked; here for completeness
        ("64:ff9b::/96", "an address that translates to IPv4"),
        ("64:ff9b:1::/48", "an address that translates to IPv4"),
        ("100::/64", "a discard address"),
        ("100:0:0:1::/64", "a dummy address"),
        ("2001::/23", "an address for protocol use"),  # Teredo, benchmarks, ORCHID
        ("2001:db8::/32", "an address for documentation"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "an address for documentation"),
        ("5f00::/16", "a segment-routing address"),
        ("fc00::/7", "a private address"),  # holds the metadata address fd00:ec2::254
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)

_LONGEST_URL = 2048  # the practical limit of servers and logs
_LONGEST_NAME = 253  # RFC 1035 §3.1, without the final dot
_WEB_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1024  # below it live services that a request could be made to talk to (22, 25, 53, …)

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)[^#]*(?P<fragment>#?)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?", re.ASCII)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class BadAddress(ValueError):  # noqa: N818 - named as it is told: a bad address
    """A URL that may not be used; the message says what is wrong with it and never names a resolved address."""


class Blocked(OSError):  # noqa: N818 - the word operators search for: blocked_address
    """A connection refused before its first packet; the text names no address, `reason` says what kind it was."""

    def __init__(self, reason: str) -> None:
        super().__init__("blocked_address: the host resolves to an address that may not be dialled")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be dialled beside the public internet, and what may not be dialled in any case.

    `allow` opens networks that the table refuses; `deny` closes further ones (the gateway's own public addresses) and wins.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, allow: Iterable[str], deny: Iterable[str] = ()) -> Policy:
        """Read networks such as `10.1.0.0/16`, `::1/128` or a single address; ValueError names the one that is wrong."""
        return cls(tuple(map(_network, allow)), tuple(map(_network, deny)))

    def refusal(self, address: str | IPv4Address | IPv6Address) -> str | None:
        """Say what kind of address this is when it may not be dialled, or None when it may."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return "no IP address"
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        if any(parsed in network for network in self.deny):
            return "an address the operator has closed"
        if any(parsed in network for network in self.allow):
            return None
        return next((why for network, why in _REFUSED if parsed in network), None)


def socket_factory(policy: Policy) -> Callable[[AddrInfo], socket.socket]:
    """Make the function a connector calls for each socket: it raises `Blocked` instead of opening a forbidden one."""

    def open_socket(addr_info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, sockaddr = addr_info
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise Blocked("no internet address")
        why = policy.refusal(sockaddr[0])
        if why is not None:
            raise Blocked(why)
        return socket.socket(family, kind, protocol)

    return open_socket


def check_url(url: str, policy: Policy, *, schemes: Sequence[str] = ("https", "http")) -> None:
    """Refuse a URL that could not or must not be fetched; no name is resolved. Raises `BadAddress`."""
    if len(url) > _LONGEST_URL:
        raise BadAddress(f"the URL has {len(url)} characters; at most {_LONGEST_URL} are taken")
    if not url.isprintable() or " " in url or "\\" in url:
        raise BadAddress("the URL holds a space, a backslash or an invisible character; write it percent-encoded")
    parts = _URL.match(url)
    if parts is None or parts["scheme"].lower() not in schemes:
        raise BadAddress(f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts["authority"]:
        raise BadAddress("the URL holds a user name or password; leave both out")
    if parts["fragment"]:
        raise BadAddress("the URL has a fragment ('#…'), which is never sent; leave it out")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise BadAddress("the URL's host or port is malformed; write host or host:port")
    _check_port(authority["port"])
    _check_host(authority["host"], policy)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as exc:
        try:
            nearest = ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is not a network; write one like 10.1.0.0/16 or fd00::/8") from exc
        raise ValueError(f"{text!r} has bits set beyond its prefix; write {nearest} to mean that network") from exc


def _check_port(text: str | None) -> None:
    if not text:
        return
    port = int(text)
    if port not in _WEB_PORTS and not _FIRST_FREE_PORT <= port <= 65535:
        raise BadAddress(f"the URL's port {port} is refused; 80, 443 and {_FIRST_FREE_PORT} to 65535 are taken")


def _check_host(host: str, policy: Policy) -> None:
    if not host:
        raise BadAddress("the URL has no host")
    if host.startswith("["):
        try:
            literal: IPv4Address | IPv6Address = IPv6Address(host[1:-1])
        except ValueError as exc:
            raise BadAddress("the URL's host is not a valid IPv6 address") from exc
        _check_literal(literal, policy)
        return
    name = _ascii_name(host)
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        # Resolvers read 2130706433, 0x7f.1 and 0177.1 as addresses; of all spellings only the plain one is taken.
        try:
            literal = IPv4Address(host)
        except ValueError as exc:
            raise BadAddress("the URL's host is not an IPv4 address written as four decimal numbers") from exc
        _check_literal(literal, policy)
        return
    _check_name(name, policy)


def _check_literal(address: IPv4Address | IPv6Address, policy: Policy) -> None:
    why = policy.refusal(address)
    if why is not None:
        raise BadAddress(f"the URL's host is {why}; use a public one, or have the operator allow its network")


def _ascii_name(host: str) -> str:
    """Give the host as a resolver would see it: lower case, one kind of dot, no final dot, other scripts encoded."""
    try:
        encoded = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise BadAddress("the URL's host is not a valid name") from exc
    name = encoded.lower().removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise BadAddress("the URL's host is not a valid name")
    return name


def _check_name(name: str, policy: Policy) -> None:
    if name == "localhost" or name.endswith(".localhost"):
        if all(policy.refusal(address) is not None for address in ("127.0.0.1", "::1")):
            raise BadAddress("the URL's host is this machine; use a public one, or have the operator allow 127.0.0.0/8")
        return
    # An operator who opens a network means its names too; the socket guard still sees each address.
    if not policy.allow and ("." not in name or name.endswith((".local", ".internal"))):
        raise BadAddress("the URL's host is a name of an internal network; use a public one")
