"""The proof beside a pack: what no sample shows is named, and so is a file that cannot be used."""

from __future__ import annotations

import pathlib

import pytest

from gateway.providers import catalog, samples
from tests.gateway.providers import acme

FILE = "acme/samples.yaml"


def found(folder: pathlib.Path, files: dict[str, str]) -> list[str]:
    """Check a pack that loads against its samples, all of which it needs, and give the mistakes."""
    mistakes = samples.check_catalog(acme.loaded(folder, files), coverage=True)
    return [str(mistake).replace(f"{folder}/", "") for mistake in mistakes]


def without(words: str) -> dict[str, str]:
    """Give the good pack without the samples that hold these words."""
    lines = [line for line in acme.SAMPLES.splitlines(keepends=True) if words not in line]
    assert len(lines) < len(acme.SAMPLES.splitlines())
    return {**acme.FILES, FILE: "".join(lines)}


def test_the_good_pack_is_proved(tmp_path: pathlib.Path):
    """A pack whose samples hold and show everything has no mistake."""
    assert found(tmp_path, dict(acme.FILES)) == []


@pytest.mark.parametrize(
    ("words", "lack"),
    [
        ("moderated", "rule 1 of `faults` (content_blocked: moderat*)"),
        ("no money", "rule 2 of `faults` (out_of_credit: 403, no money)"),
        ("code: early", "rule 3 of `faults` (rate_limited: early)"),
        ("retry-after", "line 1 of `retry_after` (Retry-After)"),
        ("1m30s", "line 2 of `retry_after` (a path into the body)"),
        ("status: waiting", "the state 'waiting' of the lifecycle 'job'"),
        ("status: busy", "the state 'busy' of the lifecycle 'job'"),
        ("status: done}", "the state 'done' of the lifecycle 'job'"),
        ("status: broken", "the state 'broken' of the lifecycle 'job'"),
        ("status: stopped", "the state 'stopped' of the lifecycle 'job'"),
        ("error: {code: x}", "the state 'failed_if' of the lifecycle 'job'"),
    ],
)
def test_what_no_sample_shows_is_named(tmp_path: pathlib.Path, words: str, lack: str):
    """Every rule, pause and state word needs a sample; the one without is named at the top of the file."""
    assert found(tmp_path, without(words)) == [f"{FILE}:1:1: no sample shows {lack}"]


def test_a_form_without_a_request_is_named(tmp_path: pathlib.Path):
    """Every form of every model needs a request that goes by it."""
    files = dict(acme.FILES)
    at, until = files[FILE].index("- asks: {model: acme/clip, prompt"), files[FILE].index("- {call: submit")
    files[FILE] = files[FILE][:at] + files[FILE][until:]
    assert found(tmp_path, files) == [
        f"{FILE}:1:1: no sample shows a request for acme/clip by its form 1 (given images)",
        f"{FILE}:1:1: no sample shows a request for acme/clip by its form 2",
    ]


def test_a_pack_without_samples_is_named(tmp_path: pathlib.Path):
    """A provider that brings no proof is a mistake."""
    files = {name: text for name, text in acme.FILES.items() if name != FILE}
    assert found(tmp_path, files) == [
        f"{FILE}:1:1: acme has no samples.yaml: a pack carries replies and requests with what they must become"
    ]


def test_somebodys_own_model_needs_no_proof(tmp_path: pathlib.Path):
    """Beside packs that have their proof, a model file in a second folder is no mistake, nor is a provider without samples."""
    acme.write(tmp_path / "ours")
    own = acme.PROVIDER.replace("acme", "own", 1)
    acme.write(tmp_path / "theirs", {"acme/own/still.yaml": acme.STILL.replace("acme-labs", "own-labs")})
    acme.write(tmp_path / "theirs", {"own/provider.yaml": own, "own/acme/still.yaml": acme.STILL})
    found = catalog.load([tmp_path / "ours", tmp_path / "theirs"])
    assert samples.check_catalog(found) == []
    assert [mistake.message.split(":")[0] for mistake in samples.check_catalog(found, coverage=True)] == [
        "no sample shows a request for own/still by its form 1",
        "own has no samples.yaml",
    ]


def test_what_a_sample_says_is_held_against_the_pack_anyway(tmp_path: pathlib.Path):
    """A sample that does not hold is a mistake, whether every part of the pack needs one or not."""
    files = acme.bent(FILE, "price: 0.02", "price: 0.03")
    (mistake,) = samples.check_catalog(acme.loaded(tmp_path, files))
    assert mistake.message == "price is 20000 millionths, not 30000"


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("- [a", "2:1: expected a ',' or the closing ']'"),
        ("", "1:1: expected a list, found nothing"),
        (
            "- {call: cancel, model: acme/still, status: 200, reads: failed}",
            "1:10: 0.call: expected submit, status or ",
        ),
        ("- {call: submit, model: acme/still, status: 200, raeds: failed}", "1:3: 0: the key 'reads' is missing"),
        ("- {asks: {model: acme/still}, sends: {call: GET /x, body: {}}, price: 1}", "1:45: 0.sends.call: expected a "),
        ("- {asks: {model: acme/still}, sends: {call: 'GET https://x', body: {}}}", "1:3: 0: the key 'sends' needs "),
        ("- {call: submit, model: acme/stil, status: 200, reads: failed}", "1:25: acme has no model 'acme/stil'; did "),
        ("- {asks: {model: other/thing}, excluded: [prompt]}", "1:18: acme has no model 'other/thing'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: pathlib.Path, text: str, begins: str):
    """What is wrong with the file itself is told with line and column."""
    mistakes = found(tmp_path, {**acme.FILES, FILE: text})
    assert any(mistake.startswith(f"{FILE}:{begins}") for mistake in mistakes), mistakes


def test_samples_are_read_at_the_moment_given(tmp_path: pathlib.Path):
    """A pause given as a date is measured from the moment the samples are read at."""
    files = acme.bent("acme/provider.yaml", "as: seconds", "as: http_date")
    files[FILE] = files[FILE].replace('retry-after: "5"', 'retry-after: "Sun, 22 Nov 2026 00:00:05 GMT"')
    found = acme.loaded(tmp_path, files)
    assert samples.run(found, samples.MOMENT, coverage=True) == []
    assert samples.run(found, samples.MOMENT + 1000) != []
