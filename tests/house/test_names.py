"""A file is a noun that says what is in it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tests.house.tree import none, sources

_SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "types", "constants", "misc", "shared", "core"}


def nameless(path: str) -> bool:
    """Whether a file or a folder on the way to it is named for nothing in particular."""
    return any(part.lower().strip("_") in _SAYS_NOTHING for part in PurePosixPath(path).with_suffix("").parts)


def test_no_drawer_for_everything() -> None:
    """No module and no folder is named utils, helpers, common, base, types, constants or the like."""
    none(source.path for source in (*sources("gateway"), *sources("tests")) if nameless(source.path))


@pytest.mark.parametrize("path", ["gateway/utils.py", "gateway/common/x.py", "tests/gateway/_helpers.py"])
def test_a_drawer_is_seen(path: str) -> None:
    """Such a name is found for a file and for a folder."""
    assert nameless(path)
