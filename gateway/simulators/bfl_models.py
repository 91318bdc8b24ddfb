"""What the played BFL serves: each path's fields, what it makes, how long its link lives, what it costs.

The model is the path, and every call makes one file. The older schemas overlook fields they do not
know; those of FLUX 3 and of the tools refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.simulators import sizes
from gateway.simulators.bfl_sizes import (
    IMAGE_PRICES,
    MOST_AREA,
    RESOLUTIONS,
    Given,
    Price,
    Size,
    by_area,
    expanded,
    film,
    flat,
    flux_2,
    flux_3,
    kontext,
    of_inputs,
    of_ratio,
    of_sides,
)
from gateway.simulators.bfl_videos import VIDEO_FIELDS, price_of_film
from gateway.simulators.checking import Field, Kind, either, flag, many, number, text, whole

# The simulators' own bound where the vendor's is not known, so that every file can be drawn.
_SIDE = 16_384


@dataclass(frozen=True, slots=True)
class Model:
    """One path: `pictures` and `films` name the fields that hold inputs, `price` is credits or unknown (None)."""

    fields: Mapping[str, Field]
    size: Size
    price: Price
    kind: str = "image"
    form: str = "jpeg"
    pictures: tuple[str, ...] = ()
    films: tuple[str, ...] = ()
    is_closed: bool = False
    minutes: int = 10


def _between(ratio: str) -> bool:
    found = sizes.ratio(ratio)
    return found is not None and found[1] > 0 and 9 / 21 <= found[0] / found[1] <= 21 / 9


def misfit(name: str, given: Given) -> tuple[str, str] | None:
    """Return a field that no table can judge and what is wrong with it, or nothing."""
    ratio = given.get("aspect_ratio")
    if ratio is not None and not MODELS[name].fields["aspect_ratio"].values and not _between(ratio):
        return "aspect_ratio", "Value error, aspect ratio must be between 21:9 and 9:21"
    if name.startswith("flux-2-") and given.get("width", 1024) * given.get("height", 1024) > MOST_AREA:
        return "width", "Value error, width times height must not exceed 4 megapixels"
    if "webhook_url" in given and not re.fullmatch(r"https://[^\s/]\S*", given["webhook_url"]):
        return "webhook_url", "Input should be a valid URL"
    return None


def _safety(most: int) -> dict[str, Field]:
    return {"safety_tolerance": whole(least=0, most=most)}


_FORM = {"output_format": text("jpeg", "png", "webp")}
_HOOK = {"webhook_url": text(most=2083), "webhook_secret": text()}
_SEED = {"seed": whole()}
_USUAL = {**_SEED, **_FORM, **_HOOK}
_PROMPT = {"prompt": text(required=True)}
_IDEA = {"prompt": text()}
_UPSAMPLING = {"prompt_upsampling": flag()}
_TUNED = {"finetune_id": text(required=True), "finetune_strength": number(least=0, most=2)}
_ANY_SIDES = {name: whole(least=64, most=_SIDE) for name in ("width", "height")}
_EVEN_SIDES = {name: whole(least=256, most=1440, step=32) for name in ("width", "height")}
_RATIO = {"aspect_ratio": text()}
_FILL = {
    **_IDEA,
    "image": text(required=True),
    "steps": whole(least=15, most=50),
    "guidance": number(least=1.5, most=100),
    **_UPSAMPLING,
    **_USUAL,
    **_safety(6),
}
_MASKED = {**_FILL, "mask": text()}
_MARGINS = {side: whole(least=0, most=2048) for side in ("top", "bottom", "left", "right")}
_FLUX_1 = {**_IDEA, **_EVEN_SIDES, "image_prompt": text(), **_UPSAMPLING, **_USUAL, **_safety(6)}
_ULTRA = {
    **_IDEA,
    **_RATIO,
    "image_prompt": text(),
    "image_prompt_strength": number(least=0, most=1),
    **_UPSAMPLING,
    **_USUAL,
    **_safety(6),
}
_WIDE = ("21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21")


def _inputs(count: int) -> tuple[str, ...]:
    return ("input_image", *(f"input_image_{number}" for number in range(2, count + 1)))


def _second(inputs: int, price: tuple[float, float, float] | None, extra: Mapping[str, Field] | None = None) -> Model:
    """Return a model of the FLUX.2 kind."""
    names = _inputs(inputs)
    held = dict.fromkeys(names, text())
    fields = {**_PROMPT, **_ANY_SIDES, **held, **_USUAL, **_safety(5), **(extra or {})}
    return Model(fields, flux_2, flat(None) if price is None else by_area(*price), pictures=names)


def _context(price: float) -> Model:
    names = _inputs(4)
    fields = {**_PROMPT, **_RATIO, **dict.fromkeys(names, text()), **_UPSAMPLING, **_USUAL, **_safety(6)}
    return Model(fields, kontext, flat(price), form="png", pictures=names)


def _tool(
    pictures: tuple[str, ...],
    price: float | None,
    extra: Mapping[str, Field] | None = None,
) -> Model:
    """Return a tool that works on pictures, all of which it needs."""
    fields = {**dict.fromkeys(pictures, text(required=True)), **_safety(5), **(extra or {})}
    return Model(fields, of_inputs(*pictures), flat(price), pictures=pictures, is_closed=True)


_PUP = {"disable_pup": flag()}
_FLEX = {**_UPSAMPLING, "guidance": number(least=1.5, most=10), "steps": whole(least=1, most=50)}
_DEV = {**_FLUX_1, "steps": whole(least=1, most=50), "guidance": number(least=1.5, most=5)}
_KLEIN_TUNED = {"finetune_id": text(required=True), "finetune_strength": number()}
_CANVAS = {
    **_IDEA,
    **{name: Field(Kind.INTEGER, required=True, least=64, most=4096) for name in ("width", "height")},
    "input_image": text(required=True),
    "reference_offset_x": whole(),
    "reference_offset_y": whole(),
    "auto_crop": flag(),
    "mode": text("high", "fast"),
    **_PUP,
    **_SEED,
    **_FORM,
    **_safety(5),
}
_UPSCALE = {**_IDEA, "video": text(required=True), "creativity": whole(0, 1)}
_SECONDS = 5
"""How long an input film is taken to be, since it is not opened."""

MODELS: Mapping[str, Model] = {
    "flux-2-max": _second(8, (7, 3, 3), _PUP),
    "flux-2-pro": _second(8, (3, 1.5, 1.5), _PUP),
    "flux-2-pro-preview": _second(8, (3, 1.5, 1.5), _PUP),
    "flux-2-flex": _second(8, (5, 5, 5), _FLEX),
    "flux-2-klein-9b": _second(4, (1.5, 0.2, 0.2)),
    "flux-2-klein-9b-preview": _second(4, (1.5, 0.2, 0.2)),
    "flux-2-klein-4b": _second(4, (1.4, 0.1, 0.1)),
    "flux-2-klein-9b-kv-finetuned": _second(4, None, _KLEIN_TUNED),
    "flux-3-image": Model(
        {
            **_PROMPT,
            "aspect_ratio": text("auto", *_WIDE),
            "resolution": text(*RESOLUTIONS),
            "images": either(text(), many(text(), least=1, most=10)),
            "grounding": flag(),
            "version": text("latest"),
            **_safety(4),
        },
        flux_3,
        lambda given, _shown, _made: IMAGE_PRICES.get(given.get("resolution", "1k")),
        pictures=("images",),
        is_closed=True,
        minutes=60,
    ),
    "flux-3-video": Model(
        VIDEO_FIELDS,
        film,
        lambda given, _shown, _made: price_of_film(given),
        kind="video",
        form="mp4",
        films=("start_video",),
        is_closed=True,
        minutes=120,
    ),
    "flux-pro-1.1": Model(_FLUX_1, of_sides(1024, 768), flat(4), pictures=("image_prompt",)),
    "flux-pro-1.1-ultra": Model({**_ULTRA, "raw": flag()}, of_ratio("2K", "16:9"), flat(6), pictures=("image_prompt",)),
    "flux-pro-1.1-ultra-finetuned": Model(
        {**_ULTRA, **_TUNED}, of_ratio("2K", "16:9"), flat(None), pictures=("image_prompt",)
    ),
    "flux-dev": Model(_DEV, of_sides(1024, 768), flat(2.5), pictures=("image_prompt",)),
    "flux-kontext-pro": _context(4),
    "flux-kontext-max": _context(8),
    "flux-pro-1.0-fill": Model(_MASKED, of_inputs("image"), flat(5), pictures=("image", "mask")),
    "flux-pro-1.0-fill-finetuned": Model(
        {**_MASKED, **_TUNED}, of_inputs("image"), flat(None), pictures=("image", "mask")
    ),
    "flux-pro-1.0-expand": Model({**_FILL, **_MARGINS}, expanded, flat(5), pictures=("image",)),
    "flux-tools/outpainting-v1": Model(
        _CANVAS, of_sides(64, 64), by_area(10, 10, 0), form="png", pictures=("input_image",), is_closed=True
    ),
    "flux-tools/erase-v1": _tool(("image", "mask"), 3.4, {"dilate_pixels": whole(least=0, most=25)}),
    "flux-tools/deblur-v1": _tool(("image",), None),
    "flux-tools/vto-v1": _tool(("person", "garment"), None, _PROMPT),
    "flux-tools/vto-v2": _tool(("person", "garment"), None, _PROMPT),
    "flux-tools/video-edit-v1": Model(
        {**_PROMPT, "video": text(required=True)},
        film,
        flat(3 * _SECONDS),
        kind="video",
        form="mp4",
        films=("video",),
        is_closed=True,
        minutes=60,
    ),
    "flux-tools/video-upscale-v1": Model(
        {**_UPSCALE, "upscale_factor": number(least=1.5, most=3)},
        lambda _given: sizes.film("16:9", "1080p"),
        lambda given, _shown, _made: (10 if given.get("creativity") else 7) * _SECONDS * 2,
        kind="video",
        form="mp4",
        films=("video",),
        is_closed=True,
        minutes=120,
    ),
}
