"""Packs that should not load: each planted mistake is found, at its place, in words that help."""

from __future__ import annotations

import pathlib

import pytest

from tests.gateway.providers import acme

PROVIDER_FILE, STILL_FILE, CLIP_FILE = "acme/provider.yaml", "acme/acme/still.yaml", "acme/acme/clip.yaml"

# The text of the good pack, what stands there instead, and how the mistake begins: line:column: words.
PLANTED = [
    (
        PROVIDER_FILE,
        "provider: acme",
        "provider: acma",
        "1:11: the id is 'acma' and the folder 'acme'; they must be the same",
    ),
    (
        PROVIDER_FILE,
        "provider: acme\n",
        "provider: Acme\n",
        "1:11: provider: expected small letters and digits, found the text 'Acme'",
    ),
    (
        PROVIDER_FILE,
        "checked: 2026-11-22",
        "checked: last week",
        "6:10: checked: expected a day such as 2026-11-22, found the text 'last week'",
    ),
    (PROVIDER_FILE, "rank: 10", "rank: ten", "7:7: rank: expected a whole number, found the text 'ten'"),
    (PROVIDER_FILE, "rank: 10", "ranc: 10", "7:1: unknown key 'ranc'; did you mean 'rank'?"),
    (
        PROVIDER_FILE,
        "base: https://api.acme.example/v1",
        "base: http://api.acme.example/v1/",
        "8:7: base: expected an https address without a slash at the end, found the text",
    ),
    (
        PROVIDER_FILE,
        "{Authorization: Bearer $secret.ACME_KEY}",
        "{Authorization: Bearer 12345}",
        "10:23: no `$secret.NAME` here: a credential never stands in a file",
    ),
    (
        PROVIDER_FILE,
        "{Authorization: Bearer $secret.ACME_KEY}",
        '{"Authoriz ation": Bearer $secret.ACME_KEY}',
        "10:8: 'Authoriz ation' is not the name of a header",
    ),
    (
        PROVIDER_FILE,
        "code: error.code",
        'code: "error.["',
        "11:17: not a path that can be read (JMESPath): Invalid jmespath expression: Incomplete",
    ),
    (
        PROVIDER_FILE,
        "is: content_blocked",
        "is: content_bloked",
        "13:10: faults.0.is: expected invalid_input, input_unreadable, content_blocked,",
    ),
    (
        PROVIDER_FILE,
        '{is: content_blocked, code: ["moderat*"]}',
        "{is: content_blocked}",
        "13:5: faults.0: expected at least 2 keys, found 1",
    ),
    (
        PROVIDER_FILE,
        "{header: Retry-After, as: seconds}",
        "{header: Retry-After, at: error.wait, as: seconds}",
        "17:5: say where: either `header` or `at`, not both",
    ),
    (
        PROVIDER_FILE,
        "{at: error.wait, as: duration}",
        "{at: error.wait, as: minutes}",
        "18:26: retry_after.1.as: expected seconds, http_date, epoch, epoch_ms or duration, found",
    ),
    (
        PROVIDER_FILE,
        "submit: POST /pictures",
        "submit: FETCH /pictures",
        "21:21: lifecycles.now.calls.submit: expected a method and a path, such as `GET /jobs/$id`",
    ),
    (PROVIDER_FILE, "submit: POST /pictures", "submit: POST $result", "21:21: a submit call needs a path of its own"),
    (
        PROVIDER_FILE,
        "submit: POST /pictures}",
        "submit: POST /pictures, cancel: DELETE /pictures/1}",
        "21:5: without a `status` call there is nothing to fetch, cancel or read a state from",
    ),
    (PROVIDER_FILE, "status: GET /jobs/$id", "status: GET /jobs/$ido", "28:15: $ido is never kept: did you mean $id?"),
    (
        PROVIDER_FILE,
        "status: GET /jobs/$id",
        "status: GET /jobs/$ID",
        "28:15: a name is a dollar sign and small letters, such as $id",
    ),
    (
        PROVIDER_FILE,
        "result: GET $result",
        "result: GET $result/raw",
        "29:15: an address that was kept stands alone, such as `GET $poll`",
    ),
    (
        PROVIDER_FILE,
        "keep: {id: id, result: links.result}",
        "keep: {result: links.result}",
        "28:7: `keep` needs an `id`: it finds the job again after a restart",
    ),
    (
        PROVIDER_FILE,
        "{x-mode: plain}",
        "{x-key: $secret.ACME_KEY}",
        "27:58: the header of a call is a plain text; a credential goes under `auth`",
    ),
    (
        PROVIDER_FILE,
        "      failed: [broken]\n      canceled: [stopped]\n      failed_if: error\n",
        "      canceled: [stopped]\n",
        "32:5: a job must be able to fail: give `failed` words or a `failed_if` path",
    ),
    (PROVIDER_FILE, "running: [busy]", "running: [busy, done]", "36:19: the text 'done' already means running"),
    (
        PROVIDER_FILE,
        "    state:\n      at: status\n      queued: [waiting]\n      running: [busy]\n      succeeded: [done]\n      failed: [broken]\n      canceled: [stopped]\n      failed_if: error\n",
        "",
        "28:7: a job that is looked at needs `state`: where its word is and what it means",
    ),
    (
        PROVIDER_FILE,
        "expires: 1h",
        "expires: one hour",
        "41:14: lifecycles.job.expires: expected a length of time such as 90s, found the text 'one",
    ),
    (
        PROVIDER_FILE,
        "first: 2s, every: 500ms, deadline: 10m",
        "first: 2s",
        "42:5: lifecycles.job.pace: the key 'deadline' is missing",
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
    (STILL_FILE, "usd: {1K: 0.02, 2K: 0.05}", "usd: {1K: 0.02}", "29:44: no price for resolution the text '2K'"),
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


def test_models_wait_for_their_provider(tmp_path: pathlib.Path):
    """While a provider is broken its models are not looked at: what they lean on is not known."""
    files = acme.bent(PROVIDER_FILE, "rank: 10", "rank: 100")
    files[CLIP_FILE] = files[CLIP_FILE].replace("lifecycle: job", "lifecycle: nothing")
    assert acme.mistakes(tmp_path, files) == ["acme/provider.yaml:7:7: rank: expected at most 99, found 100"]


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


def test_a_price_may_go_by_a_field_without_a_table(tmp_path: pathlib.Path):
    """A field handed on as it is has no list of values that each need a price."""
    files = acme.bent(STILL_FILE, "by: [resolution], usd: {1K: 0.02, 2K: 0.05}", "by: [count], usd: {1: 0.02, 2: 0.03}")
    assert acme.mistakes(tmp_path, files) == []
