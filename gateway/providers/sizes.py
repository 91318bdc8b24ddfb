"""Sizes in pixels, in the many ways they are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Size = tuple[int, int]
Row = TypeVar("Row")

_WRITTEN = re.compile(r"([1-9][0-9]{1,4}) ?[xX*×:] ?([1-9][0-9]{1,4})", re.ASCII)
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)", re.ASCII)
_LEAST = 32  # pixels a side: what is smaller is a ratio, such as 16:9 or 21:9
# Tables round 16:9 to steps of 16, 32 or 64 pixels: 1344x768 is 1.6 % off, 1365x1024 nearly nothing.
_SAME_SHAPE = 0.03
# Classes of sizes lie four times apart in pixels: what is within twice of one belongs to no other.
_SAME_CLASS = 2.0


def pixels(value: Any) -> Size | None:
    """Read a size: `1024x768`, `1024*768`, or an object of width and height; None for what is none."""
    match value:
        case str() if (found := _WRITTEN.fullmatch(value.strip())) is not None:
            size = int(found[1]), int(found[2])
        case Mapping() if value.keys() == {"width", "height"}:
            width, height = value["width"], value["height"]
            if not all(isinstance(side, int) and not isinstance(side, bool) for side in (width, height)):
                return None
            size = width, height
        case _:
            return None
    return size if min(size) >= _LEAST else None


def nearest(asked: Size, rows: Iterable[tuple[Size, Row]]) -> tuple[Size, Row] | None:
    """The size of the same shape and class that is closest in pixels, with what belongs to it; None where none is."""
    area = asked[0] * asked[1]
    close = [
        (max(area, width * height) / min(area, width * height), _apart(asked, (width, height)), ((width, height), row))
        for (width, height), row in rows
        if _apart(asked, (width, height)) <= _SAME_SHAPE
    ]
    best = min(close, key=lambda each: each[:2], default=None)
    return best[2] if best is not None and best[0] <= _SAME_CLASS else None


def is_shape(size: Size, ratio: str) -> bool:
    """Whether a size has the shape that a ratio such as 16:9 names."""
    found = _RATIO.fullmatch(ratio)
    return found is not None and _apart(size, (int(found[1]), int(found[2]))) <= _SAME_SHAPE


def _apart(one: Size, other: Size) -> float:
    """How far two shapes are apart, as a share."""
    first, second = one[0] * other[1], one[1] * other[0]
    return abs(first - second) / max(first, second)
