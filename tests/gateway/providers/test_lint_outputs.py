"""A path to outputs that cannot work is found before an answer comes."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import parse
from gateway.providers.lint.outputs import outputs
from gateway.providers.noting import Noting
from tests.gateway.providers import acme


def said(path: str) -> list[str]:
    """What is wrong with a path to outputs."""
    note = Noting(parse("outputs: x", "provider.yaml"))
    outputs(path, ("outputs",), note)
    return [mistake.message for mistake in note.mistakes]


@pytest.mark.parametrize(
    "path",
    [
        "images[].{url: url}",
        "[output][].{url: @}",
        "data[?b64_json].{b64: b64_json, mime: type}",
        "images[].{url: url} || [image][].{url: url}",
        "result | images[].{url: url, width: w, height: h}",
        "clips[*].{url: file.url}",
        "[]",
        "outputs",
        "not a path at all",
    ],
)
def test_a_path_that_may_work_is_left_alone(path: str) -> None:
    """Lists of objects pass, and so does what only an answer can judge."""
    assert said(path) == []


@pytest.mark.parametrize("path", ["[output].{url: @}", "video.{url: url}", "clips[0].{url: @}", "x[] | {url: [0]}"])
def test_one_object_is_no_list(path: str) -> None:
    """A path that ends in a single object is told what would make a list of it."""
    assert said(path) == ["this finds one object, and outputs are a list: `[picture][].{url: url}`"]


def test_a_part_nobody_reads_is_told() -> None:
    """A misspelt part is named with the one that was meant, and without link or bytes there is no output."""
    assert said("images[].{base64: data}") == [
        "an output has no part 'base64'; did you mean 'b64'?",
        "an output needs a `url` or a `b64`",
    ]


@pytest.mark.parametrize("file", ["acme/provider.yaml", "acme/acme/still.yaml"])
def test_it_is_looked_at_wherever_it_stands(tmp_path: pathlib.Path, file: str) -> None:
    """The outputs of a lifecycle and those of a model are both held to it."""
    files = dict(acme.FILES)
    if file.endswith("provider.yaml"):
        files = acme.bent(file, '"videos[].{url: url}"', '"video.{url: url}"')
    else:
        files[file] += 'outputs: "image.{url: url}"\n'
    [mistake] = acme.mistakes(tmp_path, files)
    assert mistake.startswith(f"{file}:")
    assert "outputs are a list" in mistake
