"""The PROXY protocol: bytes to an address, or to a refusal."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.preamble import LONGEST, Malformed, Preamble, parse

BINARY = b"\r\n\r\n\x00\r\nQUIT\n"
FOUR = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + bytes(4)
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + bytes(4)
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:203.0.113.9") + bytes(16) + bytes(4)


def binary(command: int, family: int, rest: bytes) -> bytes:
    """Version 2 with so much behind its fixed part."""
    return BINARY + bytes([command, family]) + len(rest).to_bytes(2) + rest


GOOD = [
    (b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", "203.0.113.9"),
    (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 0 65535\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 4711 443\r\n", "203.0.113.9"),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff:f:f ffff:f:f 65535 65535\r\n", None),
    (binary(0x21, 0x11, FOUR), "203.0.113.9"),
    (binary(0x21, 0x21, SIX), "2001:db8::7"),
    (binary(0x21, 0x21, MAPPED), "203.0.113.9"),
    (binary(0x21, 0x11, FOUR + b"\x04\x00\x03abc"), "203.0.113.9"),
    (binary(0x20, 0x00, b""), None),
    (binary(0x20, 0x11, FOUR), None),
    (binary(0x20, 0x31, bytes(216)), None),
    (binary(0x21, 0x00, b""), None),
]


@pytest.mark.parametrize(("sent", "source"), GOOD)
def test_who_is_spoken_for_is_read(sent: bytes, source: str | None) -> None:
    """S24: both versions name the client, and what follows is left alone; a proxy that speaks for itself names nobody."""
    expected = Preamble(len(sent), ip_address(source) if source else None)
    assert parse(sent) == expected
    assert parse(sent + b"GET / HTTP/1.1\r\n\r\n") == expected


@pytest.mark.parametrize(("sent", "_"), GOOD)
def test_a_beginning_wants_more(sent: bytes, _: object) -> None:
    """As long as it is not whole, more bytes are asked for: never an address out of half of it."""
    assert [parse(sent[:end]) for end in range(len(sent))] == [None] * len(sent)


BAD = [
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01",
    b"\r\n\r\nX",
    b"proxy TCP4 203.0.113.9 192.0.2.1 1 2\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2\n" + bytes(107),
    b"PROXY TCP4  203.0.113.9 192.0.2.1 1 2\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2 \r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 1\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 01 2\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 65536 2\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 -1 2\r\n",
    b"PROXY TCP4 203.0.113.09 192.0.2.1 1 2\r\n",
    b"PROXY TCP4 203.0.113 192.0.2.1 1 2\r\n",
    b"PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n",
    b"PROXY TCP6 203.0.113.9 ::1 1 2\r\n",
    b"PROXY TCP6 ::1%eth0 ::1 1 2\r\n",
    b"PROXY TCP4 203.0.113.9 nonsense 1 2\r\n",
    b"PROXY UDP4 203.0.113.9 192.0.2.1 1 2\r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
    b"PROXY " + b"x" * 200,
    binary(0x11, 0x11, FOUR),
    binary(0x31, 0x11, FOUR),
    binary(0x22, 0x11, FOUR),
    binary(0x21, 0x12, FOUR),
    binary(0x21, 0x31, bytes(216)),
    binary(0x21, 0x11, FOUR[:-1]),
    binary(0x21, 0x21, SIX[:-1]),
    BINARY + b"\x21\x11\xff\xff",
]


@pytest.mark.parametrize("sent", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(sent: bytes) -> None:
    """S24: what is not in order to the byte names nobody, and is refused before it is whole where that can be seen."""
    with pytest.raises(Malformed):
        parse(sent)


@given(
    st.binary(max_size=300)
    | st.binary(max_size=300).map(BINARY.__add__)
    | st.binary(max_size=120).map(b"PROXY TCP4 ".__add__)
    | st.builds(binary, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=80))
)
def test_whatever_comes_is_read_or_refused(sent: bytes) -> None:
    """No bytes lead to another error, and a preamble never takes more than there is."""
    try:
        found = parse(sent)
    except Malformed:
        return
    assert found is None or 0 < found.size <= min(len(sent), LONGEST)


@given(st.lists(st.integers(1, 60), max_size=4), st.sampled_from([sent for sent, _ in GOOD]))
def test_pieces_make_no_difference(cuts: list[int], sent: bytes) -> None:
    """However it is cut, it reads as the same."""
    for cut in cuts:
        assert parse(sent[: min(cut, len(sent) - 1)]) is None
    assert parse(sent) is not None
