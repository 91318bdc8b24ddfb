"""A model file that should not load: each planted mistake is found, at its place, in words that help."""

from __future__ import annotations

import pathlib

import pytest

from tests.gateway.providers import acme

STILL_FILE, CLIP_FILE = "acme/acme/still.yaml", "acme/acme/clip.yaml"

# The text of the good pack, what stands there instead, and how the mistake begins: line:column: words.
PLANTED = [
    (
        STILL_FILE,
        "prompt: $prompt",
        "prompt: Draw $prompt",
        "21:3: a name stands for a whole value: the text 'Draw $prompt' is sent as it stands, with $prompt in it",
    ),
    (
        STILL_FILE,
        "loud: {look: LOUD}",
        "loud: {size: LOUD}",
        "17:29: $size is made by another table or field too, and one would take the other's place",
    ),
    (
        STILL_FILE,
        "by: [resolution], usd: {1K: 0.02, 2K: 0.05}",
        "by: [resolution, ratio], usd: {1K: 0.02, 2K: 0.05}",
        "29:51: a table by resolution and ratio nests: resolution, then ratio, then the amount",
    ),
    (STILL_FILE, "makes: image", "makes: music", "1:8: makes: expected image or video, found the text 'music'"),
    (
        STILL_FILE,
        "native: acme-still-2\n",
        "",
        "1:1: native is missing: it must stand here or in the file's own sections",
    ),
    (
        STILL_FILE,
        "lifecycle: now",
        "lifecycle: noww",
        "3:12: no lifecycle 'noww' in provider.yaml; did you mean 'now'?",
    ),
    (STILL_FILE, "lifecycle: now\n", "", "1:1: lifecycle is missing: say which one runs this model: now, job"),
    (
        STILL_FILE,
        "{type: number, min: 0, max: 1}",
        "{min: 0, max: 1}",
        "9:3: unknown field 'strength': a field of the model's own needs a type",
    ),
    (
        STILL_FILE,
        "  prompt: {required",
        "  promt: {required",
        "6:3: unknown field 'promt': did you mean 'prompt'? a field of the model's own needs a type",
    ),
    (
        STILL_FILE,
        "count: {min: 1",
        "count: {type: number, min: 1",
        "8:11: count is a common field; its type is integer",
    ),
    (
        STILL_FILE,
        "count: {min: 1, max: 4}",
        "count: {max: 4}",
        "29:14: count multiplies the price: give it a `min` above 0 under `takes`",
    ),
    (
        STILL_FILE,
        "16:9: {size: 1344x768}",
        "16:9: {sise: 1344x768}",
        "14:13: this row makes sise, that of the text '1:1' makes size",
    ),
    (
        STILL_FILE,
        "16:9: {size: 1344x768}",
        "16:9: 1344x768",
        "14:13: a row is a mapping of names to native values, or {} for nothing sent",
    ),
    (STILL_FILE, "16:9: {size: 1344x768}", "16: {size: 1344x768}", "14:7: ratio must be a text, not the number 16"),
    (
        STILL_FILE,
        "loud: {look: LOUD}",
        "loud: {look: LOUD}, 3: {look: X}",
        "17:42: style must be a text, not the number 3",
    ),
    (STILL_FILE, "resolution, ratio:", "resolution, ratio, style:", "11:3: a table is over one field or two"),
    (
        STILL_FILE,
        "    2K:\n      1:1: {size: 2048x2048}\n",
        "    2K: {}\n",
        "12:5: a table over resolution and ratio nests: resolution, then ratio, then the names",
    ),
    (STILL_FILE, "drops: [format]", "drops: [format, count]", "18:1: count is both sent and dropped"),
    (
        STILL_FILE,
        "resolution: 1K, ratio: 1:1, count: 1}",
        "resolution: 1K, ratio: 4:3, count: 1}",
        "19:35: the text '4:3' is not in the table of ratio",
    ),
    (STILL_FILE, "ratio: 1:1, count: 1}", "ratio: 1:1, count: 9}", "19:47: count is above the maximum of 4"),
    (
        STILL_FILE,
        "ratio: 1:1, count: 1}",
        'ratio: 1:1, count: "1"}',
        "19:47: count must be a whole number, not the text '1'",
    ),
    (
        STILL_FILE,
        "ratio: 1:1, count: 1}",
        "ratio: 1:1, count: 1, seed: 3}",
        "19:50: seed has a default and is not offered",
    ),
    (
        STILL_FILE,
        "by: [resolution], usd",
        "by: [quality], usd",
        "29:25: the price goes by quality, which this model does not offer",
    ),
    (STILL_FILE, "usd: {1K: 0.02, 2K: 0.05}", "usd: {1K: 0.02}", "29:44: no price where resolution is the text '2K'"),
    (STILL_FILE, "by: [resolution], usd", "usd", "29:26: a table of amounts needs `by`, the fields it goes by"),
    (STILL_FILE, "usd: {1K: 0.02, 2K: 0.05}", "usd: 0.02", "29:44: `by` needs a table of amounts"),
    (
        STILL_FILE,
        "usd: {1K: 0.02, 2K: 0.05}",
        "usd: {1K: 0.02, 2K: 0.00000005}",
        "29:59: an amount is a whole number of millionths; six digits after the point",
    ),
    (
        STILL_FILE,
        "usd: {1K: 0.02, 2K: 0.05}",
        "usd: {1K: 0.02, 2K: 0}",
        "29:59: price.usd.2K: expected more than 0, found 0",
    ),
    (
        STILL_FILE,
        "price: {per: image, by: [resolution], usd: {1K: 0.02, 2K: 0.05}}\n",
        "",
        "1:1: price is missing: it must stand here or in the file's own sections",
    ),
    (
        STILL_FILE,
        "at: usage.units",
        "at: usage..units",
        "30:12: not a path that can be read (JMESPath): Expecting: ['quoted_identifier',",
    ),
    (
        STILL_FILE,
        "per: image, by: [resolution], usd: {1K: 0.02, 2K: 0.05}",
        "per: second, usd: 0.02",
        "29:14: a price per second needs `duration`, which this model does not offer",
    ),
    (
        CLIP_FILE,
        "given: [images]",
        "given: [last_image]",
        "12:12: this form asks for last_image and has no word for it under `takes`",
    ),
    (
        CLIP_FILE,
        "  - native: acme/clip/from-text\n    body",
        "  - given: [images, prompt]\n    native: acme/clip/from-text\n    body",
        "18:5: form 2 can never serve: an earlier one fits all its requests; put the one that asks",
    ),
    (CLIP_FILE, 'seconds: "5"}, 10', 'seconds: "5"}, "10"', "7:33: duration must be a number, not the text '10'"),
]


@pytest.mark.parametrize(("file", "good", "bad", "begins"), PLANTED)
def test_a_planted_mistake_is_found(tmp_path: pathlib.Path, file: str, good: str, bad: str, begins: str):
    """A pack with one thing wrong does not load, and the mistake says where and what."""
    found = acme.mistakes(tmp_path, acme.bent(file, good, bad))
    assert any(mistake.startswith(f"{file}:{begins}") for mistake in found), found


def test_a_model_without_a_body_is_named(tmp_path: pathlib.Path):
    """What is to be sent stands in the file or in its forms."""
    still = acme.STILL[: acme.STILL.index("body:")] + acme.STILL[acme.STILL.index("price:") :]
    found = acme.mistakes(tmp_path, {**acme.FILES, STILL_FILE: still})
    assert found == ["acme/acme/still.yaml:1:1: body is missing: it must stand here or in the file's own sections"]


def test_the_good_pack_has_no_mistake(tmp_path: pathlib.Path):
    """What the planted mistakes are planted into loads as it is."""
    assert acme.mistakes(tmp_path, acme.FILES) == []


def test_all_mistakes_come_at_once(tmp_path: pathlib.Path):
    """Mistakes in several models are told in one go, in the order of the files."""
    files = acme.bent(STILL_FILE, "makes: image", "makes: music")
    files[CLIP_FILE] = files[CLIP_FILE].replace("makes: video", "makes: clips")
    found = acme.mistakes(tmp_path, files)
    assert [mistake.split(": ")[0] for mistake in found] == ["acme/acme/clip.yaml:1:8", "acme/acme/still.yaml:1:8"]


def test_a_price_may_go_by_a_field_without_a_table(tmp_path: pathlib.Path):
    """A field handed on as it is has no list of values that each need a price."""
    files = acme.bent(STILL_FILE, "by: [resolution], usd: {1K: 0.02, 2K: 0.05}", "by: [count], usd: {1: 0.02, 2: 0.03}")
    assert acme.mistakes(tmp_path, files) == []
