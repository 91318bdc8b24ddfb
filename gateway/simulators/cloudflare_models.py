"""What the played Cloudflare serves: models on its own machines, and others' models it passes on.

The first make pictures only, and answer with the picture itself; the second have closed schemas
that may need fields which have defaults, and answer with links.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.checking import Field, Kind, flag, many, number, text, url, whole
from gateway.simulators.jobs import Output

# Pictures a set may have, when the model decides how many up to a number asked for.
_SET = 15
# The simulators' own bound where the vendor's is not known.
_SIDE = 4096


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    `form` is what its pictures are if nothing is asked; `is_bytes` that they come without an
    envelope; `is_form` that it takes multipart alone; `base64` names fields that take no address.
    """

    fields: Mapping[str, Field]
    form: str = "jpeg"
    kind: str = "image"
    size: int = 1024
    is_closed: bool = False
    is_bytes: bool = False
    is_form: bool = False
    is_list: bool = False
    base64: tuple[str, ...] = ()


def _words(*, least: int | None = None, most: int | None = None) -> Field:
    return Field(Kind.STRING, required=True, least=least, most=most)


def _must(*fields: Field) -> Field:
    """Return a field as one that must be sent, though it has a default."""
    spec = fields[0]
    return Field(spec.kind, required=True, values=spec.values, least=spec.least, most=spec.most)


def _sides(least: int, most: int) -> dict[str, Field]:
    return {"width": whole(least=least, most=most), "height": whole(least=least, most=most)}


_PROMPT = {"prompt": _words()}
_SEED = {"seed": whole()}
_NEGATIVE = {"negative_prompt": text()}
_BYTES = many(whole(least=0, most=255))
_DIFFUSION = {
    "prompt": _words(least=1),
    **_NEGATIVE,
    **_sides(256, 2048),
    **_SEED,
    "image": _BYTES,
    "image_b64": text(),
    "num_steps": whole(least=1, most=20),
    "guidance": number(),
    "strength": number(least=0, most=1),
}
_FLUX_2 = {**_PROMPT, **_sides(1, _SIDE), **_SEED}


def _diffusion(form: str, **extra: Field) -> Model:
    return Model({**_DIFFUSION, **extra}, form=form, is_bytes=True, base64=("image_b64",))


HOSTED: Mapping[str, Model] = {
    "@cf/black-forest-labs/flux-1-schnell": Model(
        {"prompt": _words(least=1, most=2048), "steps": whole(least=1, most=8)}, is_closed=True
    ),
    "@cf/black-forest-labs/flux-2-dev": Model({**_FLUX_2, "steps": whole(least=1)}, is_form=True),
    "@cf/black-forest-labs/flux-2-klein-4b": Model(_FLUX_2, is_form=True),
    "@cf/black-forest-labs/flux-2-klein-9b": Model(_FLUX_2, is_form=True),
    "@cf/leonardo/lucid-origin": Model(
        {
            **_PROMPT,
            **_sides(0, 2500),
            **_SEED,
            "guidance": number(least=0, most=10),
            "num_steps": whole(least=1, most=40),
            "steps": whole(least=1, most=40),
        },
        size=1120,
    ),
    "@cf/leonardo/phoenix-1.0": Model(
        {
            **_PROMPT,
            **_NEGATIVE,
            **_sides(0, 2048),
            **_SEED,
            "guidance": number(least=2, most=10),
            "num_steps": whole(least=1, most=50),
        },
        is_bytes=True,
    ),
    "@cf/stabilityai/stable-diffusion-xl-base-1.0": _diffusion("png"),
    # Of these two the form is left open by the vendor, so that here they differ.
    "@cf/bytedance/stable-diffusion-xl-lightning": _diffusion("jpeg"),
    "@cf/lykon/dreamshaper-8-lcm": _diffusion("png"),
    "@cf/runwayml/stable-diffusion-v1-5-img2img": _diffusion("png"),
    "@cf/runwayml/stable-diffusion-v1-5-inpainting": _diffusion("png", mask=_BYTES),
}

_DREAM = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9", "match_input_image")
_DANCE = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21")
_BANANA = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_TALL = ("16:9", "9:16", "1:1")


def _passed(fields: Mapping[str, Field], form: str = "png", *, base64: tuple[str, ...] = ()) -> Model:
    return Model({**_PROMPT, **fields}, form=form, is_closed=True, base64=base64)


def _filmed(fields: Mapping[str, Field], *, base64: tuple[str, ...] = ()) -> Model:
    return Model({**_PROMPT, **fields}, form="mp4", kind="video", is_closed=True, base64=base64)


_READ: Mapping[str, Model] = {
    "google/veo-3.1": _filmed(
        {
            "image_input": text(),
            "aspect_ratio": text(*_TALL, required=True),
            "duration": text("4s", "6s", "8s", required=True),
            "resolution": text("720p", "1080p", required=True),
            "generate_audio": _must(flag()),
        },
        base64=("image_input",),
    ),
    "bytedance/seedream-4.5": Model(
        {
            **_PROMPT,
            "aspect_ratio": text(*_DREAM),
            "size": text("2K", "4K"),
            "image_input": many(url()),
            "max_images": whole(least=1, most=_SET),
            "sequential_image_generation": text("disabled", "auto"),
            "disable_safety_checker": flag(),
        },
        is_closed=True,
        is_list=True,
    ),
    "bytedance/seedance-2.0": _filmed(
        {
            "prompt": _words(most=2000),
            "image": url(),
            "last_frame_image": url(),
            "reference_images": many(url(), most=4),
            "reference_video": url(),
            "duration": _must(whole(least=4, most=12)),
            "resolution": text("480p", "720p", "1080p", "4k", required=True),
            "aspect_ratio": text(*_DANCE, required=True),
            "fps": _must(whole(24)),
            "generate_audio": flag(),
            **_SEED,
            "camera_fixed": _must(flag()),
            "watermark": _must(flag()),
            "use_virtual_avatar": _must(flag()),
        }
    ),
    "google/nano-banana": _passed(
        {
            "image_input": many(url(), most=3),
            "aspect_ratio": text(*_BANANA),
            "output_format": text("jpg", "png", "webp"),
            "image_size": text("1K", "2K", "4K"),
        }
    ),
    "openai/gpt-image-2": _passed(
        {
            "images": many(text(), most=16),
            "size": text("1024x1024", "1024x1536", "1536x1024", "auto"),
            "output_format": text("png", "webp", "jpeg"),
            "quality": text("low", "medium", "high", "auto"),
            "background": text("transparent", "opaque", "auto"),
        },
        base64=("images",),
    ),
    "black-forest-labs/flux-2-max": _passed(
        {
            **_SEED,
            **_sides(64, _SIDE),
            "input_images": many(url(), most=8),
            "output_format": text("jpeg", "png", "webp"),
            "safety_tolerance": whole(least=0, most=5),
        },
        "jpeg",
    ),
    "klingai/kling-v3": _filmed(
        {
            **_NEGATIVE,
            "image_input": text(),
            "duration": whole(least=3, most=15),
            "aspect_ratio": text(*_TALL),
            "sound": text("on", "off"),
        },
        base64=("image_input",),
    ),
    "google/imagen-4": _passed(
        {"aspect_ratio": text("1:1", "3:4", "4:3", "9:16", "16:9"), "person_generation": text()}
    ),
}

# Names alone are known of these, so that everything but the prompt passes unjudged.
_UNREAD_STILLS = (
    "alibaba/qwen-image-3.0-pro",
    "alibaba/wan-2.6-image",
    "black-forest-labs/flux-1-kontext-pro",
    "black-forest-labs/flux-1-kontext-max",
    "black-forest-labs/flux-2-flex",
    "black-forest-labs/flux-2-klein-9b",
    "black-forest-labs/flux-2-pro-preview",
    "bytedance/seedream-4.0",
    "bytedance/seedream-5-lite",
    "bytedance/seedream-5-pro",
    "google/nano-banana-2",
    "google/nano-banana-2-lite",
    "google/nano-banana-pro",
    "klingai/kling-v3-image",
)
_UNREAD_FILMS = (
    "alibaba/wan-2.7-i2v",
    "alibaba/wan-3.0",
    "black-forest-labs/flux-3-video",
    "bytedance/seedance-2.0-fast",
    "bytedance/seedance-2.0-mini",
    "bytedance/seedance-2.5",
    "google/veo-3",
    "google/veo-3-fast",
    "google/veo-3.1-fast",
    "klingai/kling-v3-omni",
    "lightricks/ltx-2-5-fast",
)

PASSED_ON: Mapping[str, Model] = {
    **_READ,
    **dict.fromkeys(_UNREAD_STILLS, Model(_PROMPT, form="png")),
    **dict.fromkeys(_UNREAD_FILMS, Model(_PROMPT, form="mp4", kind="video")),
}
"""Models of other labs, by their ids there."""


def outputs(model: Model, given: Mapping[str, Any]) -> tuple[Output, ...]:
    """Return what a run with these values makes."""
    if model.kind == "video":
        seconds = str(given.get("duration", "5")).rstrip("s")
        return (Output("mp4", *sizes.film(given.get("aspect_ratio", "16:9"), given.get("resolution")), float(seconds)),)
    form = str(given.get("output_format", model.form)).replace("jpg", "jpeg")
    count = 1
    if given.get("sequential_image_generation") == "auto":
        count += hashlib.sha256(str(given["prompt"]).encode()).digest()[0] % int(given.get("max_images", _SET))
    return (Output(form, *_pixels(model, given)),) * count


def _pixels(model: Model, given: Mapping[str, Any]) -> tuple[int, int]:
    size = given.get("size")
    if isinstance(size, str) and "x" in size:
        width, height = size.split("x")
        return int(width), int(height)
    if "width" in given or "height" in given or "aspect_ratio" not in model.fields:
        # Nought is within the bounds of some models and means that the side is left open.
        return given.get("width") or model.size, given.get("height") or model.size
    default = "2K" if "size" in model.fields else "1K"
    return sizes.picture(given.get("aspect_ratio", "1:1"), size or given.get("image_size") or default)


def schema(model: Model) -> dict[str, Any]:
    """Return a model's input as a JSON schema."""
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: _described(spec) for name, spec in model.fields.items()},
        "required": [name for name, spec in model.fields.items() if spec.required],
    }
    return {**found, "additionalProperties": False} if model.is_closed else found


def _described(spec: Field) -> dict[str, Any]:
    if spec.item is not None:
        return {"type": "array", "items": _described(spec.item)}
    long = spec.kind is Kind.STRING
    bounds = {"minLength" if long else "minimum": spec.least, "maxLength" if long else "maximum": spec.most}
    found = {"type": "string" if spec.kind is Kind.URL else spec.kind.value}
    enum = {"enum": list(spec.values)} if spec.values else {}
    return {**found, **enum, **{name: bound for name, bound in bounds.items() if bound is not None}}
