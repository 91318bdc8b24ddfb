"""What comes of reading a body in a provider's spelling: our fields, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.generation import Kind


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is not done as the client wrote it, and is told: the client's parameter, and a sentence."""

    parameter: str
    says: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A parameter, as a dotted path such as `input.aspect_ratio`, and what is wrong with it, as a sentence of its own."""

    parameter: str
    says: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A body as it was read: JSON values under our names, and the client's word for each.

    `provider` is the one whose spelling it was; None where it was in our own words.
    """

    model: str
    kind: Kind
    provider: str | None
    fields: Mapping[str, Any]
    words: Mapping[str, str]
    adjusted: tuple[Adjustment, ...]

    def spell(self, name: str) -> str:
        """The client's word for one of our fields; ours where the client has none."""
        return self.words.get(name, name)


@dataclass(frozen=True, slots=True)
class Unheard:
    """A body that cannot be read: everything that is wrong with it; never empty."""

    problems: tuple[Problem, ...]

    @property
    def says(self) -> str:
        """All of it in one text."""
        return "; ".join(problem.says for problem in self.problems)
