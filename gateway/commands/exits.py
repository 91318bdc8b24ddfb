"""How a command ends: its exit codes, and the one exception that ends it early with a sentence."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told."""

    OK = 0
    FAILURE = 1
    USAGE = 2  # argparse ends with the same
    CONFIG = 3
    AUTH = 4
    PROVIDERS = 5
    BUDGET = 6
    INTERRUPTED = 130  # what shells give for a program that SIGINT ended


class Stop(Exception):  # noqa: N818 - named for what it does
    """A command ends here; the message is for people and says what would be right."""

    def __init__(self, code: Exit, message: str) -> None:
        """End with `code`, saying `message` on stderr."""
        super().__init__(message)
        self.code = code
        self.message = message
