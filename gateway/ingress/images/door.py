"""The door of images and models, put together."""

from __future__ import annotations

from gateway.ingress.callers import Scope
from gateway.ingress.dialect import Door, Name, Route
from gateway.ingress.images.create import Create
from gateway.ingress.images.models import Models
from gateway.ingress.images.words import words
from gateway.ingress.kit import Kit

_CREATE, _EDIT, _VARY = "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"


def door(kit: Kit) -> Door:
    """Open it."""
    create, models = Create(kit), Models(kit)
    write, read = Scope.GENERATION_WRITE, Scope.LIBRARY_READ
    return Door(
        Name.IMAGES,
        (
            Route("POST", _CREATE, write, create.generation),
            Route("POST", _EDIT, write, create.edit),
            Route("POST", _VARY, write, create.variation),
            # Some clients name the model in the path, and the version of the API in the query.
            Route("POST", "/deployments/{deployment:.+}/images/generations", write, create.generation, at_root=False),
            Route("POST", "/deployments/{deployment:.+}/images/edits", write, create.edit, at_root=False),
            Route("GET", "/v1/models", read, models.page),
            Route("GET", "/v1/models/{named}", read, models.one),
        ),
        words,
        own=("images", "models"),
    )
