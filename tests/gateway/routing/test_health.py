"""What is known of every offer: a fault does to it what its kind says, and no more."""

from __future__ import annotations

from random import Random

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.routing import breaker
from gateway.routing.health import Health, Tally
from gateway.routing.plan import Standing, Why

A, B, MODEL, OTHER = "a", "b", "lab/model", "lab/other"
FAILED = "it failed too often"
REFUSED = "its credential was refused"
PAUSED = "it asked for a pause"

# What one fault of each kind leads to, and what five of them do.
EFFECTS: dict[FaultKind, tuple[str | None, str | None]] = {
    FaultKind.INVALID_INPUT: (None, None),
    FaultKind.INPUT_UNREADABLE: (None, None),
    FaultKind.CONTENT_BLOCKED: (None, None),
    FaultKind.NOT_SERVED: (FAILED, FAILED),
    FaultKind.UNAUTHORIZED: (REFUSED, REFUSED),
    FaultKind.OUT_OF_CREDIT: (REFUSED, REFUSED),
    FaultKind.RATE_LIMITED: (PAUSED, PAUSED),
    FaultKind.OVERLOADED: (None, FAILED),
    FaultKind.PROVIDER_ERROR: (None, FAILED),
    FaultKind.TIMEOUT: (None, FAILED),
    FaultKind.LOST: (None, FAILED),
    FaultKind.UNREADABLE: (None, FAILED),
    FaultKind.OUTPUT_LOST: (None, FAILED),
}


def fault(kind: FaultKind, pause: int | None = None, reach: Reach = Reach.REFUSED) -> Fault:
    return Fault(kind, reach, "something went wrong", pause=pause)


def fail(health: Health, kind: FaultKind, now: int, *, times: int = 1, pause: int | None = None) -> None:
    for _ in range(times):
        health.failed(A, MODEL, fault(kind, pause), now, 0)


def why(health: Health, now: int, provider: str = A, model: str = MODEL) -> str | None:
    standing = health.standing(provider, model, now)
    return standing.reason if standing else None


def test_every_kind_of_fault_has_an_effect_here() -> None:
    """The table of this file is complete."""
    assert set(EFFECTS) == set(FaultKind)


@pytest.mark.parametrize("reach", Reach)
@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_does_what_its_kind_says(kind: FaultKind, reach: Reach) -> None:
    """Some open at once, some pause, some count until the fifth, some say nothing; how far the call got changes nothing."""
    health = Health()
    found = []
    for number in range(5):
        health.failed(A, MODEL, fault(kind, reach=reach), number, 0)
        found.append(why(health, number + 1))
    once, often = EFFECTS[kind]
    assert found == [once] * 4 + [often]
    assert why(health, 5, B) is None


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.CONTENT_BLOCKED, FaultKind.INVALID_INPUT])
def test_some_faults_never_open(kind: FaultKind) -> None:
    """A thousand rate limits, refusals of content or of input leave the breaker as it was."""
    health = Health()
    fail(health, kind, 0, times=1_000)
    assert health.breaker(A, MODEL) == breaker.CLOSED
    assert why(health, 5_000) is None
    assert health.tallies() == {}


def test_a_provider_nobody_asked_yet_is_ready() -> None:
    """Health begins with everything closed, and asking about an offer does not change that."""
    health = Health()
    assert health.standing(A, MODEL, 0) is None
    assert health.take(A, MODEL, 0)
    assert health.breaker(A, MODEL) == breaker.CLOSED


@pytest.mark.parametrize(("pause", "until"), [(None, 5_000), (2_000, 2_000), (60_000, 60_000)])
def test_a_rate_limit_pauses_the_whole_provider(pause: int | None, until: int) -> None:
    """Every model behind it waits as long as asked, or five seconds when nothing is said."""
    health = Health()
    fail(health, FaultKind.RATE_LIMITED, 0, pause=pause)
    for model in (MODEL, OTHER):
        assert health.standing(A, model, until - 1) == Standing(Why.RESTING, PAUSED, until)
        assert health.standing(A, model, until) is None
    assert not health.take(A, OTHER, until - 1)


def test_the_longer_pause_holds() -> None:
    """A shorter pause that comes later does not cut a longer one."""
    health = Health()
    fail(health, FaultKind.RATE_LIMITED, 0, pause=10_000)
    fail(health, FaultKind.RATE_LIMITED, 1_000, pause=1_000)
    fail(health, FaultKind.OVERLOADED, 1_000, pause=2_000)
    assert why(health, 9_999) == PAUSED
    assert why(health, 10_000) is None


def test_an_overload_counts_and_its_pause_is_kept() -> None:
    """A provider that says when to come back is left alone until then, and the failure counts all the same."""
    health = Health()
    fail(health, FaultKind.OVERLOADED, 0, pause=3_000)
    assert health.standing(A, OTHER, 2_999) == Standing(Why.RESTING, PAUSED, 3_000)
    assert len(health.breaker(A, MODEL).row) == 1


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.OUT_OF_CREDIT])
def test_one_refused_credential_rests_all_its_models(kind: FaultKind) -> None:
    """Five minutes for every model behind the credential, none for another provider's, and the offer's own stays closed."""
    health = Health()
    fail(health, kind, 0)
    for model in (MODEL, OTHER):
        assert health.standing(A, model, 299_999) == Standing(Why.RESTING, REFUSED, 300_000)
        assert health.standing(A, model, 300_000) is None
        assert health.standing(B, model, 0) is None
    assert health.breaker(A, MODEL).standing is breaker.Standing.CLOSED


def test_many_refusals_at_once_are_one() -> None:
    """The calls that were under way together do not make the rest longer than five minutes after the last of them."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0, times=10)
    fail(health, FaultKind.NOT_SERVED, 0, times=10)
    assert why(health, 300_000) is None
    assert health.breaker(A, MODEL).until == 30_000


def test_a_credential_that_works_again_closes_with_two_successes() -> None:
    """One attempt at a time goes out after the rest; the second success lets all go."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    for _ in range(2):
        assert health.take(A, MODEL, 300_000)
        assert not health.take(A, OTHER, 300_000)
        health.succeeded(A, MODEL, 300_000)
    assert all(health.take(A, OTHER, 300_000) for _ in range(3))


@pytest.mark.parametrize("kind", [FaultKind.OVERLOADED, FaultKind.NOT_SERVED, FaultKind.INVALID_INPUT])
def test_another_fault_gives_the_credentials_place_back(kind: FaultKind) -> None:
    """A probe that failed for another reason says nothing of the credential, so the next probe may go at once."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    assert health.take(A, MODEL, 300_000)
    fail(health, kind, 300_001)
    assert health.take(A, OTHER, 300_002)


def test_a_refused_credential_gives_the_offers_place_back() -> None:
    """A probe of an offer that fails on the credential leaves the offer's own place free."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    assert health.take(A, MODEL, 30_000)
    fail(health, FaultKind.UNAUTHORIZED, 30_001)
    assert health.breaker(A, MODEL).probing_until == 0


def test_a_probe_under_way_says_until_when() -> None:
    """In half-open the place is taken until the probe's time is over."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    assert health.take(A, MODEL, 30_000)
    assert health.standing(A, MODEL, 30_001) == Standing(Why.RESTING, FAILED, 60_000)
    assert health.take(A, MODEL, 60_000)


@pytest.mark.parametrize("end", ["canceled", "limited", "input"])
def test_a_probe_that_says_nothing_does_not_wedge(end: str) -> None:
    """A caller who cancels, a rate limit or bad input in the middle of a probe leave the place to the next attempt."""
    health = Health()
    fail(health, FaultKind.NOT_SERVED, 0)
    assert health.take(A, MODEL, 30_000)
    match end:
        case "canceled":
            health.released(A, MODEL)
        case "limited":
            fail(health, FaultKind.RATE_LIMITED, 30_000, pause=1)
        case _:
            fail(health, FaultKind.INVALID_INPUT, 30_000)
    assert health.take(A, MODEL, 30_001)


def test_a_canceled_probe_frees_the_credential_too() -> None:
    """The probe's place is given back for the offer and for its credential."""
    health = Health()
    fail(health, FaultKind.UNAUTHORIZED, 0)
    assert health.take(A, MODEL, 300_000)
    health.released(A, MODEL)
    assert health.take(A, MODEL, 300_000)


def test_one_of_many_takes_the_place() -> None:
    """Of a thousand callers at the end of a rest one attempt goes out."""
    health = Health()
    fail(health, FaultKind.PROVIDER_ERROR, 0, times=5)
    assert not any(health.take(A, MODEL, 29_999) for _ in range(1_000))
    assert sum(health.take(A, MODEL, 30_000) for _ in range(1_000)) == 1


def test_when_all_rest_one_attempt_a_second_may_go() -> None:
    """With every offer open, one caller a second may ask all the same; the others hear when the first rest ends."""
    health = Health()
    for number, provider in enumerate((A, B)):
        health.failed(provider, MODEL, fault(FaultKind.NOT_SERVED), number * 1_000, 0)
    resting = [health.standing(provider, MODEL, 2_000) for provider in (A, B)]
    assert [each and each.until for each in resting] == [30_000, 31_000]
    asked = [now for now in range(0, 5_000, 10) if health.may_panic(now)]
    assert asked == [0, 1_000, 2_000, 3_000, 4_000]


def test_tallies_count_what_says_something_of_the_provider() -> None:
    """Successes and failures of an offer, and nothing for input or pauses."""
    health = Health()
    health.succeeded(A, MODEL, 0)
    for kind in (FaultKind.TIMEOUT, FaultKind.NOT_SERVED, FaultKind.UNAUTHORIZED, FaultKind.RATE_LIMITED):
        fail(health, kind, 1)
    health.succeeded(B, MODEL, 2)
    tallies = health.tallies()
    assert tallies == {(A, MODEL): Tally(4, 3, 1), (B, MODEL): Tally(1, 0, 1)}
    tallies.clear()
    assert health.tallies()


def test_a_success_is_kept_for_offers_only() -> None:
    """A success closes nothing that was never opened, and is counted for its offer."""
    health = Health()
    health.succeeded(A, MODEL, 0)
    assert [bucket.succeeded for bucket in health.breaker(A, MODEL).buckets] == [1]
    assert health.breaker(A, "") == breaker.CLOSED


def decisions(seed: int) -> list[bool]:
    health, chance, found = Health(), Random(seed), []
    for number in range(2_000):
        now, provider = number * 700, chance.choice([A, B])
        found.append(health.take(provider, MODEL, now))
        if found[-1] and chance.random() < 0.5:
            health.succeeded(provider, MODEL, now)
        elif found[-1]:
            health.failed(provider, MODEL, fault(chance.choice(list(FaultKind))), now, chance.uniform(-1, 1))
    return found


def test_the_same_seed_gives_the_same_decisions() -> None:
    """Two processes that live through the same decide the same, and another seed decides otherwise."""
    assert decisions(1) == decisions(1)
    assert decisions(1) != decisions(2)
