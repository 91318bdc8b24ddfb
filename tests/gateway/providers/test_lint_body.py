"""What a form sends and takes do not agree: each planted mistake is found, at its place, in words that help."""

from __future__ import annotations

import pathlib

import pytest

from tests.gateway.providers import acme

STILL_FILE = "acme/acme/still.yaml"

# The text of the good pack, what stands there instead, and how the mistake begins: line:column: words.
PLANTED = [
    (STILL_FILE, "look: $look", "look: $lok", "21:3: $lok is made by nothing: did you mean $look?"),
    (STILL_FILE, "look: $look", "look: $Look", "21:3: $Look is made by nothing: did you mean $look?"),
    (
        STILL_FILE,
        "  strength: $strength\n",
        "",
        "9:3: strength is taken and never sent: use $strength in the body, or move the field to",
    ),
    (
        STILL_FILE,
        "images: {max: 2}",
        "images: {max: 3}",
        "7:3: more images are taken than sent: the body sends 2, so give `max: 2`",
    ),
    (
        STILL_FILE,
        "images: {max: 2}",
        "images: {}",
        "7:3: more images are taken than sent: the body sends 2, so give `max: 2`",
    ),
    (STILL_FILE, "prompt: $prompt", "prompt: $prompt.1", "6:3: prompt is one value: write $prompt, without a number"),
    (
        STILL_FILE,
        "images: {max: 2}",
        "images: {max: 2, as: [link]}",
        "7:25: takes.images.as.0: expected url, data, base64 or file, found the text 'link'",
    ),
    (
        STILL_FILE,
        "images: {max: 2}",
        "images: {max: 2, as: [url, file]}",
        "7:24: a `file` is a part of a body with `encoding: multipart`",
    ),
    (
        STILL_FILE,
        "count: {min: 1",
        "count: {as: [data], min: 1",
        "8:11: count is no file: there is one way to hand it over",
    ),
    (
        STILL_FILE,
        "drops: [format]",
        "drops: [format]\nencoding: multipart",
        "25:11: a multipart body has no branches: a part is a text, a name, or a list by its name",
    ),
    (
        STILL_FILE,
        "first: $images.1",
        "first: [{$each: image, url: $item}]",
        "21:3: $image is made by nothing: did you mean $images?",
    ),
    (
        STILL_FILE,
        "first: $images.1",
        "first: [{$each: prompt, url: $item}]",
        "23:19: prompt is one value: `$each` goes through a list, such as images",
    ),
    (
        STILL_FILE,
        "first: $images.1",
        "first: [{$each: $images, url: $item}]",
        "23:19: `$each` goes through a list by its name, without the dollar sign: images",
    ),
    (
        STILL_FILE,
        "first: $images.1",
        "first: {$each: images, url: $item}",
        "23:11: `$each` makes several mappings: it stands in a list, such as `[{$each: images, …}]`",
    ),
    (
        STILL_FILE,
        "first: $images.1",
        "first: [{$each: images, url: $item}, {url: $item}]",
        "21:3: $item is made by nothing: ",
    ),
]

# What may be there: the file, the text of the good pack, and what stands there instead.
ALLOWED = [
    (STILL_FILE, "images: {max: 2}", "images: {max: 2, as: [url, data, base64]}"),
    (STILL_FILE, "first: $images.1", "first: [{text: $prompt}, {$each: images, url: {at: $item}, seed: $strength}]"),
]


@pytest.mark.parametrize(("file", "good", "bad", "begins"), PLANTED)
def test_a_planted_mistake_is_found(tmp_path: pathlib.Path, file: str, good: str, bad: str, begins: str):
    """A pack with one thing wrong does not load, and the mistake says where and what."""
    found = acme.mistakes(tmp_path, acme.bent(file, good, bad))
    assert any(mistake.startswith(f"{file}:{begins}") for mistake in found), found


def test_a_whole_list_may_be_taken_without_a_limit(tmp_path: pathlib.Path):
    """A list that is sent whole needs no `max`, even when its first item is sent apart as well."""
    files = acme.bent(STILL_FILE, "  first: $images.1\n", "  all: $images\n  first: $images.1\n")
    files[STILL_FILE] = files[STILL_FILE].replace("images: {max: 2}", "images: {}")
    assert acme.mistakes(tmp_path, files) == []


def test_a_gap_in_the_items_sent_ends_what_may_be_taken(tmp_path: pathlib.Path):
    """When the body sends the first and the third picture, only one may be taken."""
    files = acme.bent(STILL_FILE, "$images.2", "$images.3")
    assert acme.mistakes(tmp_path, files) == [
        "acme/acme/still.yaml:7:3: more images are taken than sent: the body sends 1, so give `max: 1`",
    ]


@pytest.mark.parametrize(("file", "good", "other"), ALLOWED)
def test_what_may_be_there_is_no_mistake(tmp_path: pathlib.Path, file: str, good: str, other: str):
    """Ways to hand files over and lists of mappings are fine."""
    assert acme.mistakes(tmp_path, acme.bent(file, good, other)) == []


def test_a_multipart_body_may_have_files(tmp_path: pathlib.Path):
    """A body without branches may be sent as parts, some of them files."""
    files = acme.bent(STILL_FILE, "  second: {url: $images.2, role: second}\n", "  second: $images.2\n")
    files[STILL_FILE] = files[STILL_FILE].replace("{max: 2}", "{max: 2, as: [file]}") + "encoding: multipart\n"
    assert acme.mistakes(tmp_path, files) == []
