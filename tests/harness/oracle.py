"""What must hold once everything is quiet: the store, the clients and the far ends tell the same story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.generation import FINAL
from gateway.ledger.checks import run_checks
from gateway.money import share
from gateway.simulators.jobs import Job, State
from gateway.simulators.server import VENDORS
from tests.harness.memory import Memory, run
from tests.harness.theatre import Far

if TYPE_CHECKING:
    from tests.harness.clients import Client

PROMPT = "seal "  # every wish says this and its number
_UNBEGUN = {"unsent", "refused"}  # how far a call got after which no job can have begun


@dataclass
class Verdict:
    """What is counted. All that stands below `doubts` has to be zero."""

    generations: int = 0
    succeeded: int = 0
    canceled: int = 0
    jobs: int = 0
    hedges: int = 0
    doubts: int = 0
    lost: int = 0
    stuck: int = 0
    mischarged: int = 0
    orphan_holds: int = 0
    without_bytes: int = 0
    repeated_submits: int = 0
    unevidenced: int = 0
    overspent: int = 0
    needless: int = 0
    unserved: int = 0
    left_open: int = 0
    ledger_findings: int = 0
    broken: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        return any(
            (
                self.lost, self.stuck, self.mischarged, self.orphan_holds, self.without_bytes,
                self.repeated_submits, self.unevidenced, self.overspent, self.needless, self.unserved, self.left_open,
                self.ledger_findings, self.broken,
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What is to be known of a run beside what came of it: what accounts had, and what never went wrong in it."""

    opening: Mapping[str, int]
    now: int
    is_fair: bool  # no fault befell any line, nor the store
    is_timely: bool  # the time of day was never set


def judge(memory: Memory, far: Far, clients: Sequence[Client], facts: Facts) -> Verdict:
    """Hold everything against everything."""
    verdict = Verdict()
    findings = run(memory, run_checks(facts.now, 0))
    verdict.ledger_findings = len(findings)
    verdict.notes += [f"{finding.check.name}: {finding.rows[:3]}" for finding in findings]
    rows = {row["id"]: row for row in memory.execute("SELECT * FROM generation")}
    tries = [dict(row) for row in memory.execute("SELECT a.*, g.id AS gid, g.request FROM attempt a JOIN generation g ON g.seq = a.generation")]  # fmt: skip
    verdict.generations = len(rows)
    verdict.succeeded = sum(row["state"] == "succeeded" for row in rows.values())
    verdict.canceled = sum(row["state"] == "canceled" for row in rows.values())
    verdict.left_open = sum(each["ended"] is None or each["due"] is not None for each in tries)
    verdict.doubts = sum(each["state"] == "in_doubt" for each in tries)
    _ends(verdict, rows, clients)
    _money(verdict, memory, rows, facts.opening)
    for row in memory.execute("SELECT * FROM artifact"):
        if far.disk.get(row["uri"]) != row["sha256"]:
            verdict.without_bytes += 1
            verdict.notes.append(f"no bytes: {row['uri']}")
    _jobs(verdict, far, tries, facts)
    _sense(verdict, far, rows, tries, facts)
    return verdict


def _ends(verdict: Verdict, rows: Mapping[str, Any], clients: Sequence[Client]) -> None:
    for row in rows.values():
        if row["state"] not in FINAL:
            verdict.stuck += 1
            verdict.notes.append(f"stuck: {json.loads(row['request']).get('prompt')} {row['state']}")
    prompts = Counter(json.loads(row["request"]).get("prompt") for row in rows.values())
    for client in clients:
        if len(client.answers) > 1 or not client.answers <= rows.keys():
            verdict.lost += 1
            verdict.notes.append(f"lost: client {client.number} was told {client.answers}")
        if client.prompt in prompts and prompts[client.prompt] > 1:
            verdict.lost += 1
            verdict.notes.append(f"twice: client {client.number} has {prompts[client.prompt]} generations")


def _money(verdict: Verdict, memory: Memory, rows: Mapping[str, Any], opening: Mapping[str, int]) -> None:
    for account in memory.execute("SELECT * FROM account WHERE kind = 'customer'"):
        own = [row for row in rows.values() if row["account_id"] == account["id"]]
        owed = sum(row["settled"] for row in own if row["state"] == "succeeded")
        if opening[account["id"]] - account["posted"] != owed:
            verdict.mischarged += 1
            verdict.notes.append(f"{account['id']} paid {opening[account['id']] - account['posted']} for {owed}")
        verdict.orphan_holds += account["held"] != 0
    for row in rows.values():
        if row["settled"] is not None:
            [price] = [step["price"] for step in json.loads(row["plan"])["steps"] if step["provider"] == row["provider_used"]]  # fmt: skip
            [files] = memory.execute("SELECT count(*) FROM artifact WHERE generation = ?", (row["seq"],)).fetchone()
            owed = max(1, share(price, files, json.loads(row["request"]).get("count", 1)))
            if row["settled"] != owed:
                verdict.mischarged += 1
                verdict.notes.append(f"{row['id']} paid {row['settled']} for {owed}")


def _sense(
    verdict: Verdict, far: Far, rows: Mapping[str, Any], tries: Sequence[Mapping[str, Any]], facts: Facts
) -> None:
    """Nobody is asked again where that may cost too much, no running job is given up, and in fair weather all is served."""
    made: dict[str, list[Mapping[str, Any]]] = {}
    for each in sorted(tries, key=lambda each: each["n"]):
        made.setdefault(each["gid"], []).append(each)
    for generation, own in made.items():
        most = json.loads(rows[generation]["plan"])["in_doubt_max_cost"]
        verdict.hedges += sum(_is_beside(each, own) for each in own)
        if "hedging" not in json.loads(rows[generation]["plan"]) and any(_is_beside(each, own) for each in own):
            verdict.overspent += 1
            verdict.notes.append(f"two jobs at a time: {generation}")
        dear = [each for each in own[:-1] if each["state"] in {"in_doubt", "abandoned"} and each["price"] > most]
        if not all(_is_outrun(each, own) for each in dear):
            verdict.overspent += 1
            verdict.notes.append(f"asked on although a dear job may run: {generation}")
        row = rows[generation]
        # A crash leaves a submit in doubt, and of outputs that came inside an answer it leaves nothing.
        doubtful = any(each["state"] == "in_doubt" or (each["ref"] is None and "output_lost" in (each["fault"] or "")) for each in own)  # fmt: skip
        if facts.is_fair and row["state"] == "failed" and not doubtful:
            verdict.unserved += 1
            verdict.notes.append(
                f"failed in fair weather: {json.loads(row['request']).get('prompt')} {row['error'][:300]}"
            )
    for each in tries:
        job = far.jobs.find(each["provider"], each["ref"] or "")
        if facts.is_fair and job is not None and each["state"] == "error" and "output_lost" in each["fault"]:
            verdict.needless += 1
            verdict.notes.append(f"lost what was handed over: {each['provider']} {job.prompt} {each['fault'][:150]}")
        if job is None or each["state"] != "error" or not facts.is_timely:
            continue
        # A job its vendor does not know any more is lost, whatever it does there.
        if json.loads(each["fault"])["kind"] != "lost" and not job.state(each["ended"]).is_final:
            verdict.needless += 1
            verdict.notes.append(f"given up while it ran: {each['provider']} {job.prompt} {each['fault'][:150]}")


def _is_beside(attempt: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an attempt began while another ran, so that it was meant to be a second one."""
    return any(each["n"] < attempt["n"] and _runs_at(each, attempt["started"]) for each in own)


def _is_outrun(attempt: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> bool:
    """Whether another attempt had begun beside it before it was given up, or it was itself begun so."""
    return _is_beside(attempt, own) or any(_is_beside(each, own) and _runs_at(attempt, each["started"]) for each in own)


def _runs_at(attempt: Mapping[str, Any], at: int) -> bool:
    return attempt["started"] <= at and (attempt["ended"] is None or attempt["ended"] > at)


def _jobs(verdict: Verdict, far: Far, tries: Sequence[Mapping[str, Any]], facts: Facts) -> None:
    """Each job at a vendor is an attempt's; no attempt has two, and what may have been billed says so."""
    billed_by = {vendor.name: vendor.is_billed for vendor in VENDORS}
    refs = {(each["provider"], each["ref"]): each for each in tries if each["ref"] is not None}
    unknown: dict[tuple[str, str], list[Job]] = {}
    count = 0
    for job in far.jobs.every():
        count += 1
        known = refs.get((job.provider, job.id))
        if known is None:
            unknown.setdefault((job.provider, job.prompt), []).append(job)
        elif billed_by[job.provider](job, far.now()) and _is_unevidenced(known, job, far.now(), facts):
            verdict.unevidenced += 1
            verdict.notes.append(f"billed without evidence: {job.provider} {job.prompt} {known['state']}")
    verdict.jobs = count
    able: dict[tuple[str, str], int] = {}
    for each in tries:
        # An attempt that kept no reference may have a job: it is in doubt, or its vendor answered at once.
        if each["ref"] is None and _may_have(each):
            prompt = json.loads(each["request"]).get("prompt", "")
            able[each["provider"], prompt] = able.get((each["provider"], prompt), 0) + 1
    for (provider, prompt), jobs in unknown.items():
        # Some models take no prompt: whose such a job is cannot be told, but there must be enough attempts for it.
        told = prompt.startswith(PROMPT)
        most = able.get((provider, prompt), 0) if told else sum(n for (name, _), n in able.items() if name == provider)
        if len(jobs) > most:
            verdict.repeated_submits += len(jobs) - most
            verdict.notes.append(f"{len(jobs)} jobs for {most} attempts: {provider} {prompt}")


def _is_unevidenced(attempt: Mapping[str, Any], job: Job, now: int, facts: Facts) -> bool:
    """Whether an attempt does not say what its job has cost; of one that was given up the last look tells, if it can.

    A clock that was set may have had that look too early, and some vendors forget a job that they were told to stop.
    """
    is_seen = facts.is_timely and not job.erased and job.state(now) is State.SUCCEEDED
    late = attempt["state"] == "abandoned" and is_seen and attempt["billing"] != "certain"
    return attempt["billing"] == "none" or late


def _may_have(attempt: Mapping[str, Any]) -> bool:
    return attempt["fault"] is None or json.loads(attempt["fault"])["reach"] not in _UNBEGUN
