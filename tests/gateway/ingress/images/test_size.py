"""Sizes in pixels, read as shapes and classes of sizes."""

from __future__ import annotations

import pytest

from gateway.ingress.images.size import grade, read, shape

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9", "adaptive")


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1024, 1024), "1:1"),
        ((1536, 1024), "3:2"),
        ((1792, 1024), "16:9"),
        ((1024, 1792), "9:16"),
        ((1280, 720), "16:9"),
        ((768, 1024), "3:4"),
        ((1000, 300), None),
        ((1600, 1000), None),
    ],
)
def test_a_shape_is_the_one_it_nearly_has(size: tuple[int, int], ratio: str | None) -> None:
    """Pixels are multiples of something, so the shape is nearly met; a shape in between belongs to none."""
    assert shape(size, RATIOS) == ratio


@pytest.mark.parametrize(
    ("size", "classes", "found"),
    [
        ((1024, 1024), ("1K", "2K", "4K"), "1K"),
        ((1024, 1024), ("2K", "4K"), "2K"),
        ((4096, 4096), ("1K", "2K"), "2K"),
        ((512, 512), ("768SQ", "1K"), "768SQ"),
        ((1920, 1080), ("720p", "1080p"), "1080p"),
        ((1024, 1024), ("large",), None),
        ((1024, 1024), (), None),
    ],
)
def test_a_class_is_the_one_with_as_many_pixels(
    size: tuple[int, int], classes: tuple[str, ...], found: str | None
) -> None:
    """The nearest there is; the answer tells what was made."""
    assert grade(size, classes) == found


@pytest.mark.parametrize("written", ["", "x", "1024", "0x0", "1024x", "auto", "1e3x1e3", "-1x5"])
def test_what_is_no_size_is_none(written: str) -> None:
    """Nothing is guessed."""
    assert read(written) is None
