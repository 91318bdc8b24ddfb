"""Known-bad changes to the gateway, each of which a suite has to notice; a suite that does not is not to be trusted.

Run alone: `python -m tests.harness.mutants [--only NAME]`. Each mutant is a small edit of the sources in a scratch copy; the suite that
must catch it is run there and has to fail. Exits 1 when one is not caught, or when its text is no longer found.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = ("gateway", "tests", "providers.d", "pyproject.toml", "config.example.yaml", "README.md")
_PATIENCE = 1200  # seconds for one suite; a mutant that makes it hang is caught as well

SIMULATION = ("-m", "tests.harness.simulation", "--seeds", "150", "--most", "1")
CLOCK = ("-m", "tests.harness.clock")
ATTEMPTS = ("-m", "pytest", "-n", "0", "-x", "tests/gateway/attempts")
POWERCUT = ("-m", "tests.harness.powercut", "--cuts", "150")


@dataclass(frozen=True, slots=True)
class Edit:
    """One text of one file, replaced by another; it must stand there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is made wrong, and who has to notice."""

    name: str
    edits: tuple[Edit, ...]
    suite: tuple[str, ...] = SIMULATION


_ATTEMPT, _RUN = "gateway/attempts/attempt.py", "gateway/attempts/run.py"
_COLLECT, _DECIDE = "gateway/attempts/collect.py", "gateway/attempts/decide.py"
_GENERATIONS, _ENDINGS = "gateway/ledger/generations.py", "gateway/ledger/endings.py"
_SQLITE = "gateway/ledger/sqlite.py"
_TOGETHER = "gateway/ledger/together.py"

MUTANTS: Sequence[Mutant] = (
    Mutant(
        "who loses against a second job runs on",
        (Edit(_ATTEMPT, "        job.wins()\n", ""),),
        ATTEMPTS,
    ),
    Mutant(
        "the intent is committed after the act",
        (
            Edit(
                _ATTEMPT,
                "        attempt = await self._store.write(opening)\n",
                "        reading = None if isinstance(call, Fault) else await self._line.submit(job, step, target, call, has_turn=True)\n"
                "        attempt = await self._store.write(opening)\n",
            ),
            Edit(
                _ATTEMPT,
                "        reading = await self._line.submit(job, step, target, call, has_turn=True)\n        if is_unsure",
                "        assert reading is not None\n        if is_unsure",
            ),
        ),
    ),
    Mutant(
        "it is settled before there are bytes",
        (
            Edit(
                _COLLECT,
                "kept.append(await self._keep(job, index, output))",
                "kept.append(Artifact(index, f'file:{job.id}/{index}', '0' * 64, 1, None, None, None))",
            ),
            Edit(
                _COLLECT,
                "kept.append(await self._keeper.keep(job.id, index, output, job.kind))",
                "kept.append(Artifact(index, f'file:{job.id}/{index}', '0' * 64, 1, None, None, None))",
            ),
            Edit(_COLLECT, "records import ArtifactLike", "records import Artifact, ArtifactLike"),
        ),
    ),
    Mutant(
        "the store syncs less",
        (Edit(_SQLITE, "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),),
        POWERCUT,
    ),
    Mutant(
        "outputs are not synced",
        (Edit("gateway/artifacts/part.py", "            os.fsync(file)\n            made", "            made"),),
        POWERCUT,
    ),
    Mutant(
        "a submit in doubt is blindly repeated",
        (
            Edit(
                "gateway/attempts/doubt.py",
                "            case _:\n                reading = unsure",
                "            case _:\n                reading = await self._repeat(job, step, target, unsure, call)",
            ),
        ),
    ),
    Mutant(
        "a restart submits again what was under way",
        (
            Edit(
                _ATTEMPT,
                "                reading = await self._doubts.clear(job, step, target, unsure)\n",
                "                call = await self._line.ready(job, step, target)\n"
                "                reading = unsure if isinstance(call, Fault) else await self._line.submit(job, step, target, call)\n",
            ),
        ),
    ),
    Mutant(
        "a dear job in doubt is followed by another",
        (Edit(_DECIDE, "if may_run(fault) and situation.price > situation.in_doubt_max_cost:", "if False:"),),
    ),
    Mutant(
        "a hold is given back twice",
        (
            Edit(
                _ENDINGS,
                "    return owner\n",
                '    yield from ask("account_release", account=owner["account_id"], amount=owner["amount"])\n'
                "    return owner\n",
            ),
        ),
    ),
    Mutant(
        "a failure keeps what was set aside",
        (
            Edit(
                _ENDINGS,
                'ask("account_release", account=owner["account_id"], amount=owner["amount"])',
                'ask("account_release", account=owner["account_id"], amount=0)',
            ),
        ),
    ),
    Mutant(
        "success does not look whether somebody waits",
        (
            Edit(
                "gateway/ledger/sql/generations.sql",
                " WHERE id = :id AND state = 'storing'\n   AND EXISTS",
                " WHERE id = :id\n   AND EXISTS",
            ),
        ),
    ),
    Mutant(
        "the hold is charged instead of the price",
        (
            Edit(
                _COLLECT,
                "return max(1, share(step.price, count, job.asked))",
                "return max(each.price for each in job.steps)",
            ),
        ),
    ),
    Mutant(
        "a look that fails gives the job up",
        (
            Edit(
                "gateway/providers/read.py",
                "return Reading(None if fault.kind in _PASSING else JobState.FAILED, fault=fault)",
                "return Reading(JobState.FAILED, fault=fault)",
            ),
        ),
    ),
    Mutant(
        "credit is not looked at",
        (
            Edit(
                "gateway/ledger/sql/generations.sql",
                "   AND (posted - held >= :amount OR (SELECT value FROM meta WHERE key = 'credits') = 'track')\n",
                "",
            ),
            Edit(
                "gateway/ledger/sql/together.sql",
                "posted - held >= CAST(e.value->>'amount' AS BIGINT)",
                "posted IS NOT NULL",
            ),
        ),
    ),
    Mutant(
        "an idempotency key is forgotten",
        (
            Edit(_GENERATIONS, "    if key := new.idempotency:\n", "    if (key := new.idempotency) and not key:\n"),
            Edit(_TOGETHER, "    if latest:\n", "    if not latest:\n"),
        ),
    ),
    Mutant(
        "a commit that failed is acknowledged",
        (
            Edit(
                _SQLITE,
                'crowds.apart.items()})\n        connection.execute("COMMIT")\n'
                "    except (sqlite3.Error, StoreFailed) as exc:\n        return _all_undone(connection, works, exc)\n",
                'crowds.apart.items()})\n        connection.execute("COMMIT")\n'
                "    except (sqlite3.Error, StoreFailed) as exc:\n        _all_undone(connection, works, exc)\n"
                "        return [Done(True)] * len(works)\n",
            ),
        ),
    ),
    Mutant(
        "a restart forgets what was never tried",
        (
            Edit(
                "gateway/ledger/sql/generations.sql",
                " WHERE state NOT IN ('succeeded', 'failed', 'canceled') ORDER BY created, seq;",
                " WHERE state NOT IN ('succeeded', 'failed', 'canceled', 'accepted') ORDER BY created, seq;",
            ),
        ),
    ),
    Mutant(
        "a store in trouble strands what it was asked by",
        (Edit(_RUN, "reason=str(error))\n                return True\n", "reason=str(error))\n                return False\n"),),
    ),
    Mutant(
        "deadlines follow the clock that is set",
        (Edit("gateway/attempts/job.py", "    return int(clock.monotonic() * 1000)\n", "    return clock.now_ms()\n"),),
        CLOCK,
    ),
    Mutant(
        "what a provider handed over is not written down",
        (Edit(_ATTEMPT, "links = [asdict(output) for output in reading.outputs if output.url is not None and not is_inline(output.url)]", "links = []"),),
    ),
    Mutant(
        "a cancelled job is not stopped at its provider",
        (Edit(_ATTEMPT, "        told = await self._line.cancel(step, target, kept, account=job.account)\n        if job.stopped", "        told = Told.SENT\n        if job.stopped"),),
        ATTEMPTS,
    ),
    Mutant(
        "a failure of our own stop is held against the provider",
        (Edit("gateway/attempts/job.py", "    return lost or attempt.state is AttemptState.SUBMITTING\n", "    return lost\n"),),
        ("-m", "pytest", "-n", "0", "-x", "tests/gateway/attempts/test_resume.py"),
    ),
    Mutant(
        "a success is announced in a transaction of its own",
        (
            Edit(
                _ENDINGS,
                '    yield from announce(EventType.COMPLETED, owner["account_id"], generation, seq, {}, at)\n    return True\n',
                "    return True\n\n\n"
                "def announce_success(generation: str, at: int) -> Program[None]:\n"
                '    row = yield from one("generation_any", id=generation)\n'
                '    yield from announce(EventType.COMPLETED, row["account_id"], generation, row["seq"], {}, at)\n',
            ),
            Edit(
                _COLLECT,
                "        return Done()\n",
                "        from gateway.ledger.endings import announce_success\n\n"
                "        await self._store.write(announce_success(job.id, self._clock.now_ms()))\n"
                "        return Done()\n",
            ),
        ),
    ),
    Mutant(
        "a failure is not announced",
        (Edit(_ENDINGS, '    yield from announce(EventType.FAILED, owner["account_id"], generation, ended["seq"], {}, at)\n', ""),),
    ),
    Mutant(
        "a canceled job is looked at until it ends",
        (Edit(_ATTEMPT, "        return not job.is_unwanted\n", "        return True\n"),),
        ATTEMPTS,
    ),
    Mutant(
        "a restart looks at everything at once",
        (Edit("gateway/attempts/turns.py", "                await self._clock.sleep(rest)\n", "                await self._clock.sleep(0)\n"),),
        ("-m", "pytest", "-n", "0", "-x", "tests/gateway/attempts/test_turns.py"),
    ),
    Mutant(
        "what is owed to a receiver is forgotten",
        (
            Edit(
                "gateway/ledger/sql/events.sql",
                "   AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = v.seq AND (d.ended IS NULL OR d.ended >= :before))\n",
                "",
            ),
        ),
        ("-m", "pytest", "-n", "0", "-x", "tests/gateway/ledger/test_events.py"),
    ),
    Mutant(
        "names are looked up before an address is judged, addresses are not",
        (Edit("gateway/egress.py", "        why = policy.refusal(address)\n", "        why = None\n"),),
        ("-m", "pytest", "-n", "0", "-x", "tests/gateway/test_egress.py"),
    ),
    Mutant(
        "a status may be of any length",
        (Edit("gateway/providers/wire.py", "self._longest if call.hands_over else min(self._longest, _room(sent))", "self._longest"),),
        ("-m", "pytest", "-n", "0", "-x", "tests/gateway/attempts/test_floods.py"),
    ),
)  # fmt: skip


def apply(mutant: Mutant, root: Path) -> None:
    """Make a mutant of the sources below a folder; LookupError when a text is not there exactly once."""
    for edit in mutant.edits:
        path = root / edit.file
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise LookupError(f"{mutant.name}: {edit.file} has this {text.count(edit.old)} times: {edit.old!r}")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def copied(folder: Path) -> Path:
    """Copy the sources into a folder."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, folder / name)
    return folder


def caught(mutant: Mutant, suite: Sequence[str] | None = None) -> tuple[bool, str]:
    """Run the suite on the mutant: whether it failed, and the last it said."""
    with tempfile.TemporaryDirectory() as scratch:
        root = copied(Path(scratch))
        apply(mutant, root)
        environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [sys.executable, *(suite or mutant.suite)],
                cwd=root, env=environ, capture_output=True, text=True, timeout=_PATIENCE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True, "it never ended"
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    broken = any(word in done.stderr for word in ("SyntaxError", "IndentationError", "ImportError", "NameError"))
    return done.returncode == 1 and not broken, said[-1][:200] if said else ""


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="the mutants whose name has this in it")
    asked = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if asked.only is None or asked.only in mutant.name]
    missed, began = 0, time.monotonic()
    for suite in dict.fromkeys(mutant.suite for mutant in chosen):
        # What fails on the sources as they are says nothing about a mutant.
        failed, said = caught(Mutant("none", ()), suite)
        if failed:
            print(f"FAILS    on the sources as they are: {' '.join(suite)}: {said}")
            return 1
    for mutant in chosen:
        start = time.monotonic()
        is_caught, said = caught(mutant)
        missed += not is_caught
        print(
            f"{'caught  ' if is_caught else 'MISSED  '}{mutant.name} ({time.monotonic() - start:.0f} s): {said}",
            flush=True,
        )
    print(
        f"mutants made={len(chosen)} caught={len(chosen) - missed} missed={missed} seconds={time.monotonic() - began:.0f}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
