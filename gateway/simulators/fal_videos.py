"""The endpoints of the played Fal that make films; each family has its own names for the frames and the sound."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.simulators.checking import Field, flag, number, text, url, whole
from gateway.simulators.fal_inputs import AGAINST, EXPANDS, PICTURE, SAFE, SEED, TOLERANT, Endpoint, seconds


def _film(*extra: str, **inputs: Field) -> Endpoint:
    return Endpoint("video", inputs, extra=extra)


_WORDS = {"prompt": text(required=True)}
_WIDE = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_END = {"end_image_url": url()}
_SOUND = {"generate_audio": flag(default=True)}
_DANCE = {
    **_WORDS,
    **SEED,
    **SAFE,
    "resolution": text("480p", "720p", "1080p", default="720p"),
    "camera_fixed": flag(),
}
_DANCE_1 = {**_DANCE, "duration": seconds(*range(2, 13), default=5), "num_frames": whole(least=1)}
_DANCE_15 = {
    **_DANCE,
    **_SOUND,
    "duration": seconds(*range(4, 13), default=5),
    "aspect_ratio": text(*_WIDE, "auto", default="16:9"),
}
_DANCE_2 = {
    **_WORDS,
    **SEED,
    "duration": text("auto", *(str(length) for length in range(4, 16))),
    "resolution": text("480p", "720p", default="720p"),
    "aspect_ratio": text(*_WIDE, "auto"),
    "generate_audio": flag(),
    "end_user_id": text(),
}
_TALL = {"aspect_ratio": text(*_WIDE, "9:21", default="16:9")}
_LIKE_PICTURE = {"aspect_ratio": text(*_WIDE, "auto", default="auto")}
_VEO = {
    **_WORDS,
    **SEED,
    **TOLERANT,
    **AGAINST,
    **_SOUND,
    "duration": seconds(4, 6, 8, unit="s", default=8),
    "resolution": text("720p", "1080p", default="720p"),
    "auto_fix": flag(),
}
_VEO_WORDS = {**_VEO, "aspect_ratio": text("16:9", "9:16", default="16:9")}
_VEO_FRAME = {**_VEO, "aspect_ratio": text("16:9", "9:16", "auto", default="auto")}
_KLING = {**_WORDS, **AGAINST, "duration": seconds(5, 10, default=5), "cfg_scale": number()}
_KLING_SHAPE = {"aspect_ratio": text("16:9", "9:16", "1:1", default="16:9")}
_KLING_3 = {
    "prompt": text(),
    **AGAINST,
    **_SOUND,
    "duration": seconds(*range(3, 16), default=5),
    "cfg_scale": number(),
    "shot_type": text(),
}
_KLING_3_FRAME = {**_KLING_3, **_END, "start_image_url": url(required=True)}
_WAN = {**SEED, **SAFE, **AGAINST, **EXPANDS, "audio_url": url(), "resolution": text("720p", "1080p", default="1080p")}
_WAN_SHAPE = {"aspect_ratio": text("16:9", "9:16", "1:1", "4:3", "3:4", default="16:9")}
# The vendor's types print whole numbers as texts and so leave this one open; who has called it says it is a number.
_WAN_27 = {**_WAN, "duration": whole(*range(2, 16), default=5)}
_LTX = {
    **_WORDS,
    **_SOUND,
    "duration": whole(6, 8, 10, default=6),
    "fps": whole(25, 50, default=25),
    "resolution": text("1080p", "1440p", "2160p", default="1080p"),
}

VIDEOS: Mapping[str, Endpoint] = {
    "fal-ai/bytedance/seedance/v1/pro/text-to-video": _film("seed", **_DANCE_1, **_TALL),
    "fal-ai/bytedance/seedance/v1/pro/image-to-video": _film("seed", **_DANCE_1, **_LIKE_PICTURE, **PICTURE, **_END),
    "fal-ai/bytedance/seedance/v1/pro/fast/text-to-video": _film("seed", **_DANCE_1, **_TALL),
    "fal-ai/bytedance/seedance/v1/pro/fast/image-to-video": _film("seed", **_DANCE_1, **_LIKE_PICTURE, **PICTURE),
    "fal-ai/bytedance/seedance/v1.5/pro/text-to-video": _film("seed", **_DANCE_15),
    "fal-ai/bytedance/seedance/v1.5/pro/image-to-video": _film("seed", **_DANCE_15, **PICTURE, **_END),
    "bytedance/seedance-2.0/text-to-video": _film("seed", **_DANCE_2),
    "bytedance/seedance-2.0/image-to-video": _film("seed", **_DANCE_2, **PICTURE, **_END),
    "bytedance/seedance-2.0/fast/text-to-video": _film("seed", **_DANCE_2),
    "bytedance/seedance-2.0/fast/image-to-video": _film("seed", **_DANCE_2, **PICTURE, **_END),
    "fal-ai/veo3.1": _film(**_VEO_WORDS),
    "fal-ai/veo3.1/image-to-video": _film(**_VEO_FRAME, **PICTURE),
    "fal-ai/veo3.1/first-last-frame-to-video": _film(
        **{
            **_VEO_FRAME,
            "resolution": text("720p", "1080p", "4k", default="720p"),
            "first_frame_url": url(required=True),
            "last_frame_url": url(required=True),
        }
    ),
    "fal-ai/veo3.1/fast": _film(**_VEO_WORDS),
    "fal-ai/veo3.1/fast/image-to-video": _film(**_VEO_FRAME, **PICTURE),
    "fal-ai/veo3.1/lite": _film(**_VEO_WORDS),
    "fal-ai/veo3.1/lite/image-to-video": _film(**_VEO_FRAME, **PICTURE),
    "fal-ai/kling-video/v2.1/master/text-to-video": _film(**_KLING, **_KLING_SHAPE),
    "fal-ai/kling-video/v2.1/master/image-to-video": _film(**_KLING, **PICTURE),
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": _film(**_KLING, **_KLING_SHAPE),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": _film(**_KLING, **PICTURE, tail_image_url=url()),
    "fal-ai/kling-video/v3/standard/text-to-video": _film(**_KLING_3, **_KLING_SHAPE),
    "fal-ai/kling-video/v3/standard/image-to-video": _film(**_KLING_3_FRAME),
    "fal-ai/kling-video/v3/pro/text-to-video": _film(**_KLING_3, **_KLING_SHAPE),
    "fal-ai/kling-video/v3/pro/image-to-video": _film(**_KLING_3_FRAME),
    "fal-ai/wan-25-preview/image-to-video": _film(
        "seed",
        **{
            **_WORDS,
            **_WAN,
            **PICTURE,
            "duration": seconds(5, 10, default=5),
            "resolution": text("480p", "720p", "1080p", default="1080p"),
        },
    ),
    "wan/v2.6/text-to-video": _film(
        "seed", **_WORDS, **_WAN, **_WAN_SHAPE, duration=seconds(5, 10, 15, default=5), multi_shots=flag()
    ),
    "fal-ai/wan/v2.7/text-to-video": _film("seed", **_WORDS, **_WAN_27, **_WAN_SHAPE),
    "fal-ai/wan/v2.7/image-to-video": _film("seed", **_WAN_27, **_END, prompt=text(), image_url=url(), video_url=url()),
    "fal-ai/ltx-2/text-to-video": _film(**_LTX),
    "fal-ai/ltx-2/image-to-video": _film(**_LTX, **PICTURE),
}
