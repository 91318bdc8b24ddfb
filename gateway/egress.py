"""Which addresses may be dialled.

Two guards, for two moments. `check_url` refuses a URL when it is written down, with a sentence a person can act on; it asks
no name server. `socket_factory` refuses at the moment of dialling, when the address is known: it is the guard that counts,
because the address it checks is the address that is connected to, however the name resolves and whatever redirects say. Both
keep to the ports of the web, except inside networks that the operator opened, and away from where the gateway itself listens.

The table is our own and complete: the standard library's idea of a global address changes between releases and lets
multicast, NAT64, 6to4 and IPv4-compatible addresses pass.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
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
_WEB_PORTS = frozenset({80, 443, 8080, 8443})
_FIRST_FREE_PORT = 1024  # below it live services that a request could be made to talk to (22, 25, 53, …)
_PORTS = {"http": 80, "https": 443}
_TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is meant

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
    With `https_only` plain HTTP is left to what `allow` opened.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    https_only: bool = False

    @classmethod
    def parse(cls, allow: Iterable[str], deny: Iterable[str] = (), *, https_only: bool = False) -> Policy:
        """Read networks such as `10.1.0.0/16`, `::1/128` or a single address; ValueError names the one that is wrong."""
        return cls(tuple(map(_network, allow)), tuple(map(_network, deny)), https_only)

    def refusal(self, address: str | IPv4Address | IPv6Address) -> str | None:
        """Say what kind of address this is when it may not be dialled, or None when it may."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return "no IP address"
        parsed = _unwrapped(parsed)
        if any(parsed in network for network in self.deny):
            return "an address the operator has closed"
        if any(parsed in network for network in self.allow):
            # Who opens the translator's network means the public addresses behind it.
            return self.refusal(IPv4Address(int(parsed) & 0xFFFFFFFF)) if parsed in _TRANSLATED else None
        return next((why for network, why in _REFUSED if parsed in network), None)

    def opens(self, address: str | IPv4Address | IPv6Address) -> bool:
        """Whether the operator opened the network of this address."""
        try:
            parsed = _unwrapped(ip_address(address))
        except ValueError:
            return False
        return any(parsed in network for network in self.allow) and self.refusal(parsed) is None


def socket_factory(
    policy: Policy, own: Collection[str] = (), *, any_port: bool = False
) -> Callable[[AddrInfo], socket.socket]:
    """Make the function a connector calls for each socket: it raises `Blocked` instead of opening a forbidden one.

    `own` are the addresses the gateway is reached at, looked at each time. `any_port` is for what the operator wrote down.
    """

    def open_socket(addr_info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, sockaddr = addr_info
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise Blocked("no internet address")
        address, port = sockaddr[:2]
        why = policy.refusal(address)
        if why is None and not any_port and not _is_port(port, inside=policy.opens(address)):
            why = "a port that is not of the web"
        if why is None and is_own(address, port, own):
            why = "the gateway's own address"
        if why is not None:
            raise Blocked(why)
        return socket.socket(family, kind, protocol)

    return open_socket


def is_own(address: str, port: int, own: Collection[str]) -> bool:
    """Whether one of the gateway's addresses is this one, an address of this machine where it listens on all of them."""
    return any(_is_at(address, host) for host, theirs in map(place, own) if theirs == port)


def is_literal(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def place(url: str) -> tuple[str, int]:
    """Give the host as it would be dialled and the port of a URL; an empty host and 0 for what is none."""
    parts = _URL.match(url)
    authority = _AUTHORITY.fullmatch(parts["authority"]) if parts is not None else None
    if parts is None or authority is None:
        return "", 0
    host, port = authority["host"].strip("[]"), int(authority["port"] or _PORTS.get(parts["scheme"].lower(), 0))
    with suppress(ValueError):
        return str(_unwrapped(ip_address(host))), port
    with suppress(BadAddress):
        host = _ascii_name(host)
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host, port


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
    inside = _check_host(authority["host"], policy)
    _check_port(authority["port"], inside=inside is not _Where.OUTSIDE)
    if policy.https_only and parts["scheme"].lower() == "http" and inside is not _Where.INSIDE:
        raise BadAddress("the URL must begin with https://: the operator takes no plain HTTP")


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
        mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
        # An address is looked at without its mapping, and so has to be a network.
        return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))
    except ValueError as exc:
        try:
            nearest = ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is not a network; write one like 10.1.0.0/16 or fd00::/8") from exc
        raise ValueError(f"{text!r} has bits set beyond its prefix; write {nearest} to mean that network") from exc


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _is_at(address: str, host: str) -> bool:
    if not (is_literal(address) and is_literal(host)):
        return False  # a name: it is compared where URLs are
    dialled, listens = _unwrapped(ip_address(address)), ip_address(host)
    if listens.is_unspecified:
        return _is_here(dialled)
    # To dial the unspecified address is to dial this machine's loopback.
    return dialled == listens or (dialled.is_unspecified and listens.is_loopback)


def _is_here(address: IPv4Address | IPv6Address) -> bool:
    """Whether this machine has the address: only one's own can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((str(address), 0))
        except OSError:
            return False
    return True


class _Where(StrEnum):
    """Where the host of a URL is, as far as it can be told without asking for it."""

    OUTSIDE = "outside"
    UNKNOWN = "unknown"  # a name, where the operator opened networks: it is seen when it is dialled
    INSIDE = "inside"


def _is_port(port: int, *, inside: bool) -> bool:
    return port in _WEB_PORTS or (inside and _FIRST_FREE_PORT <= port <= 65535)


def _check_port(text: str | None, *, inside: bool) -> None:
    if text and not _is_port(int(text), inside=inside):
        taken = f"80, 443, 8080, 8443 are taken, and from {_FIRST_FREE_PORT} on inside networks the operator opened"
        raise BadAddress(f"the URL's port {int(text)} is refused; {taken}")


def _check_host(host: str, policy: Policy) -> _Where:
    if not host:
        raise BadAddress("the URL has no host")
    if host.startswith("["):
        try:
            literal: IPv4Address | IPv6Address = IPv6Address(host[1:-1])
        except ValueError as exc:
            raise BadAddress("the URL's host is not a valid IPv6 address") from exc
        return _check_literal(literal, policy)
    name = _ascii_name(host)
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        # Resolvers read 2130706433, 0x7f.1 and 0177.1 as addresses; of all spellings only the plain one is taken.
        try:
            literal = IPv4Address(host)
        except ValueError as exc:
            raise BadAddress("the URL's host is not an IPv4 address written as four decimal numbers") from exc
        return _check_literal(literal, policy)
    return _check_name(name, policy)


def _check_literal(address: IPv4Address | IPv6Address, policy: Policy) -> _Where:
    why = policy.refusal(address)
    if why is not None:
        said = "use a public one, or have the operator allow its network"
        raise BadAddress(f"the URL's host is {why} (blocked_address); {said}")
    return _Where.INSIDE if policy.opens(address) else _Where.OUTSIDE


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


def _check_name(name: str, policy: Policy) -> _Where:
    if name == "localhost" or name.endswith(".localhost"):
        if all(policy.refusal(address) is not None for address in ("127.0.0.1", "::1")):
            raise BadAddress("the URL's host is this machine; use a public one, or have the operator allow 127.0.0.0/8")
        return _Where.INSIDE
    is_internal = "." not in name or name.endswith((".local", ".internal"))
    # An operator who opens a network means its names too; the socket guard still sees each address.
    if not policy.allow and is_internal:
        raise BadAddress("the URL's host is a name of an internal network; use a public one")
    if not policy.allow:
        return _Where.OUTSIDE
    return _Where.INSIDE if is_internal else _Where.UNKNOWN
