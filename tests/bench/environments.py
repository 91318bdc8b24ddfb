"""Python environments for what is not the project's own: one a name, in a cache, made on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.process import run

_DONE = "installed"  # a file of an environment that is whole, with what was put in


def cache() -> Path:
    """The folder under which everything is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate-bench"


def environment(name: str, packages: Sequence[str]) -> Path:
    """The folder of an environment that has these packages; its programs are in `bin`. RuntimeError when they cannot be had."""
    folder, wanted = cache() / name, "\n".join(packages)
    done = folder / _DONE
    if done.is_file() and done.read_text() == wanted:
        return folder
    run([sys.executable, "-m", "venv", "--clear", str(folder)], seconds=300)
    run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], seconds=1200)
    done.write_text(wanted)
    return folder
