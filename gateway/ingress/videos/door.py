"""The door of films, put together."""

from __future__ import annotations

from gateway.ingress.callers import Scope
from gateway.ingress.dialect import Door, Name, Route
from gateway.ingress.kit import Kit
from gateway.ingress.videos.create import Create
from gateway.ingress.videos.shelf import Shelf
from gateway.ingress.videos.words import words

_ALL, _ONE = "/v1/videos", "/v1/videos/{id}"


def door(kit: Kit) -> Door:
    """Open it."""
    shelf = Shelf(kit)
    create = Create(kit, shelf)
    write, read, delete = Scope.GENERATION_WRITE, Scope.GENERATION_READ, Scope.GENERATION_DELETE
    return Door(
        Name.VIDEOS,
        (
            # Before what has an id: these words are none.
            Route("POST", f"{_ALL}/edits", write, create.other),
            Route("POST", f"{_ALL}/extensions", write, create.other),
            Route("POST", f"{_ALL}/characters", write, create.other),
            Route("GET", f"{_ALL}/characters/{{character}}", read, create.other),
            Route("POST", _ALL, write, create.create),
            Route("GET", _ALL, read, shelf.page),
            Route("GET", _ONE, read, shelf.read),
            Route("DELETE", _ONE, delete, shelf.delete),
            Route("GET", f"{_ONE}/content", read, shelf.content),
            Route("POST", f"{_ONE}/remix", write, create.remix),
        ),
        words,
        own=("videos",),
    )
