"""What a workload found, how it is judged, and how it is told: a Markdown table for people, JSON for tools."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_HEAD = ("workload", "what", "ours", "theirs", "unit", "ratio", "spread", "goal", "met", "note")


class Side(StrEnum):
    """Which side of its goal a figure has to be on."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


class Of(StrEnum):
    """What a goal is about."""

    RATIO = "ratio"  # ours / theirs
    OURS = "ours"  # our value itself


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should reach."""

    side: Side
    value: float
    of: Of = Of.RATIO

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.value if self.side is Side.AT_LEAST else value <= self.value


def at_least(value: float, of: Of = Of.RATIO) -> Goal:
    """A goal that is met from a value on."""
    return Goal(Side.AT_LEAST, value, of)


def at_most(value: float, of: Of = Of.RATIO) -> Goal:
    """A goal that is met up to a value."""
    return Goal(Side.AT_MOST, value, of)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `met` is None without a goal and without a value; `note` says why there is none, or how it was measured."""

    workload: str
    what: str
    ours: float | None
    theirs: float | None
    unit: str
    ratio: float | None  # ours / theirs
    goal: Goal | None
    met: bool | None
    spread: tuple[float, float] | None  # the least and the most of the rounds, of what the goal is about
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a workload is given. `say` tells whoever waits how far it is; `scratch` is a folder that goes when the run ends."""

    rounds: int
    seconds: float  # of one measurement within a round
    quick: bool  # a smoke test: the smallest scale, no peers but those written here
    scratch: Path
    say: Callable[[str], None]

    @property
    def connections(self) -> int:
        """How many ask at once where many do."""
        return 8 if self.quick else 64


def compared(  # noqa: PLR0917 - a line of the table, in its order
    workload: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    goal: Goal | None = None,
    note: str = "",
) -> Figure:
    """Ours against theirs by rounds, the n-th of the one beside the n-th of the other: the median of the ratios."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    mine, median = statistics.median(ours), statistics.median(ratios)
    judged, each = (mine, list(ours)) if goal is not None and goal.of is Of.OURS else (median, ratios)
    return Figure(
        workload,
        what,
        ours=mine,
        theirs=statistics.median(theirs),
        unit=unit,
        ratio=median,
        goal=goal,
        met=goal.met(judged) if goal is not None else None,
        spread=(min(each), max(each)),
        note=note,
    )


def alone(
    workload: str, what: str, ours: Sequence[float], unit: str, goal: Goal | None = None, note: str = ""
) -> Figure:
    """Ours by rounds with nothing beside it; its goal is about ours."""
    mine = statistics.median(ours)
    met = goal.met(mine) if goal is not None else None
    return Figure(workload, what, mine, None, unit, None, goal, met, (min(ours), max(ours)), note)


def void(workload: str, what: str, why: str, goal: Goal | None = None) -> Figure:
    """A figure that is none, for something went wrong while it was measured: its goal is missed."""
    return Figure(workload, what, None, None, "", None, goal, met=False, spread=None, note=f"void: {why}")


def skipped(workload: str, what: str, why: str, goal: Goal | None = None) -> Figure:
    """A figure that could not be measured here."""
    return Figure(workload, what, None, None, "", None, goal, None, None, f"skipped: {why}")


def table(figures: Iterable[Figure]) -> str:
    """All figures as Markdown, aligned."""
    rows: list[tuple[str, ...]] = [_HEAD]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    goal = figure.goal
    spread = "–".join(number(end) for end in figure.spread) if figure.spread is not None else ""
    return (
        figure.workload,
        figure.what,
        number(figure.ours),
        number(figure.theirs),
        figure.unit,
        number(figure.ratio),
        spread,
        f"{goal.side} {number(goal.value)}{f' {figure.unit}' if goal.of is Of.OURS else ' ×'}".rstrip() if goal else "",
        {True: "yes", False: "NO", None: ""}[figure.met],
        figure.note.replace("|", "/"),
    )


def number(value: float | None) -> str:
    """A value with three significant digits, as people write it; an empty text for none."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def told(figures: Iterable[Figure], machine: Mapping[str, Any]) -> Mapping[str, Any]:
    """All of a run as JSON."""
    return {"machine": dict(machine), "figures": [_told(figure) for figure in figures]}


def _told(figure: Figure) -> Mapping[str, Any]:
    goal = figure.goal
    return {
        "workload": figure.workload,
        "what": figure.what,
        "ours": figure.ours,
        "theirs": figure.theirs,
        "unit": figure.unit,
        "ratio": figure.ratio,
        "spread": figure.spread,
        "goal": {"side": goal.side, "value": goal.value, "of": goal.of} if goal is not None else None,
        "met": figure.met,
        "note": figure.note,
    }
