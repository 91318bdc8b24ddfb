"""What the played Replicate serves: videos."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators.checking import Field, flag, many, number, text, url, whole
from gateway.simulators.replicate_inputs import OPEN, SEEDED, Model, plain, shaped

_WIDE = "16:9 9:16"
_DANCE = "16:9 4:3 1:1 3:4 9:16 21:9 9:21"
_KLING = "16:9 9:16 1:1"
_RUNWAY = "16:9 9:16 4:3 3:4 1:1 21:9"
_GROK = "16:9 4:3 1:1 9:16 3:4 3:2 2:3 auto"
_RAY = "1:1 3:4 4:3 9:16 16:9 9:21 21:9"

_FIVE_OR_TEN = whole(5, 10, default=5)
_SIX_OR_TEN = whole(6, 10, default=6)
_SAID_NO = {"negative_prompt": text()}


def _film(inputs: dict[str, Field]) -> Model:
    return Model("video", inputs, is_list=False)


def _veo(**inputs: Field) -> Model:
    return _film(
        shaped(
            _WIDE,
            "16:9",
            **SEEDED,
            **_SAID_NO,
            image=url(),
            last_frame=url(),
            duration=whole(4, 6, 8, default=8),
            resolution=text("720p", "1080p", default="1080p"),
            generate_audio=flag(default=True),
            **inputs,
        )
    )


def _dance(*resolutions: str) -> Model:
    return _film(
        shaped(
            f"{_DANCE} adaptive",
            "16:9",
            **SEEDED,
            image=url(),
            last_frame_image=url(),
            reference_images=many(url(), most=9),
            reference_videos=many(url(), most=3),
            reference_audios=many(url(), most=3),
            duration=whole(least=-1, most=15, default=5),
            resolution=text(*resolutions, default="720p"),
            generate_audio=flag(default=True),
        )
    )


def _first_dance() -> Model:
    return _film(
        shaped(
            _DANCE,
            "16:9",
            **SEEDED,
            image=url(),
            last_frame_image=url(),
            duration=whole(*range(2, 13), default=5),
            resolution=text("480p", "720p", "1080p", default="1080p"),
            fps=whole(24),
            camera_fixed=flag(),
        )
    )


def _runway(*, required: bool) -> Model:
    return _film(shaped(_RUNWAY, "16:9", **SEEDED, image=url(required=required), duration=_FIVE_OR_TEN))


def _wan(inputs: dict[str, Field]) -> Model:
    weights = {
        f"lora_{what}_transformer{which}": field
        for what, field in (("scale", number()), ("weights", text()))
        for which in ("", "_2")
    }
    counted = {
        "num_frames": whole(least=81, most=121, default=81),
        "frames_per_second": whole(least=5, most=30, default=16),
        "resolution": text("480p", "720p", default="480p"),
        "sample_shift": number(least=1, most=20),
        "interpolate_output": flag(),
        "go_fast": flag(),
    }
    return _film({**inputs, **SEEDED, **OPEN, **counted, **weights})


VIDEOS: Mapping[str, Model] = {
    "google/veo-3.1": _veo(reference_images=many(url(), least=1, most=3)),
    "google/veo-3.1-fast": _veo(),
    "bytedance/seedance-2.0": _dance("480p", "720p", "1080p"),
    "bytedance/seedance-2.0-fast": _dance("480p", "720p"),
    "bytedance/seedance-1-pro": _first_dance(),
    "bytedance/seedance-1-lite": _first_dance(),
    "kwaivgi/kling-v2.1": _film(
        plain(
            **_SAID_NO,
            start_image=url(required=True),
            end_image=url(),
            duration=_FIVE_OR_TEN,
            mode=text("standard", "pro", default="standard"),
        )
    ),
    "kwaivgi/kling-v2.1-master": _film(shaped(_KLING, "16:9", **_SAID_NO, start_image=url(), duration=_FIVE_OR_TEN)),
    "kwaivgi/kling-v2.5-turbo-pro": _film(
        shaped(_KLING, "16:9", **_SAID_NO, start_image=url(), image=url(), end_image=url(), duration=_FIVE_OR_TEN)
    ),
    "minimax/hailuo-02": _film(
        plain(
            first_frame_image=url(),
            last_frame_image=url(),
            duration=_SIX_OR_TEN,
            resolution=text("512p", "768p", "1080p", default="1080p"),
            prompt_optimizer=flag(),
        )
    ),
    "minimax/hailuo-02-fast": _film(plain(first_frame_image=url(required=True), duration=_SIX_OR_TEN)),
    "minimax/hailuo-2.3": _film(
        plain(first_frame_image=url(), duration=_SIX_OR_TEN, resolution=text("768p", "1080p", default="768p"))
    ),
    "minimax/video-01": _film(plain(first_frame_image=url(), subject_reference=url(), prompt_optimizer=flag())),
    "runwayml/gen4-turbo": _runway(required=True),
    "runwayml/gen-4.5": _runway(required=False),
    "pixverse/pixverse-v5": _film(
        shaped(
            _KLING,
            "16:9",
            **SEEDED,
            **_SAID_NO,
            image=url(),
            last_frame_image=url(),
            duration=whole(5, 8, default=5),
            quality=text("360p", "540p", "720p", "1080p", default="540p"),
            effect=text(),
        )
    ),
    "luma/ray-2-720p": _film(
        shaped(_RAY, None, start_image_url=url(), end_image_url=url(), duration=whole(5, 9, default=5))
    ),
    "wan-video/wan-2.2-t2v-fast": _wan(shaped(_WIDE, "16:9", optimize_prompt=flag())),
    "wan-video/wan-2.2-i2v-fast": _wan(plain(image=url(required=True), last_image=url())),
    "wan-video/wan-2.5-i2v": _film(
        plain(
            **SEEDED,
            **_SAID_NO,
            image=url(required=True),
            audio=url(),
            duration=_FIVE_OR_TEN,
            resolution=text("480p", "720p", "1080p", default="720p"),
            enable_prompt_expansion=flag(),
        )
    ),
    "wan-video/wan-2.5-t2v": _film(
        plain(
            **SEEDED,
            **_SAID_NO,
            size=text("1280*720", "720*1280", "1920*1080", "1080*1920", default="1280*720"),
            duration=_FIVE_OR_TEN,
        )
    ),
    "xai/grok-imagine-video": _film(
        shaped(
            _GROK,
            "auto",
            image=url(),
            video=url(),
            duration=whole(least=1, most=15, default=5),
            resolution=text("720p", "480p", default="720p"),
        )
    ),
}
