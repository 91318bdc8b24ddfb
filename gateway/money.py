"""Amounts of credit: whole millionths, so that sums are exact.

One credit is one US dollar. Inside the gateway an amount is an int of millionths; decimals and JSON numbers exist only
where people and programs meet it, and nothing finer than a millionth is ever rounded away in silence.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TypeAlias

Credits: TypeAlias = int  # millionths of a credit

CREDIT: Credits = 1_000_000
# The store keeps 64-bit integers; a thousandth of their range leaves room for every sum of amounts.
LARGEST: Credits = 2**63 // 1000
_DIGITS = 20  # before the point; with more an amount is too large, and arithmetic on a million of them overflows


def parse(amount: str | Decimal | int) -> Credits:
    """Read an amount of credits, such as `"12.5"`; ValueError when it is none, finer than a millionth or too large."""
    written = str(amount).strip()
    try:
        # Decimal alone would also take `1_0` and digits of other scripts.
        value = Decimal(written if written.isascii() and "_" not in written else "")
    except InvalidOperation as error:
        raise ValueError(_expected(written)) from error
    if not value.is_finite():
        raise ValueError(_expected(written))
    if value and (value.adjusted() > _DIGITS or abs(value) > LARGEST // CREDIT):
        raise ValueError(f"an amount is at most {LARGEST // CREDIT} credits, found '{written[:40]}'")
    return _millionths(value, written)


def from_number(number: float) -> Credits:
    """Read an amount that came as a number in YAML or JSON, as `parse` does, by the decimals it was written with.

    The shortest decimals that make the float are meant: 0.04 is four hundredths exactly, while the sum of 0.1 and 0.2
    in floats is refused for its noise.
    """
    return parse(str(number))


def _expected(written: str) -> str:
    """Say what an amount looks like."""
    return f"expected an amount of credits such as 12.5, found '{written[:40]}'"


def _millionths(value: Decimal, written: str) -> Credits:
    """Turn a bounded decimal into millionths, exactly."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "finite decimals have a number for an exponent"
    significant = "".join(map(str, digits)).rstrip("0")
    dropped = len(digits) - len(significant)
    if significant and exponent + dropped < -6:
        raise ValueError(f"an amount has at most six decimals, found '{written[:40]}'")
    if not significant:
        return 0
    whole: int = int(significant) * 10 ** (exponent + dropped + 6)
    return -whole if value < 0 else whole


def as_number(amount: Credits) -> float:
    """Give an amount as JSON states it: whole credits as an int, others as the float whose decimals are the amount's."""
    whole, rest = divmod(amount, CREDIT)
    return whole if rest == 0 else float(text(amount))


def text(amount: Credits) -> str:
    """Write an amount for people: at least two decimals, at most six, no unit: `0.04`, `12.50`, `0.000125`."""
    whole, rest = divmod(abs(amount), CREDIT)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{decimals}"


def share(total: Credits, got: int, asked: int) -> Credits:
    """Give the part of `total` owed when `got` of `asked` things came; what does not divide stays with the customer."""
    if total < 0 or asked < 1 or not 0 <= got <= asked:
        raise ValueError(f"no share of {total} for {got} of {asked}")
    return total * got // asked
