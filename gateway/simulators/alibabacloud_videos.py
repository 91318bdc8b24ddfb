"""What the played Model Studio serves as films, in its three dialects: media items, sizes in pixels, one image's address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.alibabacloud_sizes import WAN_26_FILM, film
from gateway.simulators.alibabacloud_words import Refusal, broken, wrong
from gateway.simulators.checking import Field, check, flag, many, text, tree, url, whole
from gateway.simulators.jobs import Output

FILMS = "video-generation/video-synthesis"
FRAMES = "image2video/video-synthesis"

# How long a film that is shown is taken to be: nobody looks at it.
_SHOWN_SECONDS = 5
_PICTURE = url("http", "https", "data", "oss", required=True)
_PLAIN = url("http", "https", "oss", required=True)
_AUDIO = url("http", "https", "oss")
_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4")
_WIDE_RATIOS = ("adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_SEED = {"seed": whole(least=0, most=2_147_483_647)}
_EXTEND = {"prompt_extend": flag()}
_MARK = {"watermark": flag()}
_TAKES_PICTURES = ("first_frame", "last_frame", "reference_image", "file", "link")


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One model: `media` says how many items of each type it may be shown, `counts` in which keys it tells of its films.

    `seconds` is how long a film gets if nobody says, 0 as long as the one it was made from; `is_nested` that
    its address comes among results; `has_voices` that an item may carry one.
    """

    input: Mapping[str, Field]
    parameters: Mapping[str, Field]
    media: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    route: str = FILMS
    resolution: str = "1080P"
    seconds: int = 5
    counts: str = "new"
    is_nested: bool = False
    has_voices: bool = False

    def fields(self) -> dict[str, Field]:
        """Return the table of fields a request may have."""
        given = dict(self.input)
        if self.media:
            item = {"type": text(*self.media, required=True), "url": url("http", "https", "data", "oss", required=True)}
            if self.has_voices:
                item["reference_voice"] = _AUDIO
            is_needed = any(least for least, _ in self.media.values())
            given["media"] = many(tree(item), required=is_needed)
        return {"model": text(required=True), "input": tree(given, required=True), "parameters": tree(self.parameters)}


def _prompt(*, required: bool = True, negative: bool = True) -> dict[str, Field]:
    return {"prompt": text(required=required), **({"negative_prompt": text()} if negative else {})}


def _parameters(resolutions: tuple[str, ...], duration: Field | None, **more: Field) -> dict[str, Field]:
    found = {"resolution": text(*resolutions), **_SEED, **_MARK, **more}
    return found if duration is None else {**found, "duration": duration}


_TWO = ("720P", "1080P")
_THREE = ("480P", "720P", "1080P")
_RATIO = {"ratio": text(*_RATIOS)}
_SOUND = {"audio_setting": text("auto", "origin")}
_SPAN = whole(least=2, most=15)
_FIVE_TEN = whole(5, 10)
_SHOT = {"shot_type": text("single", "multi")}
_TALK = {"audio_url": _AUDIO}

_WAN_27: Mapping[str, VideoModel] = {
    "wan2.7-t2v": VideoModel({**_prompt(), **_TALK}, _parameters(_TWO, _SPAN, **_RATIO, **_EXTEND)),
    "wan2.7-i2v": VideoModel(
        _prompt(required=False),
        _parameters(_TWO, _SPAN, **_EXTEND),
        {"first_frame": (0, 1), "last_frame": (0, 1), "driving_audio": (0, 1), "first_clip": (0, 1)},
    ),
    "wan2.7-r2v": VideoModel(
        _prompt(),
        _parameters(_TWO, _SPAN, **_RATIO, **_EXTEND),
        {"reference_image": (0, 5), "reference_video": (0, 5), "first_frame": (0, 1)},
        has_voices=True,
    ),
    "wan2.7-videoedit": VideoModel(
        _prompt(required=False),
        _parameters(_TWO, whole(0, *range(2, 11)), **_RATIO, **_EXTEND, **_SOUND),
        {"video": (1, 1), "reference_image": (0, 3)},
        seconds=0,
    ),
}


def _wan_3() -> VideoModel:
    return VideoModel(
        _prompt(),
        {
            **_parameters(_THREE, whole(-1, *range(2, 31)), ratio=text(*_WIDE_RATIOS), audio=flag(), **_EXTEND),
            "seed": whole(least=-1, most=2_147_483_647),
        },
        {
            "first_frame": (0, 1),
            "last_frame": (0, 1),
            "reference_image": (0, 10),
            "reference_video": (0, 5),
            "reference_audio": (0, 5),
            "file": (0, 1),
            "link": (0, 1),
        },
    )


def _in_pixels(tiers: tuple[str, ...], duration: Field, given: Mapping[str, Field], **more: Field) -> VideoModel:
    frames = [size for tier in tiers for size in WAN_26_FILM[tier].split()]
    parameters = {"size": text(*frames), "duration": duration, **_SEED, **_MARK, **_EXTEND, **more}
    return VideoModel({**_prompt(), **given}, parameters, counts="sized")


def _from_image(tiers: tuple[str, ...], duration: Field, **more: Field) -> VideoModel:
    given = {**_prompt(required=False), "img_url": _PICTURE, **_TALK}
    return VideoModel(given, _parameters(tiers, duration, **_EXTEND, **more), counts="sized")


def _from_frames(*resolutions: str) -> VideoModel:
    frames = {"first_frame_url": _PICTURE, "last_frame_url": url("http", "https", "data", "oss")}
    return VideoModel(
        {**_prompt(required=False), **frames},
        _parameters(resolutions, whole(5), **_EXTEND),
        route=FRAMES,
        resolution="720P",
        counts="old",
    )


def _animated(*, is_nested: bool) -> VideoModel:
    link = url("http", "https", required=True)
    return VideoModel(
        {"image_url": link, "video_url": link, **_MARK},
        {"mode": text("wan-std", "wan-pro"), "check_image": flag()},
        route=FRAMES,
        resolution="720P",
        seconds=0,
        counts="old",
        is_nested=is_nested,
    )


_REFERENCES = {"reference_urls": many(_PICTURE, least=1, most=5, required=True)}
_SHORT = whole(least=2, most=10)

_OLDER: Mapping[str, VideoModel] = {
    "wan2.6-t2v": _in_pixels(_TWO, _SPAN, _TALK, **_SHOT),
    "wan2.6-i2v": _from_image(_TWO, _SPAN, audio=flag(), **_SHOT),
    "wan2.6-i2v-flash": _from_image(_TWO, _SPAN, audio=flag(), **_SHOT),
    "wan2.6-r2v": _in_pixels(_TWO, _SHORT, _REFERENCES, audio=flag(), **_SHOT),
    "wan2.6-r2v-flash": _in_pixels(_TWO, _SHORT, _REFERENCES, audio=flag(), **_SHOT),
    "wan2.5-t2v-preview": _in_pixels(_THREE, _FIVE_TEN, _TALK),
    "wan2.5-i2v-preview": _from_image(_THREE, _FIVE_TEN),
    "wan2.2-kf2v-flash": _from_frames(*_THREE),
    "wan2.1-kf2v-plus": _from_frames("720P"),
    # Which of the two places the result comes in is not known: one model each.
    "wan2.2-animate-mix": _animated(is_nested=True),
    "wan2.2-animate-move": _animated(is_nested=False),
}

_HORSE = whole(least=3, most=15)


def _horses(version: str, resolutions: tuple[str, ...]) -> dict[str, VideoModel]:
    return {
        f"happyhorse-{version}-t2v": VideoModel(_prompt(negative=False), _parameters(resolutions, _HORSE, **_RATIO)),
        f"happyhorse-{version}-i2v": VideoModel(
            _prompt(required=False, negative=False), _parameters(resolutions, _HORSE), {"first_frame": (1, 1)}
        ),
        f"happyhorse-{version}-r2v": VideoModel(
            _prompt(negative=False), _parameters(resolutions, _HORSE, **_RATIO), {"reference_image": (1, 9)}
        ),
    }


_DATED = {
    "wan2.7-t2v-2026-04-25": "wan2.7-t2v",
    "wan2.7-t2v-2026-06-12": "wan2.7-t2v",
    "wan2.7-i2v-2026-04-25": "wan2.7-i2v",
    "wan2.7-r2v-2026-06-12": "wan2.7-r2v",
}

VIDEOS: Mapping[str, VideoModel] = {
    **_WAN_27,
    **{dated: _WAN_27[name] for dated, name in _DATED.items()},
    "wan3.0-video": _wan_3(),
    "wan3.0-video-prime": _wan_3(),
    **_OLDER,
    **_horses("1.0", _TWO),
    **_horses("1.1", _THREE),
    "happyhorse-1.0-video-edit": VideoModel(
        _prompt(negative=False),
        _parameters(_TWO, None, **_SOUND),
        {"video": (1, 1), "reference_image": (0, 5)},
        seconds=0,
    ),
}
"""Every film model by its id, dated ones included."""


def judge(name: str, model: VideoModel, body: Mapping[str, Any]) -> Refusal | Output:
    """Return what a request makes, or why it cannot be made."""
    bad = check(model.fields(), body)
    if bad:
        return broken(bad[0])
    asked, items = body.get("parameters", {}), body["input"].get("media", [])
    kinds = [item["type"] for item in items]
    for kind, (least, most) in model.media.items():
        if not least <= kinds.count(kind) <= most:
            return wrong(f"The number of {kind} items in input.media should be from {least} to {most}.")
    for item in items:
        if item["type"] not in _TAKES_PICTURES and item["url"].startswith("data:"):
            return Refusal("InvalidURL", f"The {item['type']} item in input.media should be a URL.")
    said = _together(name, kinds, asked)
    if said is not None:
        return wrong(said)
    return Output("mp4", *_frame(model, asked), float(_seconds(model, asked)))


def _together(name: str, kinds: list[str], asked: Mapping[str, Any]) -> str | None:
    """Return what is wrong with media items that do not go together."""
    held = set(kinds)
    if name.startswith("wan2.7-i2v"):
        sets = ({"first_frame"}, {"first_frame", "last_frame"}, {"first_frame", "driving_audio"})
        if held not in (*sets, {"first_clip"}, {"first_clip", "last_frame"}):
            return "input.media should be one of first_frame, with last_frame or driving_audio, or first_clip."
    if name.startswith("wan2.7-r2v"):
        references = kinds.count("reference_image") + kinds.count("reference_video")
        if not 1 <= references <= 5:
            return "input.media should hold 1 to 5 references."
        if "reference_video" in held and asked.get("duration", 5) > 10:
            return "parameters.duration is invalid: it should be at most 10 with a reference_video."
    if name.startswith("wan3.0"):
        if held & {"first_frame", "last_frame"} and held - {"first_frame", "last_frame"}:
            return "Frames and references should not be mixed in input.media."
        if {"file", "link"} <= held:
            return "file and link should not be mixed in input.media."
    return None


def _frame(model: VideoModel, asked: Mapping[str, Any]) -> tuple[int, int]:
    """Return the frame of a film; the shape of what it was made from is taken to be 16:9."""
    found = re.fullmatch(r"(\d+)\*(\d+)", asked.get("size", "1920*1080" if "size" in model.parameters else ""))
    if found is not None:
        return int(found[1]), int(found[2])
    resolution, ratio = asked.get("resolution", model.resolution), asked.get("ratio", "16:9")
    return film(resolution, ratio) or sizes.film(ratio, resolution)


def _seconds(model: VideoModel, asked: Mapping[str, Any]) -> int:
    seconds = int(asked.get("duration", model.seconds))
    return seconds if seconds > 0 else _SHOWN_SECONDS


def usage(model: VideoModel, body: Mapping[str, Any], output: Output) -> dict[str, Any]:
    """Return how a finished film is counted; `duration` is what is billed, films that were shown included."""
    asked = body.get("parameters", {})
    size = f"{output.width}*{output.height}"
    made = int(output.seconds)
    if model.counts == "old":
        return {"video_count": 1, "video_duration": made, "size": size}
    tier = next((tier for tier, listed in WAN_26_FILM.items() if size in listed.split()), model.resolution)
    side = int(asked.get("resolution", tier).rstrip("P"))
    if model.counts == "sized":
        return {"video_count": 1, "duration": made, "output_video_duration": made, "SR": side, "size": size}
    kinds = {item["type"] for item in body["input"].get("media", [])}
    shown = _SHOWN_SECONDS if kinds & {"video", "reference_video", "first_clip"} else 0
    # A clip that is carried on counts as part of the whole film.
    billed = made if "first_clip" in kinds else made + shown
    return {
        "video_count": 1,
        "duration": billed,
        "output_video_duration": made,
        "input_video_duration": shown,
        "SR": side,
        "ratio": asked.get("ratio", "16:9"),
        "fps": 30,
    }
