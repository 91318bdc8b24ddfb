"""Every vendor played, from request to settled money: what it makes, how it fails, how it is stopped and found again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from gateway.attempts.resume import resume
from gateway.fault import FaultKind
from gateway.generation import Kind, State, Value
from gateway.ledger import generations
from gateway.ledger.records import Record
from gateway.offer import Fit, Handing, Offer, fit
from gateway.outcome import AttemptState, Billing
from gateway.providers import catalog
from gateway.providers.pack import CallName, Lifecycle
from gateway.simulators import Simulators
from tests.gateway.attempts.bench import PACKS, Bench, bench, faults, line
from tests.providers.asking import INLINE, PICTURE, cases
from tests.story.house import house

CATALOG = catalog.load_once([PACKS])
PLAYED = sorted(CATALOG.providers.keys() & Simulators().bases.keys())
MANY = sorted(model for model in CATALOG.ids() if len(CATALOG.offers(model)) >= 4)

# Where the answer to a limit, as its vendor shapes it, has no place that says how long: one is given a code and a message alone.
SILENT = frozenset(
    {
        *(("bfl", kind) for kind in Kind),
        *(("cloudflare", kind) for kind in Kind),
        ("google", Kind.VIDEO),
    }
)

Asked = tuple[str, str, dict[str, Value]]  # provider, model, fields


def asked(provider: str, kind: Kind, *, picture: bool) -> Iterator[Asked]:
    """The first model of a provider that makes this from words alone, or from a picture; nothing when it has none."""
    for (owner, model), pack in sorted(CATALOG.models.items()):
        if owner != provider or pack.offer.kind is not kind:
            continue
        bare = dict(cases(pack))
        for number, form in enumerate(pack.offer.forms, 1):
            fields = bare[f"form {number}"]
            if picture and "images" in form.takes:
                ways = set(form.takes["images"].takes)
                fields = {**fields, "images": (PICTURE if ways == {Handing.URL} else INLINE,)}
            holds = {"images", "last_image", "video"} & fields.keys()
            if holds == ({"images"} if picture else set()) and isinstance(fit(pack.offer, fields), Fit):
                yield provider, model, fields
                return


def every(*, picture: bool) -> list[Asked]:
    """One request for each kind of each vendor played."""
    return [found for provider in PLAYED for kind in Kind for found in asked(provider, kind, picture=picture)]


def lifecycle(case: Asked) -> Lifecycle:
    """By which lifecycle a request runs."""
    provider, model, fields = case
    pack = CATALOG.models[provider, model]
    return pack.shapes[fitted(pack.offer, fields).form].lifecycle


def fitted(offer: Offer, fields: dict[str, Value]) -> Fit:
    """How an offer serves a request that it is known to serve."""
    found = fit(offer, fields)
    assert isinstance(found, Fit), found
    return found


def is_silent(case: Asked) -> bool:
    """Whether the vendor gives no wait to go by when it limits this."""
    provider, model, _ = case
    return (provider, CATALOG.models[provider, model].offer.kind) in SILENT


def price(case: Asked) -> int:
    """What a request costs, in millionths."""
    provider, model, fields = case
    return fitted(CATALOG.models[provider, model].offer, fields).price


def named(case: Asked) -> str:
    """Name a case in test output."""
    return f"{case[0]}-{case[1]}"


WORDS = every(picture=False)
PICTURES = every(picture=True)
each = pytest.mark.parametrize("case", WORDS, ids=named)


async def begun(at: Bench, case: Asked) -> str:
    """Begin a request at its one provider."""
    provider, model, fields = case
    return await at.begin(model, [provider], **fields)


async def ended(at: Bench, case: Asked) -> Record:
    """Begin a request, and wait for its end."""
    return await at.outcome(await begun(at, case))


async def sound(at: Bench, case: Asked, *, paid: bool) -> None:
    """The price was paid, or nothing; nothing is held and the ledger holds."""
    assert await at.spent() == (price(case) if paid else 0)
    assert await at.sound() == []


async def under_way(at: Bench, generation: str, *, submitted: bool) -> None:
    """Wait until the vendor has the job, and where it is `submitted` until we know its name."""
    while not at.sims.jobs():
        await at.clock.sleep(0.1)
    while submitted and not await _has_attempt(at, generation, AttemptState.SUBMITTED):
        await at.clock.sleep(0.1)


async def _has_attempt(at: Bench, generation: str, state: AttemptState) -> bool:
    record = await at.store.read(generations.find_any(generation, attempts=True))
    assert record is not None
    return any(attempt.state is state for attempt in record.attempts)


def _drop(at: Bench, generation: str) -> None:
    """Stop a run where it is, as a crash would."""
    task = at.runs._jobs[generation].task
    assert task is not None
    task.cancel()


def test_every_vendor_played_makes_something() -> None:
    """No vendor is passed over here because nothing of it fits."""
    assert {provider for provider, _, _ in (*WORDS, *PICTURES)} == set(PLAYED)
    if lacking := Simulators().bases.keys() - set(PLAYED):
        pytest.skip(f"played, and without a pack yet: {', '.join(sorted(lacking))}")


@pytest.mark.parametrize("case", [*WORDS, *PICTURES], ids=named)
async def test_a_vendor_serves_and_is_paid(tmp_path: Path, case: Asked) -> None:
    """From words and from a picture a file of the right kind is stored, in one attempt, for the price of the offer."""
    async with bench(tmp_path, packs=CATALOG) as at:
        record = await ended(at, case)
        assert (record.state, faults(record)) == (State.SUCCEEDED, [(case[0], None)])
        assert {str(artifact.type).partition("/")[0] for artifact in record.artifacts} == {record.kind.value}
        assert len(at.sims.jobs(case[0])) == 1
        await sound(at, case, paid=True)


@each
async def test_a_job_that_fails_costs_the_caller_nothing(tmp_path: Path, case: Asked) -> None:
    """A job the vendor took and could not finish is its fault, and the credits are back."""
    async with bench(tmp_path, [{"call": "submit", "do": "fail"}], packs=CATALOG) as at:
        record = await ended(at, case)
        assert (record.state, faults(record)) == (State.FAILED, [(case[0], FaultKind.PROVIDER_ERROR)])
        await sound(at, case, paid=False)


@each
async def test_refused_content_is_read_as_such(tmp_path: Path, case: Asked) -> None:
    """However a vendor words a refusal of the content, the generation ends as refused and asks nobody else."""
    async with bench(tmp_path, [{"call": "submit", "do": "refuse_content"}], packs=CATALOG) as at:
        record = await ended(at, case)
        assert faults(record) == [(case[0], FaultKind.CONTENT_BLOCKED)]
        assert record.error is not None
        assert (record.error["name"], record.error["retryable"]) == ("content_refused", False)
        await sound(at, case, paid=False)


@pytest.mark.parametrize("case", [case for case in WORDS if not is_silent(case)], ids=named)
async def test_a_rate_limit_is_waited_out(tmp_path: Path, case: Asked) -> None:
    """After a 429 the vendor is asked again, not before the wait it asked for is over, and is paid once."""
    limit = {"call": "submit", "do": "status", "status": 429, "retry_after": 3, "times": 1}
    async with bench(tmp_path, [limit], packs=CATALOG) as at:
        record = await ended(at, case)
        assert faults(record) == [(case[0], FaultKind.RATE_LIMITED), (case[0], None)]
        assert record.attempts[0].billing is Billing.NONE
        first, second = (seen.at for seen in at.sims.log if seen.call == "submit")
        assert second - first >= 300  # ms; waiting takes a tenth of its time here
        await sound(at, case, paid=True)


@pytest.mark.parametrize("case", [case for case in WORDS if is_silent(case)], ids=named)
async def test_a_limit_without_a_wait_is_not_hammered(tmp_path: Path, case: Asked) -> None:
    """A vendor that never says how long is asked once more after a pause of ours, and then left alone; both may pass."""
    async with bench(tmp_path, [{"call": "submit", "do": "status", "status": 429}], packs=CATALOG) as at:
        record = await ended(at, case)
        kinds = [kind for _, kind in faults(record)]
        assert kinds in ([FaultKind.RATE_LIMITED] * 2, [FaultKind.OVERLOADED] * 2)
        first, second = (seen.at for seen in at.sims.log if seen.call == "submit")
        assert second - first >= 20  # ms; waiting takes a tenth of its time here
        assert record.error is not None
        assert (record.error["name"], record.error["retryable"]) == ("all_providers_failed", True)
        await sound(at, case, paid=False)


@pytest.mark.parametrize("case", [case for case in WORDS if CallName.CANCEL in lifecycle(case).calls], ids=named)
async def test_a_canceled_job_is_stopped_at_its_vendor(tmp_path: Path, case: Asked) -> None:
    """A vendor that can stop a job is told to, and a canceled generation costs nothing."""
    async with bench(tmp_path, packs=CATALOG, image=60, video=60) as at:
        generation = await begun(at, case)
        await under_way(at, generation, submitted=True)
        canceled = await at.store.write(generations.cancel("local", generation, at.clock.now_ms()))
        assert isinstance(canceled, generations.Canceled)
        assert await at.runs.cancel(generation) is True
        record = await at.outcome(generation)
        assert (record.state, record.attempts[0].state) == (State.CANCELED, AttemptState.ABANDONED)
        assert [job.state for job in at.sims.jobs(case[0])] == ["canceled"]
        await sound(at, case, paid=False)


@each
async def test_a_restart_in_flight_submits_nothing_twice(tmp_path: Path, case: Asked) -> None:
    """After a crash a job is found again and paid once; one whose answer was still awaited is in doubt and costs nothing."""
    runs_by = lifecycle(case)
    is_lost = runs_by.is_immediate and runs_by.doubt is None
    slow = 60 if is_lost else 1.0
    async with bench(tmp_path, packs=CATALOG, image=slow, video=slow) as at:
        generation = await begun(at, case)
        await under_way(at, generation, submitted=not runs_by.is_immediate)
        _drop(at, generation)
        async with line(tmp_path, at.sims, at.store, CATALOG, at.clock) as runs:
            assert await resume(at.store, runs) == 1
            await runs.wait(generation, 20)
        record = await at.outcome(generation)
        assert (len(record.attempts), len(at.sims.jobs())) == (1, 1)
        if is_lost:
            assert (record.state, record.attempts[0].state) == (State.FAILED, AttemptState.IN_DOUBT)
        else:
            assert (record.state, record.provider_used) == (State.SUCCEEDED, case[0]), record.error
        await sound(at, case, paid=not is_lost)


# How a vendor is down, and what that is for us.
DOWN: tuple[tuple[dict[str, Any], FaultKind], ...] = (
    ({"do": "status", "status": 503}, FaultKind.OVERLOADED),
    ({"do": "drop_before"}, FaultKind.PROVIDER_ERROR),
    ({"do": "status", "status": 429}, FaultKind.RATE_LIMITED),
    ({"do": "html"}, FaultKind.UNREADABLE),
    ({"do": "status", "status": 401}, FaultKind.UNAUTHORIZED),
)


def common(model: str) -> dict[str, Value]:
    """The least request that every vendor of a model serves."""
    offers = CATALOG.offers(model)
    for duration in (None, 5, 8, 6, 4, 10):
        fields: dict[str, Value] = (
            {"prompt": "a seal"} if duration is None else {"prompt": "a seal", "duration": duration}
        )
        for more in ({}, {"images": (INLINE,)}, {"images": (PICTURE,)}):
            if all(isinstance(fit(offer, {**fields, **more}), Fit) for offer in offers):
                return {**fields, **more}
    raise AssertionError(f"no request for {model} is served by all of {[offer.provider for offer in offers]}")


@pytest.mark.parametrize("model", MANY)
async def test_failing_over_reaches_the_last_vendor_of_a_model(tmp_path: Path, model: str) -> None:
    """With all vendors but the last down, each in its own way, they are asked in the order given and the last is paid."""
    order = [offer.provider for offer in reversed(CATALOG.offers(model))]
    down = list(zip(order[:-1], cycle(DOWN), strict=False))
    chaos = [{"provider": provider, "call": "submit", **rule} for provider, (rule, _) in down]
    fields = common(model)
    async with bench(tmp_path, chaos, packs=CATALOG) as at:
        generation = await at.begin(model, order, _attempts=len(order), _in_doubt_max_cost=10**9, **fields)
        record = await at.outcome(generation)
        assert faults(record) == [*((provider, kind) for provider, (_, kind) in down), (order[-1], None)]
        assert (record.state, record.provider_used) == (State.SUCCEEDED, order[-1])
        await sound(at, (order[-1], model, fields), paid=True)


async def test_a_caller_who_names_all_vendors_gets_the_last(tmp_path: Path) -> None:
    """Over HTTP too: the order the caller asks for is walked to its end, told in the record, and paid once."""
    model = max(MANY, key=lambda each: len(CATALOG.offers(each)))
    order = [offer.provider for offer in reversed(CATALOG.offers(model))]
    chaos = [{"provider": provider, "call": "submit", "do": "status", "status": 503} for provider in order[:-1]]
    fields: dict[str, Any] = dict(common(model))
    kind = CATALOG.offers(model)[0].kind
    async with house(tmp_path, chaos, config=f"attempts: {{per_generation: {len(order)}}}\n") as at:
        _, _, said = await at.create(f"{kind}/{model}", provider_order=", ".join(order), **fields)
        record = await at.end(said["data"]["generation_id"])
        assert [attempt["provider"] for attempt in record["generation_attempts"]] == order
        assert (record["generation_status"], record["generation_provider_used"]) == ("succeeded", order[-1])
        assert await at.balance() == pytest.approx(100 - price((order[-1], model, fields)) / 1_000_000)
