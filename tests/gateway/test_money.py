"""Amounts are exact on the way in, inside and on the way out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import money

AMOUNTS = st.integers(-money.LARGEST + money.CREDIT, money.LARGEST - money.CREDIT)
# Beyond two thousand million credits a float no longer tells millionths apart.
EVERYDAY = st.integers(-(2**31) * money.CREDIT, 2**31 * money.CREDIT)


@pytest.mark.parametrize(
    ("written", "millionths"),
    [
        ("12.5", 12_500_000),
        (" 0.04 ", 40_000),
        (0.04, 40_000),
        (0.1, 100_000),
        (3, 3_000_000),
        (-1.5, -1_500_000),
        ("0.000001", 1),
        (1e-6, 1),
        ("1.0000000", 1_000_000),
        ("1e2", 100_000_000),
        (Decimal("0.125"), 125_000),
        ("0", 0),
        ("0E-999999", 0),
        ("0E9999999", 0),
        ("-0.0", 0),
    ],
)
def test_amounts_are_read_exactly(written: str | float | Decimal, millionths: int) -> None:
    """Text, decimals and JSON numbers become the millionths they say."""
    read = money.from_number if isinstance(written, float) else money.parse
    assert read(written) == millionths


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0.0000001", "at most six decimals"),
        (0.1 + 0.2, "at most six decimals"),
        ("1e-999999", "at most six decimals"),
        ("1e999999", "an amount is at most 9223372036 credits"),
        ("9" * 5000, "an amount is at most"),
        ("1E1000001", "an amount is at most"),
        ("-1e999999999999999999", "an amount is at most"),
        ("ten", "expected an amount of credits such as 12.5, found 'ten'"),
        ("", "expected an amount"),
        ("1_000", "expected an amount"),
        ("١", "expected an amount"),
        ("nan", "expected an amount"),
        (float("inf"), "expected an amount"),
        (True, "expected an amount of credits such as 12.5, found 'True'"),
    ],
)
def test_what_is_no_amount(written: str | float, said: str) -> None:
    """What is no amount, or finer than a millionth, is refused in words."""
    with pytest.raises(ValueError, match=said):
        (money.parse if isinstance(written, str) else money.from_number)(written)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(40_000, "0.04"), (0, "0.00"), (12_500_000, "12.50"), (125, "0.000125"), (-40_000, "-0.04"), (-1, "-0.000001")],
)
def test_amounts_are_written_for_people(amount: int, text: str) -> None:
    """An amount has two decimals at least and six at most."""
    assert money.text(amount) == text


@settings(deadline=None)
@given(AMOUNTS)
def test_text_round_trip(amount: int) -> None:
    """Writing an amount and reading it back changes nothing."""
    assert money.parse(money.text(amount)) == amount


@settings(deadline=None)
@given(EVERYDAY)
def test_json_round_trip(amount: int) -> None:
    """A JSON answer states the amount's own decimals, and reads back as the amount."""
    stated = json.dumps(money.as_number(amount))
    assert money.from_number(json.loads(stated)) == amount
    assert len(stated.partition("e")[0].partition(".")[2]) <= 6


def test_whole_credits_are_whole_numbers() -> None:
    """JSON states whole credits without a fraction, and no noise behind one."""
    assert json.dumps([money.as_number(amount) for amount in (3_000_000, 40_000, -500_000)]) == "[3, 0.04, -0.5]"


@settings(deadline=None)
@given(st.integers(0, 10**15), st.integers(1, 20), st.data())
def test_a_share_never_favours_the_house(total: int, asked: int, data: st.DataObject) -> None:
    """A share is the part that came, short of it by less than a millionth; all of it is all."""
    got = data.draw(st.integers(0, asked))
    share = money.share(total, got, asked)
    assert 0 <= total * got - share * asked < asked
    assert money.share(total, asked, asked) == total


@pytest.mark.parametrize(("total", "got", "asked"), [(1, 0, 0), (1, 3, 2), (1, -1, 2), (-1, 1, 2)])
def test_no_share_of_nonsense(total: int, got: int, asked: int) -> None:
    """More than was asked, or a part of nothing, is refused."""
    with pytest.raises(ValueError, match="no share"):
        money.share(total, got, asked)
