"""Texts and numbers with a unit, as the pack files write them."""

from __future__ import annotations

from decimal import Decimal

from gateway.offer import MICRO

_SPAN = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def span(text: str) -> int:
    """A length of time such as `90s` in milliseconds; the schema has checked its form."""
    number = text.rstrip("smhd")
    return int(number) * _SPAN[text[len(number) :]]


def micros(usd: float) -> int:
    """US dollars in millionths of a credit."""
    return int((Decimal(str(usd)) * MICRO).to_integral_value())
