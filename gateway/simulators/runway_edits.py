"""What the played Runway does to films and pictures that are there already: one row for each model on each call."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators import runway_sizes as frames
from gateway.simulators.checking import Field, flag, many, number, text, tree, whole
from gateway.simulators.runway_shapes import (
    MODERATION,
    PRORES,
    SEED,
    THE_URI,
    Model,
    Price,
    Terms,
    pictures,
    ratio,
    span,
)
from gateway.simulators.runway_videos import (
    CLIPS,
    DANCE_PRICE,
    HAILUO,
    HAILUO_PRICE,
    MINI_PRICE,
    SHOTS,
    SHOWN,
    UNKNOWN,
    dance,
    dance25,
    film,
)

_PERCENT = whole(least=0, most=100)
_EDITED = {"promptVideo": THE_URI}
_MODE = {"mode": text("reference", "extend", "edit")}


def _kling_edit() -> Model:
    return film(Terms(UNKNOWN, needs_prompt=True), references=pictures(4), **_EDITED, **SHOTS)


_KEYFRAME = tree(
    {
        "uri": THE_URI,
        "seconds": number(least=0),
        "at": number(least=0, most=1),
        # The one place where the vendor writes its names with underscores.
        "range": tree({"start_seconds": number(least=0), "end_seconds": number(least=0)}),
    }
)

FROM_VIDEO: Mapping[str, Model] = {
    "aleph2": film(
        Terms(Price(28, least=56)),
        videoUri=THE_URI,
        outputFormat=text("mp4", "prores", "png_sequence", "sdr_rec709_10bit", default="mp4"),
        seed=SEED,
        targetAspectRatio=text(*frames.ALEPH.words),
        keyframes=many(_KEYFRAME, most=5),
        ratio=text(),
        **MODERATION,
        **PRORES,
    ),
    "klingO3_4k": _kling_edit(),
    "klingO3_pro": _kling_edit(),
    "klingO3_standard": _kling_edit(),
    "kling_4": film(
        Terms(UNKNOWN, frames.KLING_4_FOLLOWS, needs_prompt=True), videoUri=THE_URI, references=pictures(10)
    ),
    "hailuo3": film(Terms(HAILUO_PRICE, frames.HAILUO, needs_prompt=True), **HAILUO, **SHOWN, **_EDITED),
    "seedance2": dance(Terms(DANCE_PRICE, frames.SEEDANCE_2), **SHOWN, **_EDITED),
    "seedance2_fast": dance(Terms(Price(29), frames.SEEDANCE_2_SMALL), **SHOWN, **_EDITED),
    "seedance2_mini": dance(Terms(MINI_PRICE, frames.SEEDANCE_2_SMALL), **SHOWN, **_EDITED),
    "seedance2_5": dance25(references=pictures(30), **CLIPS, **_EDITED, **_MODE),
    "gemini_omni_flash": film(Terms(Price(11), needs_prompt=True), videoUri=THE_URI, references=pictures()),
    "gemini_omni_flash_1.1": film(
        Terms(UNKNOWN, frames.OMNI_11, needs_prompt=True),
        videoUri=THE_URI,
        duration=span(3, 10),
        references=pictures(),
        **_MODE,
    ),
}
"""The models of video_to_video."""

PERFORMED: Mapping[str, Model] = {
    "act_two": Model(
        "video",
        {
            "model": text(required=True),
            "character": tree({"type": text("image", "video", required=True), "uri": THE_URI}, required=True),
            "reference": tree({"type": text("video", required=True), "uri": THE_URI}, required=True),
            "ratio": ratio(frames.GEN4_FILM),
            "seed": SEED,
            "bodyControl": flag(),
            "expressionIntensity": whole(least=1, most=5),
            **MODERATION,
        },
        Price(5),
        frames.GEN4_FILM,
    ),
}
"""The models of character_performance."""


def _bare(kind: str, price: Price = UNKNOWN, **fields: Field) -> Model:
    """Return a row that has no prompt."""
    return Model(kind, {"model": text(required=True), **fields}, price)


PICTURE_UPSCALERS: Mapping[str, Model] = {
    "magnific_precision_upscaler_v2": _bare(
        "image",
        imageUri=THE_URI,
        flavor=text("sublime", "photo", "photo_denoiser"),
        scaleFactor=whole(2, 4, 8, 16),
        sharpen=_PERCENT,
        smartGrain=_PERCENT,
        ultraDetail=_PERCENT,
    ),
}
"""The models of image_upscale."""

_RATES = ("24", "25", "30", "48", "50", "60", "120", "23_98", "29_97", "59_94")

FILM_UPSCALERS: Mapping[str, Model] = {
    "magnific_video_upscaler_creative": _bare(
        "video",
        videoUri=THE_URI,
        resolution=text("720p", "1k", "2k", "4k"),
        creativity=_PERCENT,
        flavor=text("vivid", "natural"),
        fpsBoost=flag(),
        sharpen=_PERCENT,
        smartGrain=_PERCENT,
    ),
    "enhance_frame_rate": _bare("video", videoUri=THE_URI, targetFramerate=text(*_RATES, required=True)),
}
"""The models of video_upscale."""

_HDR = (
    "hdr10",
    "hlg",
    "hdr_prores",
    "hdr_exr_sequence",
    "hdr_exr_acescg_sequence_1_3",
    "hdr_exr_acescg_sequence_2_0",
)

TO_HDR: Mapping[str, Model] = {
    "ruby": _bare(
        "video",
        Price(20),
        videoUri=THE_URI,
        outputFormat=text(*_HDR, default="hdr10"),
        proresProfile=text("422", "4444", "422 HQ"),
    ),
}
"""The models of video_to_hdr."""
