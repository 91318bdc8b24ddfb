"""The runtime lock, installed as an image installs it: from wheels alone, every file held against its hash.

Run alone, with a package index in reach: `python -m tests.harness.locked`. It makes an environment, installs the lock into it,
puts the gateway's own wheel on top and runs it; then it changes one digit of every hash of one package and expects a refusal. It
prints its figures and exits 1 when something went otherwise.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / ".ci" / "runtime.lock"


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def _environment(folder: Path) -> Path:
    _run(sys.executable, "-m", "venv", folder).check_returncode()
    return folder / "bin" / "python"


def _install(python: Path, lock: Path) -> subprocess.CompletedProcess[str]:
    return _run(
        python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", lock
    )  # fmt: skip


def _spoiled(text: str, package: str) -> str:
    """The lock with every hash of one package a digit off."""
    before, name, rest = text.partition(f"\n{package}==")
    own, via, after = rest.partition("\n    # via")
    return (
        before
        + name
        + re.sub(r"sha256:.", lambda found: f"sha256:{(int(found[0][-1], 16) + 1) % 16:x}", own)
        + via
        + after
    )


def main() -> int:
    """Install it, run what it was installed for, and install what was tampered with."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="locked-") as name:
        folder = Path(name)
        python = _environment(folder / "good")
        installed = _install(python, _LOCK)
        wheel = _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, _ROOT)
        wheels = list(folder.glob("tidegate-*.whl"))
        own = _run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", *wheels)
        runs = _run(folder / "good" / "bin" / "tidegate", "--version")
        checked = _run(python, "-m", "pip", "check")
        spoiled = folder / "spoiled.lock"
        spoiled.write_text(_spoiled(_LOCK.read_text(encoding="utf-8"), "yarl"), encoding="utf-8")
        refused = _install(_environment(folder / "bad"), spoiled)
    steps = {"installed": installed, "wheel": wheel, "own": own, "runs": runs, "checked": checked}
    tampered = "do not match the hashes" in refused.stderr.lower()
    packages = len(re.findall(r"^\S+==", _LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    said = " ".join(f"{step}={done.returncode}" for step, done in steps.items())
    print(f"packages={packages} {said} spoiled_refused={int(tampered)} seconds={time.monotonic() - began:.0f}")
    bad = [done.stderr.strip() for done in steps.values() if done.returncode]
    print(*bad, sep="\n", end="\n" if bad else "")
    return 1 if bad or not tampered else 0


if __name__ == "__main__":
    sys.exit(main())
