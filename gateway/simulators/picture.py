"""What the simulators draw: coloured stripes that follow from the prompt, under a band reading SIMULATED.

A picture is a small grid of cells, eight pixels square, each one colour of a short palette. The
encoders (`png`, `jpeg`, `webp`) write such a grid at full size for next to nothing, since most
rows are alike: a 16-megapixel picture costs milliseconds.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

CELL = 8
"""Pixels along the side of a cell: a JPEG block, so that a cell is one flat block."""

Colour = tuple[int, int, int]

_DARK, _LIGHT, _WARN, _HUES = 0, 1, 2, 3
_GLYPHS = {
    "S": (14, 17, 16, 14, 1, 17, 14),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "U": (17, 17, 17, 17, 17, 17, 14),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "A": (14, 17, 17, 31, 17, 17, 17),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "D": (30, 17, 17, 17, 17, 17, 30),
}
_LAYOUTS = (("SIMULATED",), ("SIMU", "LATED"), ("SIM", "ULA", "TED"))


@dataclass(frozen=True, slots=True)
class Picture:
    """A grid of palette indices, one bytes object per row of cells, and the words it was drawn for."""

    width: int
    height: int
    palette: tuple[Colour, ...]
    rows: tuple[bytes, ...]
    words: str

    def lines(self) -> Iterator[tuple[bytes, int]]:
        """Yield each row of cells with the pixel rows it covers; the last may be cut short."""
        for index, row in enumerate(self.rows):
            yield row, min(CELL, self.height - index * CELL)


def runs(row: bytes) -> list[tuple[int, int]]:
    """Return a row as pairs of palette index and how many cells in a line have it."""
    return [(index, len(list(cells))) for index, cells in itertools.groupby(row)]


def paint(words: str, width: int, height: int, *, frame: int = 0) -> Picture:
    """Draw the picture for some words; the same words give the same picture, `frame` moves the stripes."""
    columns, count = -(-width // CELL), -(-height // CELL)
    step = max(1, columns // 12)
    stripes = [
        bytes(_HUES + (column // step + shift) % 8 for column in range(columns)) for shift in range(frame, frame + 8)
    ]
    rows = [stripes[line // step % 8] for line in range(count)]
    band = _band(columns, count)
    top = (count - len(band)) // 2
    rows[top : top + len(band)] = band
    return Picture(width, height, _palette(words), tuple(rows), words)


def black(words: str, width: int, height: int) -> Picture:
    """Draw nothing at all, as a vendor's safety checker does."""
    row = bytes(-(-width // CELL))
    return Picture(width, height, ((0, 0, 0), (0, 0, 0)), (row,) * -(-height // CELL), words)


def _palette(words: str) -> tuple[Colour, ...]:
    digest = hashlib.sha256(words.encode()).digest()
    hues = tuple((64 + digest[i] // 2, 64 + digest[i + 1] // 2, 64 + digest[i + 2] // 2) for i in range(0, 24, 3))
    return ((24, 24, 28), (245, 245, 240), (240, 190, 20), *hues)


def _band(columns: int, count: int) -> list[bytes]:
    """Return the rows of the band across the middle: warning stripes, the word, warning stripes."""
    edge = bytes(_WARN if column // 2 % 2 else _DARK for column in range(columns))
    for layout in _LAYOUTS:
        longest = max(len(line) for line in layout) * 6 - 1
        scale = min(columns // (longest + 2), count // (8 * len(layout) + 3))
        if scale:
            empty = bytes([_DARK]) * columns
            lines = [row for line in layout for row in (*_letters(line, columns, scale), empty)]
            return [edge, empty, *lines, edge]
    return [edge]


def _letters(line: str, columns: int, scale: int) -> list[bytes]:
    margin = (columns - (len(line) * 6 - 1) * scale) // 2
    rows = []
    for y in range(7):
        dots = "0".join(f"{_GLYPHS[letter][y]:05b}" for letter in line)
        cells = b"".join(bytes([_LIGHT if dot == "1" else _DARK]) * scale for dot in dots)
        row = (bytes([_DARK]) * margin + cells).ljust(columns, bytes([_DARK]))
        rows += [row] * scale
    return rows
