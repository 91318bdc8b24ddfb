"""One house a test; the packs are read once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.providers.catalog import Catalog
from tests.gateway.ingress.house import House, catalog, opened


@pytest.fixture(scope="session")
def packs() -> Catalog:
    """The packs that are shipped."""
    return catalog()


@pytest.fixture
async def house(tmp_path: Path, packs: Catalog) -> AsyncIterator[House]:
    """A house with one account of ten credits."""
    async with opened(tmp_path, packs) as made:
        yield made


@pytest.fixture
async def poor_house(tmp_path: Path, packs: Catalog) -> AsyncIterator[House]:
    """A house whose account has no credits."""
    async with opened(tmp_path, packs, balance=0) as made:
        yield made


@pytest.fixture
async def open_house(tmp_path: Path, packs: Catalog) -> AsyncIterator[House]:
    """A house that asks for no key."""
    async with opened(tmp_path, packs, open_to_all=True) as made:
        yield made
