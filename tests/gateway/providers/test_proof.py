"""One sample against its pack: each thing it says that is not so is told at its place, with what is."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from gateway.providers import samples
from gateway.providers.proof import differences
from tests.gateway.providers import acme

# What a sample of the good pack says, what it says instead, and how the mistake goes on after the file.
UNTRUE = [
    ("status: waiting}, reads: queued", "status: waiting}, reads: running", "this reads as queued, not as running"),
    ("status: busy}, reads: running", "status: busy}, reads: running, fault: lost", 'fault is nothing, not "lost"'),
    (
        "{status: stopped}, reads: canceled",
        "{status: stopped}, reads: failed",
        "this reads as canceled (lost: the job was canceled at the provider), not as failed",
    ),
    ("fault: content_blocked", "fault: timeout", 'fault is "content_blocked", not "timeout"'),
    (", fault: out_of_credit", "", 'fault is "out_of_credit", not nothing'),
    ("reach: refused", "reach: unsent", 'reach is "refused", not "unsent"'),
    ("code: moderated}\n", "code: blocked}\n", 'code is "moderated", not "blocked"'),
    ("pause: 5s", "pause: 6s", "pause is 5000, not 6000 (milliseconds)"),
    (", pause: 5s", "", "pause is 5000, not nothing (milliseconds)"),
    (", unknown: dreaming", "", 'unknown is "dreaming", not nothing'),
    ("cost: 0.003", "cost: 0.004", "cost is 3000 millionths, not 4000"),
    ("kept: {id: j1,", "kept: {id: j2,", 'kept.id is "j1", not "j2"'),
    ("kept: {id: j1,", "kept: {id: j1, more: x,", "kept.more is not there"),
    ("kept: {id: j1, result", "kept: {result", 'kept also holds id: "j1"'),
    ("outputs: [{url: a.png, width: 9}]", "outputs: [{url: a.png, width: 8}]", "outputs.0.width is 9, not 8"),
    ("outputs: [{url: a.mp4}]", "outputs: []", "outputs are 1, not 0"),
    ("[images], status: 201", "[prompt], status: 201", "this reads as queued, not as failed"),
    ("POST https://api.acme.example/v1/pictures", "PUT https://api.acme.example/v1/pictures", "sends.call is"),
    ("prompt: a seal, n: 1, size", 'prompt: a seal, n: "1", size', 'sends.body.n is 1, not "1"'),
    ("prompt: a seal, n: 1, size", "prompt: a seal, n: 1.0, size", "sends.body.n is 1, not 1.0"),
    ("prompt: a seal, n: 1, size", "prompt: a seal, n: true, size", "sends.body.n is 1, not true"),
    ("Bearer $secret.ACME_KEY", "Bearer other", 'Authorization is "Bearer $secret.ACME_KEY", not "Bearer other"'),
    ("price: 0.02", "price: 0.03", "price is 20000 millionths, not 30000"),
    ("price: 0.02", "price: 0.02\n  drops: [format]", 'drops is [], not ["format"]'),
    (
        "{model: acme/still, prompt: a seal}",
        "{model: acme/still, prompt: a seal, format: png}",
        'drops is ["format"], ',
    ),
    ("{model: acme/still, prompt: a seal}", "{model: acme/still, prompt: a seal, seed: 5}", "not served: seed is not "),
    ("{model: acme/still, prompt: a seal}", "{model: acme/still, prompt: a seal, sed: 5}", "there is no field 'sed'"),
    ("{model: acme/still, prompt: a seal}", "{model: acme/still, prompt: 5}", "prompt must be a text, not the number"),
    ("excluded: [ratio]", "excluded: [prompt]", 'excluded is ["ratio"], not ["prompt"]'),
    ('ratio: "3:2"}, excluded', 'ratio: "1:1"}, excluded', "this request is served"),
    ("excluded: [ratio]}", "drops: [ratio]}", "say what becomes of it: either `sends`, or the fields it is"),
    ("text: <html>", "text: <html>, body: {}", "say what came: `body` for JSON, or else `text`, and not both"),
    ("text: <html>, ", "", "say what came: `body` for JSON, or else `text`, and not both"),
    (
        "{call: result, model: acme/clip, status: 425",
        "{call: result, model: acme/still, status: 425",
        "this model has no",
    ),
]


@pytest.mark.parametrize(("true", "untrue", "says"), UNTRUE)
def test_what_is_not_so_is_told(tmp_path: pathlib.Path, true: str, untrue: str, says: str):
    """A sample that says something else than the pack does gives a mistake that says what is."""
    files = acme.bent("acme/samples.yaml", true, untrue)
    if says.startswith("this reads as queued, not as failed"):
        files["acme/samples.yaml"] = files["acme/samples.yaml"].replace("reads: queued, kept", "reads: failed, kept")
    found = [mistake.message for mistake in samples.check_catalog(acme.loaded(tmp_path, files))]
    assert any(message.startswith(says) for message in found), found


def test_a_mistake_points_at_the_word_that_is_not_so(tmp_path: pathlib.Path):
    """Line and column of a mistake are those of the value in the sample."""
    files = acme.bent("acme/samples.yaml", "n: 1, size: 1024x1024", "n: 1, size: 1x1")
    (found,) = samples.check_catalog(acme.loaded(tmp_path, files))
    assert (found.place.line, found.place.column) == (5, 61)


def test_a_form_that_is_not_there_is_told(tmp_path: pathlib.Path):
    """A reply to a request that no form would have served cannot be read."""
    clip = acme.CLIP.replace("  - native: acme/clip/from-text\n", "  - given: [prompt]\n    native: acme/clip/x\n")
    files = {**acme.FILES, "acme/acme/clip.yaml": clip}
    files["acme/samples.yaml"] = files["acme/samples.yaml"].replace("given: [images], status", "given: [audio], status")
    found = [mistake.message for mistake in samples.check_catalog(acme.loaded(tmp_path, files))]
    assert "no form of this model is for requests that hold only these" in found


def test_a_sample_may_be_a_picture(tmp_path: pathlib.Path):
    """A text that its headers call a picture reads as one."""
    picture = '{call: submit, model: acme/still, status: 200, headers: {Content-Type: "image/png; q=1"}, text: PNG'
    files = dict(acme.FILES)
    files["acme/samples.yaml"] += f"- {picture}, reads: succeeded, outputs: [{{mime: image/png, b64: UE5H}}]}}\n"
    assert samples.check_catalog(acme.loaded(tmp_path, files)) == []


def test_a_word_is_shown_under_any_status(tmp_path: pathlib.Path):
    """A state word that comes with an error status only is shown by such a sample."""
    files = acme.bent("acme/samples.yaml", "status: 200, body: {status: broken}", "status: 404, body: {status: broken}")
    assert samples.check_catalog(acme.loaded(tmp_path, files), coverage=True) == []


@pytest.mark.parametrize(
    ("wanted", "found", "paths"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, []),
        ({"a": 1, "b": 2}, {"a": 2, "c": 3}, [("a",), ("b",), ()]),
        ([1, 2], [1, 3], [(1,)]),
        ([1], [1, 2], [()]),
        (True, 1, [()]),
        (1, 1.0, [()]),
        ("1", 1, [()]),
        ({}, [], [()]),
        (None, None, []),
    ],
)
def test_json_values_differ_by_type_too(wanted: Any, found: Any, paths: list[tuple[str | int, ...]]):
    """Every difference has the path to it, and values of different types are different."""
    assert [path for path, _ in differences(wanted, found)] == paths
