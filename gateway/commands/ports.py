"""Ports: which is free, and what to say when one is not."""

from __future__ import annotations

import argparse
import errno
import socket

_TRIES = 100


def port(written: str) -> int:
    """Read a port as typed; 0 leaves the choice to the system."""
    if not (written.isascii() and written.isdigit() and len(written) <= 5 and int(written) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {written!r}")
    return int(written)


def is_free(host: str, number: int) -> bool:
    """Tell whether a port can be listened on now. OSError when the host is none of this machine's."""
    family, _, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def next_free(host: str, number: int) -> int | None:
    """Give the first free port above this one; None when there is none near."""
    return next((other for other in range(number + 1, min(number + _TRIES, 65536)) if is_free(host, other)), None)


def refused(host: str, number: int, error: OSError, option: str) -> str:
    """Say why a port cannot be listened on, and which could; `option` shows where to put it, `{}` in place of the port."""
    if error.errno == errno.EADDRINUSE and (free := next_free(host, number)) is not None:
        return f"port {number} is taken; the next free one is {free}: {option.format(free)}"
    return f"cannot listen on {host} port {number}: {error.strerror or error}"
