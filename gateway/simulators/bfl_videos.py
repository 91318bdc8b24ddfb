"""BFL's FLUX 3 films: four ways to make one, each with fields of its own, and their price by the second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.simulators.checking import either, flag, many, number, text, whole

_MODES = {
    "text-to-video": "t2v",
    "image-continuation": "i2v",
    "video-continuation": "v2v",
    "draft-enhance": "draft_enhance",
}
_FRAMES = 10
_OPEN_SECONDS = 5
"""How long a film is whose length is left to the vendor."""
_LONGEST_CONTINUATION = 15

_NEEDED = {"i2v": "keyframes", "v2v": "start_video", "draft_enhance": "draft_cache"}
_OF_A_DRAFT = frozenset({"mode", "draft_cache", "resolution", "safety_tolerance", "version"})
_PRICES = {
    "hd": (17, 41),
    "fhd": (29, 53),
    "qhd": (40, 65),
    "uhd": (80, 95),
}
"""Credits for a second by resolution: from words or pictures, and from a film."""
_DRAFT_PRICE = (6, 12)

VIDEO_FIELDS = {
    "prompt": text(),
    "mode": text(*_MODES.values(), *_MODES, required=True),
    "aspect_ratio": text("auto", "21:9", "2:1", "16:9", "4:3", "1:1", "3:4", "9:16"),
    "resolution": text(*_PRICES),
    "duration": either(text("auto"), whole(least=5, most=20)),
    "generate_audio": flag(),
    "keyframes": either(text(), many(either(text(), many(either(number(least=0), text()))), least=1, most=_FRAMES)),
    "start_video": text(),
    "draft": flag(),
    "batch": whole(least=1, most=4),
    "draft_cache": text(),
    "safety_tolerance": whole(least=0, most=4),
    "version": text("latest"),
}
"""The fields of a film; which of them go together is `conflict`'s."""


def mode_of(given: Mapping[str, Any]) -> str:
    """Return the mode in its short name."""
    return _MODES.get(given["mode"], str(given["mode"]))


def conflict(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field of a film that does not go with its mode or the others, and why, or nothing."""
    mode = mode_of(given)
    for other, name in _NEEDED.items():
        if other == mode and name not in given:
            return name, f"Value error, {name} is required in mode {mode}"
        if other != mode and name in given:
            return name, f"Value error, {name} is not allowed in mode {mode}"
    if mode == "draft_enhance":
        odd = next((name for name in given if name not in _OF_A_DRAFT), None)
        return None if odd is None else (odd, f"Value error, {odd} is not allowed in mode draft_enhance")
    return _conflict(mode, given)


def _conflict(mode: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    duration = given.get("duration", "auto")
    frames = given.get("keyframes", "")
    rules = (
        ("prompt", "prompt" not in given, f"prompt is required in mode {mode}"),
        ("keyframes", not _is_frames(frames), "keyframes must all be images or all be pairs of seconds and image"),
        (
            "duration",
            _count(frames) > 2 and duration == "auto",
            "three or more untimed keyframes need an explicit duration",
        ),
        (
            "duration",
            mode == "v2v" and duration != "auto" and duration > _LONGEST_CONTINUATION,
            f"duration must be at most {_LONGEST_CONTINUATION} in mode v2v",
        ),
        ("batch", given.get("batch", 1) > 1 and not given.get("draft"), "batch needs draft"),
        ("resolution", bool(given.get("draft")) and given.get("resolution", "hd") != "hd", "drafts are hd only"),
        (
            "safety_tolerance",
            mode != "t2v" and given.get("safety_tolerance", 2) > 2,
            "safety_tolerance must be at most 2 with image or video input",
        ),
    )
    return next(((name, f"Value error, {said}") for name, is_broken, said in rules if is_broken), None)


def _is_frames(frames: Any) -> bool:
    """Whether keyframes are of one of the three shapes: one image, images, or pairs of seconds and image."""
    if isinstance(frames, str) or all(isinstance(frame, str) for frame in frames):
        return True
    return all(
        isinstance(frame, list) and len(frame) == 2 and not isinstance(frame[0], str) and isinstance(frame[1], str)
        for frame in frames
    )


def _count(frames: Any) -> int:
    """Return how many untimed frames there are."""
    return sum(isinstance(frame, str) for frame in frames) if isinstance(frames, list) else 1


def frames_of(given: Mapping[str, Any]) -> list[str]:
    """Return the images of the keyframes."""
    frames = given.get("keyframes", [])
    frames = [frames] if isinstance(frames, str) else frames
    return [frame if isinstance(frame, str) else frame[1] for frame in frames]


def seconds_of(given: Mapping[str, Any]) -> int:
    """Return how long a film gets."""
    duration = given.get("duration", "auto")
    return _OPEN_SECONDS if duration == "auto" else int(duration)


def price_of_film(given: Mapping[str, Any]) -> float:
    """Return what a film costs in credits."""
    row = _DRAFT_PRICE if given.get("draft") else _PRICES[given.get("resolution", "hd")]
    return float(row[mode_of(given) == "v2v"] * seconds_of(given) * given.get("batch", 1))
