"""How many pixels a picture or film gets, where a vendor is only told a shape."""

from __future__ import annotations

import re

_AREAS = {"0.5K": 512**2, "1K": 1024**2, "2K": 2048**2, "3K": 3072**2, "4K": 4096**2}
_SIDES = {"1080P": 1080, "1440P": 1440, "2160P": 2160, "4K": 2160}


def picture(shape: str, area: str | None = None) -> tuple[int, int]:
    """Return pixels for a ratio such as `16:9` at a tier such as `2K` or a number of megapixels; 1:1 if neither."""
    pixels = _AREAS.get(area or "1K") or round(float(area or 1) * 1024**2)
    wide, high = ratio(shape) or (1, 1)
    width = (pixels * wide / high) ** 0.5
    return _even(width, 16), _even(width * high / wide, 16)


def film(shape: str, resolution: str | None = None) -> tuple[int, int]:
    """Return pixels for a ratio at a resolution such as `720p`, the shorter side of the frame; 16:9 if no ratio."""
    name = (resolution or "720p").upper()
    side = _SIDES.get(name) or int(re.sub(r"\D", "", name) or 720)
    wide, high = ratio(shape) or (16, 9)
    scale = side / min(wide, high)
    return _even(wide * scale, 2), _even(high * scale, 2)


def ratio(shape: str) -> tuple[int, int] | None:
    """Return a ratio's two numbers, or nothing for words such as `auto`."""
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", shape)
    return None if found is None else (int(found[1]), int(found[2]))


def _even(side: float, step: int) -> int:
    return max(step, round(side / step) * step)
