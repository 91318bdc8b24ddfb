"""The endpoints of the played Fal that make pictures; one that starts from a picture is another than from words."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators.checking import Field, flag, many, number, text, url, whole
from gateway.simulators.fal_inputs import (
    AGAINST,
    CHECKED,
    EXPANDS,
    FAST,
    FORM,
    FORMS,
    PICTURE,
    PICTURES,
    SAFE,
    SEED,
    STEPS,
    TOLERANT,
    Endpoint,
    group,
    single,
    size,
    still,
)


def _checked(**inputs: Field) -> Endpoint:
    return Endpoint("image", still(**SEED, **SAFE, **inputs), extra=CHECKED)


def _guarded(**inputs: Field) -> Endpoint:
    return Endpoint("image", still(**SEED, **TOLERANT, **FORM, **inputs), extra=CHECKED)


def _described(**inputs: Field) -> Endpoint:
    return Endpoint("image", still(**SEED, **TOLERANT, **FORMS, **inputs), "png", ("description",))


def _bare(**inputs: Field) -> Endpoint:
    return Endpoint("image", still(**inputs), "png")


def _seeded(inputs: Mapping[str, Field], form: str = "png") -> Endpoint:
    return Endpoint("image", inputs, form, ("seed",))


_LANDSCAPE = {"image_size": size(default="landscape_4_3")}
_SQUARE = {"image_size": size(default="square_hd")}
_ANY = {"image_size": size()}
_FLUX = {**FORM, **STEPS, **FAST}
_FLUX_2 = {**FORMS, **STEPS, **FAST, **EXPANDS}
_FLUX_2_PRO = {**SEED, **SAFE, **TOLERANT, **FORM}
_FROM_WORDS = single(**_FLUX_2_PRO, **_LANDSCAPE)
_FROM_PICTURES = single(**_FLUX_2_PRO, **PICTURES, image_size=size("auto", default="auto"))
_QUICK = {"num_inference_steps": whole(least=1)}
_TALL = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
_KONTEXT = {"enhance_prompt": flag(), "guidance_scale": number()}
_KONTEXT_SHAPES = (
    "auto",
    "1:1",
    "16:9",
    "21:9",
    "3:2",
    "2:3",
    "4:5",
    "5:4",
    "3:4",
    "4:3",
    "9:16",
    "9:21",
    "match_input",
)
_DREAM = {**SEED, **SAFE, "max_images": group()}
_DREAM_4 = {
    **_DREAM,
    "enhance_prompt_mode": text("standard", "fast"),
    "image_size": size("auto", "auto_2K", "auto_4K"),
}
_DREAM_45 = {**_DREAM, "image_size": size("auto_2K", "auto_4K")}
_DREAM_5 = {**SAFE, "max_images": group(), "image_size": size("auto_2K", "auto_3K", default="auto_2K")}
_IMAGEN = {"aspect_ratio": text("1:1", "16:9", "9:16", "4:3", "3:4", default="1:1")}
_IMAGEN_CLASS = {"resolution": text("1K", "2K", default="1K")}
_BANANA = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")
_BANANA_2 = (*_BANANA, "4:1", "1:4", "8:1", "1:8", "auto")
_NANO = {"limit_generations": flag()}
_NANO_2 = {
    **_NANO,
    "enable_web_search": flag(),
    "thinking_level": text(),
    "resolution": text("0.5K", "1K", "2K", "4K", default="1K"),
    "aspect_ratio": text(*_BANANA_2, default="auto"),
}
_NANO_PRO = {**_NANO, "enable_web_search": flag(), "resolution": text("1K", "2K", "4K", default="1K")}
_GPT = {**FORMS, "background": text("auto", "transparent", "opaque"), "quality": text("auto", "low", "medium", "high")}
_GPT_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_GPT_2 = {**FORMS, **_LANDSCAPE, "quality": text("auto", "low", "medium", "high")}
_QWEN = {**AGAINST, **STEPS, **FAST, **FORM}
_QWEN_2 = {**SEED, **SAFE, **AGAINST, **EXPANDS, **FORMS}
_Z = {**FAST, **EXPANDS, **FORMS, **_QUICK}

IMAGES: Mapping[str, Endpoint] = {
    "fal-ai/flux/schnell": _checked(**_FLUX, **_LANDSCAPE),
    "fal-ai/flux/dev": _checked(**_FLUX, **_LANDSCAPE),
    "fal-ai/flux/dev/image-to-image": _checked(**_FLUX, **PICTURE, strength=number(least=0, most=1)),
    "fal-ai/flux-pro/v1.1": _guarded(**_LANDSCAPE, enhance_prompt=flag()),
    "fal-ai/flux-pro/v1.1-ultra": _guarded(
        aspect_ratio=text(*_TALL, default="16:9"),
        image_url=url(),
        image_prompt_strength=number(),
        raw=flag(),
        enhance_prompt=flag(),
    ),
    "fal-ai/flux-pro/kontext": _guarded(**_KONTEXT, **PICTURE, aspect_ratio=text(*_TALL)),
    "fal-ai/flux-pro/kontext/text-to-image": _guarded(**_KONTEXT, aspect_ratio=text(*_TALL, default="1:1")),
    "fal-ai/flux-pro/kontext/max": _guarded(**_KONTEXT, **PICTURE, aspect_ratio=text(*_TALL)),
    "fal-ai/flux-pro/kontext/max/text-to-image": _guarded(**_KONTEXT, aspect_ratio=text(*_TALL, default="1:1")),
    "fal-ai/flux-kontext/dev": _checked(
        **_FLUX, **PICTURE, enhance_prompt=flag(), resolution_mode=text(*_KONTEXT_SHAPES, default="match_input")
    ),
    "fal-ai/flux-2": _checked(**_FLUX_2, **_LANDSCAPE),
    "fal-ai/flux-2/edit": _checked(**_FLUX_2, **_ANY, **PICTURES),
    "fal-ai/flux-2-pro": _seeded(_FROM_WORDS, "jpeg"),
    "fal-ai/flux-2-pro/edit": _seeded(_FROM_PICTURES, "jpeg"),
    "fal-ai/flux-2-flex": _seeded({**_FROM_WORDS, **STEPS}, "jpeg"),
    "fal-ai/flux-2-flex/edit": _seeded({**_FROM_PICTURES, **STEPS}, "jpeg"),
    "fal-ai/flux-2-max": _seeded(_FROM_WORDS, "jpeg"),
    "fal-ai/flux-2-max/edit": _seeded(_FROM_PICTURES, "jpeg"),
    "fal-ai/flux-2/klein/9b": _checked(**FORM, **_QUICK, **_SQUARE),
    "fal-ai/flux-2/klein/9b/edit": _checked(**FORMS, **_QUICK, **_ANY, **PICTURES),
    "fal-ai/flux-2/klein/4b/edit": _checked(**FORMS, **_QUICK, **_ANY, **PICTURES),
    "fal-ai/bytedance/seedream/v4/text-to-image": _seeded(still(**_DREAM_4)),
    "fal-ai/bytedance/seedream/v4/edit": _seeded(still(**_DREAM_4, **PICTURES)),
    "fal-ai/bytedance/seedream/v4.5/text-to-image": _seeded(still(**_DREAM_45)),
    "fal-ai/bytedance/seedream/v4.5/edit": _bare(**_DREAM_45, **PICTURES),
    "fal-ai/bytedance/seedream/v5/lite/text-to-image": _seeded(still(**_DREAM_5)),
    "fal-ai/bytedance/seedream/v5/lite/edit": _seeded(still(**_DREAM_5, **PICTURES)),
    "fal-ai/imagen4/preview": _described(**_IMAGEN, **_IMAGEN_CLASS),
    "fal-ai/imagen4/preview/fast": _described(**_IMAGEN),
    "fal-ai/imagen4/preview/ultra": _described(**_IMAGEN, **_IMAGEN_CLASS),
    "fal-ai/nano-banana": _described(**_NANO, aspect_ratio=text(*_BANANA, default="1:1")),
    "fal-ai/nano-banana/edit": _described(**_NANO, **PICTURES, aspect_ratio=text(*_BANANA, "auto", default="auto")),
    "fal-ai/nano-banana-2": _described(**_NANO_2),
    "fal-ai/nano-banana-2/edit": _described(**_NANO_2, **PICTURES),
    "fal-ai/nano-banana-pro": _described(**_NANO_PRO, aspect_ratio=text(*_BANANA, "auto", default="1:1")),
    "fal-ai/nano-banana-pro/edit": _described(
        **_NANO_PRO, **PICTURES, aspect_ratio=text(*_BANANA, "auto", default="auto")
    ),
    "openai/gpt-image-2": _bare(**_GPT_2),
    "openai/gpt-image-2/edit": _bare(**_GPT_2, **PICTURES, mask_url=url()),
    "fal-ai/gpt-image-1.5": _bare(**_GPT, image_size=text(*_GPT_SIZES, default="1024x1024")),
    "fal-ai/gpt-image-1.5/edit": _bare(
        **_GPT,
        **PICTURES,
        image_size=text(*_GPT_SIZES, "auto", default="auto"),
        input_fidelity=text("low", "high"),
        mask_image_url=url(),
    ),
    "fal-ai/qwen-image": _checked(**_QWEN, **_LANDSCAPE, loras=many(url()), use_turbo=flag()),
    "fal-ai/qwen-image-edit": _checked(**_QWEN, **_ANY, **PICTURE),
    "fal-ai/qwen-image-2/text-to-image": _seeded(still(**_QWEN_2, **_SQUARE)),
    "fal-ai/qwen-image-2/pro/text-to-image": _seeded(still(**_QWEN_2, **_SQUARE)),
    "fal-ai/qwen-image-2/pro/edit": _seeded(still(**_QWEN_2, **_ANY, **PICTURES)),
    "fal-ai/qwen-image-max/text-to-image": _seeded(still(**_QWEN_2, **_SQUARE)),
    "fal-ai/z-image/turbo": _checked(**_Z, **_LANDSCAPE),
    "fal-ai/z-image/turbo/image-to-image": _checked(
        **_Z, **PICTURE, image_size=size("auto", default="auto"), strength=number()
    ),
    "fal-ai/wan/v2.7/text-to-image": _seeded(single(**SEED, **SAFE, **AGAINST, **_SQUARE, max_images=group())),
    "fal-ai/ideogram/v2": _seeded(
        single(
            **SEED,
            **AGAINST,
            aspect_ratio=text(
                *("10:16", "16:10", "9:16", "16:9", "4:3", "3:4", "1:1", "1:3", "3:1", "3:2", "2:3"), default="1:1"
            ),
            expand_prompt=flag(),
            style=text(),
        )
    ),
    "fal-ai/recraft/v3/text-to-image": Endpoint(
        "image", single(**SAFE, **_SQUARE, style=text(), style_id=text()), "webp"
    ),
    "fal-ai/recraft/v4/text-to-image": Endpoint("image", single(**SAFE, **_SQUARE), "webp"),
    "fal-ai/stable-diffusion-v35-large": _checked(**AGAINST, **FORM, **STEPS, **_ANY),
    "fal-ai/minimax/image-01": Endpoint(
        "image",
        still(
            aspect_ratio=text("1:1", "16:9", "4:3", "3:2", "2:3", "3:4", "9:16", "21:9", default="1:1"),
            prompt_optimizer=flag(),
        ),
    ),
}
