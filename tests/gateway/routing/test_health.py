"""What is known of every offer: a fault does to it what its kind and its reach say, and no more."""

from __future__ import annotations

from random import Random

import pytest

from gateway.fault import FaultKind, Reach
from gateway.routing import breaker
from gateway.routing.health import Health, Tally
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Kind, Trial
from tests.gateway.routing.trials import (
    FAILED,
    FULL,
    HELD_BACK,
    JOBS,
    MODEL,
    OTHER,
    PAUSED,
    REFUSED,
    UNREACHED,
    A,
    B,
    ask,
    fail,
    fault,
    sent,
    why,
)

# What five faults of each kind lead to, by how far they got: unsent, refused, unsure, accepted.
EFFECTS: dict[FaultKind, tuple[str | None, str | None, str | None, str | None]] = {
    FaultKind.INVALID_INPUT: (None, None, None, None),
    FaultKind.INPUT_UNREADABLE: (None, None, None, None),
    FaultKind.CONTENT_BLOCKED: (None, None, None, None),
    FaultKind.NOT_SERVED: (FAILED, FAILED, FAILED, JOBS),
    FaultKind.UNAUTHORIZED: (REFUSED, REFUSED, REFUSED, REFUSED),
    FaultKind.OUT_OF_CREDIT: (REFUSED, REFUSED, REFUSED, REFUSED),
    FaultKind.RATE_LIMITED: (HELD_BACK, PAUSED, PAUSED, PAUSED),
    FaultKind.OVERLOADED: (FAILED, FAILED, FAILED, JOBS),
    FaultKind.PROVIDER_ERROR: (UNREACHED, FAILED, FAILED, JOBS),
    FaultKind.TIMEOUT: (UNREACHED, FAILED, FAILED, JOBS),
    FaultKind.LOST: (FAILED, FAILED, FAILED, JOBS),
    FaultKind.UNREADABLE: (FAILED, FAILED, FAILED, JOBS),
    FaultKind.OUTPUT_LOST: (FAILED, FAILED, FAILED, JOBS),
}
AT_ONCE = {FaultKind.NOT_SERVED, FaultKind.UNAUTHORIZED, FaultKind.OUT_OF_CREDIT, FaultKind.RATE_LIMITED}
REACHES = (Reach.UNSENT, Reach.REFUSED, Reach.UNSURE, Reach.ACCEPTED)


def test_every_kind_of_fault_has_an_effect_here() -> None:
    """The table of this file is complete."""
    assert set(EFFECTS) == set(FaultKind)
    assert set(REACHES) == set(Reach)


@pytest.mark.parametrize("reach", Reach)
@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_does_what_its_kind_and_reach_say(kind: FaultKind, reach: Reach) -> None:
    """Some open at once, some pause, some count until the fifth, some say nothing; nobody else's offer suffers."""
    health, found = Health(), []
    for number in range(5):
        health.failed(Trial(A, MODEL, number), fault(kind, reach=reach), number, 0)
        found.append(why(health, number + 1))
    often = EFFECTS[kind][REACHES.index(reach)]
    assert found == [often if kind in AT_ONCE else None] * 4 + [often]
    assert why(health, 5, B) is None


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.CONTENT_BLOCKED, FaultKind.INVALID_INPUT])
def test_some_faults_never_open(kind: FaultKind) -> None:
    """A thousand rate limits, refusals of content or of input leave the breakers as they were."""
    health = Health()
    fail(health, kind, 0, times=1_000)
    assert [each for each in health.seen(5_000) if each.standing is not breaker.Standing.CLOSED] == []
    assert health.breaker(Kind.SUBMIT, A, MODEL) == breaker.CLOSED
    assert why(health, 5_000) is None
    assert health.tallies() == {}


def test_a_provider_nobody_asked_yet_is_ready() -> None:
    """Health begins with everything closed, and asking about an offer does not change that."""
    health = Health()
    assert health.standing(A, MODEL, 0) is None
    assert ask(health, 0)
    assert health.seen(0) == []
    assert health.changes() == []


def test_a_submit_and_a_job_have_a_breaker_each() -> None:
    """Jobs that fail do not open the submits' breaker, and submits that are taken do not water the jobs' down."""
    health = Health()
    for number in range(10):
        trial = Trial(A, MODEL, number)
        health.submitted(trial, number)
        health.failed(trial, fault(FaultKind.PROVIDER_ERROR, reach=Reach.ACCEPTED), number + 5, 0)
        if number == 3:
            assert why(health, 9) is None
    assert health.breaker(Kind.SUBMIT, A, MODEL).standing is breaker.Standing.CLOSED
    assert health.breaker(Kind.JOB, A, MODEL).standing is breaker.Standing.OPEN
    assert why(health, 20) == JOBS


def test_where_the_answer_is_the_job_there_is_one_breaker() -> None:
    """An accepted job that fails counts for the submit, and a success leaves no breaker of jobs behind."""
    health = Health()
    trial = Trial(A, MODEL, 0, immediate=True)
    health.submitted(trial, 1)
    health.finished(trial, 1)
    assert health.breaker(Kind.JOB, A, MODEL) == breaker.CLOSED_TO_JOBS
    for _ in range(5):
        health.failed(trial, fault(FaultKind.UNREADABLE, reach=Reach.ACCEPTED), 2, 0)
    assert why(health, 3) == FAILED


def test_an_accepted_job_does_not_close_the_breaker_of_jobs() -> None:
    """A probe counts there only when its job has ended well."""
    health = Health()
    fail(health, FaultKind.PROVIDER_ERROR, 0, times=5, reach=Reach.ACCEPTED)
    for number in range(2):
        trial = sent(health, 30_000 + number)
        health.submitted(trial, 30_000 + number)
        assert why(health, 30_000 + number) == JOBS
        health.finished(trial, 30_000 + number)
    assert why(health, 30_002) is None


@pytest.mark.parametrize(("pause", "until"), [(None, 5_000), (2_000, 2_000), (60_000, 60_000), (10**9, 300_000)])
def test_a_rate_limit_pauses_the_whole_provider(pause: int | None, until: int) -> None:
    """Every model behind it waits as long as asked, or five seconds when nothing is said, and five minutes at most."""
    health = Health()
    fail(health, FaultKind.RATE_LIMITED, 0, pause=pause)
    for model in (MODEL, OTHER):
        assert health.standing(A, model, until - 1) == Standing(Why.RESTING, PAUSED, until)
        assert health.standing(A, model, until) is None
    assert not ask(health, until - 1, OTHER)


def test_an_overload_counts_and_its_pause_is_kept() -> None:
    """A provider that says when to come back is left alone until then, and the failure counts all the same."""
    health = Health()
    fail(health, FaultKind.OVERLOADED, 0, pause=3_000)
    assert health.standing(A, OTHER, 2_999) == Standing(Why.RESTING, PAUSED, 3_000)
    assert len(health.breaker(Kind.SUBMIT, A, MODEL).row) == 1


def test_a_rate_limit_leaves_less_room() -> None:
    """Seven of ten under way go on, the rest has to wait or to go elsewhere, and the next who waited may go."""
    health = Health()
    trials = [sent(health, 0) for _ in range(10)]
    fail(health, FaultKind.RATE_LIMITED, 1, pause=1_000)
    assert health.traffic.most(A, 1) == 7
    assert health.standing(A, MODEL, 2_000) == Standing(Why.BUSY, FULL, 3_000)
    for trial in trials[:4]:
        health.leave(trial)
    assert why(health, 2_000) is None
    assert ask(health, 2_000)
    assert why(health, 2_000) == FULL
    assert not ask(health, 2_000)
    assert health.take(Trial(A, MODEL, 2_000), 2_000, waited=True)


def test_half_of_the_room_is_kept_from_what_others_failed_at() -> None:
    """Work that is failed over gets at most half of what a provider takes."""
    health = Health({A: 4})
    taken = [ask(health, 0, spilled=True) is not None for _ in range(4)]
    assert taken == [True, True, False, False]
    standing = health.standing(A, MODEL, 0, spilled=True)
    assert standing is not None
    assert standing.why is Why.BUSY
    assert [ask(health, 0) is not None for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.OUT_OF_CREDIT])
def test_one_refused_credential_rests_all_its_models(kind: FaultKind) -> None:
    """Five minutes for every model behind the credential, none for another provider's, and the offer's own stays closed."""
    health = Health()
    fail(health, kind, 0)
    for model in (MODEL, OTHER):
        assert health.standing(A, model, 299_999) == Standing(Why.RESTING, REFUSED, 300_000)
        assert health.standing(A, model, 300_000) is None
        assert health.standing(B, model, 0) is None
    assert health.breaker(Kind.SUBMIT, A, MODEL).standing is breaker.Standing.CLOSED


def test_many_refusals_at_once_are_one() -> None:
    """The calls that were under way together do not make the rest longer than five minutes after the last of them."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0, times=10)
    fail(health, FaultKind.NOT_SERVED, 0, times=10)
    assert why(health, 300_000) is None
    assert health.breaker(Kind.SUBMIT, A, MODEL).until == 30_000


def test_a_credential_that_works_again_closes_with_two_accepted_requests() -> None:
    """One attempt at a time goes out after the rest; the second that is taken lets all go, whatever becomes of its job."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    for _ in range(2):
        trial = sent(health, 300_000)
        assert not ask(health, 300_000, OTHER)
        health.submitted(trial, 300_000)
    assert all(ask(health, 300_000, OTHER) for _ in range(3))


@pytest.mark.parametrize("kind", [FaultKind.OVERLOADED, FaultKind.NOT_SERVED, FaultKind.INVALID_INPUT])
def test_another_fault_gives_the_credentials_place_back(kind: FaultKind) -> None:
    """A probe that failed for another reason says nothing of the credential, so the next probe may go at once."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    trial = sent(health, 300_000)
    health.failed(trial, fault(kind), 300_001, 0)
    assert ask(health, 300_002, OTHER)


def test_a_refused_credential_gives_the_offers_place_back() -> None:
    """A probe of an offer that fails on the credential leaves the offer's own place free."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    trial = sent(health, 30_000)
    health.failed(trial, fault(FaultKind.UNAUTHORIZED), 30_001, 0)
    assert health.breaker(Kind.SUBMIT, A, MODEL).probing_until == 0


@pytest.mark.parametrize(("lease", "until"), [({}, 60_000), ({"answer": 120_000}, 150_000)])
def test_a_probe_under_way_says_until_when(lease: dict[str, int], until: int) -> None:
    """In half-open the place is taken until the probe's time is over, which is longer where an answer takes longer."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    sent(health, 30_000, **lease)
    assert health.standing(A, MODEL, 30_001) == Standing(Why.RESTING, FAILED, until)
    assert not ask(health, until - 1)
    assert ask(health, until)


def test_a_probes_job_has_a_time_of_its_own() -> None:
    """The breaker of jobs waits for as long as a job may take."""
    health = Health()
    fail(health, FaultKind.PROVIDER_ERROR, 0, times=5, reach=Reach.ACCEPTED)
    sent(health, 30_000, job=200_000)
    assert health.standing(A, MODEL, 30_001) == Standing(Why.RESTING, JOBS, 230_000)


@pytest.mark.parametrize("end", ["canceled", "limited", "input"])
def test_a_probe_that_says_nothing_does_not_wedge(end: str) -> None:
    """A caller who cancels, a rate limit or bad input in the middle of a probe leave the place to the next attempt."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    trial = sent(health, 30_000)
    match end:
        case "canceled":
            health.released(trial, taken=False)
        case "limited":
            health.failed(trial, fault(FaultKind.RATE_LIMITED, pause=1_000), 30_000, 0)
        case _:
            health.failed(trial, fault(FaultKind.INVALID_INPUT), 30_000, 0)
    health.leave(trial)
    assert ask(health, 31_000)


def test_a_canceled_probe_frees_every_place_it_took() -> None:
    """Those of the offer, of its jobs, of the credential and of the provider."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    fail(health, FaultKind.NOT_SERVED, 0)
    fail(health, FaultKind.NOT_SERVED, 0, reach=Reach.ACCEPTED)
    fail(health, FaultKind.TIMEOUT, 0, times=5, reach=Reach.UNSENT)
    trial = sent(health, 300_000)
    assert not ask(health, 300_000)
    health.released(trial, taken=False)
    assert ask(health, 300_000)


def test_a_canceled_job_frees_no_place_of_a_later_submit() -> None:
    """Its own submit was answered long ago; the place there is another's by now."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    first = sent(health, 30_000)
    health.submitted(first, 30_001)
    sent(health, 30_002)
    health.released(first, taken=True)
    assert not ask(health, 30_003)
    health.failed(first, fault(FaultKind.PROVIDER_ERROR, reach=Reach.ACCEPTED), 30_004, 0)
    assert not ask(health, 30_005)


def test_an_attempt_from_before_the_opening_frees_no_probe() -> None:
    """Whoever left earlier had no place to give back."""
    health, early = Health(), Trial(A, MODEL, 0)
    fail(health, FaultKind.NOT_SERVED, 5)
    sent(health, 31_000)
    health.released(early, taken=False)
    assert not ask(health, 31_001)
    health.failed(early, fault(FaultKind.PROVIDER_ERROR), 31_002, 0)
    assert health.breaker(Kind.SUBMIT, A, MODEL).standing is breaker.Standing.HALF_OPEN


def test_one_of_many_takes_the_place() -> None:
    """Of a thousand callers at the end of a rest one attempt goes out."""
    health = Health()
    fail(health, FaultKind.PROVIDER_ERROR, 0, times=5)
    assert not any(ask(health, 29_999) for _ in range(1_000))
    assert sum(ask(health, 30_000) is not None for _ in range(1_000)) == 1


def test_openings_and_closings_are_told_once() -> None:
    """Open, half open, closed, each when it happens."""
    health = Health()
    fail(health, FaultKind.OVERLOADED, 0, times=8)
    for number in range(2):
        health.submitted(sent(health, 30_000 + number), 30_000 + number)
    told = [(each.kind, each.provider, each.model, each.standing.value, each.until) for each in health.changes()]
    assert told == [
        (Kind.SUBMIT, A, MODEL, "open", 30_000),
        (Kind.SUBMIT, A, MODEL, "half_open", None),
        (Kind.SUBMIT, A, MODEL, "closed", None),
    ]
    assert health.changes() == []


def test_what_is_seen_has_once_opened() -> None:
    """A breaker whose rest is over counts as half open; one that never opened is not told of."""
    health = Health()
    health.submitted(Trial(B, MODEL, 0), 0)
    fail(health, FaultKind.NOT_SERVED, 0)
    assert [(each.provider, each.standing.value) for each in health.seen(29_999)] == [(A, "open")]
    assert [(each.provider, each.standing.value) for each in health.seen(30_000)] == [(A, "half_open")]
    for number in range(2):
        health.submitted(sent(health, 30_000 + number), 30_000 + number)
    assert [(each.provider, each.standing.value) for each in health.seen(30_003)] == [(A, "closed")]


def test_tallies_count_what_says_something_of_the_provider() -> None:
    """Successes and failures of an offer, and nothing for input or pauses."""
    health = Health()
    health.finished(Trial(A, MODEL, 0), 0)
    for kind in (FaultKind.TIMEOUT, FaultKind.NOT_SERVED, FaultKind.UNAUTHORIZED, FaultKind.RATE_LIMITED):
        fail(health, kind, 1)
    health.finished(Trial(B, MODEL, 2), 2)
    tallies = health.tallies()
    assert tallies == {(A, MODEL): Tally(4, 3, 1), (B, MODEL): Tally(1, 0, 1)}
    tallies.clear()
    assert health.tallies()


def decisions(seed: int, start: int = 0) -> list[bool]:
    health, chance, found = Health(), Random(seed), []
    for number in range(2_000):
        now, provider = start + number * 700, chance.choice([A, B])
        trial = ask(health, now, provider=provider)
        found.append(trial is not None)
        if trial is not None and chance.random() < 0.5:
            health.submitted(trial, now)
            health.finished(trial, now)
        elif trial is not None:
            health.failed(trial, fault(chance.choice(list(FaultKind))), now, chance.uniform(-1, 1))
        if trial is not None:
            health.leave(trial)
    return found


def test_the_same_seed_gives_the_same_decisions() -> None:
    """Two processes that live through the same decide the same, and another seed decides otherwise."""
    assert decisions(1) == decisions(1)
    assert decisions(1) != decisions(2)
