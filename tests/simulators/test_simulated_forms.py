"""What the simulators make of forms and files they are sent."""

import base64
import io

import pytest
from PIL import Image

from gateway.simulators import forms, sniff

KIND = "multipart/form-data; boundary=x1"


def body(*parts):
    """Return a form of parts, each given as its headers and its bytes."""
    return b"".join(b"--x1\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts) + b"--x1--\r\n"


def named(name, more=b""):
    return b'Content-Disposition: form-data; name="' + name + b'"' + more


def test_parts_are_read_in_their_order():
    """Values and files are told apart, and a file's bytes may hold anything, line breaks too."""
    odd = b"\x00\r\n--x\r\n\r\n\xff"
    raw = body((named(b"a"), "ü".encode()), (named(b"f[]", b'; filename="p.png"\r\nContent-Type: image/PNG'), odd))
    first, second = forms.read(raw, KIND)
    assert (first.name, first.text, first.is_file) == ("a", "ü", False)
    assert (second.name, second.data, second.filename, second.type) == ("f[]", odd, "p.png", "image/png")
    assert second.is_file


def test_a_form_is_told_without_its_files_bytes():
    """Names that repeat become lists, files what they are."""
    raw = body((named(b"a"), b"1"), (named(b"a"), b"2"), (named(b"a"), b"3"), (named(b"f", b'; filename="p"'), b"123"))
    found = forms.told(forms.read(raw, KIND))
    assert found == {"a": ["1", "2", "3"], "f": {"filename": "p", "type": None, "bytes": 3}}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (body(), "multipart/form-data"),
        (b"", KIND),
        (body((named(b"a"), b"1"))[:-6], KIND),
        (body((b"Content-Disposition: form-data", b"1")), KIND),
        (b"--x1\r\nno headers\r\n--x1--", KIND),
    ],
)
def test_a_broken_form_is_refused(raw, kind):
    """A boundary, an end, headers and a name are all needed."""
    with pytest.raises(ValueError, match=r"boundary|headers|name"):
        forms.read(raw, kind)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 50}),
    ],
)
def test_a_picture_tells_its_form_and_pixels(form, options):
    """The first bytes of each kind of file are enough."""
    data = io.BytesIO()
    Image.new("RGB", (70, 33), "red").save(data, form, **options)
    assert (sniff.form(data.getvalue()), sniff.pixels(data.getvalue())) == (form.lower(), (70, 33))
    assert sniff.pixels(data.getvalue()[:15]) is None


def test_transparency_is_seen():
    """A mask needs a channel that says where."""
    found = []
    for mode in ("RGB", "RGBA", "LA", "P"):
        data = io.BytesIO()
        Image.new(mode, (8, 8)).save(data, "PNG")
        found.append(sniff.has_alpha(data.getvalue()))
    assert found == [False, True, True, False]


@pytest.mark.parametrize("given", ["", "AAA", "a b=", "data:;base64,AAAA", "ü"])
def test_what_is_no_base64_is_not_decoded(given):
    """Only bare base64 counts, and nothing at all is none."""
    assert sniff.decoded(given) is None


def test_a_data_uri_is_decoded():
    """A data URI is base64 with its head; without the head or with another it is none."""
    plain = base64.b64encode(b"abc").decode()
    assert sniff.inline("data:image/png;base64," + plain) == b"abc"
    assert [sniff.inline(text) for text in (plain, "data:image/png," + plain, "x;base64," + plain)] == [None] * 3


def test_a_film_is_known_and_a_page_is_not():
    """A film has no pixels to be seen, anything else is nothing known."""
    assert [sniff.form(data) for data in (b"\0\0\0\x18ftypisom", b"<html>", b"")] == ["mp4", None, None]
    assert sniff.pixels(b"\0\0\0\x18ftypisom") is None
