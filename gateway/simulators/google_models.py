"""What the played Gemini API serves: picture models by shape and tier, and films by the second.

Pixels are never sent; a shape and a tier are, and the tables say what comes of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.simulators import sizes

_USUAL: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
"""Pixels of the ten usual shapes at 1K; every other tier is a multiple."""
_BANNERS: Mapping[str, tuple[int, int]] = {
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
_FIRST: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_TIERS = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}
_TOKENS = {"512": 747, "1K": 1120, "2K": 1120, "4K": 2000}


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A picture model: its shapes at 1K, the tiers it may be asked for, and how many pictures it may start from.

    `has_levels` says that the depth of its thinking can be chosen, `is_thinking` that drafts come with each answer.
    """

    shapes: Mapping[str, tuple[int, int]]
    tiers: tuple[str, ...]
    pictures: int
    has_levels: bool = False
    is_thinking: bool = False

    def pixels(self, shape: str, tier: str) -> tuple[int, int]:
        """Return the pixels of a shape at a tier."""
        width, height = self.shapes[shape]
        return round(width * _TIERS[tier]), round(height * _TIERS[tier])

    def nearest(self, width: int, height: int) -> str:
        """Return the shape that is nearest to a picture's."""
        return min(self.shapes, key=lambda shape: abs(math.log(_quotient(shape) * height / width)))

    def tokens(self, tier: str) -> int:
        """Return what one finished picture counts for; the first model has a count of its own."""
        return _TOKENS[tier] if self.tiers else 1290


def _quotient(shape: str) -> float:
    wide, high = sizes.ratio(shape) or (1, 1)
    return wide / high


_WIDE = {**_USUAL, **_BANNERS}
IMAGES: Mapping[str, ImageModel] = {
    "gemini-nano-banana-2.1": ImageModel(_WIDE, ("1K", "2K", "4K"), 14, has_levels=True),
    "gemini-3-pro-image": ImageModel(_USUAL, ("1K", "2K", "4K"), 14, is_thinking=True),
    "gemini-3.1-flash-image": ImageModel(_WIDE, ("512", "1K", "2K", "4K"), 14, has_levels=True),
    "gemini-3.1-flash-lite-image": ImageModel(_WIDE, ("1K",), 14, has_levels=True),
    "gemini-2.5-flash-image": ImageModel(_FIRST, (), 3),
}
"""Every picture model that answers. Those that are deprecated or of the past go on here, for their end has no sure day."""


@dataclass(frozen=True, slots=True)
class VideoModel:
    """A film model: the most seconds, the pictures it may start from, and what a second counts for by resolution."""

    longest: int
    pictures: int
    tokens: Mapping[str, int]


# The vendor's figure is that of 720p; the others stand to it as the prices do.
_A_SECOND = {"360p": 1714, "720p": 5792, "1080p": 8571, "4k": 17143}
VIDEOS: Mapping[str, VideoModel] = {
    "gemini-omni-1.1-flash": VideoModel(10, 6, _A_SECOND),
    "gemini-omni-1.2-flash": VideoModel(10, 6, _A_SECOND),
}

SHORTEST, OPEN_SECONDS = 3, 10
"""The least seconds of a film, and how long one is whose length is left open."""

_GONE = re.compile(
    r"imagen-4\.0-(ultra-|fast-)?generate-001|veo-2.*|veo-3\.0.*|veo-3\.1-.*preview"
    r"|gemini-(2\.5|3|3\.1)-.*image-preview|gemini-omni-flash-preview"
)


def is_gone(name: str) -> bool:
    """Whether a model was turned off."""
    return _GONE.fullmatch(name) is not None
