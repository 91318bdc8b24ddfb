"""What an endpoint of the played Fal is, and the inputs that many of them share.

The vendor's published types give no bounds for counts, so the only upper one is the simulators' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.simulators.checking import Field, either, flag, many, number, text, tree, url, whole

_MOST_PICTURES = 16
_PRESETS = ("square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: its input, whether it makes pictures or a film, and the form of a picture if none is asked."""

    kind: str
    inputs: Mapping[str, Field]
    form: str = "jpeg"
    extra: tuple[str, ...] = ()


def size(*more: str, default: str | None = None) -> Field:
    """Describe a preset, one of `more`, or an object with the two sides."""
    side = whole(least=64, most=8192)
    exact = tree({"width": _needed(side), "height": _needed(side)})
    return either(text(*_PRESETS, *more), exact, default=default)


def still(**inputs: Field) -> dict[str, Field]:
    """Describe an input for pictures, as many as it says."""
    return single(num_images=whole(least=1, most=_MOST_PICTURES, default=1), **inputs)


def single(**inputs: Field) -> dict[str, Field]:
    """Describe an input for one picture."""
    return {"prompt": text(required=True), "sync_mode": flag(), **inputs}


def group() -> Field:
    """Describe how many pictures one run may make at the most."""
    return whole(least=1, most=_MOST_PICTURES)


def seconds(*values: int, unit: str = "", default: int) -> Field:
    """Describe a duration as most endpoints want it: a text, with or without its unit."""
    return text(*(f"{value}{unit}" for value in values), default=f"{default}{unit}")


def _needed(spec: Field) -> Field:
    return Field(spec.kind, required=True, least=spec.least, most=spec.most)


SEED = {"seed": whole()}
SAFE = {"enable_safety_checker": flag()}
TOLERANT = {"safety_tolerance": text("1", "2", "3", "4", "5", "6")}
EXPANDS = {"enable_prompt_expansion": flag()}
AGAINST = {"negative_prompt": text()}
FORM = {"output_format": text("jpeg", "png", default="jpeg")}
FORMS = {"output_format": text("jpeg", "png", "webp", default="png")}
STEPS = {"guidance_scale": number(), "num_inference_steps": whole(least=1)}
FAST = {"acceleration": text("none", "regular", "high")}
PICTURE = {"image_url": url(required=True)}
PICTURES = {"image_urls": many(url(), least=1, required=True)}
CHECKED = ("has_nsfw_concepts", "prompt", "seed", "timings")
"""What endpoints with a safety checker say beside their pictures."""
