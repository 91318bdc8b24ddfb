"""What is refused by the head alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.ingress.screen import LONGEST_LINE, screen

NOW = (1, 1)


def status(method: str = "GET", target: str = "/v1/x", version: tuple[int, int] = NOW, **headers: str) -> int | None:
    """The status of the refusal, None when there is none."""
    refusal = screen(
        method, target, version, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    )
    return refusal.code.status if refusal else None


def test_plain_requests_pass() -> None:
    """Usual heads are in order, whatever bytes beyond ASCII they hold."""
    assert status() is None
    assert status("POST", "/v1/x?a=b", transfer_encoding="Chunked", expect="100-Continue", host="a.test:80") is None
    assert status("GET", "/", (1, 0), host="", user_agent="naïve \udcff\tclient") is None
    for host in ("a", "A-1.b_c~", "127.0.0.1:1", "[::1]", "[2001:db8::7]:65535", "xn--bcher-kva.example."):
        assert status(host=host) is None, host


REFUSED = [
    ({"version": (2, 0)}, 400),
    ({"version": (0, 9)}, 400),
    ({"version": (1, 2)}, 400),
    ({"method": "TRACE"}, 405),
    ({"method": "CONNECT", "target": "a:80"}, 405),
    ({"target": "*", "method": "OPTIONS"}, 400),
    ({"target": "http://a/v1/x"}, 400),
    ({"target": ""}, 400),
    ({"transfer_encoding": "gzip, chunked"}, 400),
    ({"transfer_encoding": ""}, 400),
    ({"transfer_encoding": "chunked", "version": (1, 0)}, 400),
    ({"expect": "200-ok"}, 417),
    ({"x": "a\x7f"}, 400),
    ({"x": "a\r\nb: c"}, 400),
    ({"x": "\x00"}, 400),
    ({"x": "a" * (LONGEST_LINE - 2)}, 431),
    ({"host": "a b"}, 400),
    ({"host": "a,b"}, 400),
    ({"host": "me@a"}, 400),
    ({"host": "a:80:80"}, 400),
    ({"host": "a:999999"}, 400),
    ({"host": "::1"}, 400),
    ({"host": "[::1"}, 400),
    ({"host": "a/b"}, 400),
    ({"host": "a?b"}, 400),
    ({"host": "ä"}, 400),
    ({"host": "a" * 300}, 400),
]


@pytest.mark.parametrize(("said", "expected"), REFUSED)
def test_what_has_no_business_here_is_refused(said: dict, expected: int) -> None:
    """S42, S50: versions and forms that are not served, bodies that could be read in two ways, and control characters anywhere."""
    assert status(**said) == expected


@given(
    st.text(max_size=12), st.text(max_size=30), st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20))
)
def test_whatever_comes_passes_or_is_refused(method: str, target: str, headers: dict[str, str]) -> None:
    """No head leads to an error of another kind, and no refusal repeats a value."""
    refusal = screen(method, target, NOW, CIMultiDict(headers))
    assert refusal is None or refusal.code.status in {400, 405, 417, 431}
