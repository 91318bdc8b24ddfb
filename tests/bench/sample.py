"""One measurement of somebody who serves: what the load generator tells, and what the server's processor had to do for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.load import Load, Told, apply
from tests.bench.process import Process


@dataclass(frozen=True, slots=True)
class Sample:
    """What came of one load on one process."""

    told: Told
    cpu: float  # ms of processor the server used for each request

    def __str__(self) -> str:
        """In one line, for whoever waits."""
        return f"{self.told}, {self.cpu:.2f} ms of processor each"


def sample(process: Process, load: Load) -> Sample:
    """Apply a load to a process that serves."""
    before = process.cpu()
    told = apply(load)
    return Sample(told, (process.cpu() - before) * 1000 / max(told.requests, 1))


def wrong(*samples: Sequence[Sample]) -> str:
    """What went wrong in any of them, or an empty text."""
    told = [each.told for some in samples for each in some]
    errors = sum(each.errors for each in told)
    if not errors:
        return "no request was answered" if any(each.requests == 0 for each in told) else ""
    first = next(each.wrong[0] for each in told if each.wrong)
    return f"{errors} of {sum(each.requests for each in told)} answers were wrong; {first[:200]}"


def rates(samples: Sequence[Sample]) -> list[float]:
    """Right answers a second, by rounds."""
    return [each.told.rate for each in samples]


def medians(samples: Sequence[Sample]) -> list[float]:
    """The median times of answers in milliseconds, by rounds."""
    return [each.told.p50 for each in samples]


def beside(ours: Sequence[Sample], theirs: Sequence[Sample]) -> str:
    """What else is worth knowing of both, as the note of a figure."""

    def said(samples: Sequence[Sample]) -> tuple[str, str, str]:
        middle = sorted(samples, key=lambda each: each.told.rate)[len(samples) // 2]
        return f"{middle.told.p50:.2f}", f"{middle.told.p99:.2f}", f"{middle.cpu:.2f}"

    (p50, p99, cpu), (p50_, p99_, cpu_) = said(ours), said(theirs)
    return f"p50 {p50} : {p50_} ms, p99 {p99} : {p99_} ms, processor {cpu} : {cpu_} ms each"
