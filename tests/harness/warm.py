"""A store beside which the shipped packs are kept as found right, as after every start but the first.

Checking them takes a start two seconds of a processor. What a first start does is held in tests/gateway/providers/test_kept.py
and seen by whoever starts one without this; whoever starts a gateway for another reason starts it warm.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from gateway import settings
from gateway.providers import catalog
from gateway.state import kept_packs


@functools.cache
def _first() -> tuple[bytes, bytes]:
    """The gateway's own secret and the packs kept under it, from one start."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text("store: sqlite:first.db\n")
        told = settings.load(path, {})
        catalog.load(told.catalog, kept_packs(told))
        return Path(folder, "first.db.secret").read_bytes(), Path(folder, "first.db.packs").read_bytes()


def warm(store: Path) -> None:
    """Put beside a store what a first start leaves there, unless there was one."""
    if store.with_name(store.name + ".secret").exists():
        return
    for suffix, data in zip((".secret", ".packs"), _first(), strict=True):
        path = store.with_name(store.name + suffix)
        path.touch(0o600)
        path.write_bytes(data)
