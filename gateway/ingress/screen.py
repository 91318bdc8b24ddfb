"""What is refused before any handler sees it: by the words of the request line and the head alone. Pure.

Two programs that read one request differently are how requests are smuggled past a proxy. So what has more than one reading, or
asks for what only proxies do, is refused, even where a standard would let it pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.ingress.refusal import Refusal

LONGEST_LINE = 8190  # bytes of a request's address
MOST_FIELDS = 128
LARGEST_HEAD = 64 * 1024  # bytes of a head that comes in pieces; proxies in front send a tenth of it at most

_VERSIONS = frozenset({(1, 0), (1, 1)})
# RFC 9110, 7.2: a name or an address, and a port. Brackets are for addresses of IPv6 alone.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?", re.ASCII)
_LONGEST_HOST = 260  # a name has 253 characters
METHODS = "GET, HEAD, POST, PATCH, DELETE"
# What only proxies do, and what sends a request back as it came, its key included.
_NEVER = frozenset({"CONNECT", "TRACE", "TRACK"})
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def screen(method: str, target: str, version: tuple[int, int], headers: Mapping[str, str]) -> Refusal | None:
    """What is wrong with a request as far as its head tells, None when nothing."""
    return _line(method, target, version) or _body(version, headers) or _fields(headers)


def _line(method: str, target: str, version: tuple[int, int]) -> Refusal | None:
    if version not in _VERSIONS:
        return Refusal("invalid_input", "the request must be HTTP/1.1 or HTTP/1.0")
    if method in _NEVER:
        return Refusal("method_not_allowed", f"{method} is not served; this gateway takes {METHODS}")
    if not target.startswith("/"):
        said = "the request line must name a path, such as /v1/status; requests to a proxy are not served"
        return Refusal("invalid_input", said)
    return None


def _body(version: tuple[int, int], headers: Mapping[str, str]) -> Refusal | None:
    coding, expected = headers.get("Transfer-Encoding"), headers.get("Expect")
    if coding is not None and version == (1, 0):
        return Refusal("invalid_input", "HTTP/1.0 knows no Transfer-Encoding; send Content-Length, or HTTP/1.1")
    if coding is not None and coding.lower() != "chunked":
        return Refusal("invalid_input", "the only Transfer-Encoding is chunked; send the body as it is")
    if expected is not None and expected.lower() != "100-continue":
        return Refusal("expectation_failed", "the only expectation that is met is 100-continue; leave Expect out")
    return None


def _fields(headers: Mapping[str, str]) -> Refusal | None:
    host = headers.get("Host", "")
    if host and (len(host) > _LONGEST_HOST or not _HOST.fullmatch(host)):
        return Refusal("invalid_input", "Host must be a name or an address, and a port if it needs one")
    for name, value in headers.items():
        if len(name) + len(value) + 2 > LONGEST_LINE:
            return Refusal("head_too_large", f"a header is longer than {LONGEST_LINE} bytes")
        if not value.isprintable() and _CONTROLS.search(value):
            return Refusal("invalid_input", f"the header {name[:60]} holds a control character")
    return None
