"""What can go wrong while an output is made ours: the source's side and the store's side."""

from __future__ import annotations

import errno
from typing import Literal

OutputFaultKind = Literal[
    "gone", "refused", "truncated", "too_large", "too_slow", "not_media", "blocked", "unreachable"
]


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class OutputFault(Exception):  # noqa: N818 - one word with the other faults
    """The source did not give an acceptable output.

    `kind`: `gone` (401, 403, 404, 410: expired or not there yet), `refused` (any other answer but 200, or one that cannot be used),
    `truncated` (the body ended early), `too_large`, `too_slow` (below the minimum rate or past the deadline), `not_media`
    (the bytes are not of the expected kind), `blocked` (the address may not be dialled), `unreachable` (no connection).
    `retryable`: whether the same source, or a fresh link to it, may yet give the output. The text holds no URL.
    """

    def __init__(self, kind: OutputFaultKind, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.kind: OutputFaultKind = kind
        self.retryable = retryable


class StorageFault(Exception):  # noqa: N818 - one word with the other faults
    """The store could not do its work; the bytes may well be fine. `full`: for want of space, so that intake can stop."""

    def __init__(self, message: str, *, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


def unusable(exc: OSError, folder: str, remedy: str = "") -> StorageFault:
    """What it means that a folder, named in words, cannot be worked on; never its path."""
    full = exc.errno in _FULL
    why = "no space is left" if full else (exc.strerror or "input/output error").lower()
    return StorageFault(f"{folder} cannot be used: {why}{remedy}", full=full)


class NotStored(LookupError):  # noqa: N818 - the answer to a look-up, not a failure
    """The store holds nothing under that URI."""
