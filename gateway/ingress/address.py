"""Where a caller is: the peer of the connection, or what a trusted proxy says of whom it speaks for.

A header counts only if the peer is a trusted proxy, and then it is read from the right: every proxy adds whom it heard from at
the end, so the first address from there that is not a trusted proxy's is the last one somebody trusted has seen. Whatever stands
left of it the caller may have made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MOST = 64  # proxies in a row; a longer chain was made up
_HOST = 64  # bits of an IPv6 address that name the network; the rest anybody there chooses freely
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?", re.ASCII)
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}", re.ASCII)
# One pair of RFC 7239: a name, and a token or a quoted text.
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)=("(?:[^"\\]|\\.)*"|[^\s",;]*)\s*', re.ASCII)


class Header(StrEnum):
    """The header the trusted proxies write. Only one is read: they pass the other one on as the caller sent it."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    FORWARDED = "Forwarded"


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which peers are believed, and by which header; without networks none is."""

    trusted: tuple[Network, ...] = ()
    header: Header = Header.X_FORWARDED_FOR


def client(peer: str | None, lines: Sequence[str], proxies: Proxies) -> Address | None:
    """Where a request comes from; `lines` are all lines of the proxies' header, in order. None when nobody can say."""
    found = parse(peer or "")
    if found is None or not is_within(found, proxies.trusted):
        return found
    for hop in _hops(lines, proxies.header):
        found = parse(hop)
        if found is None or not is_within(found, proxies.trusted):
            return found
    return found


def parse(written: str) -> Address | None:
    """Read an address, with a port or without; one of IPv4 that came in an IPv6 socket is one of IPv4. None when it is none."""
    bare = _BRACKETED.fullmatch(written) or _WITH_PORT.fullmatch(written)
    try:
        found = ip_address(bare[1] if bare else written)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None  # a zone means something on the machine that wrote it alone
        return found.ipv4_mapped or found
    return found


def is_within(address: Address | None, allowed: Iterable[Network]) -> bool:
    """Whether an address is known and in one of the networks."""
    return address is not None and any(address in network for network in allowed)


def neighbourhood(address: Address | None) -> str:
    """What one party has to itself: an IPv4 address, or 64 bits of IPv6."""
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> _HOST << _HOST, 128 - _HOST)))
    return str(address)


def networks(written: Iterable[Any]) -> tuple[str, ...]:
    """Check addresses and networks such as `203.0.113.7` or `10.0.0.0/8`; ValueError names the one that is neither."""
    found: list[str] = []
    for each in written:
        try:
            network = ip_network(each if isinstance(each, str) else "")
        except ValueError as exc:
            raise ValueError(f"expected an address or a network such as 10.0.0.0/8, found {str(each)[:60]!r}") from exc
        found.append(str(_plain(network)))
    return tuple(dict.fromkeys(found))


def _plain(network: Network) -> Network:
    """The IPv4 network that an IPv6 one writes, as callers are compared."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return ip_network((mapped, network.prefixlen - 96)) if mapped is not None and network.prefixlen >= 96 else network


def _hops(lines: Sequence[str], header: Header) -> Iterator[str]:
    """Who was heard from, the last first. What cannot be read is a hop without an address."""
    line = ",".join(lines)
    match header:
        case Header.X_FORWARDED_FOR:
            yield from reversed([part.strip() for part in line.split(",") if part.strip()][-_MOST:])
        case Header.FORWARDED:
            yield from reversed([hop for element in _elements(line) if (hop := _for(element))][-_MOST:])


def _elements(line: str) -> Iterator[str]:
    """Cut at the commas outside quotes."""
    begin, quoted, escaped = 0, False, False
    for at, char in enumerate(line):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            yield line[begin:at]
            begin = at + 1
    yield line[begin:]


def _for(element: str) -> str:
    """Whom an element of RFC 7239 was forwarded for; `unknown` when it does not say, nothing when it is empty."""
    if not element.strip():
        return ""
    at, found = 0, "unknown"
    while pair := _PAIR.match(element, at):
        if pair[1].lower() == "for":
            found = re.sub(r"\\(.)", r"\1", pair[2][1:-1]) if pair[2].startswith('"') else pair[2]
        at = pair.end()
        if at == len(element):
            return found or "unknown"
        if element[at] != ";":
            break
        at += 1
    return "unknown"
