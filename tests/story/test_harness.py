"""The harness in short: each suite at a size for every change; the long sizes run by hand, see `tests/harness/*.py --help`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from tests.harness import boot, clock, disk, mutants, powercut, simulation, syscalls, trace

needs_strace = pytest.mark.skipif(not trace.has_strace(), reason="strace is not installed: apt-get install strace")


def show(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Print a line of figures past the capture."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")


def test_simulated_crashes_lose_nothing(capsys) -> None:
    """Every seed that once found something and twenty more end with nothing lost, stuck, mischarged or sent twice."""
    figures, failed = simulation.many(sorted({*simulation.known_seeds(), *range(23)}))
    show(capsys, figures)
    assert not failed, [(each.seed, each.verdict.notes[:3]) for each in failed]


def test_second_jobs_lose_nothing_either(capsys) -> None:
    """Where most jobs are thought slow and each may have a second one beside it, all of that holds as well."""
    figures, failed = simulation.many(range(8), hedged=True)
    show(capsys, f"hedged {figures}")
    assert not failed, [(each.seed, each.verdict.notes[:3]) for each in failed]
    assert " hedges=0 " not in figures


def test_a_seed_is_the_same_run_every_time() -> None:
    """The same seed gives the same events in the same order, another seed others."""
    assert simulation.run(3).digest == simulation.run(3).digest != simulation.run(4).digest


def test_setting_the_clock_ends_nothing(capsys) -> None:
    """F48: hours, days and the end of 32 bits: no generation under way expires, hangs or is late."""
    figures = clock.run(1)
    show(capsys, "clock " + figures.line())
    assert not figures.bad(), figures.notes


@needs_strace
@pytest.mark.parametrize(("synchronous", "cuts", "loses"), [("FULL", 60, "nothing"), ("NORMAL", 20, "some")])
def test_power_cuts_lose_no_promise(capsys, synchronous: str, cuts: int, loses: str) -> None:
    """F65, F66: with the full sync every promise survives a power cut; with less the harness sees that some do not."""
    with tempfile.TemporaryDirectory() as folder:
        figures = powercut.run(cuts, 1, Path(folder), synchronous)
    show(capsys, f"powercut synchronous={synchronous} {figures.line()}")
    assert ("some" if figures.bad() else "nothing") == loses, figures.notes[:5]


@needs_strace
async def test_tampered_system_calls_lose_nothing(capsys, tmp_path: Path) -> None:
    """F13, F15, F65, F66: killed at a write, told of an ill or of a full disk: a restart is enough and nothing is charged twice."""
    figures = await syscalls.run(3, 5, tmp_path)
    show(capsys, "syscalls " + figures.line())
    assert not figures.bad(), figures.notes


@pytest.mark.parametrize("name", ["used_twice", "gone"])
async def test_a_store_in_trouble(name: str, tmp_path: Path) -> None:
    """F68: a store in use is refused to a second process, and one that is taken away ends the first."""
    assert await disk.run([name], tmp_path) == []


async def test_a_restart_takes_up_everything_gently(capsys, tmp_path: Path) -> None:
    """F77: whatever was live goes on, nothing is sent twice, and the providers do not hear from all at once."""
    figures = await boot.run(100, 1, tmp_path)
    show(capsys, "boot " + figures.line())
    assert not figures.bad(), figures.notes
    assert figures.seconds_to_ready < 20  # of a slow machine with other work; by hand it is held to 2


def test_every_mutant_can_be_made(tmp_path: Path) -> None:
    """The texts that the known-bad changes replace stand where they are expected, once each."""
    root = mutants.copied(tmp_path)
    for mutant in mutants.MUTANTS:
        kept = {edit.file: (root / edit.file).read_text() for edit in mutant.edits}
        mutants.apply(mutant, root)
        for file, text in kept.items():
            (root / file).write_text(text)


def test_a_mutant_is_caught() -> None:
    """A gateway that charges the hold instead of the price does not get through the simulation."""
    [mutant] = [mutant for mutant in mutants.MUTANTS if mutant.name == "the hold is charged instead of the price"]
    is_caught, said = mutants.caught(mutant)
    assert is_caught, said
