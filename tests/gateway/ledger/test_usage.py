"""What an account used."""

from __future__ import annotations

from typing import Any

from gateway.ledger import attempts, generations
from gateway.ledger.usage import DAY, Answer, EndpointUse, ProviderUse, Usage, count, report
from gateway.outcome import AttemptState, Billing


async def test_answers_are_counted_by_endpoint_and_class(desk: Any) -> None:
    """Counts add up over days, by class of status and by code; earlier days and other accounts stay out."""
    rows = {
        Answer("acme", 10, "generate", 200): 5,
        Answer("acme", 11, "generate", 402, "BSE1004"): 2,
        Answer("acme", 11, "generate", 503, "BSE4003"): 1,
        Answer("acme", 9, "generate", 200): 100,
        Answer("other", 11, "generate", 200): 100,
    }
    await desk.store.write(count(rows))
    await desk.store.write(count({Answer("acme", 10, "generate", 200): 3}))
    used = await desk.store.report(report("acme", 10 * DAY + 5))
    assert used.endpoints == (EndpointUse("generate", 11, 8, 2, 1, {"BSE1004": 2, "BSE4003": 1}),)


async def test_every_attempt_has_one_fate(desk: Any) -> None:
    """Attempts count as used, failed, discarded, cancelled or pending; what was billed for nothing is waste."""
    await desk.accept("a")
    failed = await desk.open("a")
    await desk.store.write(attempts.close_attempt(failed, AttemptState.ERROR, {}, Billing.NONE, 230))
    lost = await desk.open("a", 2)
    await desk.store.write(attempts.close_attempt(lost, AttemptState.ABANDONED, {}, Billing.POSSIBLE, 230))
    await desk.succeed("a", await desk.storing("a", 3))
    await desk.accept("b")
    await desk.open("b")
    await desk.store.write(generations.cancel("acme", "b", 300))
    await desk.accept("c")
    await desk.open("c", provider="two")
    used = await desk.store.report(report("acme", 100))
    price = 40_000
    assert used.generations == 3
    assert used.providers == (
        ProviderUse("one", 4, 1, 1, 1, 1, 0, estimated=3 * price, wasted=2 * price),
        ProviderUse("two", 1, 0, 0, 0, 0, 1, estimated=price, wasted=0),
    )


async def test_late_results_are_discarded(desk: Any) -> None:
    """An attempt whose result came too late counts as discarded, and as waste."""
    await desk.accept("a")
    doubted = await desk.open("a")
    await desk.store.write(attempts.close_attempt(doubted, AttemptState.IN_DOUBT, {}, Billing.POSSIBLE, 230))
    assert await desk.store.write(attempts.late(doubted))
    [provider] = (await desk.store.report(report("acme", 0))).providers
    assert (provider.failed, provider.discarded, provider.wasted) == (0, 1, 40_000)


async def test_deleted_generations_still_count(desk: Any) -> None:
    """Usage outlives deletion, begins where it is asked to, and is nothing for a stranger."""
    await desk.done("a")
    await desk.store.write(generations.delete("acme", "a", 500))
    assert (await desk.store.report(report("acme", 100))).generations == 1
    assert await desk.store.report(report("acme", DAY)) == Usage()
    assert await desk.store.report(report("nobody", 0)) == Usage()


async def test_what_is_counted_follows_every_change(desk: Any) -> None:
    """An attempt in doubt, then given up with its generation, then billed after all, counts once, as what it is by then."""
    await desk.accept("a")
    doubted = await desk.open("a")
    await desk.store.write(attempts.close_attempt(doubted, AttemptState.IN_DOUBT, {}, Billing.NONE, 230))
    await desk.open("a", 2)

    async def counted() -> tuple[int, ...]:
        assert await desk.findings() == []
        [one] = (await desk.store.report(report("acme", 0))).providers
        return one.failed, one.cancelled, one.discarded, one.pending, one.estimated

    assert await counted() == (1, 0, 0, 1, 40_000)
    await desk.store.write(generations.cancel("acme", "a", 300))
    assert await counted() == (0, 2, 0, 0, 40_000)
    assert await desk.store.write(attempts.late(doubted))
    assert await counted() == (0, 1, 1, 0, 80_000)
