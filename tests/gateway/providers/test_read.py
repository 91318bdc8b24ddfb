"""Replies: how the job stands, its outputs, what is kept; every reply reads as something."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from gateway.fault import FaultKind, Reach
from gateway.outcome import Output
from gateway.providers import read
from gateway.providers.classify import UNREADABLE, Media
from gateway.providers.pack import Cost, JobState, Model
from gateway.providers.read import Reading
from tests.gateway.providers.acme import reply

NOW = 1_795_305_600_000
JOB = {"id": "j1", "links": {"result": "https://r.acme.example/j1"}}


def kind(reading: Reading) -> FaultKind | None:
    """Give the kind of fault a reading has."""
    return reading.fault.kind if reading.fault else None


def test_a_job_is_taken(clip: Model):
    """An answer with all that is to be kept means that the job waits."""
    found = read.submitted(clip, 0, reply(JOB, 201), NOW)
    assert found == Reading(JobState.QUEUED, {"id": "j1", "result": "https://r.acme.example/j1"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "j1"},
        {**JOB, "id": ""},
        {**JOB, "id": ["j1"]},
        {**JOB, "id": True},
        {**JOB, "id": "j" * 2049},
        [],
        None,
        "j1",
    ],
)
def test_a_job_that_cannot_be_found_again_is_in_doubt(clip: Model, body: Any):
    """An answer that lacks what finds the job again leaves open whether one began."""
    found = read.submitted(clip, 0, reply(body), NOW)
    assert found.fault is not None
    assert (found.state, found.fault.kind, found.fault.reach) == (
        JobState.FAILED,
        FaultKind.UNREADABLE,
        Reach.UNSURE,
    )


def test_a_page_instead_of_an_answer_is_in_doubt(still: Model):
    """A success that is not JSON may hide work that began."""
    found = read.submitted(still, 0, reply(UNREADABLE), NOW)
    assert found.fault is not None
    assert found.fault.reach is Reach.UNSURE


def test_a_refusal_is_a_failure(still: Model):
    """An error status of the submit call ends the attempt."""
    assert kind(read.submitted(still, 0, reply({}, 400), NOW)) is FaultKind.INVALID_INPUT


def test_pictures_come_at_once(still: Model):
    """Links and bytes are read with what is said about them; what is neither is passed over."""
    items = [
        {"url": "a.png", "mime": "image/png", "width": 9, "height": 7},
        {"b64": "QUJD", "mime": 5, "width": "9", "height": True},
        {"url": "b.png", "mime": "x" * 101, "width": -1, "height": 10**30},
        {"url": ""},
        {"url": 5},
        {},
    ]
    found = read.submitted(still, 0, reply({"images": items, "usage": {"units": "3"}}), NOW)
    assert found.outputs == (Output("a.png", None, "image/png", 9, 7), Output(None, "QUJD"), Output("b.png"))
    assert (found.state, found.cost) == (JobState.SUCCEEDED, 3000)


@pytest.mark.parametrize("units", [None, "many", "nan", "inf", [], 10**400, -1, 1e30, True])
def test_a_count_that_cannot_be_read_is_no_cost(still: Model, units: Any):
    """What the provider counts is evidence only where it is a number."""
    found = read.submitted(still, 0, reply({"images": [{"url": "a"}], "usage": {"units": units}}), NOW)
    assert found.cost is None


def test_blanks_after_base64_are_passed_over_once(still: Model):
    """A long run of blanks where base64 might end is looked at once, not once for each of them."""
    began = time.process_time()
    found = read.submitted(still, 0, reply({"images": [{"url": "A" * 256 + " " * 200_000 + "é"}]}), NOW)
    assert time.process_time() - began < 1
    assert found.outputs[0].b64 is None


def test_outputs_of_another_shape_are_passed_over(still: Model):
    """What a path finds beside objects is no output."""
    shape = replace(still.shapes[0], lifecycle=replace(still.shapes[0].lifecycle, outputs=lambda body: body["images"]))
    model = replace(still, shapes=(shape,))
    found = read.submitted(model, 0, reply({"images": ["a.png", 5, {"url": "b.png"}]}), NOW)
    assert found.outputs == (Output("b.png"),)


def test_a_flagged_output_is_left_out(still: Model):
    """An output that was blacked out does not count as one, and flags keep their positions."""
    body = {"images": [{"url": "a"}, {"url": "b"}], "flags": [True, False]}
    assert read.submitted(still, 0, reply(body), NOW).outputs == (Output("b"),)
    found = read.submitted(still, 0, reply({**body, "flags": [True, True]}), NOW)
    assert (found.state, kind(found)) == (JobState.FAILED, FaultKind.CONTENT_BLOCKED)


def test_flags_of_another_shape_are_passed_over(still: Model):
    """Flags that are no list of truth values flag nothing."""
    for flags in ("yes", [1, 1], None, [True, True][:0]):
        found = read.submitted(still, 0, reply({"images": [{"url": "a"}], "flags": flags}), NOW)
        assert found.state is JobState.SUCCEEDED


def test_success_without_outputs_is_unreadable(still: Model):
    """A success with nothing in it is a failure of its own, unless the provider names another."""
    empty = read.submitted(still, 0, reply({"images": []}), NOW)
    named = read.submitted(still, 0, reply({"error": {"code": "moderated"}}), NOW)
    worded = read.submitted(still, 0, reply({"images": "none", "error": {"message": "out of paint"}}), NOW)
    assert [kind(found) for found in (empty, named, worded)] == [
        FaultKind.UNREADABLE,
        FaultKind.CONTENT_BLOCKED,
        FaultKind.PROVIDER_ERROR,
    ]
    assert worded.fault is not None
    assert worded.fault.message == "out of paint"
    assert empty.fault is not None
    assert empty.fault.message == "the job succeeded without an output that can be read"


@pytest.mark.parametrize(
    ("body", "state", "fault", "unknown"),
    [
        ({"status": "waiting"}, JobState.QUEUED, None, None),
        ({"status": "busy"}, JobState.RUNNING, None, None),
        ({"status": "dreaming"}, JobState.RUNNING, None, "dreaming"),
        ({"status": "x" * 50}, JobState.RUNNING, None, "x" * 40),
        ({}, JobState.RUNNING, None, "(none)"),
        ({"status": ""}, JobState.RUNNING, None, "(none)"),
        ({"status": {"done": [[]]}}, JobState.RUNNING, None, "(none)"),
        ([], JobState.RUNNING, None, "(none)"),
        ({"status": "done"}, JobState.SUCCEEDED, None, None),
        ({"status": "broken"}, JobState.FAILED, FaultKind.PROVIDER_ERROR, None),
        ({"status": "broken", "error": {"code": "moderated"}}, JobState.FAILED, FaultKind.CONTENT_BLOCKED, None),
        ({"status": "done", "error": "x"}, JobState.FAILED, FaultKind.PROVIDER_ERROR, None),
        ({"status": "stopped"}, JobState.CANCELED, FaultKind.LOST, None),
    ],
)
def test_a_look_reads_the_word(clip: Model, body: Any, state: JobState, fault: Any, unknown: str | None):
    """A native word reads as what the pack says; one in no list counts as running and is told."""
    found = read.looked(clip, 0, reply(body), NOW)
    assert (found.state, kind(found), found.unknown) == (state, fault, unknown)


@pytest.mark.parametrize(
    ("body", "status", "state"),
    [
        ({}, 429, None),
        ({}, 401, None),
        ({}, 402, None),
        ({}, 500, None),
        ({}, 503, None),
        ({}, 504, None),
        (UNREADABLE, 200, None),
        (UNREADABLE, 302, None),
        ({}, 404, JobState.FAILED),
        ({"error": {"code": "moderated"}}, 400, JobState.FAILED),
    ],
)
def test_a_look_that_fails(clip: Model, body: Any, status: int, state: JobState | None):
    """A look that fails says nothing about the job, unless the job is gone or refused."""
    found = read.looked(clip, 0, reply(body, status), NOW)
    assert found.state is state
    assert found.fault is not None
    assert found.fault.reach is Reach.ACCEPTED


def test_a_job_without_words_for_its_state_cannot_be_looked_at(still: Model):
    """Looking at what answers at once says nothing."""
    assert read.looked(still, 0, reply({}), NOW).state is None


def test_a_look_may_bring_the_outputs(clip: Model):
    """Where no call fetches the result, the look that finds the job done brings it."""
    shape = clip.shapes[0]
    calls = {name: line for name, line in shape.lifecycle.calls.items() if name != "result"}
    lifecycle = replace(shape.lifecycle, calls=calls)
    model = replace(clip, shapes=(replace(shape, lifecycle=lifecycle),))
    found = read.looked(model, 0, reply({"status": "done", "videos": [{"url": "a.mp4"}]}), NOW)
    assert (found.state, found.outputs) == (JobState.SUCCEEDED, (Output("a.mp4"),))


@pytest.mark.parametrize(
    ("body", "status", "state", "fault"),
    [
        ({"videos": [{"url": "a.mp4"}]}, 200, JobState.SUCCEEDED, None),
        ({"videos": []}, 200, JobState.FAILED, FaultKind.UNREADABLE),
        (UNREADABLE, 200, None, FaultKind.UNREADABLE),
        ({"error": {"code": "moderated"}}, 500, JobState.FAILED, FaultKind.CONTENT_BLOCKED),
        ({"error": {"code": "early"}}, 425, None, FaultKind.RATE_LIMITED),
        ({"error": {"message": "no money"}}, 403, None, FaultKind.OUT_OF_CREDIT),
        ({}, 422, JobState.FAILED, FaultKind.INVALID_INPUT),
        ({}, 404, JobState.FAILED, FaultKind.LOST),
        ({}, 500, None, FaultKind.PROVIDER_ERROR),
        (UNREADABLE, 502, None, FaultKind.PROVIDER_ERROR),
    ],
)
def test_a_result_is_fetched(clip: Model, body: Any, status: int, state: JobState | None, fault: FaultKind | None):
    """A result is outputs or the job's own failure; what is about the fetching leaves the job as it was."""
    found = read.fetched(clip, 0, reply(body, status), NOW)
    assert (found.state, kind(found)) == (state, fault)


def test_a_refusal_that_says_success_is_one(clip: Model):
    """A success by its status that names a known failure instead of a job means that nothing began."""
    found = read.submitted(clip, 0, reply({"error": {"code": "early", "wait": "2s"}}), NOW)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.reach, found.fault.pause) == (FaultKind.RATE_LIMITED, Reach.REFUSED, 2000)


def test_a_job_that_began_is_kept_whatever_else_is_said(clip: Model):
    """An answer that holds the job is no refusal, even with words in it that a rule knows."""
    assert read.submitted(clip, 0, reply({**JOB, "error": {"code": "early"}}), NOW).state is JobState.QUEUED


def test_a_cost_counted_at_once_is_kept(clip: Model):
    """What the provider counts when it takes the job is read there."""
    shape = replace(clip.shapes[0], cost=Cost(lambda body: body.get("credits"), 10_000))
    found = read.submitted(replace(clip, shapes=(shape,)), 0, reply({**JOB, "credits": 4}), NOW)
    assert (found.state, found.cost) == (JobState.QUEUED, 40_000)


def test_an_answer_may_be_the_picture_itself(still: Model, clip: Model):
    """A body that is a picture or a film is the output, at once and as a result."""
    at_once = read.submitted(still, 0, reply(Media(b"PNG", "image/png")), NOW)
    assert (at_once.state, at_once.outputs) == (JobState.SUCCEEDED, (Output(b64="UE5H", mime="image/png"),))
    result = read.fetched(clip, 0, reply(Media(b"MP4", "video/mp4")), NOW)
    assert (result.state, result.outputs) == (JobState.SUCCEEDED, (Output(b64="TVA0", mime="video/mp4"),))


def test_a_picture_of_no_bytes_is_none(still: Model):
    """An empty body is no output, whatever type it is declared as."""
    assert kind(read.submitted(still, 0, reply(Media(b"", "image/png")), NOW)) is FaultKind.UNREADABLE
    assert read.submitted(still, 0, reply(Media(b"PNG", "image/" + "x" * 99)), NOW).outputs[0].mime is None


def test_a_picture_where_a_job_is_expected_says_nothing(clip: Model):
    """A picture in answer to the submit or the look of a job leaves open what became of it."""
    submitted = read.submitted(clip, 0, reply(Media(b"PNG", "image/png")), NOW)
    assert submitted.fault is not None
    assert (submitted.fault.kind, submitted.fault.reach) == (FaultKind.UNREADABLE, Reach.UNSURE)
    assert read.looked(clip, 0, reply(Media(b"PNG", "image/png")), NOW).state is None


@pytest.mark.parametrize(
    ("body", "status", "state"),
    [
        ({"status": "broken"}, 404, JobState.FAILED),
        ({"status": "busy"}, 503, JobState.RUNNING),
        ({"status": "done"}, 500, JobState.SUCCEEDED),
        ({"status": "dreaming"}, 503, None),
        ({"status": ["busy"]}, 503, None),
    ],
)
def test_a_known_word_is_believed_whatever_the_status(clip: Model, body: Any, status: int, state: JobState | None):
    """A look that tells how the job stands in a word of the pack is believed under any HTTP status."""
    assert read.looked(clip, 0, reply(body, status), NOW).state is state


@pytest.mark.parametrize(
    ("item", "output"),
    [
        ({"url": "QUJD" * 64}, Output(b64="QUJD" * 64)),
        ({"url": "QUJD\n" * 64 + "QQ=="}, Output(b64="QUJD\n" * 64 + "QQ==")),
        ({"url": "QUJD" * 63}, Output(url="QUJD" * 63)),
        ({"url": "https://acme.example/" + "QUJD" * 64}, Output(url="https://acme.example/" + "QUJD" * 64)),
        ({"b64": "data:image/png;base64,QUJD"}, Output(url="data:image/png;base64,QUJD")),
        ({"url": "a.png", "b64": "QUJD"}, Output("a.png", "QUJD")),
    ],
)
def test_base64_is_told_from_an_address(still: Model, item: dict[str, str], output: Output):
    """Long base64 where an address is expected is taken for bytes, and a whole `data:` URI for an address."""
    assert read.submitted(still, 0, reply({"images": [item]}), NOW).outputs == (output,)
