"""Places in files, mistakes at them, and documents that know where each value stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Key: TypeAlias = str | float  # int and bool keys are floats to the type checker, and stay what they are at run time
Path: TypeAlias = tuple[Key, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file: line and column count from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Give the form editors and terminals turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong, where it is, and what would be right."""

    place: Place
    message: str

    def __str__(self) -> str:
        """Give the one line shown to people."""
        return f"{self.place}: {self.message}"


class Mistakes(Exception):  # noqa: N818 - it holds several, and the word is the one people read
    """Everything wrong with what was read, sorted by place and without repetition; never empty."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """Keep `mistakes` in the order of the file."""
        self.mistakes: tuple[Mistake, ...] = tuple(sorted(set(mistakes)))
        assert self.mistakes, "nothing is wrong without a mistake"
        super().__init__(*self.mistakes)

    def __str__(self) -> str:
        """Give one mistake a line."""
        return "\n".join(str(mistake) for mistake in self.mistakes)


@dataclass(frozen=True, slots=True)
class Document:
    """A value read from a file, with the place of each part.

    `value` is made of dict, list, str, int, float, bool and None. A path is the keys and list positions that lead to
    a part; `places` gives where its value begins, `key_places` where its key does.
    """

    value: Any
    places: Mapping[Path, Place]
    key_places: Mapping[Path, Place]
    file: str

    def place(self, path: Path) -> Place:
        """Where the value at `path` begins, or the nearest part around it that exists."""
        for length in range(len(path), -1, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return found
        return Place(self.file, 1, 1)

    def key_place(self, path: Path) -> Place:
        """Where the key of `path` stands; for a list item, or a part that is not there, its nearest place."""
        return self.key_places.get(path) or self.place(path)
