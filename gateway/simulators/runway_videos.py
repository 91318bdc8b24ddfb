"""What the played Runway serves as films: one row for each model on each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.simulators import runway_sizes as frames
from gateway.simulators.checking import Field, flag, many, number, text, tree, whole
from gateway.simulators.runway_shapes import (
    AUDIOS,
    MODERATION,
    PRORES,
    SEED,
    VIDEOS,
    Model,
    Price,
    Terms,
    needed,
    pictures,
    prompt_image,
    row,
    span,
)

# Where the vendor's price is not known.
UNKNOWN = Price(10)
_BOTH = ("first", "last")
_ANY = whole(least=1)  # the vendor's own bounds are not known


def film(terms: Terms, /, **fields: Field) -> Model:
    """Return a row of text_to_video or video_to_video."""
    return row("video", terms, **fields)


def _from_image(model: Model, *positions: str, is_referring: bool = False) -> Model:
    """Return the row of image_to_video: the same with the pictures the film begins or ends with."""
    return Model(
        model.kind,
        {**model.fields, "promptImage": prompt_image(*positions)},
        model.price,
        model.frames,
        model.prompt,
        positions,
        is_referring,
    )


_MASTERS = (
    "mp4",
    "prores",
    "png_sequence",
    "hdr10",
    "hlg",
    "sdr_rec709_10bit",
    "hdr_pq_12bit_master",
    "hdr_prores",
    "hdr_png_sequence",
    "hdr_exr_sequence",
    "hdr_exr_acescg_sequence_1_3",
    "hdr_exr_acescg_sequence_2_0",
)
_CFG = {"cfgScale": number(least=0, most=1)}
SHOTS = {
    "providerSettings": tree(
        {
            "shotType": text("intelligence", "customize"),
            "multiPrompt": many(tree({"prompt": text(required=True), "duration": needed(whole(least=1))}), least=1),
        }
    )
}
_GEN45 = {
    "duration": needed(whole(least=2, most=10)),
    "outputFormat": text(*_MASTERS, default="mp4"),
    "seed": SEED,
    **MODERATION,
    **PRORES,
}
_VEO = {"audio": flag(), "duration": whole(4, 6, 8, default=8), "negativePrompt": text(), "seed": SEED}
_KLING = {"audio": flag(), "duration": whole(least=3, most=15, default=5), **SHOTS}
_TALK = {"referenceAudio": AUDIOS}
CLIPS = {"referenceVideos": VIDEOS}
_H3 = {
    "duration": _ANY,
    "resolution": text("480p", "768p"),
    "seed": whole(),
    "promptExpansionMode": text("disabled", "balanced", "quality"),
}
_GROK = {"duration": whole(least=1, most=15), "resolution": text("480p", "720p", "1080p")}
HAILUO = {"duration": _ANY, "resolution": text("768p", "2k"), **_TALK}
_DANCE = {"audio": flag(), "duration": span(4, 15), "seed": whole(), **_TALK}
_DANCE25 = {**_DANCE, "duration": span(4, 30, 5), "outputFormat": text("mp4", "mov"), "draft": flag()}
_WAN = {"audio": flag(), "duration": _ANY, **_TALK, **CLIPS}

_VEO_PRICE = Price(40, "audio", {False: 20})
_VEO_FAST_PRICE = Price(15, "audio", {False: 10})
HAILUO_PRICE = Price(10, "resolution", {"2k": 15})
_GROK_PRICE = Price(16.25, "resolution", {"480p": 11})
DANCE_PRICE = Price(36, "tier", {"1080p": 40, "4k": 150})
_DANCE25_PRICE = Price(30, "tier", {"480p": 20, "1080p": 68}, least=80)
MINI_PRICE = Price(16, least=64)


def dance(terms: Terms, /, **fields: Field) -> Model:
    """Return a row of the second generation, whichever the call."""
    return film(replace(terms, prompt=3500), **_DANCE, **fields)


def dance25(**fields: Field) -> Model:
    """Return a row of the generation after that."""
    return film(Terms(_DANCE25_PRICE, frames.SEEDANCE_25, prompt=15_000), **_DANCE25, **fields)


def _wan(**fields: Field) -> Model:
    return film(Terms(UNKNOWN, frames.WAN_3, needs_prompt=True), **_WAN, **fields)


SHOWN = {**CLIPS, "references": pictures(9)}

FROM_TEXT: Mapping[str, Model] = {
    "gen4.5": film(Terms(Price(12), frames.WIDE_720, needs_ratio=True, prompt=1000, needs_prompt=True), **_GEN45),
    "veo3.1": film(Terms(_VEO_PRICE, frames.VEO, needs_ratio=True, prompt=1000, needs_prompt=True), **_VEO),
    "veo3.1_fast": film(Terms(_VEO_FAST_PRICE, frames.VEO, needs_ratio=True, prompt=1000, needs_prompt=True), **_VEO),
    "klingO3_4k": film(Terms(UNKNOWN, frames.KLING_4K, needs_ratio=True), **_KLING),
    "klingO3_pro": film(Terms(UNKNOWN, frames.KLING_PRO, needs_ratio=True), **_KLING),
    "klingO3_standard": film(Terms(UNKNOWN, frames.KLING_STANDARD, needs_ratio=True), **_KLING),
    "kling3.0_4k": film(Terms(UNKNOWN, frames.KLING_4K, needs_ratio=True), **_KLING, **_CFG),
    "kling3.0_pro": film(Terms(UNKNOWN, frames.KLING_PRO, needs_ratio=True), **_KLING, **_CFG),
    "kling3.0_standard": film(Terms(UNKNOWN, frames.KLING_STANDARD, needs_ratio=True), **_KLING, **_CFG),
    "kling2.5_turbo_pro": film(
        Terms(UNKNOWN, frames.KLING_25, needs_prompt=True), duration=whole(5, 10, default=5), **_CFG
    ),
    "kling_4": film(Terms(UNKNOWN, frames.KLING_4, needs_prompt=True), duration=_ANY, references=pictures(10), **CLIPS),
    "hailuo3": film(Terms(HAILUO_PRICE, frames.HAILUO, needs_prompt=True), **HAILUO, **SHOWN),
    "happyhorse_1_0": film(Terms(UNKNOWN, frames.HAPPYHORSE, prompt=2500, needs_prompt=True), duration=_ANY),
    "seedance2": dance(Terms(DANCE_PRICE, frames.SEEDANCE_2, needs_prompt=True), **SHOWN),
    "seedance2_fast": dance(Terms(Price(29), frames.SEEDANCE_2_SMALL, needs_prompt=True), **SHOWN),
    "seedance2_mini": dance(Terms(MINI_PRICE, frames.SEEDANCE_2_SMALL, needs_prompt=True), **SHOWN),
    "seedance2_5": dance25(references=pictures(30), draftTaskId=text(), **CLIPS),
    "gemini_omni_flash": film(Terms(Price(10), frames.WIDE_720, needs_prompt=True), duration=whole(least=3, most=10)),
    "gemini_omni_flash_1.1": film(
        Terms(UNKNOWN, frames.OMNI_11, needs_prompt=True), duration=span(3, 10), references=pictures(), **CLIPS
    ),
    "grok_imagine_1_5": film(
        Terms(_GROK_PRICE, frames.GROK, needs_prompt=True), references=pictures(), **_GROK, **_TALK
    ),
    "grok_imagine_1_5_lite": film(
        Terms(UNKNOWN, frames.GROK_LITE, needs_prompt=True), duration=whole(least=1, most=15)
    ),
    "wan3": _wan(references=pictures(10)),
    "wan3_prime": _wan(references=pictures(10)),
    "h3_max": film(Terms(UNKNOWN, needs_prompt=True), **_H3),
}
"""The models of text_to_video."""

FROM_IMAGE: Mapping[str, Model] = {
    "gen4.5": _from_image(
        film(Terms(Price(12), frames.GEN4_FILM, needs_ratio=True, prompt=1000, needs_prompt=True), **_GEN45), "first"
    ),
    "gen4_turbo": _from_image(
        film(
            Terms(Price(5), frames.GEN4_FILM, needs_ratio=True, prompt=1000),
            duration=whole(least=2, most=10),
            seed=SEED,
            **MODERATION,
        ),
        "first",
    ),
    "veo3.1": _from_image(film(Terms(_VEO_PRICE, frames.VEO, needs_ratio=True, prompt=1000), **_VEO), *_BOTH),
    "veo3.1_fast": _from_image(film(Terms(_VEO_FAST_PRICE, frames.VEO, needs_ratio=True, prompt=1000), **_VEO), *_BOTH),
    "klingO3_4k": _from_image(film(Terms(UNKNOWN, frames.KLING_4K), references=pictures(7), **_KLING), *_BOTH),
    "klingO3_pro": _from_image(film(Terms(UNKNOWN, frames.KLING_PRO), references=pictures(7), **_KLING), *_BOTH),
    "klingO3_standard": _from_image(
        film(Terms(UNKNOWN, frames.KLING_STANDARD), references=pictures(7), **_KLING), *_BOTH
    ),
    "kling3.0_4k": _from_image(film(Terms(UNKNOWN, frames.KLING_4K), **_KLING, **_CFG), *_BOTH),
    "kling3.0_pro": _from_image(film(Terms(UNKNOWN, frames.KLING_PRO), **_KLING, **_CFG), *_BOTH),
    "kling3.0_standard": _from_image(film(Terms(UNKNOWN, frames.KLING_STANDARD), **_KLING, **_CFG), *_BOTH),
    "kling2.5_turbo_pro": _from_image(
        film(Terms(UNKNOWN, needs_prompt=True), duration=whole(5, 10, default=5), **_CFG), *_BOTH
    ),
    "kling_4": _from_image(
        film(Terms(UNKNOWN, frames.KLING_4_FOLLOWS), duration=_ANY, references=pictures(10), **CLIPS),
        "first",
        "middle",
        "last",
    ),
    "hailuo3": _from_image(
        film(Terms(HAILUO_PRICE, frames.HAILUO, needs_prompt=True), **HAILUO), *_BOTH, is_referring=True
    ),
    "happyhorse_1_0": _from_image(
        film(Terms(UNKNOWN, prompt=2500), duration=_ANY, resolution=text("720p", "1080p")), "first"
    ),
    "seedance2": _from_image(dance(Terms(DANCE_PRICE, frames.SEEDANCE_2)), *_BOTH, is_referring=True),
    "seedance2_fast": _from_image(dance(Terms(Price(29), frames.SEEDANCE_2_SMALL)), *_BOTH, is_referring=True),
    "seedance2_mini": _from_image(dance(Terms(MINI_PRICE, frames.SEEDANCE_2_SMALL)), *_BOTH, is_referring=True),
    "seedance2_5": _from_image(dance25(), *_BOTH, is_referring=True),
    "gemini_omni_flash": _from_image(
        film(Terms(Price(10), frames.WIDE_720), duration=whole(least=3, most=10)), "first"
    ),
    "gemini_omni_flash_1.1": _from_image(
        film(Terms(UNKNOWN, frames.OMNI_11, needs_prompt=True), duration=span(3, 10)), *_BOTH
    ),
    "grok_imagine_1_5": _from_image(film(Terms(_GROK_PRICE), **_GROK), "first"),
    "grok_imagine_1_5_lite": _from_image(
        film(Terms(UNKNOWN, frames.GROK_LITE_FOLLOWS), duration=whole(least=1, most=15)), "first"
    ),
    "wan3": _from_image(_wan(), *_BOTH, is_referring=True),
    "wan3_prime": _from_image(_wan(), *_BOTH, is_referring=True),
    "h3_max": _from_image(film(Terms(UNKNOWN, needs_prompt=True), **_H3), *_BOTH),
}
"""The models of image_to_video."""
