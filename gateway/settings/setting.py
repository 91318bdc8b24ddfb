"""What a setting is: its key, its kind, its default and its sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.settings.values import Kind

# Steps of a key that stand for any name of a mapping, and for each item of a list.
ANY = "*"
EACH = "[]"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `key` has a dot between its steps; `sample` is what the example shows where there is no default."""

    key: str
    kind: Kind
    default: Any
    says: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    sample: Any = None

    @property
    def steps(self) -> tuple[str, ...]:
        """The key's steps."""
        return tuple(self.key.split("."))


@dataclass(frozen=True, slots=True)
class Section:
    """Keys that stand together, `says` being what for. `item` names an entry of a mapping in the example."""

    key: str
    says: str
    item: str = ""
    settings: tuple[Setting, ...] = field(default=())
