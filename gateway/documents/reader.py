"""Bytes to a document, or to every mistake that can be named."""

from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from gateway.documents.place import Document, Key, Mistake, Mistakes, Path, Place
from gateway.documents.scalar import resolve

# The largest pack written so far has 40 KiB and seven levels.
LARGEST = 1024 * 1024
DEEPEST = 20

# The C parser is fifteen times as fast; builds without it exist.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

# The parser's words for a mistake, and ours.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "a ': ' is not expected here; quote the text, or indent the key like its siblings",
    ),
    ("could not find expected ':'", "expected a ':' after the key"),
    ("did not find expected key", "expected a key here; is the indentation that of the lines above?"),
    ("did not find expected '-' indicator", "expected a '-' here; is the indentation that of the items above?"),
    ("expected ',' or '}'", "expected a ',' or the closing '}'"),
    ("expected ',' or ']'", "expected a ',' or the closing ']'"),
    ("unexpected end of stream", "the file ends inside a quoted text"),
    ("cannot start any token", "text cannot begin with this character unless it is quoted"),
    ("maximum nesting depth", f"nested more than {DEEPEST} levels deep"),
    ("undefined tag handle", "tags are not read; quote the text if it begins with '!'"),
)


class _Stop(Exception):  # noqa: N818 - not an error: it ends the walk early
    """The rest of the file is not worth reading; the mistake is already noted."""


@dataclass(slots=True)
class _Frame:
    """A mapping or list being filled."""

    path: Path
    items: dict[Key, Any] | list[Any]
    is_key: bool
    key: Key | None = None
    spelled: dict[str, Place] = field(default_factory=dict)


def read(path: pathlib.Path, *, name: str | None = None) -> Document:
    """Read one file; `name` is what mistakes call it, its path otherwise. Mistakes when it cannot be used."""
    return parse(contents(path, name=name), name or str(path))


def contents(path: pathlib.Path, *, name: str | None = None) -> bytes:
    """Give the bytes of one file, no more than can be used; Mistakes when it cannot be read."""
    try:
        with path.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        place = Place(name or str(path), 1, 1)
        raise Mistakes([Mistake(place, f"cannot be read: {error.strerror or error}")]) from error


def parse(text: str | bytes, file: str) -> Document:
    """Read one YAML document; an empty one has the value None. Mistakes when anything in it is refused."""
    decoded = _decode(text, file)
    walk = _Walk(file)
    try:
        for event in yaml.parse(decoded, Loader=_LOADER):
            walk.take(event)
    except _Stop:
        pass
    except yaml.MarkedYAMLError as error:
        walk.mistakes.append(_syntax_mistake(error, decoded, file))
    except yaml.YAMLError as error:
        raise Mistakes([Mistake(Place(file, 1, 1), f"this is not YAML: {' '.join(str(error).split())}")]) from error
    if walk.mistakes:
        raise Mistakes(walk.mistakes)
    return Document(walk.value, walk.places, walk.key_places, file)


def _decode(text: str | bytes, file: str) -> str:
    """Give the text when it is UTF-8, printable and small enough."""
    if len(text) > LARGEST:
        raise Mistakes([Mistake(Place(file, 1, 1), "the file is larger than 1 MiB; split it")])
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise Mistakes([Mistake(_place_after(before, file), message)]) from error
    text = text.removeprefix("\ufeff")
    if odd := _UNPRINTABLE.search(text):
        message = f"the character U+{ord(odd[0]):04X} cannot stand in a file; write it as an escape in double quotes"
        raise Mistakes([Mistake(_place_after(text[: odd.start()], file), message)])
    return text


def _place_after(before: str, file: str) -> Place:
    """Give the place that follows `before`."""
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _syntax_mistake(error: yaml.MarkedYAMLError, text: str, file: str) -> Mistake:
    """Word what the parser could not read."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = error.problem or "it cannot be parsed"
    said = next((ours for theirs, ours in _SYNTAX if theirs in problem), f"this is not YAML: {problem}")
    lines = text.split("\n")
    if line < len(lines) and lines[line][column : column + 1] == "\t":
        said = "a tab cannot indent; use spaces"
    began = error.context_mark
    if began is not None and (began.line, began.column) != (line, column):
        said += f" (what is being read began at line {began.line + 1})"
    return Mistake(Place(file, line + 1, column + 1), said)


class _Walk:
    """Builds the value from the parser's events, one at a time, noting places and mistakes."""

    def __init__(self, file: str) -> None:
        """Begin at the top of `file`."""
        self.file = file
        self.value: Any = None
        self.places: dict[Path, Place] = {}
        self.key_places: dict[Path, Place] = {}
        self.mistakes: list[Mistake] = []
        self._open: list[_Frame] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        """Take the next event; _Stop when no more should follow."""
        match event:
            case ScalarEvent():
                self._refuse_marks(event)
                self._scalar(event)
            case CollectionStartEvent():
                self._refuse_marks(event)
                self._begin(event)
            case CollectionEndEvent():
                self._end()
            case AliasEvent():
                self._note(event, f"aliases (*{event.anchor}) are not read; write the value out")
                self._put(f"*{event.anchor}", event, is_text=True)
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._note(event, "a second document begins here; a file holds one")
                    raise _Stop
            case _:
                pass

    def _refuse_marks(self, event: ScalarEvent | CollectionStartEvent) -> None:
        """Refuse an anchor or a tag."""
        if event.anchor is not None:
            self._note(event, f"anchors (&{event.anchor}) are not read; write the value out where it is needed")
        if event.tag is not None:
            self._note(event, "tags are not read; the text of a value alone says what it is")

    def _scalar(self, event: ScalarEvent) -> None:
        """Take a text, a number, a truth value or nothing."""
        if not event.implicit[0]:
            self._put(event.value, event, is_text=True)
            return
        try:
            value = resolve(event.value)
        except ValueError as error:
            self._note(event, str(error))
            value = event.value
        self._put(value, event, is_text=False)

    def _begin(self, event: CollectionStartEvent) -> None:
        """Open a mapping or a list."""
        if len(self._open) >= DEEPEST:
            self._note(event, f"nested more than {DEEPEST} levels deep")
            raise _Stop
        parent = self._open[-1] if self._open else None
        is_key = parent is not None and isinstance(parent.items, dict) and parent.key is None
        if is_key:
            self._note(event, "a key is text or a number; quote text that begins with a bracket or a brace")
        path = self._path()
        self.places[path] = self._at(event)
        self._open.append(_Frame(path, {} if isinstance(event, MappingStartEvent) else [], is_key))

    def _end(self) -> None:
        """Close the innermost mapping or list and hand it to what holds it."""
        frame = self._open.pop()
        if frame.is_key:
            self._open[-1].key = "?"
        else:
            self._hold(frame.items)

    def _put(self, value: Any, event: Event, *, is_text: bool) -> None:
        """Take a finished scalar as a key, or as a value."""
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.items, dict) and frame.key is None:
            self._name(frame, value, event, is_text=is_text)
            return
        self.places[self._path()] = self._at(event)
        self._hold(value)

    def _name(self, frame: _Frame, key: Key | None, event: Event, *, is_text: bool) -> None:
        """Take a key of the innermost mapping."""
        at = self._at(event)
        if key is None:
            self._note(event, "a key cannot be empty; quote it if text is meant")
            key = "?"
        elif key == "<<" and not is_text:
            self._note(event, "merge keys (<<) are not read; write the keys out")
        spelled = str(key).lower() if isinstance(key, bool) else str(key)
        # Keys of different types that read the same are doubles to people.
        if (first := frame.spelled.setdefault(spelled, at)) is not at:
            self._note(event, f"the key '{spelled}' is given twice; the first is at line {first.line}")
        elif key in frame.items:
            line = self.key_places[(*frame.path, key)].line
            self._note(event, f"the key '{spelled}' cannot be told from the one at line {line}; quote it")
        frame.key = key
        self.key_places[(*frame.path, key)] = at

    def _hold(self, value: Any) -> None:
        """Put a finished value where it belongs."""
        if not self._open:
            self.value = value
            return
        frame = self._open[-1]
        if isinstance(frame.items, list):
            frame.items.append(value)
        elif frame.key is not None:
            frame.items[frame.key] = value
            frame.key = None

    def _path(self) -> Path:
        """Give the path of the value that comes next."""
        if not self._open:
            return ()
        frame = self._open[-1]
        last = len(frame.items) if isinstance(frame.items, list) else frame.key
        return (*frame.path, "?" if last is None else last)

    def _at(self, event: Event) -> Place:
        """Give where an event begins."""
        assert event.start_mark is not None, "the parser marks every event"
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _note(self, event: Event, message: str) -> None:
        """Keep a mistake and read on."""
        self.mistakes.append(Mistake(self._at(event), message))
