"""What the played Fal serves: each endpoint's input, and what it makes.

An endpoint that starts from an image is another one than the endpoint that starts from words. The
vendor's published types give no bounds for counts, so the only upper one is the simulators' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.checking import Field, either, flag, many, number, text, tree, url, whole
from gateway.simulators.jobs import Output

_MOST_PICTURES = 16
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
_USUAL = ("square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: its input, whether it makes pictures or a film, and the form of a picture if none is asked."""

    kind: str
    inputs: Mapping[str, Field]
    form: str = "jpeg"
    extra: tuple[str, ...] = ()


def _size(*more: str, default: str | None = None) -> Field:
    side = whole(least=64, most=8192)
    exact = tree({"width": _needed(side), "height": _needed(side)})
    return either(text(*_USUAL, *more), exact, default=default)


def _needed(spec: Field) -> Field:
    return Field(spec.kind, required=True, least=spec.least, most=spec.most)


def _still(**inputs: Field) -> dict[str, Field]:
    return {
        "prompt": text(required=True),
        "num_images": whole(least=1, most=_MOST_PICTURES, default=1),
        "sync_mode": flag(),
        **inputs,
    }


_SEED = {"seed": whole()}
_SAFE = {"enable_safety_checker": flag()}
_TOLERANT = {"safety_tolerance": text("1", "2", "3", "4", "5", "6")}
_FORM = {"output_format": text("jpeg", "png", default="jpeg")}
_FORMS = {"output_format": text("jpeg", "png", "webp", default="png")}
_STEPS = {
    "acceleration": text("none", "regular", "high"),
    "guidance_scale": number(),
    "num_inference_steps": whole(least=1),
}
_FLUX = {**_SEED, **_SAFE, **_FORM, **_STEPS}
_FLUX_SIZE = {"image_size": _size(default="landscape_4_3")}
_DREAM = {**_SEED, **_SAFE, "max_images": whole(least=1, most=_MOST_PICTURES)}
_DREAM_4 = {
    **_DREAM,
    "enhance_prompt_mode": text("standard", "fast"),
    "image_size": _size("auto", "auto_2K", "auto_4K"),
}
_DREAM_45 = {**_DREAM, "image_size": _size("auto_2K", "auto_4K")}
_EDIT = {"image_urls": many(url(), least=1, required=True)}
_BANANA = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")
_NANO = {**_SEED, **_FORMS, **_TOLERANT, "limit_generations": flag()}
_FROM = {"image_url": url(required=True)}
_DANCE = {
    "prompt": text(required=True),
    "duration": text(*(str(seconds) for seconds in range(2, 13)), default="5"),
    "resolution": text("480p", "720p", "1080p", default="720p"),
    "num_frames": whole(least=1),
    "camera_fixed": flag(),
    **_SEED,
    **_SAFE,
}
_DANCE_2 = {
    "prompt": text(required=True),
    "duration": text("auto", *(str(seconds) for seconds in range(4, 16))),
    "resolution": text("480p", "720p", default="720p"),
    "aspect_ratio": text("21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"),
    "generate_audio": flag(),
    "end_user_id": text(),
    **_SEED,
}
_VEO = {
    "prompt": text(required=True),
    "duration": text("4s", "6s", "8s", default="8s"),
    "resolution": text("720p", "1080p", default="720p"),
    "generate_audio": flag(default=True),
    "negative_prompt": text(),
    "auto_fix": flag(),
    **_SEED,
    **_TOLERANT,
}
_KLING = {
    "prompt": text(required=True),
    "duration": text("5", "10", default="5"),
    "negative_prompt": text(),
    "cfg_scale": number(),
}
_LTX = {
    "prompt": text(required=True),
    "duration": whole(6, 8, 10, default=6),
    "fps": whole(25, 50, default=25),
    "generate_audio": flag(default=True),
    "resolution": text("1080p", "1440p", "2160p", default="1080p"),
}
_CHECKED = ("has_nsfw_concepts", "prompt", "seed", "timings")
_WIDE = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")

ENDPOINTS: Mapping[str, Endpoint] = {
    "fal-ai/flux/schnell": Endpoint("image", _still(**_FLUX, **_FLUX_SIZE), extra=_CHECKED),
    "fal-ai/flux/dev": Endpoint("image", _still(**_FLUX, **_FLUX_SIZE), extra=_CHECKED),
    "fal-ai/flux/dev/image-to-image": Endpoint(
        "image", _still(**_FLUX, **_FROM, strength=number(least=0, most=1)), extra=_CHECKED
    ),
    "fal-ai/flux-pro/v1.1": Endpoint(
        "image", _still(**_SEED, **_FORM, **_TOLERANT, **_FLUX_SIZE, enhance_prompt=flag()), extra=_CHECKED
    ),
    "fal-ai/bytedance/seedream/v4/text-to-image": Endpoint("image", _still(**_DREAM_4), "png", ("seed",)),
    "fal-ai/bytedance/seedream/v4/edit": Endpoint("image", _still(**_DREAM_4, **_EDIT), "png", ("seed",)),
    "fal-ai/bytedance/seedream/v4.5/text-to-image": Endpoint("image", _still(**_DREAM_45), "png", ("seed",)),
    "fal-ai/bytedance/seedream/v4.5/edit": Endpoint("image", _still(**_DREAM_45, **_EDIT), "png"),
    "fal-ai/nano-banana": Endpoint(
        "image", _still(**_NANO, aspect_ratio=text(*_BANANA, default="1:1")), "png", ("description",)
    ),
    "fal-ai/nano-banana/edit": Endpoint(
        "image", _still(**_NANO, **_EDIT, aspect_ratio=text(*_BANANA, "auto", default="auto")), "png", ("description",)
    ),
    "fal-ai/bytedance/seedance/v1/pro/text-to-video": Endpoint(
        "video", {**_DANCE, "aspect_ratio": text(*_WIDE, "9:21", default="16:9")}, extra=("seed",)
    ),
    "fal-ai/bytedance/seedance/v1/pro/image-to-video": Endpoint(
        "video",
        {**_DANCE, **_FROM, "end_image_url": url(), "aspect_ratio": text(*_WIDE, "auto", default="auto")},
        extra=("seed",),
    ),
    "bytedance/seedance-2.0/text-to-video": Endpoint("video", _DANCE_2, extra=("seed",)),
    "bytedance/seedance-2.0/image-to-video": Endpoint(
        "video", {**_DANCE_2, **_FROM, "end_image_url": url()}, extra=("seed",)
    ),
    "fal-ai/veo3.1": Endpoint("video", {**_VEO, "aspect_ratio": text("16:9", "9:16", default="16:9")}),
    "fal-ai/veo3.1/image-to-video": Endpoint(
        "video", {**_VEO, **_FROM, "aspect_ratio": text("16:9", "9:16", "auto", default="auto")}
    ),
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": Endpoint(
        "video", {**_KLING, "aspect_ratio": text("16:9", "9:16", "1:1", default="16:9")}
    ),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": Endpoint("video", {**_KLING, **_FROM, "tail_image_url": url()}),
    "fal-ai/ltx-2/text-to-video": Endpoint("video", _LTX),
    "fal-ai/ltx-2/image-to-video": Endpoint("video", {**_LTX, **_FROM}),
}


def outputs(endpoint: Endpoint, given: Mapping[str, Any], *, black: bool = False) -> tuple[Output, ...]:
    """Return what a run with this input makes; `black` when the safety checker blanks it."""
    used = {name: given.get(name, spec.default) for name, spec in endpoint.inputs.items()}
    shape = used.get("aspect_ratio")
    if endpoint.kind == "video":
        seconds = str(used.get("duration") or 5).rstrip("s")
        played = float(seconds) if seconds.isdecimal() else 5.0
        return (Output("mp4", *sizes.film(shape or "16:9", used.get("resolution")), played),)
    size = used.get("image_size") or "square_hd"
    if isinstance(size, dict):
        width, height = size["width"], size["height"]
    else:
        width, height = sizes.picture(shape) if shape is not None else _PRESETS[size]
    form = used.get("output_format") or endpoint.form
    return (Output(form, width, height, black=black),) * int(used["num_images"])
