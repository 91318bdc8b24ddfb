"""Writes pictures as SVG: one rectangle for each run of like cells in a row."""

from __future__ import annotations

from xml.sax.saxutils import escape

from gateway.simulators.picture import CELL, Picture, runs


def encode(picture: Picture) -> bytes:
    """Return a picture as a drawing of plain rectangles, its words in the description."""
    size = f'width="{picture.width}" height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}"'
    # XML has no way to write most control characters.
    words = "".join(letter if letter.isprintable() else " " for letter in picture.words)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}><desc>{escape(words)}</desc>']
    for line, (row, high) in enumerate(picture.lines()):
        left = 0
        for index, cells in runs(row):
            colour = "#{:02x}{:02x}{:02x}".format(*picture.palette[index])
            wide = min(cells * CELL, picture.width - left)
            parts.append(f'<rect x="{left}" y="{line * CELL}" width="{wide}" height="{high}" fill="{colour}"/>')
            left += cells * CELL
    return "".join([*parts, "</svg>"]).encode("utf-8", "replace")
