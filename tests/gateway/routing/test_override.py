"""What the operator holds by hand."""

from __future__ import annotations

from gateway.routing.override import EVERY, Forced, Override, Overrides

MODEL, OTHER = "lab/model", "lab/other"


def test_an_order_holds_until_its_time_is_over() -> None:
    """For every model of the provider, and for no other provider."""
    overrides, order = Overrides(), Override("a", EVERY, Forced.OPEN, 100)
    overrides.hold(order)
    assert overrides.of("a", MODEL, 99) == overrides.of("a", OTHER, 0) == order
    assert overrides.of("a", MODEL, 100) is None
    assert overrides.of("b", MODEL, 0) is None


def test_what_is_said_of_a_model_goes_first() -> None:
    """And what was said of its provider holds again when that is over."""
    overrides = Overrides()
    overrides.hold(Override("a", EVERY, Forced.OPEN, 200))
    overrides.hold(Override("a", MODEL, Forced.CLOSED, 100))
    forced = [(each.forced if (each := overrides.of("a", MODEL, now)) else None) for now in (99, 100, 200)]
    assert forced == [Forced.CLOSED, Forced.OPEN, None]


def test_a_later_order_takes_the_place_of_an_earlier_one() -> None:
    """About the same provider and model."""
    overrides = Overrides()
    overrides.hold(Override("a", MODEL, Forced.OPEN, 200))
    overrides.hold(Override("a", MODEL, Forced.CLOSED, 50))
    assert overrides.listed(0) == [Override("a", MODEL, Forced.CLOSED, 50)]


def test_letting_go() -> None:
    """Of one model alone, or of a provider with all its models; whether there was anything is said."""
    overrides = Overrides()
    for model in (EVERY, MODEL, OTHER):
        overrides.hold(Override("a", model, Forced.OPEN, 100))
    overrides.hold(Override("b", EVERY, Forced.OPEN, 100))
    assert overrides.let_go("a", MODEL) is True
    assert overrides.let_go("a", MODEL) is False
    assert [each.model for each in overrides.listed(0)] == [EVERY, OTHER, EVERY]
    assert overrides.let_go("a", EVERY) is True
    assert [each.provider for each in overrides.listed(0)] == ["b"]


def test_what_is_over_is_forgotten() -> None:
    """The list holds what is in force, by provider and model."""
    overrides = Overrides()
    for provider, until in (("b", 100), ("a", 200), ("c", 50)):
        overrides.hold(Override(provider, EVERY, Forced.OPEN, until))
    assert [each.provider for each in overrides.listed(50)] == ["a", "b"]
    assert [each.provider for each in overrides.listed(0)] == ["a", "b"]
