"""What the played Runway serves as pictures: one row a model, as its own validator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.simulators import runway_sizes as frames
from gateway.simulators.checking import Field, flag, many, text, whole
from gateway.simulators.runway_shapes import MODERATION, SEED, URI, Model, Price, Terms, pictures, row
from gateway.simulators.runway_sizes import Frames

# The vendor's most is not known for these models; the simulators draw no more than this.
_MANY = 10
# Where the vendor's price is not known.
_UNKNOWN = Price(4)


def _image(terms: Terms, /, **fields: Field) -> Model:
    """Return a row of text_to_image: everything there needs a prompt."""
    return row("image", replace(terms, needs_prompt=True), **fields)


_ANY_COUNT = whole(least=1, most=_MANY)
_ONE_OR_FOUR = whole(1, 4)
_PLAIN = text("png", "jpeg", default="png")
_LEVELS = ("low", "medium", "high", "xhigh", "max")


def _gpt(*levels: str, backgrounds: tuple[str, ...], price: Price = _UNKNOWN, prompt: int | None = None) -> Model:
    return _image(
        Terms(price, frames.GPT, prompt=prompt, needs_ratio=True),
        referenceImages=pictures(16, "tag"),
        outputCount=whole(least=1, most=10),
        quality=text(*levels, default="high"),
        background=text(*backgrounds),
    )


def _nano(asked: Frames, references: int = 14, *keys: str, **fields: Field) -> Model:
    return _image(Terms(_UNKNOWN, asked, needs_ratio=True), referenceImages=pictures(references, *keys), **fields)


def _seedream(asked: Frames, prompt: int | None = None, **fields: Field) -> Model:
    return _image(
        Terms(_UNKNOWN, asked, prompt=prompt, needs_ratio=True),
        referenceImages=pictures(),
        outputCount=_ANY_COUNT,
        outputFormat=_PLAIN,
        **fields,
    )


_COLOURS = {"backgroundColor": text(), "colors": many(text())}

IMAGES: Mapping[str, Model] = {
    "gen4_image_turbo": _image(
        Terms(Price(2), frames.GEN4, prompt=1000, needs_ratio=True),
        referenceImages=pictures(3, "tag", least=1),
        seed=SEED,
        **MODERATION,
    ),
    "gen4_image": _image(
        Terms(Price(8, "tier", {"720p": 5}), frames.GEN4, prompt=1000, ignores_unknown=True, needs_ratio=True),
        referenceImages=pictures(3, "tag"),
        seed=SEED,
        **MODERATION,
    ),
    "gpt_image_2": _gpt("low", "medium", "high", "auto", backgrounds=("transparent", "opaque", "auto"), prompt=32_000),
    "gpt_image_2_5_flare": _gpt(*_LEVELS, backgrounds=("opaque", "auto"), price=Price(4, reference=1)),
    "gpt_image_2_5_sunburst": _gpt(
        *_LEVELS, backgrounds=("transparent", "opaque", "auto"), price=Price(4, reference=1)
    ),
    "gemini_2.5_flash": _image(Terms(Price(5), frames.NANO, needs_ratio=True), referenceImages=pictures(3, "tag")),
    "gemini_image3_pro": _nano(frames.NANO_PRO, 14, "tag", "subject", outputCount=_ONE_OR_FOUR),
    "gemini_image3.1_flash": _nano(frames.NANO_2, 14, "tag", "subject", outputCount=_ONE_OR_FOUR),
    "gemini_image3.1_flash_lite": _nano(frames.NANO_2_LITE, 14, "tag", "subject", outputCount=_ONE_OR_FOUR),
    "nano_banana_2.1": _nano(
        frames.NANO_21, 14, "tag", outputCount=_ANY_COUNT, thinkingLevel=text("minimal", "medium", "high")
    ),
    "muse_image": _image(
        Terms(Price(1), frames.MUSE, needs_ratio=True),
        referenceImages=pictures(10),
        outputCount=_ANY_COUNT,
        outputFormat=text("webp", "png", "jpeg", default="png"),
    ),
    "seedream5_pro": _seedream(frames.SEEDREAM_PRO, 4000, grounding=flag()),
    "seedream5_lite": _seedream(frames.SEEDREAM_LITE, 4000, grounding=flag()),
    "seedream5_flash": _seedream(frames.SEEDREAM_FLASH),
    "grok_imagine_image_2": _image(
        Terms(Price(4, "tier", {"2k": 6}, reference=1), frames.GROK_IMAGE, needs_ratio=True),
        referenceImages=pictures(3),
        outputCount=_ANY_COUNT,
        quality=text("low", "medium", default="medium"),
        edit=flag(),
    ),
    "bria_fibo_1_5": _image(
        Terms(Price(5, "tier", {"2k": 10}), frames.BRIA, needs_ratio=True),
        referenceImages=pictures(1),
        outputFormat=_PLAIN,
        seed=whole(),
    ),
    "bria_fibo_edit_1_5": _image(
        Terms(_UNKNOWN, frames.BRIA_EDIT), referenceImages=pictures(4, least=1), outputFormat=_PLAIN, seed=whole()
    ),
    "ideogram_4_0": _image(
        Terms(Price(7, "quality", {"low": 4, "medium": 7, "high": 11}), frames.IDEOGRAM_4),
        referenceImages=pictures(1),
        outputCount=_ANY_COUNT,
        quality=text("low", "medium", "high"),
    ),
    "ideogram_4_5": _image(
        Terms(Price(8, "quality", {"very_low": 1, "low": 4, "medium": 8, "high": 25}), frames.IDEOGRAM_45),
        referenceImages=pictures(5),
        outputCount=_ANY_COUNT,
        quality=text("very_low", "low", "medium", "high"),
        maskUri=URI,
        preciseEdit=flag(),
    ),
    "recraft_v4_1_flash": _image(
        Terms(_UNKNOWN, frames.RECRAFT, needs_ratio=True),
        outputCount=_ANY_COUNT,
        outputFormat=text("webp", "png", default="webp"),
        seed=whole(),
        **_COLOURS,
    ),
    "recraft_v4_1_vector": _image(Terms(_UNKNOWN, frames.RECRAFT_VECTOR, form="svg"), **_COLOURS),
}
"""The models of text_to_image."""
