"""The PROXY protocol, versions 1 and 2: what a load balancer says before the first request, of whom it speaks for.

Pure: bytes to an address. What is not in order to the byte is refused, because whoever may send it names the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.ingress import address
from gateway.ingress.address import Address

LONGEST = 4096  # bytes; a line of version 1 has 107 at most, what balancers add to version 2 some hundred
_LONGEST_LINE = 107
_BINARY = b"\r\n\r\n\x00\r\nQUIT\n"  # how version 2 begins
_FIXED = 16  # bytes of version 2 before its addresses
_LINE = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n")
_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")
_PORTS = 65536
# Version 2, by the byte that names family and protocol: how long the addresses are, and the first of them.
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21
_LENGTHS = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36}


class Malformed(ValueError):  # noqa: N818 - named for what it is
    """Bytes that are no beginning of the PROXY protocol."""


@dataclass(frozen=True, slots=True)
class Preamble:
    """How many bytes it took, and whom the proxy speaks for; None when for itself, as in its own checks."""

    size: int
    source: Address | None


def parse(data: bytes) -> Preamble | None:
    """Read the beginning of a connection; None when more bytes are needed, Malformed when they are something else."""
    if data.startswith(_BINARY):
        return _binary(data)
    if data.startswith(b"PROXY "):
        return _line(data)
    if _BINARY.startswith(data) or b"PROXY ".startswith(data):
        return None
    raise Malformed("the connection does not begin with the PROXY protocol")


def _line(data: bytes) -> Preamble | None:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(data) >= _LONGEST_LINE:
            raise Malformed("the line of the PROXY protocol does not end")
        return None
    line = data[: end + 2]
    if _UNKNOWN.fullmatch(line):
        return Preamble(len(line), None)
    found = _LINE.fullmatch(line)
    if found is None or int(found[4]) >= _PORTS or int(found[5]) >= _PORTS:
        raise Malformed("the line of the PROXY protocol cannot be read")
    family = IPv4Address if found[1] == b"TCP4" else IPv6Address
    for written in (found[2], found[3]):
        if not isinstance(_read(written), family):
            raise Malformed("the line of the PROXY protocol names no address of its family")
    return Preamble(len(line), address.parse(found[2].decode()))


def _read(written: bytes) -> Address:
    try:
        return ip_address(written.decode())
    except ValueError as error:
        raise Malformed("the line of the PROXY protocol names no address") from error


def _binary(data: bytes) -> Preamble | None:
    if len(data) < _FIXED:
        return None
    version, command = data[12] >> 4, data[12] & 0x0F
    size = _FIXED + int.from_bytes(data[14:16])
    if version != 2 or command > 1:
        raise Malformed("the PROXY protocol is version 1 or 2, and a proxy speaks for itself or for somebody")
    if size > LONGEST:
        raise Malformed(f"the PROXY protocol takes more than {LONGEST} bytes")
    if len(data) < size:
        return None
    if command == 0:
        return Preamble(size, None)
    family = data[13]
    if family not in _LENGTHS or size - _FIXED < _LENGTHS[family]:
        raise Malformed("the PROXY protocol names no address of TCP")
    match family:
        case 0x11:
            return Preamble(size, IPv4Address(data[16:20]))
        case 0x21:
            found = IPv6Address(data[16:32])
            return Preamble(size, found.ipv4_mapped or found)
        case _:
            return Preamble(size, None)
