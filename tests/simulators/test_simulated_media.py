"""The files the simulators make: real pictures and films of the size that was asked for."""

import io
import struct

import pytest
from PIL import Image

from gateway.simulators import media
from gateway.simulators.jobs import Output

SIZES = [(2848, 1600), (1024, 1024), (864, 480), (300, 200), (65, 33), (7, 5), (1, 1), (100, 900)]


def opened(data):
    drawn = Image.open(io.BytesIO(data))
    drawn.load()
    return drawn


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_opens_at_its_size(form, size):
    """Every still format decodes at exactly the pixels asked for, the odd ones too."""
    drawn = opened(media.draw(Output(form, *size), "a red fox"))
    assert (drawn.format, drawn.size) == (form.upper(), size)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "mp4"])
def test_the_words_make_the_picture(form):
    """The same words give the same bytes, other words another picture."""
    first, again, other = (media.draw(Output(form, 256, 256, 1.0), words) for words in ("fox", "fox", "owl"))
    assert first == again != other


def test_jpeg_and_png_show_the_same_picture():
    """The lossy format is flat blocks, so it differs from the lossless one by rounding alone."""
    png, jpeg = (opened(media.draw(Output(form, 640, 360), "fox")).convert("RGB") for form in ("png", "jpeg"))
    far = max(abs(a - b) for a, b in zip(png.tobytes(), jpeg.tobytes(), strict=True))
    assert far <= 2


def test_a_picture_is_marked_as_simulated():
    """A dark band with light letters lies across the middle, and stripes of other colours around it."""
    drawn = opened(media.draw(Output("png", 1024, 576), "fox")).convert("RGB")
    middle = {drawn.getpixel((x, 288)) for x in range(1024)}
    assert middle == {(24, 24, 28), (245, 245, 240)}
    assert not middle & {drawn.getpixel((x, 8)) for x in range(1024)}


@pytest.mark.parametrize("words", ["a red fox", "ein Füchslein", "赤い狐 🦊"])
def test_png_carries_the_words(words):
    """The prompt is in the file, in whatever script it is written."""
    drawn = opened(media.draw(Output("png", 64, 64), words))
    assert (drawn.text["Description"], drawn.text["Software"]) == (words, "simulated, no model ran")


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_blanked_picture_is_black(form):
    """A picture blanked by a safety checker is black all over."""
    drawn = opened(media.draw(Output(form, 320, 200, black=True), "fox")).convert("RGB")
    assert drawn.getextrema() == ((0, 0), (0, 0), (0, 0))


def boxes(data):
    """Return the boxes of a piece of film by their names."""
    found, at = {}, 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found[kind.decode()] = data[at + 8 : at + size]
        at += size
    return found


def test_a_film_lasts_as_long_as_asked_and_its_frames_open():
    """The index gives size and duration, and points at frames that decode and differ."""
    film = media.draw(Output("mp4", 864, 480, 5.0), "waves")
    top = boxes(film)
    assert list(top) == ["ftyp", "moov", "mdat"]
    movie = boxes(top["moov"])
    scale, ticks = struct.unpack_from(">II", movie["mvhd"], 12)
    track = boxes(movie["trak"])
    width, height = struct.unpack_from(">II", track["tkhd"], 76)
    assert (ticks / scale, width >> 16, height >> 16) == (5.0, 864, 480)
    table = boxes(boxes(boxes(track["mdia"])["minf"])["stbl"])
    start = struct.unpack_from(">I", table["stco"], 8)[0]
    count = struct.unpack_from(">I", table["stsz"], 8)[0]
    sizes = struct.unpack_from(f">{count}I", table["stsz"], 12)
    frames = [film[start + sum(sizes[:index]) : start + sum(sizes[: index + 1])] for index in range(count)]
    assert {opened(frame).size for frame in frames} == {(864, 480)}
    assert len(set(frames)) == count > 1


def test_an_unknown_form_is_refused():
    """A form nobody draws is an error that names the ones that are drawn."""
    with pytest.raises(ValueError, match="'gif' cannot be drawn; the forms are png, jpeg, webp, mp4"):
        media.draw(Output("gif", 8, 8), "fox")


def test_webp_has_a_largest_side():
    """The format ends at 16,384 pixels a side."""
    with pytest.raises(ValueError, match="16384"):
        media.draw(Output("webp", 16_385, 8), "fox")
