"""The failure table: every point at which something can fail in one process, and the tests that hold it.

A test names the row it holds in its docstring, or is named here. Rows that need a process under load or a broken disk belong to
suites of their own, which are run by hand; they are listed with the suite.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_ROW = re.compile(r"\bF\d\d\b")

ROWS: Mapping[str, str] = {
    "F01": "the answer to a create is lost",
    "F02": "one key for two requests",
    "F03": "a hundred requests at once under one key",
    "F04": "the client goes away before the answer",
    "F05": "killed before the commit",
    "F06": "killed between commit and answer",
    "F07": "invalid input under a key",
    "F08": "a thousand holds on credit for ten",
    "F09": "more work than is taken on",
    "F10": "an input that is slow, huge or inside",
    "F11": "a body too large, slow, deep or no text",
    "F12": "killed between the hold and the first call",
    "F13": "killed after the intent, before a byte leaves",
    "F14": "the answer to a submit is lost",
    "F15": "killed before the reference is kept",
    "F16": "a good status with an unreadable body",
    "F17": "no connection",
    "F18": "an error status that may hide a job",
    "F19": "too many requests",
    "F20": "a credential that is refused",
    "F21": "a parameter that is refused",
    "F22": "content that is refused",
    "F23": "one reference for two submits",
    "F24": "two see the same result",
    "F25": "a state that goes back",
    "F26": "looks that fail while the job runs",
    "F27": "a job nobody knows",
    "F28": "a job that never ends",
    "F29": "a forged callback",
    "F30": "a callback before the answer to the submit",
    "F31": "fewer outputs than asked for",
    "F32": "a success without an output",
    "F33": "answers without an end",
    "F34": "an output that is not there",
    "F35": "an output that is short, endless, slow or lies",
    "F36": "a page instead of a picture",
    "F37": "a picture that is a bomb",
    "F38": "an output whose address leads inside",
    "F39": "the store of files is down",
    "F40": "killed while an output is written",
    "F41": "the disk of outputs is full",
    "F42": "killed between stored and settled",
    "F43": "settled or released twice",
    "F44": "a result that comes too late",
    "F45": "a cancellation against a success",
    "F46": "a provider that cannot be told to stop",
    "F47": "a price that changes meanwhile",
    "F48": "a clock that is set",
    "F49": "the deadline against a success",
    "F50": "a receiver that is down",
    "F51": "a receiver that hangs",
    "F52": "a receiver that says gone, later or too much",
    "F53": "a receiver that redirects",
    "F54": "killed after an event was sent",
    "F55": "a secret that is rotated meanwhile",
    "F56": "ten thousand events at once",
    "F57": "a receiver whose name leads inside",
    "F58": "told to stop while work runs",
    "F59": "killed at any moment",
    "F60": "the loop is blocked",
    "F61": "no descriptors left",
    "F62": "no memory left",
    "F63": "a configuration that changes",
    "F64": "the store is locked by another tool",
    "F65": "the disk of the store is full",
    "F66": "the disk of the store fails",
    "F67": "an old program on a new store",
    "F68": "two processes on one store",
    "F69": "a backup that is restored",
}

# Held by tests that say it in other words: the file, and the tests in it.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "F08": ("gateway/ledger/test_generations.py::test_a_thousand_at_once_on_credit_for_ten",),
    "F10": (
        "gateway/attempts/test_attempt.py::test_a_picture_that_cannot_be_had_sends_nothing",
        "gateway/attempts/test_inputs.py::test_what_cannot_be_handed_over_is_told",
        "story/test_story.py::test_bad_input_is_refused_by_name",
    ),
    "F11": (
        "gateway/ingress/test_body.py::test_a_body_has_a_largest_size",
        "gateway/ingress/test_body.py::test_a_body_that_never_ends_is_given_up",
        "gateway/ingress/test_body.py::test_whatever_comes_is_read_or_refused",
    ),
    "F20": ("gateway/routing/test_health.py::test_one_refused_credential_rests_all_its_models",),
    "F21": ("gateway/attempts/test_decide.py::test_another_offer_is_asked_at_once",),
    "F22": ("gateway/attempts/test_run.py::test_refused_content_is_not_shown_to_another_provider",),
    "F23": ("gateway/ledger/test_attempts.py::test_a_reference_belongs_to_one_attempt",),
    "F29": (
        "gateway/ingress/test_nudges.py::test_whoever_has_no_proof_learns_nothing",
        "gateway/ingress/test_nudges.py::test_a_body_is_never_believed",
    ),
    "F33": ("gateway/providers/test_wire.py::test_an_endless_answer_is_cut",),
    "F34": ("gateway/attempts/test_run.py::test_a_job_that_comes_to_nothing_leads_to_the_next_provider",),
    "F35": (
        "gateway/artifacts/test_fetch.py::test_short_bodies_are_truncated",
        "gateway/artifacts/test_fetch.py::test_too_large_is_told_early_and_late",
        "gateway/artifacts/test_fetch.py::test_a_trickle_is_too_slow",
    ),
    "F36": ("gateway/artifacts/test_store.py::test_other_media_leaves_nothing",),
    "F37": ("gateway/artifacts/test_kinds.py::test_too_many_pixels_are_refused",),
    "F38": (
        "gateway/test_egress.py::test_redirects_are_guarded",
        "gateway/test_egress.py::test_rebinding_is_stopped",
    ),
    "F41": ("gateway/artifacts/test_disk.py::test_a_failing_write_leaves_nothing",),
    "F43": (
        "gateway/ledger/test_endings.py::test_settling_twice_moves_money_once",
        "gateway/ledger/test_endings.py::test_releasing_twice_gives_back_once",
    ),
    "F58": (
        "gateway/commands/test_tidegate_serve.py::test_serves_until_sigterm",
        "gateway/attempts/test_nudge.py::test_a_callback_does_not_keep_the_process_from_stopping",
    ),
    "F59": ("gateway/ledger/test_crash.py::test_a_killed_process_loses_nothing_it_acknowledged", "story/test_kills.py"),
    "F63": (
        "gateway/commands/test_tidegate_serve.py::test_reload_takes_good_files_and_refuses_bad_ones",
        "gateway/commands/test_tidegate_reloading.py::test_broken_policy_is_not_taken",
    ),
    "F64": ("gateway/ledger/test_lane.py::test_a_locked_file_is_busy_and_heals",),
    "F65": ("gateway/ledger/test_lane.py::test_a_full_disk_fails_the_whole_batch_and_heals",),
    "F66": (
        "gateway/ledger/test_lane.py::test_after_a_disk_error_nothing_more_is_written",
        "gateway/ledger/test_database.py::test_a_damaged_store_is_refused",
    ),
    "F67": ("gateway/ledger/test_migrations.py::test_a_newer_store_is_refused",),
    "F68": ("gateway/ledger/test_database.py::test_the_second_opener_is_refused",),
}

# Held by the suite of the webhooks, from one end to the other.
WEBHOOKS = tuple(f"F{number}" for number in range(50, 58))

# They need a whole process short of something; no test of this run can be told to be that short.
BY_HAND = {
    "F60": "a loop that stands still",
    "F61": "a process of few descriptors",
    "F62": "a process of little memory",
}


@cache
def those_in(path: Path) -> Mapping[str, str]:
    """The tests in a file, by name, with what each says of itself."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name: ast.get_docstring(node) or "" for node in found if node.name.startswith("test_")}


def named() -> Iterator[tuple[str, str]]:
    """Each row a test names in its docstring, and where."""
    for path in sorted(TESTS.rglob("test_*.py")):
        if path == Path(__file__):
            continue
        for name, says in those_in(path).items():
            yield from ((row, f"{path.relative_to(TESTS)}::{name}") for row in _ROW.findall(says))


def test_the_table_has_every_row() -> None:
    """The rows go from F01 to F69 without a gap."""
    assert list(ROWS) == [f"F{number:02}" for number in range(1, 70)]


@pytest.mark.parametrize("row", [row for row in ROWS if row not in {*WEBHOOKS, *BY_HAND}])
def test_a_row_is_held(row: str) -> None:
    """At least one test names the row, or is named for it and is there."""
    found = [where for one, where in named() if one == row]
    assert found or row in ELSEWHERE, f"no test holds {row}: {ROWS[row]}"


@pytest.mark.parametrize("where", sorted({where for places in ELSEWHERE.values() for where in places}))
def test_what_is_named_is_there(where: str) -> None:
    """A test that is said to hold a row exists under that name."""
    path, _, name = where.partition("::")
    assert (TESTS / path).is_file()
    assert not name or name in those_in(TESTS / path)


def test_no_test_names_a_row_that_is_none() -> None:
    """A row that is named in a test is one of the table, or of replicas and scale beyond it."""
    assert [where for row, where in named() if row not in ROWS and not "F70" <= row <= "F80"] == []


def test_the_suite_of_the_webhooks_is_there() -> None:
    """The rows about receivers are held where the webhooks are."""
    assert list((TESTS / "gateway" / "webhooks").glob("test_*.py"))
