"""What people see: data on stdout, messages on stderr, colour and movement only where they are welcome."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

_GREEN, _RED, _YELLOW, _BOLD, _DIM = "32", "31", "33", "1", "2"


class Style:
    """Colours for one stream, or none."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        """Colour when the stream is a terminal that can and nobody set NO_COLOR; FORCE_COLOR colours a pipe too."""
        self.is_lively = stream.isatty() and environ.get("TERM") != "dumb"
        self._colour = not environ.get("NO_COLOR") and (self.is_lively or bool(environ.get("FORCE_COLOR")))

    def good(self, text: str) -> str:
        """Colour what went well."""
        return self._in(_GREEN, text)

    def bad(self, text: str) -> str:
        """Colour what went wrong."""
        return self._in(_RED, text)

    def warn(self, text: str) -> str:
        """Colour what needs a look."""
        return self._in(_YELLOW, text)

    def bold(self, text: str) -> str:
        """Make what matters stand out."""
        return self._in(_BOLD, text)

    def dim(self, text: str) -> str:
        """Let what matters less step back."""
        return self._in(_DIM, text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def style(stream: TextIO, environ: Mapping[str, str]) -> Style:
    """Give the colours of a stream."""
    return Style(stream, environ)


def show(text: str) -> None:
    """Print data."""
    print(text, flush=True)


def show_json(value: Any) -> None:
    """Print data as JSON, for people and programs alike."""
    print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)


def say(text: str) -> None:
    """Print a message."""
    print(text, file=sys.stderr, flush=True)


def printable(text: str, longest: int = 200) -> str:
    """Give a text from elsewhere on one line, cut, and without anything that moves the cursor."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], paint: Style | None = None) -> str:
    """Lay out rows under a head, columns as wide as they need to be."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in (head, *rows)) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *rows)]
    first = lines[0].rstrip()
    return "\n".join([paint.dim(first) if paint else first, *(line.rstrip() for line in lines[1:])])
