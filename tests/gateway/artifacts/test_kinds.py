"""Types and sizes told from first bytes."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from gateway.artifacts.fault import OutputFault
from gateway.artifacts.kinds import (
    ALL,
    AVIF,
    GIF,
    JPEG,
    M4A,
    MOV,
    MP3,
    MP4,
    PNG,
    WAV,
    WEBM,
    WEBP,
    Media,
    Size,
    admit,
    measure,
)
from gateway.artifacts.kinds import identify as told


def drawn(form: str, width: int, height: int, **options: object) -> bytes:
    """Encode a picture with another library than ours."""
    with io.BytesIO() as file:
        Image.new("RGBA" if options.pop("alpha", False) else "RGB", (width, height), "red").save(file, form, **options)
        return file.getvalue()


def boxed(*brands: bytes) -> bytes:
    """The `ftyp` box of a file of these brands, the first one the major."""
    body = brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + struct.pack(">I", 8) + b"mdat"


@pytest.mark.parametrize(
    ("form", "media", "options"),
    [
        ("PNG", PNG, {}),
        ("JPEG", JPEG, {}),
        ("JPEG", JPEG, {"progressive": True}),
        ("JPEG", JPEG, {"icc_profile": b"x" * 70_000, "exif": b"Exif\x00\x00" + bytes(5_000)}),
        ("GIF", GIF, {}),
        ("WEBP", WEBP, {}),
        ("WEBP", WEBP, {"lossless": True}),
        ("WEBP", WEBP, {"alpha": True, "exif": b"Exif\x00\x00"}),
        ("AVIF", AVIF, {}),
    ],
)
@pytest.mark.parametrize("size", [(640, 360), (1, 1), (33, 2049)])
def test_pictures_are_told_and_measured(
    form: str, media: Media, options: dict[str, object], size: tuple[int, int]
) -> None:
    """Pictures made by another encoder are told apart and their size is read."""
    data = drawn(form, *size, **options)
    assert told(data) is media
    assert measure(media, data) == Size(*size)


@pytest.mark.parametrize(
    ("head", "media"),
    [
        (boxed(b"isom", b"iso2", b"avc1", b"mp41"), MP4),
        (boxed(b"mp42"), MP4),
        (boxed(b"XXXX", b"isom"), MP4),
        (boxed(b"qt  "), MOV),
        (boxed(b"M4A ", b"isom"), M4A),
        (boxed(b"mif1", b"avif"), AVIF),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm", WEBM),
        (b"ID3\x04" + bytes(20), MP3),
        (b"\xff\xfb\x90\x44" + bytes(20), MP3),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", WAV),
    ],
)
def test_moving_and_sounding_files_are_told(head: bytes, media: Media) -> None:
    """Videos and sounds are told by their container's marks."""
    assert told(head) is media


@pytest.mark.parametrize(
    "head",
    [
        *(
            b"<!DOCTYPE html><html>",
            b"<html><body>404",
            b'{"error": "expired"}',
            b"<svg xmlns='http://www.w3.org/2000/svg'>",
        ),
        *(
            b"<?xml version='1.0'?><svg/>",
            b"%PDF-1.7",
            b"\x7fELF\x02\x01\x01",
            b"MZ\x90\x00",
            b"PK\x03\x04",
            b"GIF86a",
            b"\x89PNG",
        ),
        *(
            b"RIFF\x00\x00\x00\x00AVI ",
            b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska",
            boxed(b"heic", b"mif1"),
            b"\x00" * 64,
        ),
        b"\x40\x00\x00\x00ftypisom" + b"isom" * 20,
        b"\x00\x00\x00\x08ftypisom",
    ],
)
def test_everything_else_is_no_media(head: bytes) -> None:
    """S57, S58: pages, documents, programs and oversized or undersized headers are none of ours."""
    assert told(head) is None


def test_admission_names_what_it_saw(png: bytes) -> None:
    """A file of the wrong kind, of no kind and an empty one are refused, each in its own words."""
    assert admit(png, "image") is PNG
    for head, kind, says in ((png, "video", "image/png"), (b"<html>", "image", "no image"), (b"", "image", "empty")):
        with pytest.raises(OutputFault, match=says):
            admit(head, kind)


def test_too_many_pixels_are_refused(png: bytes) -> None:
    """S57: a picture that claims 400 million pixels is refused by its header alone, for good."""
    bomb = png[:16] + struct.pack(">II", 20_000, 20_000) + png[24:]
    with pytest.raises(OutputFault, match="20000x20000") as caught:
        admit(bomb, "image")
    assert (caught.value.kind, caught.value.retryable) == ("not_media", False)


@given(st.sampled_from(ALL), st.integers(0, 60), st.binary(max_size=80))
@example(JPEG, 0, b"\xff\xd8\xff\xe0\x00\x00" * 10)
def test_no_header_breaks_the_readers(media: Media, cut: int, noise: bytes) -> None:
    """S57: damaged and shortened headers give a size above zero or none, never an error."""
    for start in (drawn("PNG", 3, 3), drawn("JPEG", 3, 3), drawn("WEBP", 3, 3), boxed(b"avif") + b"ispe"):
        head = start[:cut] + noise
        told(head)
        size = measure(media, head)
        assert size is None or min(size.width, size.height) > 0
