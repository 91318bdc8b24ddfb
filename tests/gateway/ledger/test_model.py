"""Any order of operations: a ledger kept in plain dictionaries and the tables say the same, and the checks stay silent."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.generation import Kind, State
from gateway.ledger import accounts, attempts, checks, generations
from gateway.ledger.attempts import Duplicate
from gateway.ledger.credits import Added, Mismatch, Repeated, add, set_enforced
from gateway.ledger.database import edges
from gateway.ledger.generations import (
    Accepted,
    Canceled,
    Deleted,
    Idempotency,
    KeyMismatch,
    NotFound,
    Replay,
    ShortOfCredit,
    StillLive,
    WrongState,
)
from gateway.ledger.lane import Done
from gateway.ledger.migrations import apply, known
from gateway.ledger.program import ConstraintBroken, Program, ask
from gateway.ledger.records import Artifact
from gateway.ledger.sqlite import commit, look
from gateway.outcome import AttemptState, Billing

ACCOUNTS = ("acme", "brass", "coral")
PICTURE = Artifact(0, "file:x", "c0ffee", 9, "image/png", 1, 1)
OPEN = {"submitting", "submitted", "storing"}


@dataclass
class Try:
    """An attempt, as the model keeps it."""

    generation: str
    state: str = "submitting"
    ref: str | None = None
    billing: Billing = Billing.POSSIBLE
    flagged: bool = False


@dataclass
class Job:
    """A generation, as the model keeps it."""

    account: str
    price: int
    state: State = State.ACCEPTED
    tries: list[int] = field(default_factory=list)
    deleted: bool = False

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return not self.state.is_final


def fails() -> Program[None]:
    """A neighbour in the same batch that writes and then gives up."""
    yield from accounts.create("ghost", "", 1)
    raise LookupError


class Ledger(RuleBasedStateMachine):
    """Operations in any order, each beside a neighbour that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.connection = sqlite3.connect(Path(self.folder.name) / "x.db", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        # The machine does not lose power here; killed processes have a test of their own.
        self.connection.execute("PRAGMA synchronous = OFF")
        apply(self.connection, known(), 1)
        self.run_(edges())
        for account in ACCOUNTS:
            self.run_(accounts.create(account, "", 1))
        self.posted = dict.fromkeys(ACCOUNTS, 0)
        self.held = dict.fromkeys(ACCOUNTS, 0)
        self.revenue = 0
        self.enforced = True
        self.references: dict[tuple[str, str], int] = {}
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        self.jobs: dict[str, Job] = {}
        self.tries: dict[int, Try] = {}

    def teardown(self) -> None:
        """Put the file away."""
        self.connection.close()
        self.folder.cleanup()

    def run_(self, program: Generator[Any, Any, Any]) -> Any:
        """Run a program through the store's own batch; give its result, or the error it ended with."""
        outcome, neighbour = commit(self.connection, [program, fails()])
        assert isinstance(neighbour.error, LookupError)
        return outcome.value if isinstance(outcome, Done) else outcome.error

    def job(self, data: st.DataObject) -> tuple[str, Job]:
        """Choose a generation."""
        return data.draw(st.sampled_from(sorted(self.jobs.items())))

    def a_try(self, data: st.DataObject) -> tuple[int, Try]:
        """Choose an attempt."""
        return data.draw(st.sampled_from(sorted(self.tries.items())))

    @rule(account=st.sampled_from(ACCOUNTS), amount=st.integers(1, 50), reference=st.sampled_from("xyz"))
    def add(self, account: str, amount: int, reference: str) -> None:
        """Credits come, once per reference."""
        answer = self.run_(add(account, amount, reference, "", 1))
        before = self.references.setdefault((account, reference), amount)
        if isinstance(answer, Added):
            self.posted[account] += amount
        else:
            assert answer == Mismatch(before) if before != amount else isinstance(answer, Repeated)

    @rule(enforced=st.booleans())
    def enforce(self, enforced: bool) -> None:  # noqa: FBT001 - drawn by name
        """The rule about balances changes."""
        below = [account for account in ACCOUNTS if self.posted[account] < self.held[account]]
        assert self.run_(set_enforced(enforced=enforced)) == below
        self.enforced = enforced

    @rule(
        account=st.sampled_from(ACCOUNTS),
        price=st.integers(1, 30),
        key=st.sampled_from([None, "k1", "k2"]),
        fingerprint=st.sampled_from("pq"),
    )
    def accept(self, account: str, price: int, key: str | None, fingerprint: str) -> None:
        """A request comes, perhaps under a key."""
        name = f"g{len(self.jobs)}"
        new = generations.NewGeneration(
            name, account, Kind.VIDEO, "m", {}, {}, (), price, created=len(self.jobs), deadline=10**12,
            idempotency=Idempotency(key, fingerprint, name) if key else None,
        )  # fmt: skip
        answer = self.run_(generations.accept(new))
        seen = self.keys.get((account, key)) if key else None
        available = self.posted[account] - self.held[account]
        if seen:
            first, printed = seen
            same = Replay(first, first, self.jobs[first].state)
            assert answer == (same if printed == fingerprint else KeyMismatch(first))
        elif self.enforced and available < price:
            assert answer == ShortOfCredit(available)
        else:
            assert answer == Accepted(available - price)
            self.held[account] += price
            self.jobs[name] = Job(account, price)
            if key:
                self.keys[account, key] = (name, fingerprint)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), provider=st.sampled_from("ab"))
    def open(self, data: st.DataObject, provider: str) -> None:
        """An attempt begins."""
        name, job = self.job(data)
        n = len(job.tries) + 1
        answer = self.run_(attempts.open_attempt(name, n, provider=provider, native="x", form=0, price=1, at=1))
        assert (answer is not None) is job.live
        if job.live:
            job.state = State.SUBMITTING
            job.tries.append(answer)
            self.tries[answer] = Try(name)

    @precondition(lambda self: self.tries)
    @rule(data=st.data(), ref=st.sampled_from([None, *"rstuvw"]))
    def submitted(self, data: st.DataObject, ref: str | None) -> None:
        """A provider takes a job."""
        attempt_id, attempt = self.a_try(data)
        found = look(self.connection, [ask("attempt_find", id=attempt_id)])[0].value[0]
        ref = f"{found['provider']}{ref}" if ref else None
        answer = self.run_(attempts.submitted(attempt_id, ref, {}, 1))
        holder = next((key for key, other in self.tries.items() if ref and other.ref == ref), None)
        job = self.jobs[attempt.generation]
        if attempt.state != "submitting":
            assert answer is False
        elif holder:
            assert answer == Duplicate(holder)
        else:
            attempt.state, attempt.ref = "submitted", ref
            assert answer is (job.state in {State.SUBMITTING, State.RUNNING})  # running: with another beside it
            job.state = State.RUNNING if answer else job.state

    @precondition(lambda self: self.tries)
    @rule(data=st.data())
    def storing(self, data: st.DataObject) -> None:
        """A provider hands outputs over."""
        attempt_id, attempt = self.a_try(data)
        job = self.jobs[attempt.generation]
        wanted = attempt.state in {"submitting", "submitted"} and job.state in {State.SUBMITTING, State.RUNNING}
        assert self.run_(attempts.storing(attempt_id, [], 1)) is wanted
        if wanted:
            attempt.state, job.state = "storing", State.STORING

    @precondition(lambda self: self.tries)
    @rule(
        data=st.data(),
        state=st.sampled_from([AttemptState.ERROR, AttemptState.IN_DOUBT, AttemptState.ABANDONED]),
        billing=st.sampled_from(Billing),
    )
    def close(self, data: st.DataObject, state: AttemptState, billing: Billing) -> None:
        """An attempt ends without success."""
        attempt_id, attempt = self.a_try(data)
        is_open = attempt.state in OPEN
        assert self.run_(attempts.close_attempt(attempt_id, state, {}, billing, 1)) is is_open
        if is_open:
            others = [self.tries[each] for each in self.jobs[attempt.generation].tries if each != attempt_id]
            billed = any(other.billing is Billing.CERTAIN and not other.flagged for other in others)
            attempt.state, attempt.billing = state.value, billing
            attempt.flagged = billing is Billing.CERTAIN and billed

    @precondition(lambda self: self.tries)
    @rule(data=st.data())
    def late(self, data: st.DataObject) -> None:
        """A result comes that nobody waits for."""
        attempt_id, attempt = self.a_try(data)
        new = attempt.state in {"error", "in_doubt", "abandoned"} and not attempt.flagged
        assert self.run_(attempts.late(attempt_id)) is new
        if new:
            attempt.billing, attempt.flagged = Billing.CERTAIN, True

    @precondition(lambda self: self.tries)
    @rule(data=st.data(), more=st.integers(-30, 1))
    def succeed(self, data: st.DataObject, more: int) -> None:
        """The outputs are ours; what is captured may by mistake exceed the hold."""
        attempt_id, attempt = self.a_try(data)
        name, job = attempt.generation, self.jobs[attempt.generation]
        captured = max(1, job.price + more)
        answer = self.run_(generations.succeed(name, attempt_id, [PICTURE], captured=captured, at=1, provider="a"))
        if job.state is not State.STORING or attempt.state != "storing":
            assert answer is False
        elif captured > job.price:
            assert isinstance(answer, ConstraintBroken)
        else:
            assert answer is True
            job.state, attempt.state, attempt.billing = State.SUCCEEDED, "done", Billing.CERTAIN
            for other in (self.tries[each] for each in job.tries if each != attempt_id):
                other.flagged = other.billing is Billing.CERTAIN
            self.held[job.account] -= job.price
            self.posted[job.account] -= captured
            self.revenue += captured

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A generation fails."""
        name, job = self.job(data)
        assert self.run_(generations.fail(name, {}, 1)) is job.live
        if job.live:
            self.held[job.account] -= job.price
            job.state = State.FAILED

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), account=st.sampled_from(ACCOUNTS))
    def cancel(self, data: st.DataObject, account: str) -> None:
        """Somebody cancels, not always the owner."""
        name, job = self.job(data)
        answer = self.run_(generations.cancel(account, name, 1))
        if account != job.account or job.deleted:
            assert answer == NotFound()
        elif not job.live:
            assert answer == WrongState(job.state)
        else:
            assert isinstance(answer, Canceled)
            assert answer.credits_refunded == job.price
            assert [each.id for each in answer.attempts] == [n for n in job.tries if self.tries[n].state in OPEN]
            self.held[job.account] -= job.price
            job.state = State.CANCELED

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """The owner deletes."""
        name, job = self.job(data)
        answer = self.run_(generations.delete(job.account, name, 1))
        if job.deleted:
            assert answer == NotFound()
        elif job.live:
            assert answer == StillLive(job.state)
        else:
            assert answer == Deleted((PICTURE.uri,) if job.state is State.SUCCEEDED else ())
            job.deleted = True

    @invariant()
    def the_tables_say_the_same(self) -> None:
        """Balances and states in the tables are those of the model."""
        rows = self.connection.execute("SELECT id, posted, held, generations FROM account WHERE kind = 'customer'")
        assert {row["id"]: tuple(row)[1:] for row in rows} == {
            account: (
                self.posted[account],
                self.held[account],
                sum(job.account == account and not job.deleted for job in self.jobs.values()),
            )
            for account in ACCOUNTS
        }
        [taken] = self.connection.execute("SELECT posted FROM account WHERE id = '@revenue'").fetchone()
        assert taken == self.revenue
        states = self.connection.execute("SELECT id, state FROM generation")
        assert {row["id"]: row["state"] for row in states} == {name: job.state for name, job in self.jobs.items()}
        tries = self.connection.execute("SELECT id, state, billing, double_spend FROM attempt")
        assert {row["id"]: tuple(row)[1:] for row in tries} == {
            key: (each.state, each.billing, each.flagged) for key, each in self.tries.items()
        }

    @invariant()
    def the_checks_are_silent(self) -> None:
        """The ledger's own checks find nothing."""
        [outcome] = look(self.connection, [checks.run_checks(now=1, grace=0)])
        assert outcome == Done([])


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
