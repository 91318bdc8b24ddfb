"""Reads multipart forms: the parts in their order, and what a log says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a file if it has a file's name or a type that is no text, otherwise a value."""

    name: str
    data: bytes
    filename: str | None = None
    type: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether this is a file."""
        return self.filename is not None or (self.type is not None and not self.type.startswith("text/"))

    @property
    def text(self) -> str:
        """The value as text; bytes that are no UTF-8 show as marks."""
        return self.data.decode("utf-8", "replace")


def read(raw: bytes, content_type: str) -> tuple[Part, ...]:
    """Return a form's parts; `ValueError` when the boundary or a part's name is missing, or the end."""
    boundary = _header("Content-Type", content_type).get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise ValueError("the content type names no boundary")
    line = b"--" + boundary.encode()
    # A part begins after a line break, so give the first boundary one too.
    pieces = (b"\r\n" + raw).split(b"\r\n" + line)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the form has no closing boundary")
    return tuple(_part(piece) for piece in pieces[1:-1])


def told(parts: Iterable[Part]) -> dict[str, Any]:
    """Return a form as names and values, a list where a name repeats; of a file only what it is."""
    found: dict[str, Any] = {}
    for part in parts:
        value: Any = {"filename": part.filename, "type": part.type, "bytes": len(part.data)}
        value = value if part.is_file else part.text
        if part.name not in found:
            found[part.name] = value
        elif isinstance(found[part.name], list):
            found[part.name].append(value)
        else:
            found[part.name] = [found[part.name], value]
    return found


def _part(piece: bytes) -> Part:
    head, blank, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        raise ValueError("a part of the form has no headers")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        title, _, value = line.partition(":")
        headers[title.strip().lower()] = value.strip()
    disposition = _header("Content-Disposition", headers.get("content-disposition", ""))
    name = disposition.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise ValueError("a part of the form has no name")  # noqa: TRY004 (what was sent is wrong)
    filename = disposition.get_filename()
    kind = headers.get("content-type")
    return Part(name, data, filename, None if kind is None else kind.partition(";")[0].strip().lower())


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", " ").replace("\n", " ")
    return message
