"""What the played Replicate serves: every model, what a run of it makes, and inputs that do not go together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.jobs import Output
from gateway.simulators.replicate_flux import FLUX
from gateway.simulators.replicate_images import IMAGES
from gateway.simulators.replicate_inputs import Model
from gateway.simulators.replicate_videos import VIDEOS

MODELS: Mapping[str, Model] = {**FLUX, **IMAGES, **VIDEOS}

# Inputs that say how large a picture is, or a video; at most one of them means something at a time.
_SIZES = ("size", "resolution", "megapixels", "output_megapixels", "quality")
_CLASS = re.compile(r"(?:0\.5|1|1\.5|2|3|4)K|\d*\.?\d+(?: MP)?|\d+p")


def version_of(name: str) -> str:
    """Return the id of a model's latest version: 64 hexadecimal digits."""
    return MODELS[name].version or hashlib.sha256(name.encode()).hexdigest()


def outputs(model: Model, given: Mapping[str, Any]) -> tuple[Output, ...]:
    """Return what a run with these inputs makes."""
    used = {name: given.get(name, spec.default) for name, spec in model.inputs.items()}
    shape = used.get("aspect_ratio") or ("16:9" if model.kind == "video" else "1:1")
    asked = [str(used[name]) for name in _SIZES if used.get(name)]
    tier = next((size.removesuffix(" MP") for size in asked if _CLASS.fullmatch(size)), None)
    exact = next((found for size in asked if (found := re.fullmatch(r"(\d+)[x*](\d+)", size))), None)
    is_free = shape in ("custom", "Not set") or "custom" in asked or "aspect_ratio" not in model.inputs
    if is_free and given.get("width") and given.get("height"):
        size = given["width"], given["height"]
    elif is_free and exact is not None:
        size = int(exact[1]), int(exact[2])
    else:
        size = sizes.film(shape, tier) if model.kind == "video" else sizes.picture(shape, tier)
    if model.kind == "video":
        return (Output("mp4", *size, _seconds(used)),)
    form = {"jpg": "jpeg", None: "png" if not model.is_official else "jpeg"}.get(
        used.get("output_format"), used.get("output_format")
    )
    return (Output(form or "jpeg", *size),) * _count(given)


def _seconds(used: Mapping[str, Any]) -> float:
    """Return how long a video is: as asked, as its frames make it, or five seconds."""
    if used.get("num_frames"):
        return float(used["num_frames"]) / float(used["frames_per_second"])
    seconds = used.get("duration") or 5
    return float(seconds if seconds > 0 else 5)


def _count(given: Mapping[str, Any]) -> int:
    """Return how many pictures: as asked, except in a set, where the model decides up to a number."""
    if given.get("sequential_image_generation") == "auto":
        most = given.get("max_images", 1)
        return 1 + hashlib.sha256(str(given.get("prompt")).encode()).digest()[0] % int(most)
    return int(given.get("num_outputs", given.get("number_of_images", 1)))


def conflict(name: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first input that does not go with the others, and what is wrong with it."""
    return next(_conflicts(name, given), None)


def _conflicts(name: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for param in ("aspect_ratio", "size"):
        if given.get(param) == "custom" and not {"width", "height"} <= set(given):
            yield "width", f"width and height are required when {param} is custom"
    is_referring = "reference_images" in given
    is_wide = given.get("aspect_ratio", "16:9") == "16:9" and given.get("duration", 8) == 8
    if name == "google/veo-3.1" and is_referring and not is_wide:
        yield "reference_images", "reference images need aspect_ratio 16:9 and duration 8"
    if name.startswith("bytedance/seedance-2.0") and "image" in given and is_referring:
        yield "reference_images", "image and reference_images exclude each other"
    if "last_frame_image" in given and not {"image", "first_frame_image"} & set(given):
        yield "last_frame_image", "last_frame_image needs image"
    if name == "kwaivgi/kling-v2.1" and "end_image" in given and given.get("mode") != "pro":
        yield "end_image", "end_image needs mode pro"
    is_768p = given.get("resolution", "1080p") == "768p"
    if name == "minimax/hailuo-02" and given.get("duration") == 10 and not is_768p:
        yield "duration", "duration 10 needs resolution 768p"
    if name == "kwaivgi/kling-v2.5-turbo-pro" and "end_image" in given and not {"start_image", "image"} & set(given):
        yield "end_image", "end_image needs start_image"
