"""How large BFL's files get, and what they cost in credits of a cent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from gateway.simulators import sizes, sniff

Given = Mapping[str, Any]
Size = Callable[[Given], tuple[int, int]]
Price = Callable[[Given, float, float], float | None]
"""From a body and the megapixels shown and made to credits, nothing where no price is known."""

MOST_AREA = 4_000_000
RESOLUTIONS = {"768sq": 768, "1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}
IMAGE_PRICES = {"768sq": 4.1, "1k": 4.8, "2k": 10.0, "4k": 60.7}
_MEGAPIXEL = 1024 * 1024
_STEP = 16
_SQUARE = (1024, 1024)


def rounded(width: float, height: float) -> tuple[int, int]:
    """Return a size on the grid the vendor rounds to, brought down to its largest area if it is beyond it."""
    shrink = min(1.0, (MOST_AREA / (width * height)) ** 0.5)
    return max(64, round(width * shrink / _STEP) * _STEP), max(64, round(height * shrink / _STEP) * _STEP)


def of_inputs(*names: str) -> Size:
    """Return the rule that a result is as large as the first input whose pixels can be seen."""

    def size(given: Given) -> tuple[int, int]:
        for name in names:
            data = sniff.decoded(given.get(name, ""))
            found = None if data is None else sniff.pixels(data)
            if found is not None:
                return rounded(*found)
        return _SQUARE

    return size


def of_sides(width: int, height: int) -> Size:
    """Return the rule that a result is as large as was asked, each side with what it is otherwise."""
    return lambda given: (given.get("width", width), given.get("height", height))


def flux_2(given: Given) -> tuple[int, int]:
    """Return a FLUX.2 size: as asked, else that of the first input."""
    if "width" not in given and "height" not in given:
        return of_inputs("input_image")(given)
    return rounded(given.get("width", 1024), given.get("height", 1024))


def of_ratio(tier: str, default: str) -> Size:
    """Return the rule that a result has the ratio asked for at this tier of pixels."""
    return lambda given: sizes.picture(given.get("aspect_ratio", default), tier)


def kontext(given: Given) -> tuple[int, int]:
    """Return a Kontext size: of the ratio asked for, else of the input's."""
    if "aspect_ratio" in given:
        return sizes.picture(given["aspect_ratio"], "1K")
    width, height = of_inputs("input_image")(given)
    return sizes.picture(f"{width // _STEP}:{height // _STEP}", "1K")


def flux_3(given: Given) -> tuple[int, int]:
    """Return a FLUX 3 picture's size."""
    side = RESOLUTIONS[given.get("resolution", "1k")]
    return sizes.picture(given.get("aspect_ratio", "auto"), f"{side**2 / _MEGAPIXEL}")


def expanded(given: Given) -> tuple[int, int]:
    """Return the input's size with the margins added."""
    width, height = of_inputs("image")(given)
    return (
        width + given.get("left", 0) + given.get("right", 0),
        height + given.get("top", 0) + given.get("bottom", 0),
    )


def film(given: Given) -> tuple[int, int]:
    """Return a film's size."""
    lines = {"hd": "720p", "fhd": "1080p", "qhd": "1440p", "uhd": "2160p"}
    return sizes.film(given.get("aspect_ratio", "auto"), lines[given.get("resolution", "hd")])


def flat(price: float | None) -> Price:
    """Return the rule that every call costs the same."""
    return lambda _given, _shown, _made: price


def by_area(first: float, more: float, shown: float) -> Price:
    """Return the price in credits of the first megapixel made, of each further one, and of each one shown."""
    return lambda _given, seen, made: first + more * (made - 1) + shown * seen


def megapixels(width: int, height: int) -> float:
    """Return an area as the vendor counts it: in whole megapixels, begun ones included."""
    return float(math.ceil(width * height / _MEGAPIXEL))
