"""The good pack, loaded."""

from __future__ import annotations

import pathlib

import pytest

from gateway.providers.catalog import Catalog
from gateway.providers.pack import Model, Provider
from tests.gateway.providers import acme


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The good pack as a catalog."""
    return acme.loaded(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="session")
def provider(packs: Catalog) -> Provider:
    """Its provider."""
    return acme.provider(packs)


@pytest.fixture(scope="session")
def still(packs: Catalog) -> Model:
    """Its model for pictures, which answers at once."""
    return acme.model(packs, "still")


@pytest.fixture(scope="session")
def clip(packs: Catalog) -> Model:
    """Its model for videos, a job with a result of its own; form 0 starts from a picture, form 1 from words."""
    return acme.model(packs, "clip")


@pytest.fixture
def shipped() -> pathlib.Path:
    """The folder of packs that come with the project."""
    return pathlib.Path(__file__).parents[3] / "providers.d"
