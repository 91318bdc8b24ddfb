"""The sizes Model Studio's picture models take: a closed list, an area, a span of sides, or the name of a tier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TIERS = {"1K": 1024, "2K": 2048, "4K": 4096}


@dataclass(frozen=True, slots=True)
class Sizes:
    """What `size` may be: pixels are W*H; `areas` and `sides` are pixels, `shape` the most one side exceeds the other.

    `default` is what comes without a size. Sizes in `besides` are taken whatever the area says. A request that
    is `narrow` (see `pixels`) has `areas_narrow` and `tiers_narrow` in place of the others. The sides come out
    as multiples of `step`.
    """

    default: str
    listed: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    areas: tuple[int, int] | None = None
    areas_narrow: tuple[int, int] | None = None
    sides: tuple[int, int] | None = None
    shape: int | None = None
    tiers: tuple[str, ...] = ()
    tiers_narrow: tuple[str, ...] = ()
    step: int = 1
    step_narrow: int = 1

    def pixels(self, asked: str | None, *, narrow: bool) -> tuple[int, int] | str:
        """Return width and height, or what is wrong with the size that was asked for."""
        size = self.default if asked is None else asked
        tiers = self.tiers_narrow if narrow else self.tiers
        if size in tiers or (asked is None and size in _TIERS):
            return _TIERS[size], _TIERS[size]
        found = re.fullmatch(r"([1-9]\d{0,4})\*([1-9]\d{0,4})", size)
        if found is None or (self.listed and size not in self.listed):
            return f"it should be one of {', '.join((*tiers, *self.listed)) or 'the form WIDTH*HEIGHT'}"
        width, height = int(found[1]), int(found[2])
        areas = self.areas_narrow if narrow else self.areas
        fault = self._fault(width, height, None if size in self.besides else areas)
        step = self.step_narrow if narrow else self.step
        return fault or (width // step * step, height // step * step)

    def _fault(self, width: int, height: int, areas: tuple[int, int] | None) -> str | None:
        if areas is not None and not areas[0] <= width * height <= areas[1]:
            return f"the total pixels should be from {areas[0]} to {areas[1]}"
        if self.sides is not None and not all(self.sides[0] <= side <= self.sides[1] for side in (width, height)):
            return f"width and height should each be from {self.sides[0]} to {self.sides[1]}"
        if self.shape is not None and max(width, height) > self.shape * min(width, height):
            return f"the ratio should be from 1:{self.shape} to {self.shape}:1"
        return None


def _plain(default: str, areas: tuple[int, int], shape: int | None = None) -> Sizes:
    return Sizes(default, areas=areas, areas_narrow=areas, shape=shape)


_TWO_K = 2048 * 2048
_SMALL = 768 * 768
_ANY = (512 * 512, _TWO_K)

QWEN_1 = Sizes("1664*928", listed=("1664*928", "1472*1104", "1328*1328", "1104*1472", "928*1664"))
# The default of the second generation is disputed; of the third the model chooses.
QWEN_2 = Sizes("2048*2048", areas=_ANY, areas_narrow=_ANY, step_narrow=16)
QWEN_3 = _plain("2048*2048", _ANY, 8)
QWEN_EDIT = Sizes("1024*1024", sides=(512, 2048))
Z_IMAGE = _plain("1024*1536", _ANY)
WAN_27 = Sizes(
    "2K", areas=(_SMALL, _TWO_K), areas_narrow=(_SMALL, _TWO_K), shape=8, tiers=("1K", "2K"), tiers_narrow=("1K", "2K")
)
WAN_27_PRO = Sizes(
    "2K",
    areas=(_SMALL, 4096 * 4096),
    areas_narrow=(_SMALL, _TWO_K),
    shape=8,
    tiers=("1K", "2K", "4K"),
    tiers_narrow=("1K", "2K"),
)
WAN_TEXT = Sizes(
    "1280*1280",
    # The vendor recommends these although they have fewer pixels than it allows.
    besides=("1472*1104", "1104*1472", "1696*960", "960*1696"),
    areas=(1280 * 1280, 1440 * 1440),
    areas_narrow=(1280 * 1280, 1440 * 1440),
    shape=4,
)
WAN_26_EDIT = Sizes(
    "1K",
    areas=(_SMALL, _TWO_K),
    areas_narrow=(_SMALL, 1280 * 1280),
    shape=4,
    tiers=("1K", "2K"),
    step=16,
    step_narrow=16,
)
WAN_25_EDIT = _plain("1280*1280", (_SMALL, 1280 * 1280), 4)
WAN_22 = Sizes("1024*1024", sides=(512, 1440))

WAN_26_FILM: Mapping[str, str] = {
    "480P": "832*480 480*832 624*624",
    "720P": "1280*720 720*1280 960*960 1088*832 832*1088",
    "1080P": "1920*1080 1080*1920 1440*1440 1632*1248 1248*1632",
}
"""The frames films are asked for in pixels, by tier."""

_WAN_27_FILM = {
    "720P": {"16:9": (1280, 720), "1:1": (960, 960), "4:3": (1104, 832)},
    "1080P": {"16:9": (1920, 1080), "1:1": (1440, 1440), "4:3": (1648, 1248)},
}


def film(resolution: str, ratio: str) -> tuple[int, int] | None:
    """Return the frame that a ratio at a resolution gives, where the vendor tells."""
    rows = _WAN_27_FILM.get(resolution, {})
    wide, _, high = ratio.partition(":")
    turned = rows.get(f"{high}:{wide}")
    return rows.get(ratio) or (None if turned is None else (turned[1], turned[0]))
