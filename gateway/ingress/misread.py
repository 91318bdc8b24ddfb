"""What to say of a request that the HTTP library could not read; never what was in it."""

from __future__ import annotations

from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong

from gateway.ingress.refusal import Refusal
from gateway.ingress.screen import LONGEST_LINE, METHODS, MOST_FIELDS


def said(error: HttpProcessingError) -> Refusal:
    """The error for what the library raised."""
    if isinstance(error, LineTooLong):
        # The parser's own name for the buffer of the request line tells it from a field.
        if isinstance(error.args[0], bytearray):
            return Refusal("address_too_long", f"the address of the request is longer than {LONGEST_LINE} bytes")
        return Refusal("head_too_large", f"a header is longer than {LONGEST_LINE} bytes")
    if "Too many headers" in error.message:
        return Refusal("head_too_large", f"the request has more than {MOST_FIELDS} headers")
    if isinstance(error, BadHttpMethod):
        if "HTTPS" in error.message:
            return Refusal("invalid_input", "this port speaks HTTP; use http://, or a proxy in front that ends TLS")
        return Refusal("method_not_allowed", f"the method is none that is known here; this gateway takes {METHODS}")
    return Refusal("invalid_input", "the request is not HTTP/1.1 as it has to be; the connection ends here")
