"""What the played Fal serves: every endpoint, and what a run of it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.fal_images import IMAGES
from gateway.simulators.fal_inputs import Endpoint
from gateway.simulators.fal_videos import VIDEOS
from gateway.simulators.jobs import Output

_PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
    "auto": (2048, 2048),
    "auto_2K": (2048, 2048),
    "auto_3K": (3072, 3072),
    "auto_4K": (4096, 4096),
}

ENDPOINTS: Mapping[str, Endpoint] = {**IMAGES, **VIDEOS}


def outputs(endpoint: Endpoint, given: Mapping[str, Any], *, black: bool = False) -> tuple[Output, ...]:
    """Return what a run with this input makes; `black` when the safety checker blanks it."""
    used = {name: given.get(name, spec.default) for name, spec in endpoint.inputs.items()}
    shape = used.get("aspect_ratio") or used.get("resolution_mode")
    if endpoint.kind == "video":
        seconds = str(used.get("duration") or 5).rstrip("s")
        played = float(seconds) if seconds.isdecimal() else 5.0
        return (Output("mp4", *sizes.film(shape or "16:9", used.get("resolution")), played),)
    width, height = sizes.picture(shape, used.get("resolution")) if shape else _sides(used.get("image_size"))
    form = used.get("output_format") or endpoint.form
    return (Output(form, width, height, black=black),) * int(used.get("num_images") or 1)


def _sides(size: Any) -> tuple[int, int]:
    """Return the sides of a preset, of a text such as `1536x1024`, or of an object; a square if nothing is said."""
    if isinstance(size, dict):
        return size["width"], size["height"]
    exact = re.fullmatch(r"(\d+)x(\d+)", size or "")
    return (int(exact[1]), int(exact[2])) if exact else _PRESETS[size or "square_hd"]
