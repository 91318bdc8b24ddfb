"""Outcomes of the last minute, in buckets of ten seconds."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = 60_000  # ms over which a share of failures is taken
_BUCKET = 10_000  # ms; six buckets make the window


@dataclass(frozen=True, slots=True)
class Bucket:
    """Outcomes of ten seconds."""

    start: int
    succeeded: int
    failed: int


def count(buckets: tuple[Bucket, ...], now: int, *, succeeded: int = 0, failed: int = 0) -> tuple[Bucket, ...]:
    """Enter outcomes at `now`, in ms, and forget what is older than the window."""
    start = now - now % _BUCKET
    recent = tuple(bucket for bucket in buckets if bucket.start > now - WINDOW)
    if recent and recent[-1].start == start:
        last = recent[-1]
        return (*recent[:-1], Bucket(start, last.succeeded + succeeded, last.failed + failed))
    return (*recent, Bucket(start, succeeded, failed))


def totals(buckets: tuple[Bucket, ...]) -> tuple[int, int]:
    """How many outcomes there are, and how many of them are failures."""
    failed = sum(bucket.failed for bucket in buckets)
    return failed + sum(bucket.succeeded for bucket in buckets), failed
