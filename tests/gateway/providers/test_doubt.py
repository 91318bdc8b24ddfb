"""The word `doubt`: what a pack may claim, what is sent for it, and how a list of jobs reads."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from gateway.fault import FaultKind
from gateway.providers import read, render
from gateway.providers.classify import UNREADABLE
from gateway.providers.pack import CallName, Discoverable, Idempotent, JobState, Model
from gateway.providers.render import Site
from tests.gateway.providers import acme

PACE = "    pace: {first: 2s, every: 500ms, deadline: 10m}\n"
CLIP = {"prompt": "x", "duration": 5}
SITE = Site("https://api.acme.example/v1", "https://api.acme.example/v1", ())
KEEP = "{id: number, result: more}"
LISTED = f'{{tag: reference, find: {{call: "GET /jobs?of=$model", at: jobs, tag: meta.reference, keep: {KEEP}}}}}'
TAG = "9b1c-1"


def clip(folder: pathlib.Path, doubt: str) -> Model:
    """Give the video model of the invented pack with this claim."""
    files = acme.bent("acme/provider.yaml", PACE, f"{PACE}    doubt: {doubt}\n")
    return acme.model(acme.loaded(folder, files), "clip")


def found(model: Model, body: Any, status: int = 200) -> read.Reading:
    """Read a list of jobs, looking for ours."""
    return read.found(model, 1, acme.reply(body, status), frozenset({TAG, "https://gate.example/9b1c"}), 0)


def test_blind_is_what_holds_when_nothing_is_said(tmp_path: pathlib.Path):
    """A pack that says nothing claims nothing, and one that says so sends nothing of ours."""
    silent = acme.model(acme.loaded(tmp_path / "silent"), "clip")
    blind = clip(tmp_path / "blind", "blind")
    assert silent.shapes[1].lifecycle.doubt is blind.shapes[1].lifecycle.doubt is None
    assert render.submit(blind, 1, CLIP, SITE, tag=TAG) == render.submit(silent, 1, CLIP, SITE)
    assert render.find(blind, 1, SITE) is None


def test_a_key_goes_out_in_a_header(tmp_path: pathlib.Path):
    """The attempt's tag is the key, beside the headers the call has anyway."""
    model = clip(tmp_path, "{key: {header: Idempotency-Key}}")
    assert model.shapes[1].lifecycle.doubt == Idempotent("Idempotency-Key", None)
    call = render.submit(model, 1, CLIP, SITE, tag=TAG)
    assert (call.headers["Idempotency-Key"], call.headers["x-mode"]) == (TAG, "plain")
    assert call.body == render.submit(model, 1, CLIP, SITE).body
    assert "Idempotency-Key" not in render.submit(model, 1, CLIP, SITE).headers


def test_a_key_goes_out_in_the_body(tmp_path: pathlib.Path):
    """Where the provider takes it in a field, it joins the body."""
    call = render.submit(clip(tmp_path, "{key: {field: request_id}}"), 1, CLIP, SITE, tag=TAG)
    assert call.body == {"prompt": "x", "seconds": "5", "request_id": TAG}


def test_a_tag_goes_out_and_the_list_is_asked_for(tmp_path: pathlib.Path):
    """A job that can be found carries our tag, and the call that lists jobs may name the model."""
    model = clip(tmp_path, LISTED)
    doubt = model.shapes[1].lifecycle.doubt
    assert isinstance(doubt, Discoverable)
    assert render.submit(model, 1, CLIP, SITE, tag=TAG).body["reference"] == TAG
    call = render.find(model, 1, SITE)
    assert call is not None
    assert (call.name, call.method, call.has_body) == (CallName.FIND, "GET", False)
    assert call.url == "https://api.acme.example/v1/jobs?of=acme/clip/from-text"
    assert call.headers["Authorization"] == "Bearer $secret.ACME_KEY"


def test_a_job_with_our_tag_is_found(tmp_path: pathlib.Path):
    """The item that shows our tag, or the address it was given, is ours: what finds it later is kept of it."""
    model = clip(tmp_path, LISTED)
    for mark in (TAG, "https://gate.example/9b1c"):
        items = [{"number": 1, "more": "/r/1"}, {"number": 2, "more": "/r/2", "meta": {"reference": mark}}]
        assert found(model, {"jobs": items}) == read.Reading(JobState.QUEUED, kept={"id": 2, "result": "/r/2"})


@pytest.mark.parametrize("jobs", [[], [{"number": 1, "more": "x", "meta": {"reference": "9b1c-2"}}, 7, None]])
def test_a_list_without_our_tag_says_that_it_is_not_there(tmp_path: pathlib.Path, jobs: list[Any]):
    """Another attempt's job is not ours; neither a state nor a fault comes of it."""
    assert found(clip(tmp_path, LISTED), {"jobs": jobs}) == read.Reading(None)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"jobs": []}, 503, FaultKind.OVERLOADED),
        ({"jobs": {}}, 200, FaultKind.UNREADABLE),
        (UNREADABLE, 200, FaultKind.UNREADABLE),
        ({"jobs": [{"meta": {"reference": TAG}}]}, 200, FaultKind.UNREADABLE),
    ],
)
def test_a_list_that_cannot_be_read_says_nothing(tmp_path: pathlib.Path, body: Any, status: int, kind: FaultKind):
    """Whether the job began stays open, and the fault tells why."""
    reading = found(clip(tmp_path, LISTED), body, status)
    assert reading.fault is not None
    assert (reading.state, reading.fault.kind) == (None, kind)


@pytest.mark.parametrize(
    ("doubt", "said"),
    [
        ("sure", "doubt"),
        ("{key: {}}", "key"),
        ("{key: {header: X, field: y}}", "either `header` or `field`"),
        ("{key: {header: a b}}", "not the name of a header"),
        ("{key: {header: authorization}}", "carries something else"),
        ("{find: {call: GET /jobs, at: jobs, tag: tag}}", "nothing of ours goes out"),
        ("{tag: t, find: {call: GET /jobs, at: jobs, tag: tag, keep: {id: id}}}", "result is missing"),
        ("{tag: t, find: {call: GET /jobs/$id, at: jobs, tag: tag}}", "$id is never kept"),
        ('{tag: t, find: {call: GET /jobs, at: "jobs[", tag: tag}}', "JMESPath"),
    ],
)
def test_a_claim_that_cannot_be_is_refused(tmp_path: pathlib.Path, doubt: str, said: str):
    """Each is one line that says what is wrong."""
    files = acme.bent("acme/provider.yaml", PACE, f"{PACE}    doubt: {doubt}\n")
    wrong = acme.mistakes(tmp_path, files)
    assert any(said in line for line in wrong), wrong


def test_what_answers_at_once_cannot_be_found(tmp_path: pathlib.Path):
    """A call that holds the line has nothing to look at, so a list of its jobs is of no use."""
    line = "    pace: {deadline: 2m}\n"
    files = acme.bent("acme/provider.yaml", line, f"{line}    doubt: {LISTED}\n")
    assert any("without a `status` call" in each for each in acme.mistakes(tmp_path, files))
