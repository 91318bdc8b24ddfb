"""What is said where no provider can be asked."""

from __future__ import annotations

import pytest

from gateway.generation import Kind
from gateway.ingress.weigh import Asked, unserved
from gateway.routing.plan import Exclusion, Plan, Why

NOW = 100_000  # ms


def said(*excluded: Exclusion) -> tuple[str, int | None]:
    """The word and the wait."""
    asked = Asked(Kind.IMAGE, "lab/model", {}, None, str)
    refusal = unserved(Plan((), excluded), asked, NOW)
    return refusal.code.type, refusal.retry_after


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ((Exclusion("a", Why.SWITCHED_OFF, "off"),), ("provider_not_configured", None)),
        ((Exclusion("a", Why.SWITCHED_OFF, "held", until=NOW + 9_001),), ("provider_not_configured", 10)),
        ((Exclusion("a", Why.RESTING, "rests", until=NOW + 2_000),), ("all_providers_failed", 2)),
        ((Exclusion("a", Why.BUSY, "full"), Exclusion("b", Why.RESTING, "rests", until=NOW + 1)), ("overloaded", 1)),
    ],
)
def test_the_wait_is_told_where_one_is_known(excluded: tuple[Exclusion, ...], expected: tuple[str, int | None]) -> None:
    """What an operator holds open for a while comes back by itself, as what rests does; what is switched off does not."""
    assert said(*excluded) == expected
