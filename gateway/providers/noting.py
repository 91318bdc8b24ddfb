"""What is wrong with one document, each mistake with its place."""

from __future__ import annotations

from gateway.documents import Document, Mistake, Path


class Noting:
    """Collects what is wrong with one document, each with its place."""

    def __init__(self, document: Document) -> None:
        """Note about this document."""
        self.document = document
        self.mistakes: list[Mistake] = []

    def value(self, path: Path, message: str) -> None:
        """Something is wrong with the value at this path."""
        self.mistakes.append(Mistake(self.document.place(path), message))

    def key(self, path: Path, message: str) -> None:
        """Something is wrong with the key at this path."""
        self.mistakes.append(Mistake(self.document.key_place(path), message))
