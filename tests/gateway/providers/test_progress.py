"""The share of a job that is done: where a pack finds it, and what is made of what stands there."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from gateway.providers import read, samples
from gateway.providers.pack import JobState, Model
from gateway.providers.read import Reading
from tests.gateway.providers import acme

FILE = "acme/provider.yaml"


def clip(folder: pathlib.Path, progress: str = "progress") -> Model:
    """Give the model of a provider that counts, with this for `progress`."""
    files = acme.bent(FILE, "failed_if: error\n", f"failed_if: error\n      progress: {progress}\n")
    return acme.model(acme.loaded(folder, files), "clip")


def looked(model: Model, body: Any) -> Reading:
    """Read the answer to a look."""
    return read.looked(model, 0, acme.reply(body), 0)


@pytest.mark.parametrize(("told", "share"), [(0, 0.0), (0.4, 0.4), (1, 1.0), (1.0, 1.0)])
def test_a_share_is_read(tmp_path: pathlib.Path, told: float, share: float):
    """From nothing to all."""
    found = looked(clip(tmp_path), {"status": "busy", "progress": told})
    assert (found.state, found.share) == (JobState.RUNNING, share)


@pytest.mark.parametrize(
    ("told", "share"), [(0, 0.0), (7, 0.07), (42.5, 0.425), (100, 1.0), (100.5, None), (101, None)]
)
def test_a_share_may_be_counted_to_a_hundred(tmp_path: pathlib.Path, told: float, share: float | None):
    """Where the pack says so."""
    model = clip(tmp_path, "{at: percent, of: 100}")
    assert looked(model, {"status": "busy", "percent": told}).share == share


@pytest.mark.parametrize(
    "told",
    [
        None,
        "0.4",
        "40%",
        True,
        False,
        [0.4],
        {"done": 0.4},
        -0.1,
        -0.0000001,
        1.0000001,
        40,
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        -(10**400),
    ],
)
@pytest.mark.parametrize("status", ["busy", "waiting"])
def test_what_is_no_share_is_passed_over(tmp_path: pathlib.Path, told: Any, status: str):
    """Whatever else stands there is no fault, and changes nothing of the state."""
    found = looked(clip(tmp_path), {"status": status, "progress": told})
    plain = looked(clip(tmp_path), {"status": status})
    assert found == plain
    assert found.share is None


def test_a_number_too_large_to_be_one_is_passed_over(tmp_path: pathlib.Path):
    """JSON has room for numbers that this language takes for endless."""
    assert looked(clip(tmp_path), json.loads('{"status": "busy", "progress": 1e999}')).share is None


def test_a_job_that_has_done_something_has_begun(tmp_path: pathlib.Path):
    """Whatever its word; with nothing done it may still wait."""
    model = clip(tmp_path)
    assert looked(model, {"status": "waiting", "progress": 0.2}).state is JobState.RUNNING
    assert looked(model, {"status": "waiting", "progress": 0}).state is JobState.QUEUED


@pytest.mark.parametrize("status", ["done", "broken", "stopped"])
def test_a_job_that_is_over_has_no_share(tmp_path: pathlib.Path, status: str):
    """Its end counts, and a share beside it says no more."""
    found = looked(clip(tmp_path), {"status": status, "progress": 0.5})
    assert found.state not in {JobState.QUEUED, JobState.RUNNING}
    assert found.share is None


def test_an_unknown_word_may_have_a_share(tmp_path: pathlib.Path):
    """A new word of the provider's is at work, and told of as ever."""
    found = looked(clip(tmp_path), {"status": "dreaming", "progress": 0.5})
    assert (found.state, found.unknown, found.share) == (JobState.RUNNING, "dreaming", 0.5)


@pytest.mark.parametrize(
    ("progress", "mistake"),
    [
        ("'[0'", "not a path that can be read (JMESPath)"),
        ("{at: '[0', of: 100}", "not a path that can be read (JMESPath)"),
        ("{of: 100}", "at"),
        ("{at: done, of: 10}", "10"),
        ("0.5", "0.5"),
    ],
)
def test_a_word_that_cannot_be_is_refused(tmp_path: pathlib.Path, progress: str, mistake: str):
    """A pack is refused at the line that is wrong."""
    files = acme.bent(FILE, "failed_if: error\n", f"failed_if: error\n      progress: {progress}\n")
    found = acme.mistakes(tmp_path, files)
    assert found
    line = files[FILE][: files[FILE].index("progress:")].count("\n") + 1
    assert all(each.startswith(f"{FILE}:{line}:") for each in found)
    assert any(mistake in each for each in found)


def proved(folder: pathlib.Path, sample: str) -> list[str]:
    """Hold a pack that counts against its samples, with another in place of one of a job at work."""
    files = acme.bent(FILE, "failed_if: error\n", "failed_if: error\n      progress: progress\n")
    plain = "body: {status: busy}, reads: running}"
    files["acme/samples.yaml"] = files["acme/samples.yaml"].replace(plain, sample)
    found = samples.check_catalog(acme.loaded(folder, files), coverage=True)
    return [mistake.message for mistake in found]


def test_a_sample_shows_the_share(tmp_path: pathlib.Path):
    """What it says of it is true or told, and a pack with the word has to show it."""
    busy = "body: {status: busy, progress: 0.4}, reads: running"
    assert proved(tmp_path, f"{busy}, share: 0.4}}") == []
    assert proved(tmp_path, f"{busy}, share: 0.5}}") == ["share is 0.4, not 0.5"]
    assert proved(tmp_path, "body: {status: busy}, reads: running}") == [
        "no sample shows the progress of the lifecycle 'job'"
    ]
