"""What the played Replicate serves: the pictures of one lab, whose models share their words."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators.checking import Field, flag, many, number, text, url, whole
from gateway.simulators.replicate_inputs import JPG, OPEN, PNG, QUALITY, SEEDED, WEB, Model, shaped

_ALL = "1:1 16:9 21:9 3:2 2:3 4:5 5:4 3:4 4:3 9:16 9:21"
_PRO = "1:1 16:9 3:2 2:3 4:5 5:4 9:16 3:4 4:3 custom"
_ULTRA = "21:9 16:9 3:2 4:3 5:4 1:1 4:5 3:4 2:3 9:16 9:21"
_KONTEXT = "1:1 16:9 9:16 4:3 3:4 3:2 2:3 4:5 5:4 21:9 9:21 2:1 1:2 match_input_image"
_SECOND = "1:1 16:9 3:2 2:3 4:5 5:4 9:16 3:4 4:3 match_input_image custom"
_KLEIN = "1:1 16:9 9:16 3:2 2:3 4:3 3:4 5:4 4:5 21:9 9:21 match_input_image"

_FIRST = {
    **SEEDED,
    **OPEN,
    "megapixels": text("1", "0.25", default="1"),
    "num_outputs": whole(least=1, most=4),
    "output_format": WEB,
    "output_quality": QUALITY,
    "go_fast": flag(),
}
_CUSTOM = {"width": whole(least=256, most=1440, step=32), "height": whole(least=256, most=1440, step=32)}
_WIDE = {"width": whole(least=256, most=2048, step=16), "height": whole(least=256, most=2048, step=16)}


def _pro(**inputs: Field) -> Model:
    return Model(
        "image",
        shaped(
            _PRO,
            "1:1",
            **SEEDED,
            **_CUSTOM,
            image_prompt=url(),
            output_format=WEB,
            output_quality=QUALITY,
            safety_tolerance=whole(least=1, most=6),
            prompt_upsampling=flag(),
            **inputs,
        ),
        is_list=False,
    )


def _kontext(picture: Field, default: str | None, /, **inputs: Field) -> Model:
    return Model("image", shaped(_KONTEXT, default, **SEEDED, input_image=picture, **inputs), is_list=False)


def _second(pictures: int, **inputs: Field) -> Model:
    return Model(
        "image",
        shaped(
            _SECOND,
            "1:1",
            **SEEDED,
            **_WIDE,
            resolution=text("match_input_image", "0.5 MP", "1 MP", "2 MP", "4 MP", default="1 MP"),
            input_images=many(url(), most=pictures),
            output_format=WEB,
            output_quality=QUALITY,
            safety_tolerance=whole(least=1, most=5),
            **inputs,
        ),
        is_list=False,
    )


_TOLERANT = {"output_format": PNG, "safety_tolerance": whole(least=0, most=6)}

FLUX: Mapping[str, Model] = {
    "black-forest-labs/flux-schnell": Model(
        "image", shaped(_ALL, "1:1", **_FIRST, num_inference_steps=whole(least=1, most=4)), is_list=True
    ),
    "black-forest-labs/flux-dev": Model(
        "image",
        shaped(
            _ALL,
            "1:1",
            **_FIRST,
            image=url(),
            guidance=number(least=0, most=10),
            prompt_strength=number(least=0, most=1),
            num_inference_steps=whole(least=1, most=50),
        ),
        is_list=True,
    ),
    "black-forest-labs/flux-pro": _pro(
        steps=whole(least=1, most=50), guidance=number(least=2, most=5), interval=number(least=1, most=4)
    ),
    "black-forest-labs/flux-1.1-pro": _pro(),
    "black-forest-labs/flux-1.1-pro-ultra": Model(
        "image",
        shaped(
            _ULTRA,
            "1:1",
            **SEEDED,
            raw=flag(),
            image_prompt=url(),
            image_prompt_strength=number(least=0, most=1),
            output_format=JPG,
            safety_tolerance=whole(least=1, most=6),
        ),
        is_list=False,
    ),
    "black-forest-labs/flux-kontext-pro": _kontext(url(), "match_input_image", **_TOLERANT, prompt_upsampling=flag()),
    "black-forest-labs/flux-kontext-max": _kontext(url(), "match_input_image", **_TOLERANT),
    "black-forest-labs/flux-kontext-dev": _kontext(url(required=True), None),
    "black-forest-labs/flux-2-pro": _second(8),
    "black-forest-labs/flux-2-flex": _second(
        10, steps=whole(least=1, most=50), guidance=number(least=1.5, most=10), prompt_upsampling=flag()
    ),
    "black-forest-labs/flux-2-max": _second(8),
    "black-forest-labs/flux-2-klein-4b": Model(
        "image",
        shaped(
            _KLEIN,
            "1:1",
            **SEEDED,
            **OPEN,
            images=many(url(), most=5),
            output_format=text("webp", "jpg", "png", default="jpg"),
            output_megapixels=text("0.25", "0.5", "1", "2", "4", default="1"),
            output_quality=QUALITY,
            go_fast=flag(),
        ),
        is_list=True,
    ),
}
