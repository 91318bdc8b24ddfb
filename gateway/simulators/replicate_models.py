"""What the played Replicate serves: each model's inputs and the shape of its output."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.checking import Field, flag, many, number, text, url, whole
from gateway.simulators.jobs import Output

# Most pictures a set may have, when the model decides how many up to a number asked for.
_SET = 15

# The simulators' own bound where the vendor's is not known, so that no file grows without end.
_SIDE = 4096


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its inputs; whether its output is a list or one address; community models have no short path."""

    kind: str
    inputs: Mapping[str, Field]
    is_list: bool
    is_official: bool = True
    version: str = ""


def _picture(*ratios: str, default: str, **inputs: Field) -> dict[str, Field]:
    return {"prompt": text(required=True), "aspect_ratio": text(*ratios, default=default), **inputs}


_FLUX = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_PRO = ("1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3", "custom")
_SEED = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9", "match_input_image")
_BANANA = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "match_input_image")
_DANCE = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21")
_WEB = text("webp", "jpg", "png", default="webp")
_PLAIN = text("jpg", "png", default="jpg")
_SETS = {
    "max_images": whole(least=1, most=_SET),
    "sequential_image_generation": text("disabled", "auto"),
}

_FLUX_INPUTS = {
    "seed": whole(),
    "megapixels": text("1", "0.25", default="1"),
    "num_outputs": whole(least=1, most=4),
    "output_format": _WEB,
    "output_quality": whole(least=0, most=100),
    "go_fast": flag(),
    "disable_safety_checker": flag(),
}

MODELS: Mapping[str, Model] = {
    "black-forest-labs/flux-schnell": Model(
        "image",
        _picture(*_FLUX, default="1:1", **_FLUX_INPUTS, num_inference_steps=whole(least=1, most=4)),
        is_list=True,
    ),
    "black-forest-labs/flux-dev": Model(
        "image",
        _picture(
            *_FLUX,
            default="1:1",
            **_FLUX_INPUTS,
            image=url(),
            guidance=number(least=0, most=10),
            prompt_strength=number(least=0, most=1),
            num_inference_steps=whole(least=1, most=50),
        ),
        is_list=True,
    ),
    "black-forest-labs/flux-1.1-pro": Model(
        "image",
        _picture(
            *_PRO,
            default="1:1",
            width=whole(least=256, most=1440, step=32),
            height=whole(least=256, most=1440, step=32),
            image_prompt=url(),
            output_format=_WEB,
            output_quality=whole(least=0, most=100),
            seed=whole(),
            safety_tolerance=whole(least=1, most=6),
            prompt_upsampling=flag(),
        ),
        is_list=False,
    ),
    "bytedance/seedream-4": Model(
        "image",
        _picture(
            *_SEED,
            default="match_input_image",
            size=text("1K", "2K", "4K", "custom", default="2K"),
            width=whole(least=1024, most=4096),
            height=whole(least=1024, most=4096),
            image_input=many(url(), most=10),
            enhance_prompt=flag(),
            **_SETS,
        ),
        is_list=True,
    ),
    "bytedance/seedream-4.5": Model(
        "image",
        _picture(
            *_SEED,
            default="match_input_image",
            size=text("2K", "4K", default="2K"),
            image_input=many(url(), most=14),
            disable_safety_checker=flag(),
            **_SETS,
        ),
        is_list=True,
    ),
    "google/nano-banana": Model(
        "image",
        _picture(*_BANANA, default="match_input_image", image_input=many(url()), output_format=_PLAIN),
        is_list=False,
    ),
    "google/nano-banana-pro": Model(
        "image",
        _picture(
            *_BANANA,
            default="match_input_image",
            image_input=many(url(), most=14),
            output_format=_PLAIN,
            resolution=text("1K", "2K", "4K", default="1K"),
            safety_filter_level=text(),
        ),
        is_list=False,
    ),
    "stability-ai/sdxl": Model(
        "image",
        {
            "prompt": text(required=True),
            "negative_prompt": text(),
            "width": whole(least=64, most=_SIDE),
            "height": whole(least=64, most=_SIDE),
            "num_outputs": whole(least=1, most=4),
            "seed": whole(),
            "image": url(),
            "mask": url(),
            "refine": text("no_refiner", "expert_ensemble_refiner", "base_image_refiner"),
            "refine_steps": whole(),
            "guidance_scale": number(least=1, most=50),
            "num_inference_steps": whole(least=1, most=500),
            "prompt_strength": number(least=0, most=1),
            "high_noise_frac": number(least=0, most=1),
            "apply_watermark": flag(),
            "disable_safety_checker": flag(),
        },
        is_list=True,
        is_official=False,
        version="7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
    ),
    "bytedance/seedance-1-pro": Model(
        "video",
        _picture(
            *_DANCE,
            default="16:9",
            image=url(),
            last_frame_image=url(),
            duration=whole(*range(2, 13), default=5),
            resolution=text("480p", "720p", "1080p", default="1080p"),
            fps=whole(24),
            seed=whole(),
            camera_fixed=flag(),
        ),
        is_list=False,
    ),
    "bytedance/seedance-2.0": Model(
        "video",
        _picture(
            *_DANCE,
            "adaptive",
            default="16:9",
            image=url(),
            last_frame_image=url(),
            reference_images=many(url(), most=9),
            reference_videos=many(url(), most=3),
            reference_audios=many(url(), most=3),
            duration=whole(least=-1, most=15, default=5),
            resolution=text("480p", "720p", "1080p", default="720p"),
            generate_audio=flag(default=True),
            seed=whole(),
        ),
        is_list=False,
    ),
    "google/veo-3.1": Model(
        "video",
        _picture(
            "16:9",
            "9:16",
            default="16:9",
            image=url(),
            last_frame=url(),
            reference_images=many(url(), least=1, most=3),
            duration=whole(4, 6, 8, default=8),
            resolution=text("720p", "1080p", default="1080p"),
            generate_audio=flag(default=True),
            negative_prompt=text(),
            seed=whole(),
        ),
        is_list=False,
    ),
    "kwaivgi/kling-v2.5-turbo-pro": Model(
        "video",
        _picture(
            "16:9",
            "9:16",
            "1:1",
            default="16:9",
            start_image=url(),
            image=url(),
            end_image=url(),
            duration=whole(5, 10, default=5),
            negative_prompt=text(),
        ),
        is_list=False,
    ),
}


def version_of(name: str) -> str:
    """Return the id of a model's latest version: 64 hexadecimal digits."""
    return MODELS[name].version or hashlib.sha256(name.encode()).hexdigest()


def outputs(model: Model, given: Mapping[str, Any]) -> tuple[Output, ...]:
    """Return what a run with these inputs makes."""
    used = {name: given.get(name, spec.default) for name, spec in model.inputs.items()}
    shape = used.get("aspect_ratio") or "1:1"
    if model.kind == "video":
        seconds = used.get("duration") or 5
        return (Output("mp4", *sizes.film(shape, used.get("resolution")), float(seconds if seconds > 0 else 5)),)
    tier = used.get("size") or used.get("resolution") or used.get("megapixels")
    width, height = sizes.picture(shape, None if tier == "custom" else tier)
    is_free = shape == "custom" or tier == "custom" or "aspect_ratio" not in model.inputs
    if is_free and given.get("width") and given.get("height"):
        width, height = given["width"], given["height"]
    form = {"jpg": "jpeg", None: "png" if not model.is_official else "jpeg"}.get(
        used.get("output_format"), used.get("output_format")
    )
    return (Output(form or "jpeg", width, height),) * _count(given)


def _count(given: Mapping[str, Any]) -> int:
    """Return how many pictures: as asked, except in a set, where the model decides up to a number."""
    if given.get("sequential_image_generation") == "auto":
        most = given.get("max_images", 1)
        return 1 + hashlib.sha256(str(given.get("prompt")).encode()).digest()[0] % int(most)
    return int(given.get("num_outputs", 1))


def conflict(name: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the input that does not go with the others, and what is wrong with it."""
    if given.get("aspect_ratio") == "custom" and not {"width", "height"} <= set(given):
        return "width", "width and height are required when aspect_ratio is custom"
    if given.get("size") == "custom" and not {"width", "height"} <= set(given):
        return "width", "width and height are required when size is custom"
    is_referring = "reference_images" in given
    is_wide = given.get("aspect_ratio", "16:9") == "16:9" and given.get("duration", 8) == 8
    if name == "google/veo-3.1" and is_referring and not is_wide:
        return "reference_images", "reference images need aspect_ratio 16:9 and duration 8"
    if name == "bytedance/seedance-2.0" and "image" in given and is_referring:
        return "reference_images", "image and reference_images exclude each other"
    if "last_frame_image" in given and "image" not in given:
        return "last_frame_image", "last_frame_image needs image"
    return None
