"""The benchmark of outputs, of events, of looks and of where the time goes, at the smallest scale; and how stacks are sorted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import fanout, looks, outputs, profile
from tests.bench.figure import Bench, Figure
from tests.bench.sampler import Frame, Stack, read
from tests.bench.stages import Stage, is_in, is_resting, stage


def measured(workload, scratch: Path) -> dict[str, Figure]:
    """What a workload says when it is hardly given time, by what it is about."""
    bench = Bench(1, 0.2, quick=True, scratch=scratch, say=lambda _: None)
    return {figure.what: figure for figure in workload.measure(bench)}


def test_outputs_are_whole_and_take_little_memory(tmp_path: Path) -> None:
    """A film goes through, comes in and is read again; each time the process grows by less than 16 MiB."""
    found = measured(outputs, tmp_path)
    rates = {what: figure for what, figure in found.items() if figure.unit == "MB/s"}
    assert len(found) == 2 * len(rates) == 6
    assert all(figure.ours for figure in rates.values())
    assert all(found[f"{what}: memory"].met for what in rates), found


def test_everybody_is_told_of_everything(tmp_path: Path) -> None:
    """All events come, as large as those they are held against."""
    [figure] = measured(fanout, tmp_path).values()
    assert figure.ours, figure
    assert figure.ratio, figure
    assert "40 events" in figure.note


def test_looks_are_few_and_in_time(tmp_path: Path) -> None:
    """The goals of the design hold, and for jobs under the real runs too."""
    found = measured(looks, tmp_path)
    assert len(found) == 6
    assert all(figure.met for figure in found.values()), found


def test_a_quick_profile_installs_nothing(tmp_path: Path) -> None:
    """What a call costs in all is there; the stages are skipped, and say why."""
    whole, stages = measured(profile, tmp_path).values()
    assert whole.ours, whole
    assert whole.unit == "µs CPU/call"
    assert (stages.ours, stages.met) == (None, None)
    assert "installs nothing" in stages.note


def of(*frames: str) -> Stack:
    """A stack of frames written as `function file`, the outermost first."""
    return Stack(1, "MainThread", tuple(Frame(*frame.split()) for frame in frames), 1)


RUN = "Runner.run /lib/python3/asyncio/runners.py"


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((RUN,), Stage.LOOP),
        ((RUN, "Runs._guard /x/gateway/attempts/run.py"), Stage.WALK),
        ((RUN, "Runs._guard /x/gateway/attempts/run.py", "Wire.send /x/gateway/providers/wire.py"), Stage.SUBMIT),
        ((RUN, "Wire.send /x/gateway/providers/wire.py", "dumps /lib/json/__init__.py"), Stage.SUBMIT),
        ((RUN, "Wire.send /x/gateway/providers/wire.py", "_read /x/gateway/providers/wire.py"), Stage.REPLY),
        ((RUN, "_accept /x/gateway/ingress/intake.py", "event /x/gateway/log/events.py"), Stage.OBSERVE),
        ((RUN, "Guard.hold /x/gateway/ingress/callers.py", "read /x/gateway/ledger/database.py"), Stage.WRITE),
        (("start /x/lib/threading.py",), Stage.OTHER),
    ],
)
def test_the_innermost_row_decides(frames: tuple[str, ...], expected: Stage) -> None:
    """A stack belongs to the innermost call that has a stage; what is shared counts for whoever called it."""
    assert stage(of(*frames))[0] is expected


def test_a_thread_that_waits_for_work_rests() -> None:
    """Whether it does is said by the call it is at, and a commit is none of those."""
    waits, commits = "_connection_worker_thread /x/aiosqlite/core.py", "commit /x/gateway/ledger/sqlite.py"
    assert is_resting(of(waits))
    assert not is_resting(of(waits, commits))
    assert is_in(of(waits, commits), "gateway/ledger/sqlite.py", "commit*")


def test_stacks_are_read_as_they_are_written() -> None:
    """Thread, frames and count of each line; what is no stack is left out."""
    text = "thread (12): Main Thread;<module> (/x/y z.py:3);A.<locals>.b (/x/c.py:14) 7\nnothing 1\n"
    [found] = read(text)
    assert found == Stack(12, "Main Thread", (Frame("<module>", "/x/y z.py"), Frame("A.<locals>.b", "/x/c.py")), 7)
