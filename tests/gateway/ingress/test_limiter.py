"""How often somebody may ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.limiter import Claim, Limiter, Pace, Rates
from tests.gateway.ingress.house import ACCOUNT, IMAGE, House

SIXTY = Claim("a", 60)


def test_a_minute_is_spent_at_once_and_then_by_the_second() -> None:
    """Sixty go through, the next is told to wait a second, and a second later one goes."""
    limiter = Limiter()
    standings = [limiter.admit([SIXTY], 0.0) for _ in range(61)]
    assert [each.remaining for each in standings if each] == [*range(59, -1, -1), 0]
    assert [each.wait for each in standings[-2:] if each] == [None, 1]
    assert standings[-1] is not None
    assert standings[-1].reset == 60
    assert [limiter.admit([SIXTY], 1.0).wait for _ in range(2)] == [None, 1]  # type: ignore[union-attr]  # it is limited


@given(st.lists(st.floats(0, 30), max_size=80), st.integers(1, 20))
def test_no_span_sees_more_than_its_rate_and_one_burst(waits: list[float], limit: int) -> None:
    """Whatever the moments, within any span no more go through than a full bucket and what the span fills."""
    limiter, now, through = Limiter(), 0.0, []
    for wait in waits:
        now += wait
        standing = limiter.admit([Claim("a", limit)], now)
        if standing is not None and standing.wait is None:
            through.append(now)
    for first, begin in enumerate(through):
        for last, end in enumerate(through[first:], first):
            assert last - first + 1 <= limit + (end - begin) * limit / 60 + 1e-6


@given(st.integers(1, 100), st.integers(1, 300))
def test_the_wait_that_is_told_is_enough(limit: int, asked: int) -> None:
    """Who comes back after the wait gets in."""
    limiter = Limiter()
    for _ in range(asked):
        limiter.admit([Claim("a", limit)], 0.0)
    standing = limiter.admit([Claim("a", limit)], 0.0)
    assert standing is not None
    after = limiter.admit([Claim("a", limit)], float(standing.wait or 0))
    assert after is not None
    assert after.wait is None


def test_a_refused_request_takes_nothing() -> None:
    """Where one of two buckets is empty the other one keeps its token."""
    limiter = Limiter()
    both = [Claim("tight", 1), Claim("wide", 10)]
    assert [limiter.admit(both, 0.0).wait for _ in range(3)] == [None, 60, 60]  # type: ignore[union-attr]  # it is limited
    assert limiter.admit([Claim("wide", 10)], 0.0).remaining == 8  # type: ignore[union-attr]  # it is limited


def test_a_look_takes_nothing() -> None:
    """How long the wait is can be asked without a token for it."""
    limiter = Limiter()
    assert [limiter.wait(Claim("a", 1), 0.0) for _ in range(2)] == [None, None]
    limiter.admit([Claim("a", 1)], 0.0)
    assert [limiter.wait(Claim("a", 1), now) for now in (0.0, 59.0, 60.0)] == [60, 1, None]


def test_memory_is_bounded() -> None:
    """With more names than are remembered nothing grows, and the busiest is still held to its rate."""
    limiter = Limiter(most=100)
    for n in range(1000):
        limiter.admit([Claim(f"n{n}", 10)], n / 1000)
        limiter.admit([Claim("busy", 5)], n / 1000)
    assert len(limiter._buckets) <= 100
    standing = limiter.admit([Claim("busy", 5)], 1.0)
    assert standing is not None
    assert standing.wait is not None


def test_looks_and_creations_have_buckets_of_their_own() -> None:
    """Who looks too often can begin generations all the same, and a key's own rate is for both."""
    pace = Pace(lambda: 0.0, Rates(requests=1, generations=1))
    looks = [pace.admit(ACCOUNT, "k", None, creates=False) for _ in range(2)]
    assert [each.wait for each in looks if each] == [None, 60]
    assert pace.admit(ACCOUNT, "k", None, creates=True).wait is None  # type: ignore[union-attr]  # it is limited
    free = Pace(lambda: 0.0, Rates())
    assert free.admit(ACCOUNT, "k", None, creates=True) is None
    assert [free.admit(ACCOUNT, "k", 1, creates=each).wait for each in (True, False)] == [None, 60]  # type: ignore[union-attr]  # it is limited


async def test_a_key_is_held_to_its_rate(house: House) -> None:
    """S52: beyond its rate a key is told when to come back, in the headers and in the body, and other keys are not."""
    usual, house.key = house.key, await house.new_key(rate=2)
    first = await house.ask("GET", "/v1/status")
    now = house.clock.now_ms() // 1000
    assert [first.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == [
        "2",
        "1",
        str(now + 30),
    ]
    await house.ask("GET", "/v1/status")
    over = await house.ask("GET", "/v1/status")
    assert (over.status, over.error["code"], over.error["retryable"]) == (429, "BSE1005", True)
    assert over.error["details"] == {"retry_after_seconds": 30, "limit": 2}
    assert (over.headers["Retry-After"], over.headers["X-RateLimit-Limit"]) == ("30", "2")
    assert (over.headers["X-RateLimit-Remaining"], over.headers["X-RateLimit-Reset"]) == ("0", str(now + 30))
    house.key, limited = usual, house.key
    unlimited = await house.ask("GET", "/v1/status")
    assert unlimited.status == 200
    assert "X-RateLimit-Limit" not in unlimited.headers
    house.key = limited
    await house.clock.advance(30)
    assert (await house.ask("GET", "/v1/status")).status == 200


async def test_an_account_is_held_to_its_rates(house: House) -> None:
    """S52: all keys of an account share its rates; what is refused begins nothing."""
    house.pace.rates = Rates(requests=2, generations=1)
    assert await house.create()
    house.key = await house.new_key()
    refused = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})
    assert refused.error["code"] == "BSE1005"
    assert len(house.jobs.started) == 1
    assert [(await house.ask("GET", "/v1/status")).status for _ in range(3)] == [200, 200, 429]


async def test_an_error_names_a_limit_only_with_a_wait(house: House) -> None:
    """A client library that sees a limit without a wait would come back at once."""
    house.key = await house.new_key(rate=2)
    assert "X-RateLimit-Limit" not in (await house.ask("GET", "/v1/content/none")).headers


async def test_a_successor_shares_the_rate(house: House) -> None:
    """A rotation does not double what may be asked."""
    made = await house.act("keys.create", account=ACCOUNT, rate=1)
    new = await house.act("keys.rotate", id=made["id"])
    statuses = []
    for key in (made["key"], new["key"]):
        headers = {"Authorization": f"Bearer {key}"}
        statuses.append((await house.ask("GET", "/v1/status", headers=headers)).status)
    assert statuses == [200, 429]
