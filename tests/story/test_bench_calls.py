"""The benchmark's core, and its calls and creates at the smallest scale: what is measured is there, in the form that others read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench import calls, creates, peers
from tests.bench.answers import Answers, Unreadable
from tests.bench.far import far_end
from tests.bench.figure import Bench, Of, alone, at_least, at_most, compared, skipped, table, told, void
from tests.bench.load import Load, apply
from tests.bench.process import ROOT, module
from tests.bench.rounds import alternating
from tests.bench.sample import sample, wrong


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory):
    """A far end, by its origin."""
    with far_end(tmp_path_factory.mktemp("far")) as (origin, _):
        yield origin


@pytest.mark.parametrize(("workload", "count"), [(calls, 3), (creates, 2)])
def test_calls_and_creates_are_measured(workload, count: int, tmp_path: Path) -> None:
    """Each figure has a value of ours, with theirs beside it unless it is told of ours alone, and no answer was wrong."""
    bench = Bench(1, 0.2, quick=True, scratch=tmp_path, say=lambda _: None)
    figures = list(workload.measure(bench))
    assert len(figures) == count
    for figure in figures:
        assert figure.ours is not None, figure
        assert figure.ratio or figure.goal.of is Of.OURS, figure
        assert figure.met in {True, False}  # at this scale neither says anything


def test_the_median_of_ratios_is_judged() -> None:
    """Rounds are compared with the round beside them, and what is quoted is their median with the least and the most."""
    figure = compared("calls", "it", [6, 10, 30], [10, 10, 60], "calls/s", at_least(0.6))
    assert (figure.ratio, figure.spread, figure.met) == (0.6, (0.5, 1.0), True)
    assert not compared("calls", "it", [5, 10, 30], [10, 10, 60], "calls/s", at_least(0.6)).met
    added = alone("calls", "it", [3.0, 9.0, 4.0], "ms", at_most(5, Of.OURS))
    assert (added.ours, added.met, added.spread) == (4.0, True, (3.0, 9.0))


def test_what_went_wrong_misses_and_what_is_not_there_does_not() -> None:
    """A void figure misses its goal; a skipped one neither meets nor misses it, and both say why."""
    lines = [void("calls", "a", "3 errors", at_least(1)), skipped("calls", "b", "no nginx", at_least(1))]
    assert [figure.met for figure in lines] == [False, None]
    shown = table(lines).splitlines()
    assert "| NO " in shown[2]
    assert "void: 3 errors" in shown[2]
    assert "| NO " not in shown[3]
    assert "skipped: no nginx" in shown[3]
    assert len({len(line) for line in shown}) == 1
    assert json.loads(json.dumps(told(lines, {})))["figures"][1]["note"] == "skipped: no nginx"


def test_rounds_go_to_and_fro(tmp_path: Path) -> None:
    """Whoever is first in one round is last in the next."""
    order: list[str] = []
    ways = {name: lambda name=name: order.append(name) for name in "ab"}
    alternating(Bench(3, 1, quick=True, scratch=tmp_path, say=lambda _: None), ways)
    assert "".join(order) == "abbaab"


@pytest.mark.parametrize(
    ("asked", "why"),
    [({"holds": "b64_jsonx"}, "200"), ({"least": 1_000_000}, "200"), ({"status": 201}, "200")],
)
def test_an_answer_that_is_not_expected_is_an_error(far: str, asked: dict[str, object], why: str) -> None:
    """A wrong status, a body too short, a body without what it has to hold: none counts as an answer."""
    found = apply(Load(f"{far}/small/v1/images/generations", 2, count=10, method="POST", body="{}", **asked))
    assert (found.requests, found.errors, found.rate) == (10, 10, 0)
    assert why in found.wrong[0]


def test_all_are_asked_alike(far: str, tmp_path: Path) -> None:
    """A pass-through gives what the far end gives, and the far end was asked as often as it says."""
    with peers.bare(tmp_path, f"{far}/large") as peer:
        url = f"{peer.origin}/v1/images/generations"
        found = sample(peer.process, Load(url, 4, count=20, method="POST", body="{}", least=1_000_000))
        counted = apply(Load(f"{far}/_counts", 1, count=1, holds='"POST /large/v1/images/generations": 20'))
    assert wrong([found]) == ""
    assert found.told.requests == 20
    assert counted.errors == 0


def test_nobody_there_is_told() -> None:
    """A load on a port where nobody listens ends, and every connection is an error."""
    found = apply(Load("http://127.0.0.1:9/", 3, seconds=0.1))
    assert found.errors == 3


def test_answers_are_read_however_they_come() -> None:
    """With a length or in chunks, whole or byte by byte, several at once."""
    sized = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    empty = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
    whole = sized + empty + chunked + sized
    for step in (1, 2, 7, len(whole)):
        read: list[tuple[int, bytes, int]] = []
        answers = Answers(lambda *one, read=read: read.append(one), kept=4)
        for start in range(0, len(whole), step):
            answers.feed(whole[start : start + step])
        assert read == [(200, b"hell", 5), (404, b"", 0), (201, b"hell", 5), (200, b"hell", 5)]
    with pytest.raises(Unreadable):
        Answers(lambda *_: None, kept=4).feed(b"SSH-2.0-x\r\n\r\n")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found under /proc")
def test_nothing_outlives_it(tmp_path: Path) -> None:
    """However the benchmark ends, Ctrl-C or SIGKILL, all that it started ends too."""
    for number in (signal.SIGINT, signal.SIGKILL):
        environ = {**os.environ, "TMPDIR": str(tmp_path)}
        command = module("tests.bench", "--only", "creates")
        run = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            _until(lambda: _below(tmp_path), 30)
            run.send_signal(number)
            said, _ = run.communicate(timeout=60)
            assert run.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
            assert said.count("| workload |") == (number == signal.SIGINT)  # what was measured until then
            _until(lambda: not _below(tmp_path), 30)
        finally:
            run.kill()
            run.wait()


def _below(folder: Path) -> list[int]:
    """The processes whose command names a file in a folder, or that write into it."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes().decode()
                outputs = str((place / "fd/1").readlink())
            except OSError:
                continue
            if f"{folder}/" in words or outputs.startswith(f"{folder}/"):
                found.append(int(place.name))
    return found


def _until(holds, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it never came to hold"
        time.sleep(0.05)
