"""What the played OpenAI serves: picture models alone, since its films are gone.

The models differ in the sizes and qualities they take and in a few fields of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators.checking import Field, flag, many, text, tree, whole

MOST_PICTURES = 16
"""Pictures an edit may start from."""

_CLASSIC = ("1024x1024", "1536x1024", "1024x1536")
_MODERN = ("low", "medium", "high", "xhigh", "max", "auto")
_PLAIN = ("low", "medium", "high", "auto")
_FORMS = ("png", "webp", "jpeg")
_STEP, _LONGEST, _LEAST_AREA, _MOST_AREA, _STEEPEST = 16, 3840, 655_360, 8_294_400, 3

# How finely each quality divides a picture. The vendor's figures reach to `high`; the last two go on in that manner.
_FINENESS = {"low": 16, "medium": 48, "high": 96, "xhigh": 128, "max": 192}
_COUNTED = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
"""Tokens of the older models by quality: square, portrait, landscape."""


@dataclass(frozen=True, slots=True)
class ImageModel:
    """One model: whether its sizes are free, what it adds to the fields, and when it goes off (YYYY-MM-DD)."""

    is_flexible: bool
    qualities: tuple[str, ...]
    forms: tuple[str, ...] = _FORMS
    extra: Mapping[str, Field] = field(default_factory=dict)
    for_edits: Mapping[str, Field] = field(default_factory=dict)
    takes_markup: bool = False
    shutdown: str | None = None

    def fields(self, *, is_edit: bool) -> dict[str, Field]:
        """Return the table of fields a request may have; pictures that came as files are not among them."""
        found = {
            "model": text(required=True),
            "prompt": text(required=True, most=32_000),
            "n": whole(least=1, most=10),
            "size": text(),
            "quality": text(*self.qualities),
            "output_format": text(*self.forms),
            "output_compression": whole(least=0, most=100),
            "background": text("transparent", "opaque", "auto"),
            "moderation": text("auto", "low"),
            "stream": flag(),
            "partial_images": whole(least=0, most=3),
            "safety_identifier": text(),
            "user": text(),
            **self.extra,
        }
        if not is_edit:
            return found
        one = {"image_url": text(), "file_id": text()}
        found |= {"images": many(tree(one), least=1, most=MOST_PICTURES), "mask": tree(one), **self.for_edits}
        return found | ({"markup": tree(one)} if self.takes_markup else {})


_EFFORT = text("none", "minimal", "low", "medium", "high", "xhigh", "max")
_26 = ImageModel(
    is_flexible=True,
    qualities=_MODERN,
    forms=(*_FORMS, "gif", "svg"),
    extra={
        "complexity": text("low", "medium", "high"),
        "frame_count": whole(least=2, most=16),
        "frame_duration_ms": whole(),
        "svg": tree({"model": text(), "reasoning": tree({"effort": _EFFORT})}),
    },
    takes_markup=True,
)
_25 = ImageModel(is_flexible=True, qualities=_MODERN, takes_markup=True)
_2 = ImageModel(is_flexible=True, qualities=_PLAIN)
_END = "2026-12-01"
_15 = ImageModel(is_flexible=False, qualities=_PLAIN, for_edits={"input_fidelity": text("high", "low")}, shutdown=_END)

MODELS: Mapping[str, ImageModel] = {
    "gpt-image-2.6-sunburst": _26,
    "gpt-image-2.6-flare": _26,
    "gpt-image-2.5-sunburst": _25,
    "gpt-image-2.5-sunburst-2026-09-08": _25,
    "gpt-image-2.5-flare": _25,
    "gpt-image-2.5-flare-2026-09-08": _25,
    "gpt-image-2": _2,
    "gpt-image-2-2026-04-21": _2,
    "gpt-image-1.5": _15,
    "gpt-image-1.5-2025-12-16": _15,
    "chatgpt-image-latest": ImageModel(is_flexible=False, qualities=_PLAIN, shutdown=_END),
    "gpt-image-1-mini": ImageModel(
        is_flexible=False, qualities=_PLAIN, for_edits={"input_fidelity": text("low")}, shutdown=_END
    ),
}
"""Every model that answers, dated names included. Those with a day of shutdown go on here as if it never came."""

GONE = frozenset({"gpt-image-1", "dall-e-3", "dall-e-2", "sora-2", "sora-2-pro"})
"""Models that were turned off."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to once everything left open is settled."""

    count: int
    width: int
    height: int
    quality: str
    form: str
    background: str
    partials: int

    @property
    def size(self) -> str:
        """The size as the vendor writes it."""
        return f"{self.width}x{self.height}"


def plan(body: Mapping[str, Any]) -> Plan:
    """Settle a request that was found right."""
    size = body.get("size", "auto")
    width, height = (int(side) for side in (_CLASSIC[0] if size == "auto" else size).split("x"))
    quality, background = body.get("quality", "auto"), body.get("background", "auto")
    return Plan(
        count=body.get("n", 1),
        width=width,
        height=height,
        quality="medium" if quality == "auto" else quality,
        form=body.get("output_format", "png"),
        background="opaque" if background == "auto" else background,
        partials=body.get("partial_images", 0) if body.get("stream") else 0,
    )


def conflict(model: ImageModel, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field that does not go with the others, and why, or nothing."""
    form = body.get("output_format", "png")
    if form not in _FORMS:
        return "output_format", f"'{form}' output is in preview and your organization does not have access to it."
    if body.get("background") == "transparent" and form == "jpeg":
        return "background", "Transparent background is not supported for JPEG output format."
    if "output_compression" in body and form == "png":
        return "output_compression", "Compression is only supported for WebP and JPEG output formats."
    for name in ("frame_count", "frame_duration_ms", "svg"):
        if name in body:
            return name, f"'{name}' is not supported with output format '{form}'."
    said = _size(model, body.get("size", "auto"))
    return None if said is None else ("size", said)


def _size(model: ImageModel, size: str) -> str | None:
    if size == "auto" or size in _CLASSIC:
        return None
    if not model.is_flexible:
        return f"Invalid value: '{size}'. Supported values are: {', '.join(map(repr, _CLASSIC))}, and 'auto'."
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if found is None:
        return f"Invalid size '{size}'. Expected 'auto' or WIDTHxHEIGHT."
    width, height = int(found[1]), int(found[2])
    short, long = sorted((width, height))
    said = (
        (width % _STEP or height % _STEP, f"Width and height must both be divisible by {_STEP}."),
        (long > _LONGEST, f"The longest edge must not exceed {_LONGEST} pixels."),
        (long > _STEEPEST * short, f"The aspect ratio must be between 1:{_STEEPEST} and {_STEEPEST}:1."),
        (
            not _LEAST_AREA <= width * height <= _MOST_AREA,
            f"The image must have from {_LEAST_AREA} to {_MOST_AREA} pixels.",
        ),
    )
    return next((f"Invalid size '{size}'. {rule}" for is_broken, rule in said if is_broken), None)


def tokens(model: ImageModel, made: Plan) -> int:
    """Return the output tokens one finished picture costs."""
    if not model.is_flexible:
        square, portrait, landscape = _COUNTED[made.quality]
        return square if made.width == made.height else (landscape if made.width > made.height else portrait)
    fine = _FINENESS[made.quality]
    short, long = sorted((made.width, made.height))
    return math.ceil(fine * round(fine * short / long) * (2_000_000 + made.width * made.height) / 4_000_000)
