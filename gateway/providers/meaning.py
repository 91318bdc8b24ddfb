"""What a body says in our words, as it is gathered: fields, the client's words for them, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.generation import Type, Value, mistake
from gateway.providers.heard import Adjustment, Problem
from gateway.providers.idiom import Idiom
from gateway.providers.matching import Way, alike
from gateway.providers.sizes import Size, pixels

_MOST_LISTED = 24  # values that a refusal names

Sizes = tuple[tuple[Size, Mapping[str, Value]], ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the model beside the form: types and listed values of its fields, sizes at any provider, usual words.

    `within` is where the parameters stand in the body.
    """

    model: str
    types: Mapping[str, Type]
    values: Mapping[str, tuple[Value, ...]]
    sizes: Sizes
    idiom: Idiom
    within: Way


@dataclass(slots=True)
class Meaning:
    """What a body says in our words; whatever is wrong with it is gathered, not only the first."""

    around: Around
    fields: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    adjusted: list[Adjustment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    items: dict[str, dict[int, tuple[Any, Way]]] = field(default_factory=dict)

    def say(self, name: str, value: Any, way: Way) -> None:
        """Set a field from the parameter at `way`; two parameters that say two things are a problem."""
        word = dotted(way)
        if name in self.fields and not alike(self.fields[name], value):
            self.wrong(way, f"{word} says {name} {shown(value)}, and {self.words.get(name, name)} says otherwise")
            return
        self.fields[name] = value
        self.words[name] = word

    def wrong(self, way: Way, said: str) -> None:
        """Note a problem with the parameter at `way`."""
        self.problems.append(Problem(dotted(way), said))

    def tell(self, way: Way, said: str) -> None:
        """Note what is not done as written."""
        self.adjusted.append(Adjustment(dotted(way), said))

    def hand_on(self, name: str, type_: Type, value: Any, way: Way) -> None:
        """Take a field as it is, after a look at its type; one address does for a list of them."""
        if type_ is Type.URLS and isinstance(value, str):
            value = [value]
        if type_ is Type.URL and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if (said := mistake(type_, value)) is not None:
            self.wrong(way, f"{dotted(way)} {said}")
        else:
            self.say(name, value, way)

    def gather(self) -> None:
        """Put lists together that came item by item."""
        for name, items in self.items.items():
            whole = [items[index][0] for index in sorted(items)]
            if sorted(items) != list(range(len(items))):
                first = items[min(items)][1]
                self.wrong(first, f"{dotted(first)} needs the pictures that stand before it")
                continue
            type_ = self.around.types.get(name, Type.URLS)
            self.hand_on(name, type_, whole, items[min(items)][1])


def dotted(way: Way) -> str:
    """A way into a body as people write it."""
    return ".".join(map(str, way))


def listed(values: Iterable[Any]) -> str:
    """The values a parameter takes, for a sentence."""
    texts = list(dict.fromkeys(shown(value) for value in values))
    more = f" and {len(texts) - _MOST_LISTED} more" if len(texts) > _MOST_LISTED else ""
    return ", ".join(texts[:_MOST_LISTED]) + more


def shown(value: Any) -> str:
    """A native value, for a sentence."""
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            size = pixels(value)
            return f"{size[0]}x{size[1]}" if size else "an object"
        case list() | tuple():
            return "a list"
        case _:
            return text if len(text := str(value)) <= 60 else f"{text[:57]}…"
