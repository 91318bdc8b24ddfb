"""What the played Model Studio serves as pictures: each model's routes, fields, sizes and way of counting."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators import alibabacloud_sizes as sizes
from gateway.simulators.alibabacloud_sizes import Sizes
from gateway.simulators.alibabacloud_words import Refusal, broken, wrong
from gateway.simulators.checking import Field, check, either, flag, many, number, text, tree, url, whole
from gateway.simulators.jobs import Output

MESSAGES = "multimodal-generation/generation"
MESSAGES_ASYNC = "image-generation/generation"
FROM_TEXT = "text2image/image-synthesis"
FROM_IMAGE = "image2image/image-synthesis"

_PICTURE = url("http", "https", "data", "oss", required=True)
_SEED = {"seed": whole(least=0, most=2_147_483_647)}
_MARK = {"watermark": flag()}
_EXTEND = {"prompt_extend": flag()}
_FUNCTIONS = (
    "stylization_all",
    "stylization_local",
    "description_edit",
    "description_edit_with_mask",
    "remove_watermark",
    "expand",
    "super_resolution",
    "colorization",
    "doodle",
    "control_cartoon_feature",
)


@dataclass(frozen=True, slots=True)
class ImageModel:
    """One model: `pictures` are the least and most it is shown, `count` how many it makes if nobody says.

    `usage` is how it counts what it made (`plain`, `output` or `size`), `negative` whether it takes a negative
    prompt, `talks` whether words come with its pictures.
    """

    routes: tuple[str, ...]
    sizes: Sizes | None
    parameters: Mapping[str, Field]
    pictures: tuple[int, int] = (0, 0)
    count: int = 1
    usage: str = "plain"
    negative: bool = True
    talks: bool = False
    input: Mapping[str, Field] = field(default_factory=dict)

    @property
    def by_choices(self) -> bool:
        """Whether several pictures come as several choices, and not as parts of one."""
        return self.usage == "size"

    def fields(self, route: str) -> dict[str, Field]:
        """Return the table of fields a request on this route may have."""
        negative = {"negative_prompt": text()} if self.negative else {}
        size = {} if self.sizes is None else {"size": text()}
        if route in (MESSAGES, MESSAGES_ASYNC):
            part = either(tree({"image": _PICTURE}), tree({"text": text(required=True)}))
            message = tree({"role": text("user", required=True), "content": many(part, least=1, required=True)})
            given = {"messages": many(message, least=1, most=1, required=True)}
            parameters = {**self.parameters, **size, **negative}
        else:
            given = {"prompt": text(required=True), **negative, **self.input}
            parameters = {**self.parameters, **size}
        return {
            "model": text(required=True),
            "input": tree(given, required=True),
            "parameters": tree(parameters),
        }


def _qwen_1(*routes: str) -> ImageModel:
    return ImageModel(routes, sizes.QWEN_1, {"n": whole(1), **_SEED, **_MARK, **_EXTEND})


def _qwen(asked: Sizes, pictures: tuple[int, int], usage: str = "plain", *, negative: bool = True) -> ImageModel:
    parameters = {"n": whole(least=1, most=6), **_SEED, **_MARK, **_EXTEND}
    return ImageModel((MESSAGES,), asked, parameters, pictures, usage=usage, negative=negative)


_FOUR = {"n": whole(least=1, most=4)}
_WAN_27 = {
    "n": whole(least=1, most=12),
    "thinking_mode": flag(),
    "enable_sequential": flag(),
    "bbox_list": many(many(many(number(least=0), least=4, most=4), most=2)),
    "color_palette": many(tree({"hex": text(required=True), "ratio": text(required=True)}), least=3, most=10),
    **_SEED,
    **_MARK,
}
_WAN_26 = {"enable_interleave": flag(), "max_images": whole(least=1, most=5), "stream": flag()}
_BOTH_WAYS = (MESSAGES, MESSAGES_ASYNC)


def _wan_old(route: str, asked: Sizes, **given: Field) -> ImageModel:
    parameters = {**_FOUR, **_SEED, **_MARK, **_EXTEND}
    return ImageModel((route,), asked, parameters, count=4, usage="size", input=given)


def _scale() -> Field:
    return number(least=1, most=2)


_IMAGE_EDIT = ImageModel(
    (FROM_IMAGE,),
    None,
    {
        **_FOUR,
        **_SEED,
        **_MARK,
        "strength": number(least=0, most=1),
        **{f"{side}_scale": _scale() for side in ("top", "bottom", "left", "right")},
        "upscale_factor": whole(least=1, most=4),
        "is_sketch": flag(),
    },
    usage="size",
    negative=False,
    input={
        "function": text(*_FUNCTIONS),
        "base_image_url": _PICTURE,
        "mask_image_url": url("http", "https", "data", "oss"),
    },
)

_ROWS: Mapping[str, ImageModel] = {
    "qwen-image": _qwen_1(MESSAGES, FROM_TEXT),
    "qwen-image-plus": _qwen_1(MESSAGES, FROM_TEXT),
    "qwen-image-max": _qwen_1(MESSAGES),
    "qwen-image-2.0": _qwen(sizes.QWEN_2, (0, 3)),
    "qwen-image-2.0-pro": _qwen(sizes.QWEN_2, (0, 3)),
    "qwen-image-3.0": _qwen(sizes.QWEN_3, (0, 3), "output"),
    "qwen-image-3.0-pro": _qwen(sizes.QWEN_3, (0, 3), "output"),
    "qwen-image-2.1-pro": _qwen(sizes.QWEN_3, (0, 10), "output", negative=False),
    "qwen-image-edit": ImageModel((MESSAGES,), None, {"n": whole(1), **_SEED, **_MARK}, (1, 3)),
    "qwen-image-edit-plus": _qwen(sizes.QWEN_EDIT, (1, 3)),
    "qwen-image-edit-max": _qwen(sizes.QWEN_EDIT, (1, 3)),
    "z-image-turbo": ImageModel((MESSAGES,), sizes.Z_IMAGE, {**_SEED, **_EXTEND}, negative=False, talks=True),
    "wan2.7-image": ImageModel(_BOTH_WAYS, sizes.WAN_27, _WAN_27, (0, 9), 4, "size", negative=False),
    "wan2.7-image-pro": ImageModel(_BOTH_WAYS, sizes.WAN_27_PRO, _WAN_27, (0, 9), 4, "size", negative=False),
    "wan2.6-t2i": ImageModel(_BOTH_WAYS, sizes.WAN_TEXT, {**_FOUR, **_SEED, **_MARK, **_EXTEND}, count=4, usage="size"),
    "wan2.6-image": ImageModel(
        _BOTH_WAYS, sizes.WAN_26_EDIT, {**_WAN_26, **_FOUR, **_SEED, **_MARK, **_EXTEND}, (1, 4), 4, "size"
    ),
    "wan2.5-t2i-preview": _wan_old(FROM_TEXT, sizes.WAN_TEXT),
    "wan2.5-i2i-preview": _wan_old(
        FROM_IMAGE, sizes.WAN_25_EDIT, images=many(_PICTURE, least=1, most=3, required=True)
    ),
    "wan2.2-t2i-flash": _wan_old(FROM_TEXT, sizes.WAN_22),
    "wan2.2-t2i-plus": _wan_old(FROM_TEXT, sizes.WAN_22),
    "wanx2.1-imageedit": _IMAGE_EDIT,
}
_SNAPSHOTS = {
    "qwen-image-plus": ("2026-01-09",),
    "qwen-image-max": ("2025-12-30",),
    "qwen-image-2.0": ("2026-03-03",),
    "qwen-image-2.0-pro": ("2026-03-03", "2026-04-22", "2026-06-22"),
    "qwen-image-edit-plus": ("2025-10-30", "2025-12-15"),
    "qwen-image-edit-max": ("2026-01-16",),
}

IMAGES: Mapping[str, ImageModel] = {
    **_ROWS,
    **{f"{name}-{day}": _ROWS[name] for name, days in _SNAPSHOTS.items() for day in days},
}
"""Every picture model by its id, dated ones included."""


def shown(body: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the texts and pictures of a request, whatever state the rest of it is in."""
    given = body.get("input")
    given = given if isinstance(given, dict) else {}
    messages = given.get("messages") if isinstance(given.get("messages"), list) else []
    parts = [
        part
        for message in messages or []
        if isinstance(message, dict) and isinstance(message.get("content"), list)
        for part in message["content"]
        if isinstance(part, dict)
    ]
    texts = [str(part["text"]) for part in parts if "text" in part]
    pictures = [str(part["image"]) for part in parts if "image" in part]
    return texts + [str(given[name]) for name in ("prompt",) if name in given], pictures


def judge(model: ImageModel, route: str, body: Mapping[str, Any]) -> Refusal | tuple[Output, ...]:
    """Return what a request makes, or why it cannot be made."""
    bad = check(model.fields(route), body)
    if bad:
        return broken(bad[0])
    asked = body.get("parameters", {})
    is_mixed, is_set = bool(asked.get("enable_interleave")), bool(asked.get("enable_sequential"))
    texts, pictures = shown(body)
    if len(texts) != 1:
        return wrong("input.messages should hold exactly one text.")
    least, most = (0, 1) if is_mixed else model.pictures
    if route in (MESSAGES, MESSAGES_ASYNC) and not least <= len(pictures) <= most:
        return wrong(f"The number of images should be from {least} to {most}.")
    fault = _counted(model, asked) or _detailed(body)
    if fault is not None:
        return fault
    size: tuple[int, int] | str = (1024, 1024)
    if model.sizes is not None:
        size = model.sizes.pixels(asked.get("size"), narrow=is_mixed or is_set or _is_edit(model, pictures))
    if isinstance(size, str):
        return wrong(f"parameters.size is invalid: {size}.")
    return (Output("png", *size),) * _count(model, asked, texts[0])


def _is_edit(model: ImageModel, pictures: list[str]) -> bool:
    """Whether showing pictures narrows the sizes: not where a model exists for editing alone."""
    return bool(pictures) and model.pictures[0] == 0


def _counted(model: ImageModel, asked: Mapping[str, Any]) -> Refusal | None:
    """Return what is wrong with how many pictures are asked for."""
    count = asked.get("n", model.count)
    if count > 4 and "enable_sequential" in model.parameters and not asked.get("enable_sequential"):
        return wrong("parameters.n is invalid: it should be from 1 to 4 unless enable_sequential is true.")
    if asked.get("enable_interleave"):
        if asked.get("n", 1) != 1:
            return wrong("parameters.n is invalid: it should be 1 when enable_interleave is true.")
    elif "max_images" in asked:
        return wrong("parameters.max_images is invalid: it needs enable_interleave.")
    return None


def _detailed(body: Mapping[str, Any]) -> Refusal | None:
    palette = body.get("parameters", {}).get("color_palette")
    if palette is not None:
        try:
            total = sum(float(colour["ratio"].rstrip("%")) for colour in palette)
        except ValueError:
            total = 0
        if round(total, 2) != 100:
            return wrong("parameters.color_palette is invalid: the ratios should sum to 100.00%.")
    given = body["input"]
    if given.get("function") == "description_edit_with_mask" and "mask_image_url" not in given:
        return wrong("Field required: input.mask_image_url")
    return None


def _count(model: ImageModel, asked: Mapping[str, Any], words: str) -> int:
    """Return how many pictures: as asked, except where the model decides up to a number."""
    most = int(asked.get("max_images", 5) if asked.get("enable_interleave") else asked.get("n", model.count))
    if asked.get("enable_interleave") or asked.get("enable_sequential"):
        return 1 + hashlib.sha256(words.encode("utf-8", "replace")).digest()[0] % most
    return most
