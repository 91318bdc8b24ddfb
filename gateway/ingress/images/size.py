"""A size in pixels → the shape and the class of sizes that a model knows. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from math import log

from gateway.generation import Value
from gateway.providers.sizes import Size, pixels

_RATIO = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?):([0-9]{1,3}(?:\.[0-9]{1,3})?)", re.ASCII)
_CLASS = re.compile(r"([0-9]{1,4}(?:\.[0-9])?)(K|p|SQ|MP)", re.ASCII | re.IGNORECASE)
# Sizes are multiples of 8 to 64 pixels, so those of 16:9 are up to 1.6 % off; the next shape, 5:3, is 6 % away.
_SAME_SHAPE = 0.03
_WIDE = 16 / 9  # the shape whose height a class such as 720p names
_MOST = 1024  # answers remembered: callers ask for a few sizes again and again


def read(written: str) -> Size | None:
    """A size such as `1024x1536`; None for what is none."""
    return pixels(written)


@lru_cache(_MOST)
def shape(size: Size, ratios: tuple[Value, ...]) -> str | None:
    """The ratio out of these that has the shape of a size; None when none is near enough."""
    near = [(off, str(ratio)) for ratio in ratios if (off := _off(size, str(ratio))) is not None and off <= _SAME_SHAPE]
    return min(near)[1] if near else None


@lru_cache(_MOST)
def grade(size: Size, classes: tuple[Value, ...]) -> str | None:
    """The class out of these whose pictures have the most similar number of pixels; None when none says how many."""
    area = size[0] * size[1]
    known = [(abs(log(pixels_of / area)), -pixels_of, str(each)) for each in classes if (pixels_of := _area(str(each)))]
    return min(known)[2] if known else None


def _off(size: Size, ratio: str) -> float | None:
    found = _RATIO.fullmatch(ratio)
    if found is None or not float(found[2]):
        return None
    asked, known = size[0] / size[1], float(found[1]) / float(found[2])
    return abs(asked - known) / max(asked, known)


def _area(grade: str) -> float | None:
    """How many pixels a picture of a class has: 2K and 768SQ name the side of a square, 720p the height of a wide one."""
    found = _CLASS.fullmatch(grade)
    if found is None or not float(found[1]):
        return None
    number = float(found[1])
    match found[2].lower():
        case "k":
            return (number * 1024) ** 2
        case "sq":
            return number**2
        case "mp":
            return number * 1024 * 1024
        case _:
            return number**2 * _WIDE
