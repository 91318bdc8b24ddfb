"""Real files for what the simulators pretend to have made: pictures, films, and frames in an archive."""

from __future__ import annotations

import functools

from gateway.simulators import archive, jpeg, mp4, picture, png, svg, webp
from gateway.simulators.jobs import Output

TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "svg": "image/svg+xml",
    "zip": "application/zip",
}
"""The media type of each form an output can have."""

# Enough for the stripes to be seen moving; more would only make the files larger.
_FRAMES = 8


def draw(output: Output, words: str) -> bytes:
    """Return an output's bytes; the same output for the same words gives the same bytes."""
    return _draw(output.form, output.width, output.height, output.seconds, output.black, words)


@functools.lru_cache(maxsize=64)
def _draw(form: str, width: int, height: int, seconds: float, black: bool, words: str) -> bytes:  # noqa: FBT001 (a key of the cache)
    still = picture.black(words, width, height) if black else picture.paint(words, width, height)
    match form:
        case "png":
            return png.encode(still)
        case "jpeg":
            return jpeg.encode(still)
        case "webp":
            return webp.encode(still)
        case "svg":
            return svg.encode(still)
        case "mp4":
            frames = [jpeg.encode(picture.paint(words, width, height, frame=frame)) for frame in range(_FRAMES)]
            return mp4.encode(frames, width, height, seconds)
        case "zip":
            return archive.encode([png.encode(picture.paint(words, width, height, frame=n)) for n in range(_FRAMES)])
        case _:
            raise ValueError(f"{form!r} cannot be drawn; the forms are {', '.join(TYPES)}")
