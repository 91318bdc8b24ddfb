"""What the played Replicate serves: pictures of many labs."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators.checking import Field, flag, many, number, text, url, whole
from gateway.simulators.replicate_inputs import JPG, OPEN, QUALITY, SEEDED, WEB, Model, plain, shaped

# Most pictures a set may have, when the model decides how many up to a number asked for.
_SET = 15

# The simulators' own bound where the vendor's is not known, so that no file grows without end.
_SIDE = 4096

_DREAM = "1:1 4:3 3:4 16:9 9:16 3:2 2:3 21:9 match_input_image"
_BANANA = "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9 match_input_image"
_BANANA_2 = "1:1 1:4 1:8 2:3 3:2 3:4 4:1 4:3 4:5 5:4 8:1 9:16 16:9 21:9 match_input_image"
_IMAGEN = "1:1 9:16 16:9 3:4 4:3"
_DIFFUSION = "16:9 1:1 21:9 2:3 3:2 4:5 5:4 9:16 9:21"
_PHOTON = "1:1 3:4 4:3 9:16 16:9 9:21 21:9"
_QWEN = "1:1 16:9 9:16 4:3 3:4 3:2 2:3"
_IDEOGRAM = "1:1 16:9 9:16 4:3 3:4 3:2 2:3 16:10 10:16 3:1 1:3"
_RECRAFT_3 = "1:1 4:3 3:4 3:2 2:3 16:9 9:16 1:2 2:1 7:5 5:7 4:5 5:4 3:5 5:3"
_RECRAFT_4 = "1:1 4:3 3:4 3:2 2:3 16:9 9:16 1:2 2:1 14:10 10:14 4:5 5:4 6:10"
_RECRAFT_3_SIZES = (
    "1024x1024 1365x1024 1024x1365 1536x1024 1024x1536 1820x1024 1024x1820 1024x2048 2048x1024 "
    "1434x1024 1024x1434 1024x1280 1280x1024 1024x1707 1707x1024"
)
_RECRAFT_4_SIZES = (
    "1024x1024 1536x768 768x1536 1280x832 832x1280 1216x896 896x1216 1152x896 896x1152 832x1344 "
    "1280x896 896x1280 1344x768 768x1344"
)
_WAN_SIZES = (
    "1K 2K 4K 1024*1024 2048*2048 4096*4096 1280*720 720*1280 2048*1152 1152*2048 4096*2304 2304*4096 "
    "1024*768 768*1024 2048*1536 1536*2048 4096*3072 3072*4096"
)

_SETS = {"max_images": whole(least=1, most=_SET), "sequential_image_generation": text("disabled", "auto")}
_FILTER = text("block_low_and_above", "block_medium_and_above", "block_only_high")
_FINE = number(least=0, most=1)
_CLASSES = text("1K", "2K", "4K", default="1K")


def _dream(pictures: int, *sizes: str, **inputs: Field) -> Model:
    taken = {"size": text(*sizes, default="2K"), "image_input": many(url(), most=pictures), **_SETS, **inputs}
    return Model("image", shaped(_DREAM, "match_input_image", **taken), is_list=True)


def _banana(ratios: str, pictures: int | None, **inputs: Field) -> Model:
    taken = {"image_input": many(url(), most=pictures), "output_format": JPG, **inputs}
    return Model("image", shaped(ratios, "match_input_image", **taken), is_list=False)


def _imagen() -> Model:
    return Model("image", shaped(_IMAGEN, "1:1", output_format=JPG, safety_filter_level=_FILTER), is_list=False)


def _diffusion() -> Model:
    taken = {"image": url(), "negative_prompt": text(), "output_format": WEB, "prompt_strength": _FINE}
    return Model("image", shaped(_DIFFUSION, "1:1", **SEEDED, **taken, cfg=number(least=1, most=10)), is_list=True)


def _recraft(ratios: str, sizes: str, **inputs: Field) -> Model:
    taken = {
        "aspect_ratio": text(*ratios.split(), "Not set", default="Not set"),
        "size": text(*sizes.split(), default="1024x1024"),
    }
    return Model("image", plain(**taken, **inputs), is_list=False)


def _photon(*references: str) -> Model:
    weights = {"image_reference_weight": _FINE, "style_reference_weight": _FINE}
    return Model(
        "image", shaped(_PHOTON, "16:9", **SEEDED, **weights, **{name: url() for name in references}), is_list=False
    )


_PHOTON_URLS = ("image_reference_url", "style_reference_url", "character_reference_url")

IMAGES: Mapping[str, Model] = {
    "bytedance/seedream-4": _dream(
        10,
        "1K",
        "2K",
        "4K",
        "custom",
        width=whole(least=1024, most=4096),
        height=whole(least=1024, most=4096),
        enhance_prompt=flag(),
    ),
    "bytedance/seedream-4.5": _dream(14, "2K", "4K", **OPEN),
    "bytedance/seedream-5-lite": _dream(14, "2K", "3K", output_format=text("png", "jpeg", default="png")),
    "google/nano-banana": _banana(_BANANA, None),
    "google/nano-banana-2": _banana(_BANANA_2, 14, resolution=_CLASSES, image_search=flag(), google_search=flag()),
    "google/nano-banana-pro": _banana(_BANANA, 14, resolution=_CLASSES, safety_filter_level=text()),
    "google/imagen-3": _imagen(),
    "google/imagen-4": _imagen(),
    "google/imagen-4-fast": _imagen(),
    "google/imagen-4-ultra": _imagen(),
    "openai/gpt-image-1.5": Model(
        "image",
        shaped(
            "1:1 3:2 2:3",
            "1:1",
            input_images=many(url()),
            number_of_images=whole(least=1, most=10),
            output_format=text("png", "jpeg", "webp", default="webp"),
            quality=text("low", "medium", "high", "auto"),
            background=text("auto", "transparent", "opaque"),
            moderation=text("auto", "low"),
            input_fidelity=text("low", "high"),
            output_compression=QUALITY,
            openai_api_key=text(),
            user_id=text(),
        ),
        is_list=True,
    ),
    "qwen/qwen-image": Model(
        "image",
        shaped(
            _QWEN,
            "16:9",
            **SEEDED,
            **OPEN,
            image=url(),
            negative_prompt=text(),
            output_format=WEB,
            output_quality=QUALITY,
            image_size=text("optimize_for_quality", "optimize_for_speed"),
            enhance_prompt=flag(),
            go_fast=flag(),
            guidance=number(least=0, most=10),
            strength=_FINE,
            num_inference_steps=whole(least=1, most=50),
            lora_weights=text(),
            lora_scale=number(),
            extra_lora_weights=many(text()),
            extra_lora_scale=many(number()),
            replicate_weights=text(),
        ),
        is_list=True,
    ),
    "qwen/qwen-image-edit": Model(
        "image",
        plain(**SEEDED, **OPEN, image=url(required=True), output_format=WEB, output_quality=QUALITY, go_fast=flag()),
        is_list=True,
    ),
    "qwen/qwen-image-2-pro": Model(
        "image",
        shaped(
            f"{_QWEN} 2:1 1:2",
            "1:1",
            **SEEDED,
            image=url(),
            negative_prompt=text(),
            match_input_image=flag(),
            enable_prompt_expansion=flag(),
        ),
        is_list=False,
    ),
    "ideogram-ai/ideogram-v2": Model(
        "image",
        shaped(
            _IDEOGRAM,
            "1:1",
            seed=whole(most=2_147_483_647),
            image=url(),
            mask=url(),
            negative_prompt=text(),
            style_type=text("None", "Auto", "General", "Realistic", "Design", "Render 3D", "Anime"),
            magic_prompt_option=text("Auto", "On", "Off"),
        ),
        is_list=False,
    ),
    "recraft-ai/recraft-v3": _recraft(_RECRAFT_3, _RECRAFT_3_SIZES, style=text()),
    "recraft-ai/recraft-v4": _recraft(_RECRAFT_4, _RECRAFT_4_SIZES),
    "stability-ai/stable-diffusion-3.5-large": _diffusion(),
    "stability-ai/stable-diffusion-3.5-large-turbo": _diffusion(),
    "stability-ai/stable-diffusion-3.5-medium": _diffusion(),
    "stability-ai/sdxl": Model(
        "image",
        plain(
            **SEEDED,
            **OPEN,
            negative_prompt=text(),
            width=whole(least=64, most=_SIDE),
            height=whole(least=64, most=_SIDE),
            num_outputs=whole(least=1, most=4),
            image=url(),
            mask=url(),
            refine=text("no_refiner", "expert_ensemble_refiner", "base_image_refiner"),
            refine_steps=whole(),
            guidance_scale=number(least=1, most=50),
            num_inference_steps=whole(least=1, most=500),
            prompt_strength=_FINE,
            high_noise_frac=_FINE,
            apply_watermark=flag(),
        ),
        is_list=True,
        is_official=False,
        version="7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
    ),
    "luma/photon": _photon(*_PHOTON_URLS),
    "luma/photon-flash": _photon(*_PHOTON_URLS, "image_reference", "style_reference", "character_reference"),
    "minimax/image-01": Model(
        "image",
        shaped(
            "1:1 16:9 4:3 3:2 2:3 3:4 9:16 21:9",
            "1:1",
            number_of_images=whole(least=1, most=9),
            subject_reference=url(),
            prompt_optimizer=flag(),
        ),
        is_list=True,
    ),
    "wan-video/wan-2.7-image-pro": Model(
        "image",
        plain(
            **SEEDED,
            size=text(*_WAN_SIZES.split(), default="2K"),
            images=many(url(), most=9),
            num_outputs=whole(least=1, most=4),
            thinking_mode=flag(),
            image_set_mode=flag(),
        ),
        is_list=True,
    ),
}
